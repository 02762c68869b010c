"""The oracle's judgement on made-up states, tables, topics and stores: each wrong is called by its name, and what is right is not."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from psycopg.rows import dict_row

from services.inventory.domain.stock import OnHand, Transit
from services.inventory.domain.transfer import Status, Transfer
from services.orders.domain.order import Order, Stage
from services.orders.domain.order_messages import Sale, Terms, VehicleConfirmed
from services.orders.processes.fulfilment import Fulfilment, Request, VehicleDenied, VehicleHeld
from shared.bus.protocol import Message
from shared.bus.tests.support import fresh_store, message
from shared.decider import replace
from shared.events.envelope import sequence
from shared.testing.servers import Servers
from shared.values.money import Money
from tests.faults.record import Answer, Deed, Record
from tests.oracle import Oracle, Rebuilt
from tests.outcomes import different, mismarked, mistold, wrongly_ended

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RED = "LFV2A2150N3000001"
HELD = VehicleHeld(request_id="r1", vin=RED, stay_id="s1", store_id="bj1", certificate="with-us", until=NOON, sequence=3, at=NOON)
DENIED = VehicleDenied(request_id="r1", vin=RED, problem="sold", reason="to another", sequence=4, at=NOON)
ASKED = Request(request_id="r1", vin=RED)


# --- states ------------------------------------------------------------------------------------------------------


def stay(vin: str = RED, **more: Any) -> OnHand:
    return OnHand(
        stay_id="s1",
        vin=vin,
        trim_id="t1",
        brand="Aurora",
        series="A5",
        acquired_on=date(2026, 3, 1),
        store_id="bj1",
        entity_id="north",
        certificate="with-us",
        book_cost=Money(15_000_000),
        **more,
    )


def order(vin: str | None = RED, stage: Stage = "approved") -> Order:
    sale = Sale(
        order_id="so1",
        number="SO-1",
        store_id="bj1",
        entity_id="north",
        customer_id="c1",
        opportunity_id=None,
        campaign_id=None,
        channel="website",
        seller_id="li",
        quote_id=None,
        vat_permille=130,
        checklist=(),
    )
    price = Money(18_980_000)
    terms = Terms(trim_id="t1", vin=vin, list_price=price, price=price, down_payment=Money(0), deliver_on=None)
    vehicle = VehicleConfirmed(request_id="r1", vin=vin, stay_id="s1", store_id="bj1", certificate="with-us", at=NOON) if vin else None
    return Order(sale=sale, terms=terms, stage=stage, involved=(), vehicle=vehicle, paid=Money(0), earnest=Money(0))


def transfer(status: Status) -> Transfer:
    return Transfer(
        status=status,
        transfer_id="t1",
        stay_id="s1",
        vin=RED,
        from_store="bj1",
        to_store="bj2",
        to_entity="north",
        currency="CNY",
        requester="li",
    )


def approved(*requests: Request) -> Fulfilment:
    return Fulfilment(order_id="so1", store_id="bj1", phase="approved", vin=RED, sequence=2, requests=requests)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a VIN in two open stays": ({"stay-1": stay(), "stay-2": stay()}, f"{RED} stands twice: ['stay-1', 'stay-2']"),
    "a VIN in two living orders": ({"order-1": order(), "order-2": order(stage="signed")}, f"{RED} is held for ['order-1', 'order-2']"),
    "nobody was asked for the car of an approved order": ({"fulfilment-1": approved()}, "fulfilment-1 of an approved order has no answer"),
    "an approved order's request without an answer": ({"fulfilment-1": approved(ASKED)}, "fulfilment-1 of an approved order has no answer"),
    "a car held of which the order was not told": ({"fulfilment-1": approved(replace(ASKED, held=HELD, told=1))}, "has no answer"),
    "a cancelled order that holds its car": (
        {"fulfilment-1": replace(approved(replace(ASKED, held=HELD, told=2, releasing="held")), phase="cancelled")},
        "fulfilment-1 of a cancelled order holds a car",
    ),
    "a transfer on its way out": ({"transfer-1": transfer("dispatching")}, "transfer-1 is neither dispatched nor refused"),
    "a car handed over that stands in stock": ({"stay-1": stay(sale_awaited="so1")}, "stay-1 was handed over and is in stock"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_end_is_called_by_its_name(name: str) -> None:
    states, words = WRONG[name]
    (complaint,) = wrongly_ended(states)
    assert words in complaint


def test_a_right_end_is_none() -> None:
    away = Transit(transfer_id="t1", to_store="bj2", to_entity="north")
    states = {
        "stay-1": stay(sale_awaited="so1", transit=away),
        "stay-2": stay("LFV2A2150N3000002"),
        "order-1": order(),
        "order-2": order(stage="cancelled"),
        "order-3": order(None),
        "fulfilment-1": approved(replace(ASKED, held=HELD, told=2)),
        "fulfilment-2": approved(replace(ASKED, denied=DENIED)),
        "fulfilment-3": replace(approved(replace(ASKED, held=HELD, denied=DENIED)), phase="cancelled"),
        "transfer-1": transfer("dispatched"),
        "transfer-2": transfer("cancelled"),
    }
    assert list(wrongly_ended(states)) == []


# --- tables, topics, marks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ({"a": 2}, "table cars_1 a: stored 2, it should be 1"),
        ({}, "table cars_1 a: stored None, it should be 1"),
        ({"a": 1, "b": 1}, "table cars_1 b: stored 1, it should be None"),
    ],
)
def test_a_wrong_row_is_named_with_what_it_should_be(stored: dict[str, int], words: str) -> None:
    assert list(different("cars_1", stored, {"a": 1})) == [words]
    assert list(different("cars_1", {"a": 1}, {"a": 1})) == []


def told(stream: str, *numbers: int) -> list[Message]:
    return [message(stream, n) for n in numbers]


def happened(messages: list[Message]) -> list[tuple[int, str]]:
    """What a stream's messages say that happened."""
    headers = [dict(one.headers) for one in messages]
    return [(int(each["ce_sequence"]), each["ce_id"].decode()) for each in headers]


def under_another_id(one: Message) -> Message:
    headers = [(name, b"11111111-2222-4333-8444-555555555555" if name == "ce_id" else value) for name, value in one.headers]
    return Message(one.key, one.value, headers)


MISTOLD: dict[str, Callable[[list[Message]], list[Message]]] = {
    "lost": lambda all: all[:1] + all[2:],
    "lost at the end": lambda all: all[:-1],
    "doubled": lambda all: [*all, under_another_id(all[-1])],
    "never happened": lambda all: [*all, *told("order-1", 4)],
    "reordered": lambda all: [all[1], all[0], all[2]],
    "of no stream": lambda all: [*all, *told("order-9", 1)],
}


@pytest.mark.parametrize("name", MISTOLD)
def test_a_message_lost_doubled_or_reordered_is_named_with_its_stream(name: str) -> None:
    right = told("order-1", 1, 2, 3)
    (complaint,) = mistold({"order-1": happened(right)}, MISTOLD[name](right))
    assert complaint.startswith("topic order-9: " if name == "of no stream" else "topic order-1: ")
    assert "published" in complaint


def test_a_message_told_again_after_later_ones_is_no_fault() -> None:
    right = told("order-1", 1, 2, 3)
    assert list(mistold({"order-1": happened(right)}, [*right, *right[:2]])) == []


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ({("orders", "order-1"): sequence(1, 0)}, f"heard up to {sequence(1, 0)}, told up to {sequence(2, 0)}"),
        ({("orders", "order-1"): sequence(3, 0)}, f"heard up to {sequence(3, 0)}, told up to {sequence(2, 0)}"),
        ({}, f"heard up to None, told up to {sequence(2, 0)}"),
        ({("orders", "order-1"): sequence(2, 0), ("orders", "order-9"): 1}, "order-9"),
    ],
)
def test_a_wrong_mark_is_named_with_its_stream(marks: dict[tuple[str, str], int], words: str) -> None:
    (complaint,) = mismarked(marks, {"orders": told("order-1", 1, 2)})
    assert complaint.startswith("mark ('orders', 'order-")
    assert words in complaint


def test_a_right_mark_is_none() -> None:
    assert list(mismarked({("orders", "order-1"): sequence(2, 0)}, {"orders": told("order-1", 1, 2, 1)})) == []


# --- a store and a record ----------------------------------------------------------------------------------------

EVENT = """insert into events (stream, version, id, type, type_version, data, meta, occurred_at, hash)
    values ('order-1', {n}, gen_random_uuid(), 'T', 1, '"one-mark"', '{{}}', now(), '\\x00')"""
PARKED = """insert into parked (consumer, event_id, source, stream, sequence, topic, partition, "offset", headers, data, cause)
    values ('till', gen_random_uuid(), 'orders', 'order-1', 1, 't', 0, 0, '[]', '{}', 'it is poison')"""
UNSENT = "insert into outbox (id, stream, sequence, type, data, headers) values (gen_random_uuid(), 'order-1', 7, 'T', '{}', '{}')"


@dataclass
class Till:
    """One store, and the oracle that sees no other."""

    url: str

    def did(self, *statements: str) -> None:
        with closing(psycopg.connect(self.url, autocommit=True, row_factory=dict_row)) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def seen(self) -> list[str]:
        return list(self.oracle._store("till"))

    @property
    def oracle(self) -> Oracle:
        return Oracle(cast(Any, SimpleNamespace(kafka=0, database=lambda context, role, secrets: self.url)), {})


@pytest.fixture
async def till(servers: Servers) -> Till:
    return Till(await fresh_store(servers, "till"))


DAMAGE = {
    "a gap": ([EVENT.format(n=3)], "stream {'stream': 'order-1', 'events': 2, 'last': 3}"),
    "no beginning": (["delete from events", EVENT.format(n=2)], "stream {'stream': 'order-1', 'events': 1, 'last': 2}"),
    "an event before the one it follows": (
        ["update events set version = 2", EVENT.format(n=1)],
        "position {'stream': 'order-1', 'version': 2}",
    ),
    "a public event that was not sent": ([UNSENT], "unsent {'stream': 'order-1', 'sequence': 7}"),
    "a message that was parked": ([PARKED], "'cause': 'it is poison'"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_store_is_seen(name: str, till: Till) -> None:
    statements, words = DAMAGE[name]
    till.did(EVENT.format(n=1))
    assert till.seen() == []
    till.did(*statements)
    (complaint,) = till.seen()
    assert words in complaint


def deed(status: int, mark: str = "one-mark", expects: frozenset[str] = frozenset()) -> Deed:
    made = Deed(context="till", staff="li", path="/orders", key="k1", mark=mark, expects=expects)
    made.answers.append(Answer(at=1, took=1, status=status, problem="/problems/sold" if status >= 400 else "", version=1))
    return made


ANSWER = """insert into idempotency (subject, route, key, body_hash, status, stream, version)
    values ('li', 'POST /api/v1/orders', 'k1', '', 201, 'order-1', {version})"""


@pytest.mark.parametrize(
    ("stored", "done", "words"),
    [
        ((), deed(201), "the store has None"),
        ((ANSWER.format(version=2),), deed(201), "'version': 2"),
        ((ANSWER.format(version=1),), deed(201, "lost-mark"), "0 times lost-mark"),
        ((ANSWER.format(version=1),), deed(503), "outcome unknown to the client"),
        ((ANSWER.format(version=1),), deed(409, expects=frozenset({"sold"})), "refused with /problems/sold; the store has {"),
    ],
)
def test_what_was_answered_and_is_not_so_is_seen(till: Till, stored: tuple[str, ...], done: Deed, words: str) -> None:
    till.did(EVENT.format(n=1), *stored)
    record, rebuilt = Record(), Rebuilt(texts=['{"n": "one-mark"}'])
    record.add(done)
    (complaint,) = till.oracle._deeds("till", record, rebuilt)
    assert words in complaint


def test_what_was_answered_and_is_so_once_is_no_fault_and_twice_is_one(till: Till) -> None:
    till.did(EVENT.format(n=1), ANSWER.format(version=1))
    record, texts = Record(), ['{"n": "one-mark"}']
    record.add(deed(201))
    assert list(till.oracle._deeds("till", record, Rebuilt(texts=texts))) == []
    (complaint,) = till.oracle._deeds("till", record, Rebuilt(texts=texts * 2))
    assert "2 times one-mark" in complaint


@pytest.mark.parametrize(("numbers", "fault"), [((1, 2), False), ((1,), True), ((1, 3), True), ((1, 2, 3), True)])
def test_a_number_missing_or_never_given_is_seen(till: Till, numbers: tuple[int, ...], fault: bool) -> None:
    till.did("insert into numbers values ('SO-BJ1', '2026-03-02', 2)")
    rebuilt = Rebuilt(texts=[f'{{"number": "SO-BJ1-20260302-{n:03}"}}' for n in numbers])
    complaints = list(till.oracle._numbers("till", rebuilt))
    assert bool(complaints) is fault
    assert all("numbers SO-BJ1-20260302-: 2 were given" in complaint for complaint in complaints)
