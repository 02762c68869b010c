"""Cars come in, are wanted, sent and sold in any order: one open stay per VIN, one holder per car, one transfer at a time."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.inventory.domain import transfer as t
from services.inventory.domain.between import MarkArrived, MarkDispatched
from services.inventory.domain.car import (
    AddCost,
    AnswerRequest,
    CarArrived,
    CostAdded,
    CostKind,
    ReleaseReservation,
    Reserve,
    Sell,
    VehicleReceived,
    VehicleReserved,
    VehicleSold,
    WithdrawRequest,
)
from services.inventory.domain.stay import stay
from services.inventory.domain.stock import OnHand, Sold
from services.inventory.domain.stock_level import stock_level
from services.inventory.tests.cars import noon, receive
from shared.values.money import Money
from tests.properties.streams import Streams

VINS = ("LFV2A2158N3000001", "LFV2A215XN3000002")
vins = st.sampled_from(VINS)
stays = st.sampled_from(["a", "b", "c"])
stores = st.sampled_from(["north", "south"])
people = st.sampled_from(["li", "wu", "sun"])
transfers = st.sampled_from(["t1", "t2", "t3"])
orders = st.sampled_from(["o1", "o2"])


class Watched(Streams):
    """A reservation travels: whatever a transfer tells a stay, who holds the car and who waits for it stay as they were."""

    def ask(self, stream: str, command: Any) -> list[Any] | None:
        before = self.state(stream)
        events = super().ask(stream, command)
        if isinstance(command, MarkDispatched | MarkArrived) and isinstance(before, OnHand):
            after = self.state(stream)
            if isinstance(after, Sold):  # it was handed over on its way: only who held it can have got it
                assert before.hold is None or before.hold.wish.order_id == before.sale_awaited == after.order_id
            else:
                assert (after.hold, after.queue) == (before.hold, before.queue)
        return events


class StockMachine(RuleBasedStateMachine):
    """Three stays of two cars and three transfers; what streams tell each other waits until the machine lets it happen."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = noon
        self.streams = Watched({"stay": stay, "transfer": t.transfer, "level": stock_level})
        for id, vin in zip("ab", VINS, strict=True):
            self.receive(id, vin, "north")

    def ask(self, stream: str, command: object) -> list[object]:
        """Asked an hour later."""
        self.now += timedelta(hours=1)
        return self.streams.ask(stream, replace(command, at=self.now)) or []  # type: ignore[type-var]

    @rule(id=stays, vin=vins, store=stores)
    def come_in(self, id: str, vin: str, store: str) -> None:
        self.receive(id, vin, store)

    def receive(self, id: str, vin: str, store: str) -> None:
        """A car comes in, if there is none with this VIN."""
        self.ask(f"stay-{id}", replace(receive, stay_id=id, vin=vin, store_id=store))

    @rule(id=stays, request=st.sampled_from(["w1", "w2"]), by=people, queue=st.booleans())
    def reserve(self, id: str, request: str, by: str, queue: bool) -> None:
        self.ask(f"stay-{id}", Reserve(request_id=request, by=by, queue=queue, at=self.now))

    @rule(id=stays, order=orders, by=people, earnest=st.booleans())
    def request(self, id: str, order: str, by: str, earnest: bool) -> None:
        state = self.streams.state(f"stay-{id}")
        vin = getattr(state, "vin", VINS[0])
        self.ask(f"stay-{id}", AnswerRequest(request_id=f"r{order}", order_id=order, vin=vin, by=by, earnest=earnest, at=self.now))

    @rule(id=stays, order=orders)
    def withdraw(self, id: str, order: str) -> None:
        self.ask(f"stay-{id}", WithdrawRequest(request_id=f"r{order}", reason="cancelled", at=self.now))

    @rule(id=stays, request=st.sampled_from(["w1", "w2", "ro1"]), by=people, manager=st.booleans())
    def release(self, id: str, request: str, by: str, manager: bool) -> None:
        self.ask(f"stay-{id}", ReleaseReservation(request_id=request, by=by, manager=manager, at=self.now))

    @rule(id=stays, order=orders)
    def sell(self, id: str, order: str) -> None:
        self.ask(f"stay-{id}", Sell(order_id=order, at=self.now))

    @rule(id=stays, cost=st.sampled_from(["c1", "c2"]), amount=st.integers(-400_000, 400_000))
    def add_cost(self, id: str, cost: str, amount: int) -> None:
        kind: CostKind = "rebate" if amount < 0 else "freight"
        self.ask(f"stay-{id}", AddCost(cost_id=cost, kind=kind, supplier="m", amount=Money(amount), at=self.now))

    @rule(id=transfers, car=stays, to=stores, by=people)
    def request_transfer(self, id: str, car: str, to: str, by: str) -> None:
        state = self.streams.state(f"stay-{car}")
        if isinstance(state, OnHand):
            wish = t.RequestTransfer(
                transfer_id=id, number=id, stay_id=car, vin=state.vin, from_store=state.store_id, to_store=to, from_entity="entity-1",
                to_entity="entity-1", currency="CNY", order_id=None, by=by, at=self.now,
            )  # fmt: skip
            self.ask(f"transfer-{id}", wish)

    @rule(id=transfers, by=people, store=stores)
    def approve(self, id: str, by: str, store: str) -> None:
        before = self.streams.state(f"transfer-{id}")
        if self.ask(f"transfer-{id}", t.ApproveTransfer(by=by, stores=frozenset({store}), at=self.now)):
            assert by != before.requester and store == before.from_store

    @rule(id=transfers, store=stores)
    def dispatch(self, id: str, store: str) -> None:
        self.ask(f"transfer-{id}", t.DispatchTransfer(by="sun", stores=frozenset({store}), carrier="c", at=self.now))

    @rule(id=transfers, store=stores, vin=vins, transport=st.integers(-1, 90_000), remark=st.sampled_from(["", "scratch"]))
    def arrive(self, id: str, store: str, vin: str, transport: int, remark: str) -> None:
        stores = frozenset({store})
        self.ask(
            f"transfer-{id}", t.ReceiveTransfer(by="sun", stores=stores, vin=vin, transport=Money(transport), remark=remark, at=self.now)
        )

    @rule(id=transfers)
    def cancel(self, id: str) -> None:
        self.ask(f"transfer-{id}", t.CancelTransfer(by="li", reason="r", at=self.now))

    @rule(id=transfers)
    def send_it_all_the_way(self, id: str) -> None:
        """Approved, dispatched and received, as far as it goes."""
        state = self.streams.state(f"transfer-{id}")
        if isinstance(state, t.Transfer):
            by = "wu" if state.requester != "wu" else "sun"
            everywhere = frozenset({"*"})
            self.ask(f"transfer-{id}", t.ApproveTransfer(by=by, stores=everywhere, at=self.now))
            self.ask(f"transfer-{id}", t.DispatchTransfer(by=by, stores=everywhere, carrier="c", at=self.now))
            self.tell_all()
            self.ask(f"transfer-{id}", t.ReceiveTransfer(by=by, stores=everywhere, vin=state.vin, transport=Money(100), at=self.now))

    @rule(car=stays, by=people, queue=st.booleans(), arrives=st.booleans())
    def send_what_is_reserved(self, car: str, by: str, queue: bool, arrives: bool) -> None:
        """By chance alone hardly any car is held, let alone waited for, when it leaves or comes."""
        state = self.streams.state(f"stay-{car}")
        free = [id for id in ("t1", "t2", "t3") if not isinstance(self.streams.state(f"transfer-{id}"), t.Transfer)]
        if free and isinstance(state, OnHand):
            self.reserve(car, "w1", by, queue)
            self.reserve(car, "w2", by, queue)
            self.request_transfer(free[0], car, "south" if state.store_id == "north" else "north", "li")
            if arrives:
                self.send_it_all_the_way(free[0])
            else:
                self.approve(free[0], "wu", state.store_id)
                self.dispatch(free[0], state.store_id)

    @rule(pick=st.integers(0, 9))
    def tell_one(self, pick: int) -> None:
        """One of the things that wait happens, in whatever order."""
        if due := self.streams.due(self.now):
            self.streams.fire(due[pick % len(due)])

    @rule()
    def tell_all(self) -> None:
        while due := self.streams.due(self.now):
            self.streams.fire(due[0])

    @rule()
    def a_week_passes(self) -> None:
        self.now += timedelta(days=8)

    @invariant()
    def a_vin_has_one_open_stay(self) -> None:
        there = [state.vin for state in self.streams.states.values() if isinstance(state, OnHand)]
        assert len(there) == len(set(there))

    @invariant()
    def a_car_has_one_holder_and_a_queue_only_behind_one(self) -> None:
        for state in self.streams.states.values():
            if isinstance(state, OnHand):
                wishes = [wish.request_id for wish in state.queue] + ([state.hold.wish.request_id] if state.hold else [])
                assert len(wishes) == len(set(wishes)) and (state.hold or not state.queue)

    @invariant()
    def a_hold_ends_by_itself(self) -> None:
        for stream, state in self.streams.states.items():
            if isinstance(state, OnHand) and state.hold:
                assert f"{stream}/hold/{state.hold.wish.request_id}" in self.streams.timers

    @invariant()
    def a_reservation_lasts_for_a_while(self) -> None:
        for events in self.streams.history.values():
            for event in events:
                assert not (isinstance(event, VehicleReserved) and event.until <= event.at)

    @invariant()
    def a_car_is_sold_once(self) -> None:
        sold = Counter(stream for stream, events in self.streams.history.items() for event in events if isinstance(event, VehicleSold))
        assert all(n == 1 for n in sold.values())

    @invariant()
    def a_car_is_on_one_transfer_at_a_time(self) -> None:
        under_way = Counter(
            state.stay_id
            for state in self.streams.states.values()
            if isinstance(state, t.Transfer) and state.status not in ("received", "cancelled")
        )
        assert all(n == 1 for n in under_way.values())

    @invariant()
    def who_is_on_the_road_is_on_a_transfer(self) -> None:
        for state in self.streams.states.values():
            if isinstance(state, OnHand) and state.transit:
                assert isinstance(self.streams.state(f"transfer-{state.transit.transfer_id}"), t.Transfer)

    @invariant()
    def group_stock_changes_by_what_was_spent(self) -> None:
        spent = Money(0)
        for event in (event for events in self.streams.history.values() for event in events):
            match event:
                case VehicleReceived(book_cost=cost):
                    spent += cost
                case CostAdded(amount=amount, late=False):
                    spent += amount
                case CarArrived(transport=transport):
                    spent += transport
        held = [state.book_cost for state in self.streams.states.values() if isinstance(state, OnHand | Sold)]
        assert sum(cost.minor for cost in held) == spent.minor


StockMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestStock = StockMachine.TestCase
