"""Fulfilment gets an approved order its car and gives it back, in whatever order and however often it hears of things."""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from random import Random

from hypothesis import given as each
from hypothesis import settings
from hypothesis import strategies as st

from services.orders.domain.order_messages import ConfirmVehicle, ReportVehicleMissing
from services.orders.processes.fulfilment import (
    AskAgain,
    Event,
    Fulfilment,
    HearOrder,
    HearRefused,
    HearReleased,
    HearReserved,
    Input,
    OrderHeard,
    Phase,
    VehicleDenied,
    VehicleHeld,
    VehicleLost,
    VehicleReleaseRequested,
    VehicleRequested,
    VehicleSecured,
    fulfilment,
)
from shared.decider import Schedule
from shared.testing.specs import spec
from shared.values.ids import derived_id

given = spec(fulfilment)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
RED, BLUE = "LFV2A2150N3000001", "LFV2A2150N3000002"


def rid(sequence: int, attempt: int = 0) -> str:
    return str(derived_id("vehicle-request", "so1", str(sequence), str(attempt)))


def seller_of(phase: Phase) -> str:
    return "li" if phase == "approved" else ""


def hear(phase: Phase, sequence: int, vin: str = RED) -> HearOrder:
    return HearOrder(order_id="so1", store_id="bj1", seller_id=seller_of(phase), phase=phase, vin=vin, sequence=sequence, at=noon)


def heard(phase: Phase, sequence: int, vin: str = RED) -> OrderHeard:
    return OrderHeard(order_id="so1", store_id="bj1", seller_id=seller_of(phase), phase=phase, vin=vin, sequence=sequence)


until = noon + timedelta(days=1)
reserved = HearReserved(
    order_id="so1", request_id=rid(200), vin=RED, stay_id="stay-1", store_id="sh1", certificate="with-us", until=until, at=noon
)
refused = HearRefused(order_id="so1", request_id=rid(200), vin=RED, problem="vehicle-taken", reason="Another order has it.", at=noon)
released = HearReleased(order_id="so1", request_id=rid(200), vin=RED, reason="expired", at=noon)
requested = VehicleRequested(request_id=rid(200), order_id="so1", vin=RED, store_id="bj1", seller_id="li", attempt=0)
held = VehicleHeld(request_id=rid(200), vin=RED, stay_id="stay-1", store_id="sh1", certificate="with-us", until=until, at=noon)
secured = VehicleSecured(order_id="so1", vehicle=held, sequence=200)
denied = VehicleDenied(request_id=rid(200), vin=RED, problem="vehicle-taken", reason="Another order has it.", at=noon)
ended = VehicleDenied(request_id=rid(200), vin=RED, problem="reservation-ended", reason="expired", at=noon)


def give_back(phase: Phase, sequence: int = 200, vin: str = RED) -> VehicleReleaseRequested:
    return VehicleReleaseRequested(request_id=rid(sequence), order_id="so1", vin=vin, reason=f"order {phase}")


def test_an_approved_order_asks_for_its_car() -> None:
    given().when(hear("approved", 200)).then(heard("approved", 200), requested)


def test_a_reserved_car_is_confirmed_to_the_order_at_once() -> None:
    confirm = ConfirmVehicle(request_id=rid(200), vin=RED, stay_id="stay-1", store_id="sh1", certificate="with-us", at=noon)
    given(heard("approved", 200), requested).when(reserved).then(held, secured).timers(
        Schedule(key=f"{rid(200)}/200", command=confirm, to="order-so1")
    )


def test_a_refused_car_is_reported_to_the_order() -> None:
    missing = ReportVehicleMissing(request_id=rid(200), vin=RED, problem="vehicle-taken", reason="Another order has it.", at=noon)
    given(heard("approved", 200), requested).when(refused).then(denied, VehicleLost(order_id="so1", denied=denied)).timers(
        Schedule(key=f"{rid(200)}/lost", command=missing, to="order-so1")
    )


def test_an_expired_reservation_is_reported_and_can_be_asked_for_again() -> None:
    history = heard("approved", 200), requested, held, secured
    lost = VehicleLost(order_id="so1", denied=ended)
    given(*history).when(released).then(ended, lost)
    again = replace(requested, request_id=rid(200, 1), attempt=1)
    given(*history, ended, lost).when(AskAgain(at=noon)).then(again)
    given(*history, ended, lost, again).when(AskAgain(at=noon)).then_nothing()
    given(*history).when(AskAgain(at=noon)).then_nothing()


def test_a_reservation_that_comes_back_is_confirmed_again() -> None:
    lost = VehicleLost(order_id="so1", denied=ended)
    history = heard("approved", 200), requested, held, secured, ended, lost
    back = replace(held, at=noon + timedelta(days=2))
    given(*history).when(replace(reserved, at=back.at)).then(back, replace(secured, vehicle=back))
    over = heard("cancelled", 500)
    given(*history, over).when(replace(reserved, at=back.at)).then(back, give_back("cancelled"))


def test_a_reservation_that_comes_back_after_its_release_was_asked_for_is_given_back_again() -> None:
    history = heard("approved", 200), requested, held, secured, heard("cancelled", 500), give_back("cancelled"), ended
    back = replace(held, at=noon + timedelta(days=2))
    given(*history).when(replace(reserved, at=back.at)).then(back, give_back("cancelled"))


def test_a_hold_that_gets_longer_is_learnt_and_confirmed_once() -> None:
    later = noon + timedelta(hours=2)
    longer = replace(held, until=noon + timedelta(days=7), at=later)
    news = replace(reserved, until=longer.until, at=later)
    history = heard("approved", 200), requested, held, secured
    given(*history).when(news).then(longer)
    given(*history, longer).when(news).then_nothing()
    given(*history, heard("cancelled", 500), give_back("cancelled")).when(news).then(longer)


def test_a_car_lost_after_another_approval_is_reported_not_asked_for_anew() -> None:
    history = (
        heard("approved", 200),
        requested,
        held,
        secured,
        heard("changed", 500),
        heard("approved", 700),
        replace(secured, sequence=700),
    )
    given(*history).when(released).then(ended, VehicleLost(order_id="so1", denied=ended))


def test_only_an_approved_order_asks_again() -> None:
    given().when(AskAgain(at=noon)).rejected("illegal-transition")
    given(heard("approved", 200), heard("cancelled", 300)).when(AskAgain(at=noon)).rejected("illegal-transition")


def test_a_cancelled_order_gives_its_car_back() -> None:
    given(heard("approved", 200), requested, held, secured).when(hear("cancelled", 500)).then(
        heard("cancelled", 500), give_back("cancelled")
    )


def test_a_car_reserved_after_the_cancellation_is_given_back_again() -> None:
    history = heard("approved", 200), requested, heard("cancelled", 500), give_back("cancelled")
    given(*history).when(reserved).then(held, give_back("cancelled"))
    given(*history, held, give_back("cancelled")).when(reserved).then_nothing()


def test_another_car_releases_the_first_and_waits_for_approval() -> None:
    history = heard("approved", 200), requested, held, secured
    changed = heard("changed", 500, BLUE)
    given(*history).when(hear("changed", 500, BLUE)).then(changed, give_back("changed"))
    blue = replace(requested, request_id=rid(700), vin=BLUE)
    given(*history, changed, give_back("changed")).when(hear("approved", 700, BLUE)).then(heard("approved", 700, BLUE), blue)


def test_another_price_keeps_the_car_and_confirms_it_after_approval() -> None:
    history = heard("approved", 200), requested, held, secured
    given(*history).when(hear("changed", 500)).then(heard("changed", 500))
    given(*history, heard("changed", 500)).when(hear("approved", 700)).then(heard("approved", 700), replace(secured, sequence=700))


def test_a_delivered_car_is_not_given_back() -> None:
    given(heard("approved", 200), requested, held, secured).when(hear("delivered", 900)).then(heard("delivered", 900))


def test_overtaken_news_is_no_news() -> None:
    given(heard("cancelled", 500)).when(hear("approved", 200)).then_nothing()


def test_a_later_answer_counts_whatever_time_it_bears() -> None:
    """Earnest money of yesterday, heard after the hold had ended: the car is held again, from yesterday on."""
    first, ended_at = replace(held, sequence=400, at=noon), replace(ended, sequence=500, at=until)
    again = replace(held, sequence=600, at=noon + timedelta(hours=1))
    history = [
        heard("approved", 200),
        requested,
        first,
        replace(secured, vehicle=first),
        ended_at,
        VehicleLost(order_id="so1", denied=ended_at),
    ]
    hold = replace(reserved, sequence=600, at=again.at)
    given(*history).when(hold).then(again, replace(secured, vehicle=again))
    given(*history, again, replace(secured, vehicle=again)).when(replace(released, sequence=500, at=until)).then_nothing()
    given(*history, again, replace(secured, vehicle=again)).when(hear("cancelled", 800)).then(
        heard("cancelled", 800), give_back("cancelled")
    )


# --- any order, any repetition -----------------------------------------------------------------------------------


def handle(state: Fulfilment, command: Input) -> tuple[Fulfilment, list[Event]]:
    events = fulfilment.decide(command, state)
    return reduce(fulfilment.evolve, events, state), events


STORY: list[Input] = [hear("approved", 200), reserved, hear("changed", 400), hear("approved", 600), hear("cancelled", 800), released]


@each(st.permutations([*STORY, *STORY]))
def test_a_cancelled_story_ends_the_same_in_any_order_and_repeated(told: list[Input]) -> None:
    state = reduce(lambda state, command: handle(state, command)[0], told, Fulfilment())
    assert (state.phase, state.sequence) == ("cancelled", 800)
    assert not [request for request in state.requests if request.alive]
    assert not [request for request in state.requests if request.held and not request.denied and not request.releasing]
    first = state.request(rid(200))
    assert first is not None
    assert first.denied is not None
    assert [handle(state, command)[1] for command in told] == [[]] * len(told)


@dataclass
class Inventory:
    """Answers like inventory: one holder per VIN, in the order of what was asked; reservations run out and may come back."""

    taken: set[str]
    inbox: deque[Event] = field(default_factory=deque)
    open: dict[str, str] = field(default_factory=dict)
    holder: dict[str, str] = field(default_factory=dict)
    at: datetime = noon

    def answer(self) -> list[Input]:
        match self.inbox.popleft():
            case VehicleRequested(request_id=request_id, vin=vin):
                self.open[request_id] = vin
                return self.reserve(request_id)
            case VehicleReleaseRequested(request_id=request_id, vin=vin):
                self.open.pop(request_id, None)
                return self.release(vin, "asked") if self.holder.get(vin) == request_id else []
            case _:
                return []

    def reserve(self, request_id: str) -> list[Input]:
        vin = self.open[request_id]
        self.at += timedelta(minutes=1)
        if vin in self.taken or vin in self.holder:
            return [replace(refused, request_id=request_id, vin=vin, at=self.at)]
        self.holder[vin] = request_id
        return [replace(reserved, request_id=request_id, vin=vin, at=self.at)]

    def release(self, vin: str, reason: str) -> list[Input]:
        self.at += timedelta(minutes=1)
        return [replace(released, request_id=self.holder.pop(vin), vin=vin, reason=reason, at=self.at)]


orders_told = st.lists(st.tuples(st.sampled_from(["approved", "changed"]), st.sampled_from([RED, BLUE])), min_size=1, max_size=6)


@settings(max_examples=1_000)
@each(orders_told, st.sampled_from([None, "cancelled", "delivered"]), st.sampled_from([set(), {BLUE}]), st.integers(0, 2**32))
def test_no_car_is_left_held_whatever_happens(story: list[tuple[Phase, str]], end: Phase | None, taken: set[str], seed: int) -> None:
    facts: list[tuple[Phase, str]] = [*story, (end, story[-1][1])] if end else story
    waiting: list[Input] = [hear(phase, 100 * n, vin) for n, (phase, vin) in enumerate(facts, start=2)]
    state, inventory, expired, chance = Fulfilment(), Inventory(taken), False, Random(seed)
    while waiting or inventory.inbox:
        step = chance.randrange(20)
        if step == 0 and inventory.holder:
            waiting += inventory.release(chance.choice([*inventory.holder]), "expired")
            expired = True
        elif step == 1 and (idle := sorted(inventory.open.keys() - inventory.holder.values())):
            waiting += inventory.reserve(chance.choice(idle))
        elif step < 10 and inventory.inbox:
            waiting += inventory.answer()
        elif waiting:
            command = waiting.pop(chance.randrange(len(waiting)))
            if chance.randrange(3) == 0:
                waiting.append(command)
            state, events = handle(state, command)
            inventory.inbox += [event for event in events if isinstance(event, VehicleRequested | VehicleReleaseRequested)]
    phase, vin = facts[-1]
    assert (state.phase, state.vin) == (phase, vin)
    assert set(inventory.holder) <= {vin}
    current = state.current()
    if phase == "cancelled":
        assert inventory.holder == {}
    elif phase != "delivered":
        assert inventory.holder == ({vin: current.request_id} if current else {})
    if phase == "approved" and current:
        assert current.told == state.sequence
    if phase == "approved" and vin not in taken and not expired:
        assert current
