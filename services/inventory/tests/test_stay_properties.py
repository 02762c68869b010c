"""Whatever is asked of a car in whatever order: one holder, a book cost that is the sum of its parts, holds that end."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from services.inventory.domain.between import MarkArrived, MarkDispatched
from services.inventory.domain.car import (
    AddCost,
    AnswerRequest,
    CarArrived,
    Command,
    CostAdded,
    Event,
    ExpireReservation,
    ReleaseReservation,
    ReservationExpired,
    Reserve,
    Sell,
    VehicleReceived,
    VehicleReleased,
    VehicleReserved,
    VehicleSold,
    WithdrawRequest,
)
from services.inventory.domain.stay import stay
from services.inventory.domain.stock import OnHand, Sold
from services.inventory.tests.cars import VIN, noon, receive
from shared.decider import Rejected, Schedule, Unschedule
from shared.values.money import Money

orders = {"r1": None, "r2": None, "r3": "o3", "r4": "o4"}
requests = st.sampled_from(sorted(orders))
amounts = st.integers(-9_000_000, 9_000_000).map(Money)
transfers = st.sampled_from(["t1", "t2"])
stores = st.sampled_from(["north", "south"])
at = st.just(noon)

commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(Reserve, request_id=st.sampled_from(["r1", "r2"]), by=st.just("li"), queue=st.booleans(), at=at),
    st.builds(
        lambda request_id, earnest: AnswerRequest(
            request_id=request_id, order_id=f"o{request_id[1]}", vin=VIN, by="li", earnest=earnest, at=noon
        ),
        st.sampled_from(["r3", "r4"]),
        st.booleans(),
    ),
    st.builds(ReleaseReservation, request_id=requests, by=st.just("li"), manager=st.booleans(), at=at),
    st.builds(WithdrawRequest, request_id=requests, reason=st.just("cancelled"), at=at),
    st.builds(ExpireReservation, request_id=requests, at=at),
    st.builds(
        AddCost,
        cost_id=st.sampled_from(["c1", "c2", "c3"]),
        kind=st.sampled_from(["freight", "rebate"]),
        supplier=st.just("Sanhe"),
        amount=amounts,
        at=at,
    ),
    st.builds(MarkDispatched, transfer_id=transfers, from_store=stores, to_store=stores, to_entity=st.just("entity-1"), at=at),
    st.builds(MarkArrived, transfer_id=transfers, carrier=st.just("Sanhe"), transport=amounts.filter(lambda m: m.minor >= 0), at=at),
    st.builds(Sell, order_id=st.sampled_from(["o3", "o4"]), at=at),
)
steps = st.lists(st.tuples(st.integers(0, 60), commands), max_size=30)


def life_of(steps: list[tuple[int, Command]]) -> list[Event]:
    """What happens to a car when this is asked of it, hours apart; refusals leave no event."""
    events = list(stay.decide(receive, stay.initial))
    state, now = stay.fold(events), noon
    for hours, command in steps:
        now += timedelta(hours=hours)
        try:
            made = stay.decide(replace(command, at=now), state)
        except Rejected:
            continue
        events += made
        state = reduce(stay.evolve, made, state)
    return events


lives = steps.map(life_of)


@given(lives)
@settings(max_examples=100)
def test_a_car_never_has_two_holders(life: list[Event]) -> None:
    holder: str | None = None
    for event in life:
        match event:
            case VehicleReserved(request_id=request_id, instead_of=before):
                assert holder == before
                holder = request_id
            case VehicleReleased(request_id=request_id) | ReservationExpired(request_id=request_id):
                assert holder == request_id
                holder = None
            case VehicleSold(request_id=request_id):
                assert holder == request_id
                holder = None
    state = stay.fold(life)
    if isinstance(state, OnHand):
        assert (state.hold.wish.request_id if state.hold else None) == holder
        assert state.hold or not state.queue or state.sale_awaited  # handed over on its way: whoever waits is refused when it arrives


@given(lives)
@settings(max_examples=100)
def test_the_book_cost_is_the_sum_of_its_parts(life: list[Event]) -> None:
    parts = Money(0)
    for event in life:
        match event:
            case VehicleReceived(cost=cost):
                parts += cost.purchase - cost.rebate + cost.freight + cost.preparation
            case CostAdded(amount=amount, late=False):
                parts += amount
            case CarArrived(transport=transport):
                parts += transport
    state = stay.fold(life)
    assert isinstance(state, OnHand | Sold)
    assert state.book_cost == parts
    assert parts.minor >= 0


@given(lives)
@settings(max_examples=100)
def test_a_hold_always_has_its_end_scheduled_and_nothing_else_has(life: list[Event]) -> None:
    waiting: dict[str, datetime] = {}
    for event in life:
        for timer in stay.timers(event):
            if isinstance(timer, Unschedule):
                waiting.pop(timer.key, None)
            elif isinstance(timer, Schedule) and timer.at is not None:
                waiting[timer.key] = timer.at
    state = stay.fold(life)
    held = state.hold if isinstance(state, OnHand) else None
    assert waiting == ({f"hold/{held.wish.request_id}": held.until} if held else {})


@given(lives)
@settings(max_examples=100)
def test_the_stock_levels_hear_where_the_car_can_be_sold(life: list[Event]) -> None:
    available: dict[str, bool] = {}
    for event in life:
        for timer in stay.timers(event):
            if isinstance(timer, Schedule) and timer.key.startswith("count/"):
                available[timer.key] = timer.command.available  # type: ignore[attr-defined]
    state = stay.fold(life)
    free = isinstance(state, OnHand) and not state.hold and not state.transit
    assert [key for key, yes in available.items() if yes] == ([f"count/{state.store_id}"] if free and isinstance(state, OnHand) else [])
