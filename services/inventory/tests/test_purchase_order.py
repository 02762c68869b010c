"""What was ordered, what came, and what did not fit."""

from dataclasses import replace

from services.inventory.domain.between import NoteReceipt
from services.inventory.domain.purchase_order import (
    ClosePurchaseOrder,
    DiscrepancyNoted,
    Line,
    PlacePurchaseOrder,
    PurchaseOrderClosed,
    PurchaseOrderCompleted,
    PurchaseOrdered,
    ReceiptNoted,
    purchase_order,
)
from services.inventory.tests.cars import VIN, noon
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(purchase_order)
lines = (Line(trim_id="trim-1", quantity=2, unit_price=Money(15_000_000)), Line(trim_id="trim-2", quantity=1, unit_price=Money(9_000_000)))
place = PlacePurchaseOrder(
    purchase_order_id="p1",
    number="PO-BJ1-20260302-001",
    supplier="Aurora Motors",
    store_id="north",
    entity_id="entity-1",
    lines=lines,
    at=noon,
)
ordered = PurchaseOrdered(
    purchase_order_id="p1",
    number="PO-BJ1-20260302-001",
    supplier="Aurora Motors",
    store_id="north",
    entity_id="entity-1",
    lines=lines,
    total=Money(39_000_000),
)
come = NoteReceipt(stay_id="s1", vin=VIN, trim_id="trim-1", purchase=Money(15_000_000), at=noon)
first = ReceiptNoted(stay_id="s1", vin=VIN, trim_id="trim-1", outstanding=2)
second = ReceiptNoted(stay_id="s2", vin=VIN, trim_id="trim-1", outstanding=1)
third = ReceiptNoted(stay_id="s3", vin=VIN, trim_id="trim-2", outstanding=0)
differs = DiscrepancyNoted(
    stay_id="s1", vin=VIN, trim_id="trim-1", kind="price-differs", agreed=Money(15_000_000), charged=Money(15_100_000)
)


def test_an_order_is_the_sum_of_its_lines() -> None:
    given().when(place).then(ordered)
    given(ordered).when(place).rejected("illegal-transition")


def test_an_order_needs_lines_with_a_quantity_and_a_price() -> None:
    given().when(replace(place, lines=())).rejected("lines-invalid")
    given().when(replace(place, lines=(replace(lines[0], quantity=0),))).rejected("lines-invalid")
    given().when(replace(place, lines=(replace(lines[0], unit_price=Money(0)),))).rejected("lines-invalid")
    given().when(replace(place, lines=(lines[0], replace(lines[1], unit_price=Money(1, "USD"))))).rejected("currency-differs")


def test_each_car_counts_against_the_order_once() -> None:
    given(ordered).when(come).then(first)
    given(ordered, first).when(come).then_nothing()


def test_the_last_car_completes_the_order() -> None:
    last = NoteReceipt(stay_id="s3", vin=VIN, trim_id="trim-2", purchase=Money(9_000_000), at=noon)
    given(ordered, first, second).when(last).then(third, PurchaseOrderCompleted())


def test_another_price_than_agreed_is_a_discrepancy() -> None:
    given(ordered).when(replace(come, purchase=Money(15_100_000))).then(first, differs)


def test_one_too_many_or_never_ordered_is_a_discrepancy_not_a_refusal() -> None:
    more = replace(come, stay_id="s4")
    over = replace(differs, stay_id="s4", kind="over-delivered", charged=Money(15_000_000))
    given(ordered, first, second).when(more).then(replace(second, stay_id="s4"), over)
    strange = replace(come, stay_id="s5", trim_id="trim-9")
    unknown = replace(over, stay_id="s5", trim_id="trim-9", kind="not-ordered", agreed=None)
    given(ordered).when(strange).then(ReceiptNoted(stay_id="s5", vin=VIN, trim_id="trim-9", outstanding=3), unknown)


def test_a_car_that_comes_after_completion_does_not_complete_again() -> None:
    done = (ordered, first, second, third, PurchaseOrderCompleted())
    over = replace(differs, stay_id="s6", kind="over-delivered", charged=Money(15_000_000))
    given(*done).when(replace(come, stay_id="s6")).then(replace(third, stay_id="s6", trim_id="trim-1"), over)


def test_an_order_that_stays_short_is_closed() -> None:
    close = ClosePurchaseOrder(by="chen", at=noon)
    closed = PurchaseOrderClosed(by="chen", missing=2)
    given(ordered, first).when(close).then(closed)
    given(ordered, first, closed).when(close).then_nothing()
    given().when(close).rejected("illegal-transition")
