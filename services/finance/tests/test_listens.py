"""What finance makes of what it hears."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.finance.domain.account_messages import CancelAccount, OpenAccount, RecogniseSale, RecordContract
from services.finance.domain.car_messages import AddCost, ArriveCar, DispatchCar, ReceiveCar
from services.finance.domain.entry import CLOSED, period_count
from services.finance.domain.payable import OpenPayable
from services.finance.known import KnownCustomer, KnownStore, customers_known, stores_known
from services.finance.listens import listen
from services.finance.prepares import in_open_period, on_its_day
from services.finance.tests import hearing
from services.finance.tests.hearing import COST, CUSTOMER, ENTITY, OTHER_STORE, SPEND, STORE, TRANSFER, hear
from shared.bus.heard import Send
from shared.contracts import customers
from shared.store.memory import MemoryStore
from shared.store.protocol import Commit
from shared.values.money import Money
from shared.views.table import Drop, Put


def sends(event: object) -> list[tuple[str, object]]:
    """Stream and command of each effect."""
    effects = listen(hear(event))
    assert all(isinstance(effect, Send) for effect in effects)
    return [(effect.to, effect.command) for effect in effects if isinstance(effect, Send)]


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (hearing.placed, OpenAccount),
        (hearing.signed, RecordContract),
        (hearing.cancelled, CancelAccount),
        (hearing.delivered, RecogniseSale),
    ],
)
def test_an_order_s_events_go_to_its_account(event: object, command: type) -> None:
    ((to, sent),) = sends(event)
    assert to == f"account-{hearing.ORDER}"
    assert isinstance(sent, command)


@pytest.mark.parametrize(
    ("event", "command", "payable", "owed"),
    [
        (hearing.received, ReceiveCar, hearing.STAY, 16_950_000),
        (hearing.cost_added, AddCost, COST, 200_000),
        (hearing.arrived, ArriveCar, TRANSFER, 80_000),
    ],
)
def test_a_car_s_costs_are_booked_and_owed(event: object, command: type, payable: str, owed: int) -> None:
    (to, sent), (other, opened) = sends(event)
    assert (to, type(sent)) == (f"car-{hearing.STAY}", command)
    assert other == f"payable-{payable}"
    assert isinstance(opened, OpenPayable)
    assert (opened.amount, opened.expense) == (Money(owed), None)


def test_a_dispatched_car_owes_nobody() -> None:
    ((_, sent),) = sends(hearing.dispatched)
    assert isinstance(sent, DispatchCar)


def test_a_campaign_s_spend_is_owed_and_an_expense() -> None:
    ((to, sent),) = sends(hearing.spent)
    assert isinstance(sent, OpenPayable)
    assert (to, sent.expense) == (f"payable-{SPEND}", "6601")


def test_a_fact_counts_on_the_day_of_the_books() -> None:
    late_in_the_evening = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)
    (effect,) = listen(hear(hearing.delivered, at=late_in_the_evening))
    assert isinstance(effect, Send)
    assert effect.command.on == date(2026, 3, 3)


def test_a_forgotten_customer_is_dropped() -> None:
    assert listen(hear(hearing.customer)) == [Put(customers_known, KnownCustomer(customer_id=CUSTOMER, name="~p1.x"))]
    assert listen(hear(customers.CustomerForgotten(customer_id=CUSTOMER))) == [Drop(customers_known, (CUSTOMER,))]


async def test_what_is_heard_late_counts_in_the_next_open_month() -> None:
    store = MemoryStore()
    known = [
        KnownStore(store_id=store_id, code="", name="", entity_id=ENTITY, timezone="Asia/Shanghai") for store_id in (STORE, OTHER_STORE)
    ]
    closings = [period_count(ENTITY, month, by=CLOSED, most=2 * CLOSED - 1) for month in ("2026-03", "2026-04")]
    await store.append(
        Commit(
            puts={stores_known: {(row.store_id,): row for row in known}},
            claims=[(f"period-{n}", claim) for n, claim in enumerate(closings)],
        )
    )
    commands = [command for event in (hearing.delivered, hearing.arrived, hearing.spent) for _, command in sends(event)]
    async with store.begin() as tx:
        assert {(await in_open_period(command, tx)).on for command in commands} == {date(2026, 5, 1)}


@pytest.mark.parametrize(
    ("timezone", "on"),
    [("Asia/Shanghai", date(2026, 3, 2)), ("America/New_York", date(2026, 3, 1)), ("Pacific/Auckland", date(2026, 3, 2))],
)
async def test_a_fact_is_booked_on_the_day_of_its_store(timezone: str, on: date) -> None:
    store = MemoryStore()
    known = KnownStore(store_id=STORE, code="", name="", entity_id=ENTITY, timezone=timezone)
    await store.append(Commit(puts={stores_known: {(STORE,): known}}))
    ((_, command),) = sends(hearing.delivered)
    async with store.begin() as tx:
        assert (await on_its_day(command, tx)).on == on


async def test_a_car_that_arrives_is_booked_on_the_day_where_it_arrives() -> None:
    store = MemoryStore()
    zones = {OTHER_STORE: "Asia/Shanghai", STORE: "America/New_York"}
    known = {(id,): KnownStore(store_id=id, code="", name="", entity_id=ENTITY, timezone=zone) for id, zone in zones.items()}
    await store.append(Commit(puts={stores_known: known}))
    command = sends(hearing.arrived)[0][1]
    assert isinstance(command, ArriveCar)
    assert (command.from_store, command.to_store) == (OTHER_STORE, STORE)
    async with store.begin() as tx:
        assert (await on_its_day(command, tx)).on == date(2026, 3, 1)


async def test_a_batch_asks_for_its_stores_and_months_once() -> None:
    asked: list[tuple[str, ...]] = []

    class Reads:
        async def rows(self, table: Any, keys: Any) -> dict[Any, Any]:
            asked.append(("store", *keys[0]))
            return {key: KnownStore(store_id=key[0], code="", name="", entity_id=ENTITY, timezone="Asia/Shanghai") for key in keys}

        async def tallies(self, kind: str, keys: Any) -> dict[str, int]:
            asked.append((kind, *keys))
            return dict.fromkeys(keys, 0)

    commands = [command for event in (hearing.delivered, hearing.signed, hearing.spent) for _, command in sends(event)] * 20
    reads: Any = Reads()
    assert [await on_its_day(command, reads) for command in commands] == commands
    assert asked == [("store", STORE), ("period", f"{ENTITY}/2026-03")]
