"""What orders makes of what the other contexts, and itself, have told."""

from collections.abc import Callable
from typing import Any

from services.orders import known
from services.orders.domain.order_messages import RecordArrival, RecordInvoice, RecordInvoiceReversal, RecordPayment
from services.orders.processes.fulfilment import HearOrder, HearRefused, HearReleased, HearReserved, Phase
from shared.bus.heard import Effect, Heard, Send
from shared.contracts import customers, finance, gateway, inventory, leads, orders
from shared.decider import replace
from shared.values.money import Money
from shared.views.table import Change, Drop, Put


def listen(heard: Heard) -> list[Effect]:
    """The effects of one public event."""
    match heard.source:
        case "orders":
            return own(heard)
        case "inventory":
            return stock(heard)
        case "finance":
            return money(heard)
        case "gateway":
            return people(heard.event)
        case "customers" | "leads":
            return buyers(heard.event)
        case _:
            return []


# --- what moves an order -----------------------------------------------------------------------------------------


def own(heard: Heard) -> list[Effect]:
    """What became of an order, for its fulfilment."""
    match heard.event:
        case orders.OrderApproved(order_id=order_id, vin=vin, seller_id=seller_id):
            return [hear_order(heard, order_id, "approved", vin, seller_id)]
        case orders.OrderChanged(order_id=order_id, vin=vin):
            return [hear_order(heard, order_id, "changed", vin)]
        case orders.OrderCancelled(order_id=order_id, vin=vin):
            return [hear_order(heard, order_id, "cancelled", vin)]
        case orders.OrderDelivered(order_id=order_id, vin=vin):
            return [hear_order(heard, order_id, "delivered", vin)]
        case _:
            return []


def hear_order(heard: Heard, order_id: str, phase: Phase, vin: str | None, seller_id: str = "") -> Send:
    """An input of the order's fulfilment."""
    command = HearOrder(
        order_id=order_id,
        store_id=heard.store_id or "",
        seller_id=seller_id,
        phase=phase,
        vin=vin,
        sequence=heard.sequence,
        at=heard.occurred_at,
    )
    return Send(to=f"fulfilment-{order_id}", command=command)


def stock(heard: Heard) -> list[Effect]:
    """Answers to our requests, cars on their way, and which cars there are."""
    match heard.event:
        case inventory.VehicleReserved(order_id=str(order_id)) as event:
            command = HearReserved(
                order_id=order_id,
                request_id=event.request_id,
                vin=event.vin,
                stay_id=event.stay_id,
                store_id=event.store_id,
                certificate=event.certificate,
                until=event.until,
                sequence=heard.sequence,
                at=heard.occurred_at,
            )
            return [Send(to=f"fulfilment-{order_id}", command=command)]
        case inventory.VehicleRefused(order_id=str(order_id)) as event:
            refused = HearRefused(
                order_id=order_id,
                request_id=event.request_id,
                vin=event.vin,
                problem=event.problem,
                reason=event.reason,
                sequence=heard.sequence,
                at=heard.occurred_at,
            )
            return [Send(to=f"fulfilment-{order_id}", command=refused)]
        case inventory.VehicleReleased(order_id=str(order_id), request_id=request_id, vin=vin, reason=reason):
            released = HearReleased(
                order_id=order_id, request_id=request_id, vin=vin, reason=reason, sequence=heard.sequence, at=heard.occurred_at
            )
            return [Send(to=f"fulfilment-{order_id}", command=released)]
        case inventory.VehicleArrived(stay_id=stay_id, vin=vin, to_store=to_store, order_id=order_id):
            moved: list[Effect] = [change_vehicle(stay_id, lambda car: replace(car, store_id=to_store))]
            arrived = RecordArrival(vin=vin, store_id=to_store, at=heard.occurred_at)
            return [*moved, Send(to=f"order-{order_id}", command=arrived)] if order_id else moved
        case _:
            return catalogue(heard)


def catalogue(heard: Heard) -> list[Effect]:
    """Trims, prices in the order they were listed, and the cars in stock."""
    match event := heard.event:
        case inventory.TrimListed(guide_price=guide_price):
            trim = known.Trim(
                trim_id=event.trim_id,
                brand=event.brand,
                series=event.series,
                model_year=event.model_year,
                name=event.name,
                powertrain=event.powertrain,
                guide_price=guide_price.minor,
                currency=guide_price.currency,
            )
            return [Put(known.trims, trim)]
        case inventory.PriceListed(price=price):
            listed = known.Price(
                trim_id=event.trim_id,
                sequence=heard.sequence,
                store_id=event.store_id or "",
                valid_from=event.valid_from,
                valid_to=event.valid_to,
                price=price.minor,
                currency=price.currency,
                source=event.source,
            )
            return [Put(known.prices, listed)]
        case inventory.VehicleReceived():
            vehicle = known.Vehicle(
                stay_id=event.stay_id,
                vin=event.vin,
                trim_id=event.trim_id,
                store_id=event.store_id,
                certificate=event.certificate,
            )
            return [Put(known.vehicles, vehicle)]
        case inventory.CertificateRedeemed(stay_id=stay_id):
            return [change_vehicle(stay_id, lambda car: replace(car, certificate="redeemed"))]
        case inventory.VehicleSold(stay_id=stay_id):
            return [change_vehicle(stay_id, lambda car: replace(car, sold=True))]
        case _:
            return []


def change_vehicle(stay_id: str, apply: Callable[[known.Vehicle], known.Vehicle]) -> Change[known.Vehicle]:
    """A stay that is known changes; its stream tells of its beginning first."""
    return Change(known.vehicles, (stay_id,), lambda car: apply(car) if car else None)


def money(heard: Heard) -> list[Effect]:
    """Payments and invoices of an order."""
    match heard.event:
        case finance.PaymentReceived(order_id=order_id, receipt_id=receipt_id, paid_total=paid_total, earnest=earnest):
            paid = RecordPayment(receipt_id=receipt_id, paid_total=paid_total, earnest=earnest, at=heard.occurred_at)
            return [Send(to=f"order-{order_id}", command=paid)]
        case finance.PaymentRefunded(order_id=order_id, refund_id=refund_id, paid_total=paid_total):
            nothing = Money(0, paid_total.currency)
            repaid = RecordPayment(receipt_id=refund_id, paid_total=paid_total, earnest=nothing, at=heard.occurred_at)
            return [Send(to=f"order-{order_id}", command=repaid)]
        case finance.InvoiceIssued(order_id=order_id, invoice_id=invoice_id, number=number, gross=gross):
            invoiced = RecordInvoice(invoice_id=invoice_id, number=number, gross=gross, at=heard.occurred_at)
            return [Send(to=f"order-{order_id}", command=invoiced)]
        case finance.InvoiceReversed(order_id=order_id, invoice_id=invoice_id):
            return [Send(to=f"order-{order_id}", command=RecordInvoiceReversal(invoice_id=invoice_id, at=heard.occurred_at))]
        case _:
            return []


# --- what an order refers to -------------------------------------------------------------------------------------


def people(event: Any) -> list[Effect]:
    """Legal entities, stores, staff and what they may grant."""
    match event:
        case gateway.LegalEntityRegistered():
            entity = known.Entity(
                entity_id=event.entity_id,
                name=event.name,
                tax_number=event.tax_number,
                currency=event.currency,
                vat_permille=event.vat_permille,
            )
            return [Put(known.entities, entity)]
        case gateway.StoreOpened():
            store = known.Store(
                store_id=event.store_id,
                code=event.code,
                name=event.name,
                entity_id=event.entity_id,
                timezone=event.timezone,
            )
            return [Put(known.stores, store)]
        case gateway.StaffAssigned():
            member = known.Staff(staff_id=event.staff_id, name=event.name, roles=event.roles, store_ids=event.store_ids)
            return [Put(known.staff, member)]
        case gateway.UserDisabled(staff_id=staff_id):
            return [Change(known.staff, (staff_id,), lambda member: replace(member, disabled=True) if member else None)]
        case gateway.AuthorityGranted():
            authority = known.Authority(role=event.role, series=event.series, discount_permille=event.discount_permille)
            return [Put(known.authorities, authority)]
        case _:
            return []


def buyers(event: Any) -> list[Effect]:
    """Customers, by token, and the opportunities they come from."""
    match event:
        case customers.CustomerRegistered():
            customer = known.Customer(
                customer_id=event.customer_id,
                store_id=event.store_id,
                number=event.number,
                kind=event.kind,
                name=event.name,
                phone=event.phone,
            )
            return [Put(known.customers, customer)]
        case customers.CustomerCorrected(customer_id=customer_id, name=name, phone=phone):
            return [Change(known.customers, (customer_id,), lambda buyer: replace(buyer, name=name, phone=phone) if buyer else None)]
        case customers.CustomerForgotten(customer_id=customer_id):
            return [Drop(known.customers, (customer_id,))]
        case leads.OpportunityOpened():
            opportunity = known.Opportunity(
                opportunity_id=event.opportunity_id,
                store_id=event.store_id,
                person_id=event.person_id,
                seller_id=event.seller_id,
                campaign_id=event.campaign_id,
                channel=event.channel,
            )
            return [Put(known.opportunities, opportunity)]
        case _:
            return []
