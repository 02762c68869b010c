"""Every version of every event ever stored is still read: one golden file each."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.finance.domain.account_messages import ChangePrice, DeclineRefund
from services.finance.domain.journal import journal
from services.finance.domain.period import PeriodReopened
from services.finance.tests import test_account, test_car, test_journal, test_payable
from services.finance.upcasts import stored

GOLDEN = Path(__file__).parent / "stored"


def examples() -> list[Any]:
    """One event of each kind, made by the deciders."""
    a, c, p, j = test_account, test_car, test_payable, test_journal
    posted = j.posted()
    made: list[Any] = [
        *a.after(a.open_account, a.sign, a.take, a.rest(), a.invoice, a.deliver),
        *a.after(a.open_account, a.sign, a.take, a.invoice, a.red, a.refund, a.approve),
        *a.after(a.open_account, a.take, a.refund, DeclineRefund(refund_id="f1", by="wang", at=a.noon), a.cancel),
        *a.after(a.open_account, ChangePrice(vin=a.vin, price=a.rest().amount, store_id="s1", on=a.today, at=a.noon)),
        *c.after(c.freight, c.receive, c.dispatch, c.arrive, c.sell, c.rebate),
        *c.after(c.receive, c.dispatch, replace(c.arrive, to_entity="e2")),
        *p.after(p.owe, p.ask, p.decline),
        *p.after(p.owe, p.ask, p.approve),
        posted,
        *journal.decide(j.reverse, journal.fold([posted])),
        j.closed,
        PeriodReopened(entity_id="e1", period="2026-02", reason="audit", by="zhao"),
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


def test_examples_cover_every_event() -> None:
    assert {type(event) for event in examples()} == set(stored.events.values())


def test_what_is_written_today_is_read_back() -> None:
    for event in examples():
        name, version, data = stored.encode(event)
        assert stored.decode(name, version, data) == event


def test_a_timer_s_command_is_read_back() -> None:
    name, version, data = stored.encode(test_car.sell)
    assert stored.decode(name, version, data) == test_car.sell
    assert msgspec.json.decode(data)["order_id"] == "o1"
