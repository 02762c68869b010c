"""The books say what the streams say, after every event."""

from dataclasses import replace
from functools import reduce
from typing import Any
from uuid import UUID

import pytest

from services.orders.domain import quote as q
from services.orders.domain.order import Event, Order, order
from services.orders.domain.order_messages import InvoiceReversed, OrderChanged
from services.orders.processes.fulfilment import VehicleLost
from services.orders.tests import sale as o
from services.orders.tests import test_fulfilment as f
from services.orders.tests import test_quote as tq
from services.orders.views import fulfilment_book, order_book, quote_book
from shared.events.envelope import Meta, Recorded
from shared.values.money import Money


def recorded(event: Any, version: int = 1, stream: str = "order-so1") -> Recorded[Any]:
    """The event in its stream."""
    meta = Meta(actor="li", store_id="bj1", correlation_id="c")
    return Recorded(id=UUID(int=version), stream=stream, version=version, event=event, occurred_at=o.noon, meta=meta)


def fold(apply: Any, events: list[Any], stream: str = "order-so1") -> Any:
    """The row after these events."""
    return reduce(lambda row, n: apply(row, recorded(events[n], n + 1, stream)), range(len(events)), None)


another_price = OrderChanged(by="li", reason="", old=o.terms, new=o.change.terms)
another_car = OrderChanged(by="li", reason="", old=o.terms, new=replace(o.terms, vin=o.BLUE))
stories: list[tuple[Event, ...]] = [
    (*o.to_keys, o.delivered),
    (*o.to_keys, InvoiceReversed(invoice_id="in1"), another_price, o.approved),
    (*o.to_contract, o.arrived, *o.checked, another_car, o.approved, replace(o.confirmed, request_id="r2", vin=o.BLUE)),
    (*o.to_approval, o.approved, o.arrived, o.confirmed, o.missed, o.cancelled),
    (*o.to_contract, o.earnest, replace(o.earnest, receipt_id="rf", paid_total=Money(0), earnest=Money(0)), o.cancelled),
    (*o.to_contract, replace(o.checked[0], passed=True), replace(o.checked[0], passed=False)),
]


def figures(state: Order) -> dict[str, Any]:
    """What the order itself says."""
    open_vehicle = state.stage not in ("cancelled", "delivered")
    return {
        "stage": state.stage,
        "price": state.terms.price.minor,
        "vin": state.terms.vin,
        "paid": state.paid.minor,
        "earnest": state.earnest.minor,
        "invoice_number": state.invoice.number if state.invoice else None,
        "sha256": state.contract.sha256 if state.contract else None,
        "passed": state.passed,
        "car_at": state.car.store_id if state.car else None,
        "stay_id": state.vehicle.stay_id if state.vehicle else None,
        **({"held": state.vehicle is not None} if open_vehicle else {}),
    }


@pytest.mark.parametrize("story", stories)
def test_the_order_book_says_what_the_order_says(story: tuple[Event, ...]) -> None:
    for count in range(1, len(story) + 1):
        row, state = fold(order_book.apply, list(story[:count])), order.fold(story[:count])
        assert isinstance(state, Order)
        said = figures(state)
        assert {name: row.vehicle == "held" if name == "held" else getattr(row, name) for name in said} == said
        assert row.version == count


def test_old_and_new_stand_side_by_side() -> None:
    row = fold(order_book.apply, [*o.to_contract, another_price])
    assert [(change.old.price, change.new.price) for change in row.changes] == [(o.price, o.change.terms.price)]


def test_the_quote_book_keeps_every_revision() -> None:
    feedback = q.FeedbackRecorded(revision=2, by="li", liked=True, text="~p1.x")
    events = [tq.issued, tq.revised, feedback, q.QuoteOrdered(order_id="so1")]
    row = fold(quote_book.apply, events, "quote-q1")
    assert [revision.revision for revision in row.revisions] == [1, 2]
    assert (row.price, row.total) == (tq.revised.reckoning.car.minor, tq.revised.reckoning.total.minor)
    assert (row.stage, row.order_id, row.feedback) == ("ordered", "so1", (feedback,))
    reopened = fold(quote_book.apply, [*events, q.QuoteReopened(order_id="so1"), q.QuoteExpired(revision=2)], "quote-q1")
    assert (reopened.stage, reopened.order_id, reopened.version) == ("expired", None, 6)


def test_the_fulfilment_book_tells_each_step() -> None:
    lost = VehicleLost(order_id="so1", denied=f.ended)
    events = [f.heard("approved", 200), f.requested, f.held, f.secured, f.ended, lost, f.heard("cancelled", 300), f.give_back("cancelled")]
    row = fold(fulfilment_book.apply, events, "fulfilment-so1")
    assert (row.order_id, row.store_id, row.phase, row.vin) == ("so1", "bj1", "cancelled", f.RED)
    assert [step.what for step in row.steps] == ["asked", "held", "denied", "release-asked"]
    assert [step.until for step in row.steps] == [None, f.until, None, None]
