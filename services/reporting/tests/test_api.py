"""Reports over HTTP: who sees which events, and when a figure is known to be complete."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from services.reporting.app import service
from services.reporting.tests.heads import DAY, MARCH, S1, Heads
from shared.bus.inbox import Position, inbox
from shared.bus.protocol import Place
from shared.contracts import aftersales, finance, inventory
from shared.values.money import Money

VIN = "LFV2A2158N3000001"
sold = inventory.VehicleSold(vin=VIN, stay_id="stay", trim_id="t1", store_id=S1, order_id="o1", book_cost=Money(100))
redeemed = inventory.CertificateRedeemed(vin=VIN, stay_id="stay")
opened_order = aftersales.WorkOrderOpened(work_order_id="w", number="WO-1", vin=VIN, customer_id="p", store_id=S1)
closed_order = aftersales.WorkOrderClosed(
    work_order_id="w",
    number="WO-1",
    vin=VIN,
    customer_id="p",
    store_id=S1,
    kilometres=5_000,
    services=(),
    price=Money(60),
    cost=Money(20),
)
red = finance.InvoiceReversed(order_id="o1", invoice_id="i1", number="RI-1", vin=VIN)
EVENTS = f"/reports/events?vin={VIN}"


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        ((), {"CertificateRedeemed", "WorkOrderOpened"}),
        (("reports.margin",), {"CertificateRedeemed", "WorkOrderOpened"}),
        (("service.read",), {"CertificateRedeemed", "WorkOrderOpened", "WorkOrderClosed"}),
        (("inventory.cost", "finance.read"), {"CertificateRedeemed", "WorkOrderOpened", "VehicleSold", "InvoiceReversed"}),
    ],
)
async def test_figures_of_an_event_are_for_those_who_may_see_them(heads: Heads, permissions: tuple[str, ...], shown: set[str]) -> None:
    await heads.hear(MARCH, sold, redeemed, opened_order, closed_order, red)
    found = await heads.get(EVENTS, *permissions, stores=(S1,))
    assert {item["type"].split(".")[1] for item in found["items"]} == shown


async def test_events_are_those_recorded_before_the_moment(heads: Heads) -> None:
    await heads.hear(MARCH, redeemed)
    at, after = quote(MARCH.isoformat()), quote((MARCH + timedelta(microseconds=1)).isoformat())
    assert (await heads.get(f"{EVENTS}&as_of={at}"))["items"] == []
    assert len((await heads.get(f"{EVENTS}&as_of={after}"))["items"]) == 1


async def told(heads: Heads, partition: int, *contexts: str, watermark: Any = MARCH) -> None:
    """The consumer has come to the end of a partition of these contexts."""
    async with heads.store.begin() as tx:
        moves = {Place(f"forecourt.{context}", partition): (0, Position(1, watermark)) for context in contexts}
        assert await inbox(tx).take("reporting", moves, {})


async def test_nothing_is_complete_before_every_partition_has_told(heads: Heads) -> None:
    async def complete_to() -> Any:
        return (await heads.get("/reports/funnel"))["complete_to"]

    assert await complete_to() is None
    *others, last = sorted(service.topics)
    await told(heads, 0, *others, watermark=MARCH + DAY)
    assert await complete_to() is None
    await told(heads, 0, last)
    assert await complete_to() == MARCH.isoformat().replace("+00:00", "Z")
    await told(heads, 1, *others)
    assert await complete_to() is None
    await told(heads, 1, last, watermark=None)
    assert await complete_to() is None
