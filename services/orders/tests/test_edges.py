"""What orders tells the others, and what it makes of what they tell."""

from dataclasses import replace
from typing import Any

import pytest

from services.orders import known
from services.orders.domain.order import order
from services.orders.domain.order_messages import RecordArrival, RecordInvoice, RecordInvoiceReversal, RecordPayment
from services.orders.domain.quote import FeedbackRecorded, quote
from services.orders.listens import listen
from services.orders.processes.fulfilment import Fulfilment, HearOrder, HearRefused, HearReleased, HearReserved
from services.orders.publishes import publish_fulfilment, publish_order, publish_quote
from services.orders.tests import hearing as h
from services.orders.tests import sale as o
from services.orders.tests import test_fulfilment as f
from services.orders.tests import test_quote as q
from shared.bus.heard import Send
from shared.contracts import customers, finance, gateway, inventory
from shared.contracts import orders as public
from shared.testing.hearing import NOON, an_id
from shared.values.money import Money
from shared.views.table import Change, Drop, Put

# --- publishes ---------------------------------------------------------------------------------------------------


def told(history: tuple[Any, ...]) -> list[object]:
    """The public events of the last event of an order."""
    return publish_order(history[-1], order.fold(history))


def test_an_order_s_decisions_are_public() -> None:
    assert told((o.placed,)) == [
        public.OrderPlaced(
            order_id="so1",
            number=o.sale.number,
            store_id="bj1",
            entity_id="north",
            customer_id="c1",
            opportunity_id="o1",
            campaign_id=None,
            channel="website",
            seller_id="li",
            trim_id="trim-1",
            vin=o.RED,
            price=o.price,
            vat_permille=130,
        )
    ]
    assert told((*o.to_approval, o.approved)) == [
        public.OrderApproved(
            order_id="so1", number=o.sale.number, store_id="bj1", vin=o.RED, seller_id="li", approver_id="zhao", opportunity_id="o1"
        )
    ]
    assert told(o.to_contract) == [
        public.ContractSigned(
            order_id="so1",
            number=o.sale.number,
            customer_id="c1",
            vin=o.RED,
            price=o.price,
            earnest_agreed=Money(2_000_000),
            sha256="ab12",
        )
    ]
    assert told((*o.to_keys, o.delivered)) == [
        public.OrderDelivered(
            order_id="so1",
            number=o.sale.number,
            store_id="bj1",
            entity_id="north",
            vin=o.RED,
            stay_id="stay-1",
            trim_id="trim-1",
            customer_id="c1",
            seller_id="li",
            opportunity_id="o1",
            campaign_id=None,
            channel="website",
            price=o.price,
        )
    ]


def test_changes_and_cancellations_are_public() -> None:
    changed = order.decide(o.change, order.fold(o.to_contract))
    assert told((*o.to_contract, *changed)) == [
        public.OrderChanged(order_id="so1", number=o.sale.number, price=Money(18_900_000), vin=o.RED)
    ]
    assert told((*o.to_contract, o.cancelled)) == [
        public.OrderCancelled(
            order_id="so1",
            number=o.sale.number,
            vin=o.RED,
            customer_id="c1",
            opportunity_id="o1",
            reason="changed his mind",
            forfeit=False,
        )
    ]


@pytest.mark.parametrize("event", [o.submitted, o.confirmed, o.missed, o.earnest, o.invoiced, o.arrived, o.checked[0]])
def test_what_others_reported_stays_private(event: Any) -> None:
    assert told((o.placed, event)) == []


def test_every_revision_of_a_quote_is_public_but_not_what_the_customer_says() -> None:
    issued = public.QuoteIssued(
        quote_id="q1",
        number=q.issue.number,
        revision=1,
        opportunity_id="o1",
        customer_id="c1",
        store_id="bj1",
        seller_id="li",
        trim_id="trim-1",
        price=Money(18_980_000),
    )
    assert publish_quote(q.issued, quote.fold([q.issued])) == [issued]
    revised = replace(issued, revision=2, price=Money(18_480_000))
    assert publish_quote(q.revised, quote.fold([q.issued, q.revised])) == [revised]
    said = FeedbackRecorded(revision=1, by="li", liked=True, text="~p1.x")
    assert publish_quote(said, quote.fold([q.issued, said])) == []


def test_fulfilment_asks_inventory_in_public() -> None:
    assert publish_fulfilment(f.requested, Fulfilment()) == [
        public.VehicleRequested(request_id=f.rid(200), order_id="so1", vin=f.RED, store_id="bj1", seller_id="li")
    ]
    assert publish_fulfilment(f.give_back("cancelled"), Fulfilment()) == [
        public.VehicleReleaseRequested(request_id=f.rid(200), order_id="so1", vin=f.RED, reason="order cancelled")
    ]
    assert publish_fulfilment(f.held, Fulfilment()) == []


# --- listens -----------------------------------------------------------------------------------------------------


def sent(event: Any) -> tuple[str, Any]:
    """The one command an event leads to."""
    (send,) = [effect for effect in listen(h.hear(event, sequence=700)) if isinstance(effect, Send)]
    return send.to, send.command


def test_what_becomes_of_an_order_is_an_input_of_its_fulfilment() -> None:
    approved = public.OrderApproved(
        order_id="so1", number="SO-1", store_id=h.STORE, vin=h.RED, seller_id="li", approver_id="zhao", opportunity_id=None
    )
    assert sent(approved) == (
        "fulfilment-so1",
        HearOrder(order_id="so1", store_id=h.STORE, seller_id="li", phase="approved", vin=h.RED, sequence=700, at=NOON),
    )
    changed = public.OrderChanged(order_id="so1", number="SO-1", price=Money(1), vin=h.BLUE)
    assert sent(changed)[1].phase == "changed"
    (cancelled,) = told((*o.to_approval, o.cancelled))
    assert sent(cancelled)[1].phase == "cancelled"
    (delivered,) = told((*o.to_keys, o.delivered))
    assert sent(delivered)[1].phase == "delivered"


def test_inventory_answers_requests() -> None:
    request = public.VehicleRequested(request_id="r1", order_id="so1", vin=h.RED, store_id=h.STORE, seller_id="li")
    assert sent(h.reserved(request)) == (
        "fulfilment-so1",
        HearReserved(
            order_id="so1",
            request_id="r1",
            vin=h.RED,
            stay_id=h.STAY,
            store_id=h.OTHER_STORE,
            certificate="with-us",
            until=NOON,
            sequence=700,
            at=NOON,
        ),
    )
    assert isinstance(sent(h.refused(request))[1], HearRefused)
    ended = HearReleased(order_id="so1", request_id="r1", vin=h.RED, reason="expired", sequence=700, at=NOON)
    assert sent(h.released("r1", "so1"))[1] == ended
    assert listen(h.hear(replace(h.reserved(request), order_id=None))) == []


def test_a_car_that_arrives_is_news_for_its_order() -> None:
    assert sent(h.arrived("so1")) == ("order-so1", RecordArrival(vin=h.RED, store_id=h.STORE, at=NOON))
    (moved,) = listen(h.hear(h.arrived(None)))
    car = known.Vehicle(stay_id=h.STAY, vin=h.RED, trim_id=h.TRIM, store_id=h.OTHER_STORE, certificate="with-us")
    assert isinstance(moved, Change)
    assert moved.apply(car) == replace(car, store_id=h.STORE)
    assert moved.apply(None) is None


def test_money_is_recorded_on_its_order() -> None:
    assert sent(h.paid("so1", Money(5), Money(2))) == (
        "order-so1",
        RecordPayment(receipt_id=an_id(51), paid_total=Money(5), earnest=Money(2), at=NOON),
    )
    assert sent(h.refunded("so1", Money(0)))[1].paid_total == Money(0)
    assert sent(h.invoiced("so1", Money(9)))[1] == RecordInvoice(invoice_id=an_id(70), number="IN-1", gross=Money(9), at=NOON)
    reversal = finance.InvoiceReversed(order_id="so1", invoice_id="in1", number="IN-2", vin=h.RED)
    assert sent(reversal)[1] == RecordInvoiceReversal(invoice_id="in1", at=NOON)


@pytest.mark.parametrize("event", [*h.everything(), h.customer])
def test_what_an_order_refers_to_becomes_known(event: Any) -> None:
    (put,) = listen(h.hear(event))
    assert isinstance(put, Put)
    assert put.table in known.TABLES


def test_what_is_known_changes() -> None:
    car = known.Vehicle(stay_id=h.STAY, vin=h.RED, trim_id=h.TRIM, store_id=h.STORE, certificate="pledged")
    sold = inventory.VehicleSold(vin=h.RED, stay_id=h.STAY, trim_id=h.TRIM, store_id=h.STORE, order_id="so1", book_cost=Money(1))
    assert changed(inventory.CertificateRedeemed(vin=h.RED, stay_id=h.STAY), car) == replace(car, certificate="redeemed")
    assert changed(sold, car) == replace(car, sold=True)
    member = known.Staff(staff_id=h.LI, name="李雷", roles=(), store_ids=())
    assert changed(gateway.UserDisabled(staff_id=h.LI), member) == replace(member, disabled=True)
    buyer = known.Customer(customer_id=h.CUSTOMER, store_id=h.STORE, number="C-1", kind="person", name="~p1.a", phone="~p1.b")
    corrected = customers.CustomerCorrected(customer_id=h.CUSTOMER, name="~p1.c", phone="~p1.d", email="")
    assert changed(corrected, buyer) == replace(buyer, name="~p1.c", phone="~p1.d")
    assert listen(h.hear(customers.CustomerForgotten(customer_id=h.CUSTOMER))) == [Drop(known.customers, (h.CUSTOMER,))]


def changed(event: Any, row: Any) -> Any:
    """The row after the one change an event makes."""
    (change,) = listen(h.hear(event))
    assert isinstance(change, Change)
    return change.apply(row)
