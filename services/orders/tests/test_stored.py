"""Every version of every event ever stored is still read: one golden file each."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.orders.domain.order_messages import InvoiceReversed, OrderChanged
from services.orders.domain.quote import (
    ExpireQuote,
    FeedbackRecorded,
    MarkOrderCancelled,
    MarkOrdered,
    QuoteExpired,
    QuoteOrdered,
    QuoteReopened,
)
from services.orders.domain.rules import SalesRulesEnacted, TaxRulesEnacted
from services.orders.processes.fulfilment import VehicleLost
from services.orders.tests import sale as o
from services.orders.tests import test_fulfilment as f
from services.orders.tests import test_quote as q
from services.orders.tests import test_rules as r
from services.orders.upcasts import stored

GOLDEN = Path(__file__).parent / "stored"


def examples() -> list[Any]:
    """One event of each kind."""
    made: list[Any] = [
        q.issued,
        q.revised,
        FeedbackRecorded(revision=2, by="li", liked=False, text="~p1.x"),
        QuoteExpired(revision=1),
        QuoteOrdered(order_id="so1"),
        QuoteReopened(order_id="so1"),
        *o.to_keys,
        o.delivered,
        o.missed,
        o.cancelled,
        InvoiceReversed(invoice_id="in1"),
        OrderChanged(by="li", reason="matched a competitor", old=o.terms, new=o.change.terms),
        f.heard("approved", 200),
        f.requested,
        f.held,
        f.secured,
        f.denied,
        VehicleLost(order_id="so1", denied=f.denied),
        f.give_back("cancelled"),
        SalesRulesEnacted(rules=r.stricter, by="admin"),
        TaxRulesEnacted(rules=r.kinder, by="admin"),
    ]
    return list({type(event): event for event in made}.values())


def test_every_event_has_a_golden_file_for_each_version() -> None:
    files = {path.stem for path in GOLDEN.glob("*.json")}
    assert files == {f"{name}.v{n}" for name in stored.events for n in range(1, stored.version(name) + 1)}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_stored_event_is_read(path: Path) -> None:
    name, _, version = path.stem.partition(".v")
    event = stored.decode(name, int(version), path.read_bytes())
    if int(version) == stored.version(name):
        assert json.loads(stored.encode(event)[2]) == json.loads(path.read_bytes())


@pytest.mark.parametrize("name", ["VehicleConfirmed", "VehicleMissed", "VehicleHeld", "VehicleDenied"])
def test_an_answer_stored_without_its_sequence_is_the_oldest(name: str) -> None:
    answer = json.loads((GOLDEN / f"{name}.v1.json").read_bytes())
    del answer["sequence"]
    assert stored.decode(name, 1, json.dumps(answer).encode()).sequence == 0


def test_examples_cover_every_event() -> None:
    assert {type(event) for event in examples()} == set(stored.events.values())


@pytest.mark.parametrize("event", examples(), ids=lambda event: type(event).__name__)
def test_what_is_written_today_is_read_back(event: Any) -> None:
    name, version, data = stored.encode(event)
    assert stored.decode(name, version, data) == event


@pytest.mark.parametrize(
    "command",
    [
        o.confirm,
        o.missing,
        MarkOrdered(order_id="so1", at=o.noon),
        MarkOrderCancelled(order_id="so1", at=o.noon),
        ExpireQuote(revision=1, at=q.later),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_timer_s_command_is_read_back(command: Any) -> None:
    name, version, data = stored.encode(command)
    assert stored.decode(name, version, data) == command


def test_personal_fields_are_never_stored_in_clear() -> None:
    with pytest.raises(ValueError, match="sealed"):
        stored.encode(FeedbackRecorded(revision=1, by="li", liked=True, text="in clear"))
