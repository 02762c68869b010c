"""What leaves inventory and what comes in: private events to public ones, public events to commands."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.inventory import known
from services.inventory.domain.car import CertificateRedeemed, ReservationExtended, SaleRefused, Sell
from services.inventory.domain.purchase_order import purchase_order
from services.inventory.domain.stay import stay
from services.inventory.domain.stock_level import stock_level
from services.inventory.domain.transfer import transfer
from services.inventory.domain.trim import trim
from services.inventory.listens import listen
from services.inventory.prepares import with_stay
from services.inventory.processes.allocation import NoteEarnest, RequestCar, WithdrawCar, allocation
from services.inventory.publishes import (
    publish_allocation,
    publish_purchase_order,
    publish_stay,
    publish_stock_level,
    publish_transfer,
    publish_trim,
)
from services.inventory.tests import test_purchase_order, test_stay, test_stock_level, test_transfer, test_trim
from services.inventory.tests.cars import STAY, VIN, noon, received
from shared.bus.heard import Heard, Send
from shared.contracts import finance, gateway, orders, published_name
from shared.contracts import inventory as public
from shared.decider import Decider, Rejected, Take
from shared.store.memory import MemoryStore
from shared.store.protocol import Commit
from shared.testing.hearing import heard
from shared.values.money import Money
from shared.views.table import Put

s, t = test_stay, test_transfer


def published(decider: Decider[Any, Any, Any], publish: Any, *history: Any) -> list[Any]:
    """What the last event of a history makes public."""
    made: list[Any] = publish(history[-1], decider.fold(history))
    for event in made:
        assert published_name(event).startswith("inventory.")
    return made


class TestPublished:
    def test_a_car_comes_in_with_all_parts_of_its_cost(self) -> None:
        (fact,) = published(stay, publish_stay, received)
        assert (fact.book_cost, fact.input_vat, fact.rebate) == (Money(14_900_000), Money(1_950_000), Money(300_000))
        assert (fact.stay_id, fact.vin, fact.store_id, fact.acquired_on) == (STAY, VIN, "north", date(2026, 3, 2))

    def test_an_order_is_answered_yes_or_no(self) -> None:
        (yes,) = published(stay, publish_stay, received, s.promised)
        assert yes == public.VehicleReserved(
            request_id="q1",
            order_id="o1",
            vin=VIN,
            stay_id=STAY,
            trim_id="trim-1",
            store_id="north",
            certificate="with-us",
            until=s.promised.until,
        )
        (no,) = published(stay, publish_stay, received, s.reserved, s.denied)
        assert no == public.VehicleRefused(request_id="q1", order_id="o1", vin=VIN, problem="vin-already-reserved", reason=s.denied.reason)

    def test_a_vin_nobody_has_is_refused(self) -> None:
        unknown = allocation.decide(RequestCar(request_id="q1", order_id="o1", vin=VIN, seller="li", at=noon), allocation.initial)
        (no,) = published(allocation, publish_allocation, *unknown)
        assert (no.request_id, no.order_id, no.problem) == ("q1", "o1", "vehicle-not-available")

    def test_the_end_of_a_hold_names_its_reason(self) -> None:
        (released,) = published(stay, publish_stay, received, s.reserved, s.released)
        (expired,) = published(stay, publish_stay, received, s.reserved, s.expired)
        assert (released.reason, expired.reason) == ("released", "expired")

    def test_a_late_cost_names_the_store_that_sold_the_car(self) -> None:
        (added,) = published(stay, publish_stay, received, s.dispatched, s.arrived, s.sold, s.freight_added)
        assert (added.store_id, added.stay_id, added.amount, added.late) == ("south", STAY, Money(40_000), False)
        late = replace(s.freight_added, late=True, book_cost=Money(14_950_000))
        (after,) = published(stay, publish_stay, received, s.dispatched, s.arrived, s.sold, late)
        assert (after.late, after.book_cost) == (True, Money(14_950_000))

    def test_a_transfer_is_told_by_the_cars_stay(self) -> None:
        (left,) = published(stay, publish_stay, received, s.dispatched)
        (came,) = published(stay, publish_stay, received, s.dispatched, s.arrived)
        assert (left.from_store, left.to_store, left.transfer_id) == ("north", "south", "t1")
        assert (came.transport, came.carrier, came.to_store) == (Money(50_000), "Sanhe", "south")
        assert (left.book_cost, came.book_cost, came.acquired_on) == (Money(14_900_000), Money(14_950_000), date(2026, 3, 2))
        assert (came.brand, came.series) == ("Aurora", "A5")
        (asked,) = published(transfer, publish_transfer, t.requested)
        (ended,) = published(transfer, publish_transfer, t.requested, t.cancelled)
        assert (asked.number, ended.stay_id) == (t.requested.number, STAY)
        assert published(transfer, publish_transfer, t.requested, t.approved) == []

    def test_the_stay_ends_with_the_sale(self) -> None:
        (sold,) = published(stay, publish_stay, received, s.sold)
        about = {"vin": VIN, "stay_id": STAY, "trim_id": "trim-1", "order_id": "o1"}
        assert sold == public.VehicleSold(**about, store_id="north", book_cost=Money(14_900_000))
        (moved,) = published(stay, publish_stay, received, s.dispatched, s.arrived, replace(s.sold, store_id="south"))
        assert moved.book_cost == Money(14_950_000)

    def test_a_longer_hold_is_told_under_its_request(self) -> None:
        (longer,) = published(stay, publish_stay, received, s.promised, ReservationExtended(request_id="q1", until=noon + s.day * 7))
        (first,) = published(stay, publish_stay, received, s.promised)
        assert longer == replace(first, until=noon + s.day * 7)

    @pytest.mark.parametrize("history", [(received, s.sold), ()])
    def test_a_sale_that_stock_cannot_enter_is_told(self, history: tuple[Any, ...]) -> None:
        (no,) = published(stay, publish_stay, *history, s.unsold)
        assert no == public.SaleRefused(
            stay_id=STAY, vin=VIN, store_id="north", order_id="o2", problem="vehicle-not-available", reason="This car has been sold."
        )

    def test_a_redeemed_certificate_is_told(self) -> None:
        redeemed = CertificateRedeemed(by="chen")
        assert published(stay, publish_stay, received, redeemed) == [public.CertificateRedeemed(vin=VIN, stay_id=STAY)]

    def test_the_catalogue_and_purchase_orders_are_told(self) -> None:
        (listed,) = published(trim, publish_trim, test_trim.listed)
        (price,) = published(trim, publish_trim, test_trim.listed, test_trim.in_north)
        (ordered,) = published(purchase_order, publish_purchase_order, test_purchase_order.ordered)
        assert (listed.trim_id, price.trim_id, price.store_id) == ("trim-1", "trim-1", "north")
        assert (ordered.trim_ids, ordered.total) == (("trim-1", "trim-2"), Money(39_000_000))

    def test_a_shortage_and_its_end_are_told(self) -> None:
        level = test_stock_level
        assert published(stock_level, publish_stock_level, level.first) == []
        (low,) = published(stock_level, publish_stock_level, level.two, level.low)
        (over,) = published(stock_level, publish_stock_level, level.two, level.low, level.recovered)
        assert (low.count, low.threshold, over.count) == (1, 2, 2)

    @pytest.mark.parametrize("event", [s.queued, s.stuck])
    def test_what_concerns_nobody_else_stays_private(self, event: Any) -> None:
        assert published(stay, publish_stay, received, event) == []


def hear(event: Any) -> Heard:
    """The event as the consumer gives it to listen."""
    return heard(event, noon, "north")


class TestHeard:
    def test_an_order_asks_for_a_car_and_gives_it_back(self) -> None:
        wanted = orders.VehicleRequested(request_id="q1", order_id="o1", vin=VIN, store_id="north", seller_id="li")
        request = RequestCar(request_id="q1", order_id="o1", vin=VIN, seller="li", at=noon)
        assert listen(hear(wanted)) == [Send(to="allocation-o1", command=request)]
        unwanted = orders.VehicleReleaseRequested(request_id="q1", order_id="o1", vin=VIN, reason="cancelled")
        assert listen(hear(unwanted)) == [Send(to="allocation-o1", command=WithdrawCar(request_id="q1", reason="cancelled", at=noon))]

    @pytest.mark.parametrize(("earnest", "heard"), [(1_000_000, True), (0, False)])
    def test_only_earnest_money_makes_a_hold_longer(self, earnest: int, heard: bool) -> None:
        paid = finance.PaymentReceived(
            order_id="o1",
            receipt_id="x1",
            number="RV-1",
            kind="earnest",
            method="transfer",
            amount=Money(1_000_000),
            earnest=Money(earnest),
            paid_total=Money(1_000_000),
            customer_id="c1",
            store_id="north",
        )
        note = Send(to="allocation-o1", command=NoteEarnest(receipt_id="x1", at=noon))
        assert listen(hear(paid)) == ([note] if heard else [])

    def test_a_delivered_order_ends_the_stay_or_the_refusal_is_recorded(self) -> None:
        delivered = orders.OrderDelivered(
            order_id="o1",
            number="SO-1",
            store_id="north",
            entity_id="entity-1",
            vin=VIN,
            stay_id=STAY,
            trim_id="trim-1",
            customer_id="c1",
            seller_id="li",
            opportunity_id=None,
            campaign_id=None,
            channel="walk-in",
            price=Money(18_980_000),
        )
        (send,) = listen(hear(delivered))
        assert isinstance(send, Send)
        assert (send.to, send.command) == (f"stay-{STAY}", Sell(order_id="o1", at=noon))
        assert send.refused is not None
        with capture_logs() as logged:
            refused = send.refused(Rejected("vin-already-reserved", "why"))
        assert refused == SaleRefused(stay_id=STAY, vin=VIN, store_id="north", order_id="o1", problem="vin-already-reserved", reason="why")
        (alarm,) = logged
        assert (alarm["event"], alarm["log_level"], alarm["stay"], alarm["order"]) == ("sale refused", "error", STAY, "o1")

    def test_stores_and_their_books_are_remembered(self) -> None:
        entity = gateway.LegalEntityRegistered(
            entity_id="entity-1", name="Yuanxing", tax_number="91110000MA01", currency="CNY", vat_permille=130
        )
        books = known.Entity(entity_id="entity-1", name="Yuanxing", currency="CNY")
        assert listen(hear(entity)) == [Put(known.entities, books)]

    async def test_a_request_learns_the_open_stay_of_its_vin(self) -> None:
        store = MemoryStore()
        taken = Take(kind="open-stay", key=VIN, problem="vin-in-stock", reason="")
        await store.append(Commit(claims=[(f"stay-{STAY}", taken)]))
        request = RequestCar(request_id="q1", order_id="o1", vin=VIN, seller="li", at=noon)
        async with store.begin() as tx:
            assert await with_stay(request, tx) == replace(request, stay_id=STAY)
            other = replace(request, vin="LFV2A2159N3000007")
            assert await with_stay(other, tx) == other
