"""What customers makes of what every other context tells: registrations, purchase stages, timelines and dealings."""

from typing import Any

from services.customers import known
from services.customers.domain.customer_messages import RecordDeal, RegisterCustomer
from services.customers.views import profile, timeline
from services.customers.views.timeline import Entry
from shared.bus.heard import Effect, Heard, Send
from shared.contracts import aftersales, finance, gateway, inventory, leads, orders
from shared.decider import replace
from shared.views.table import Change, Put
from shared.web.body import amount


def listen(heard: Heard) -> list[Effect]:
    """The effects of one public event."""
    match heard.source:
        case "gateway":
            return places(heard.event)
        case "leads":
            return interest(heard)
        case "orders":
            return purchase(heard)
        case "finance":
            return money(heard)
        case "inventory":
            return stock(heard)
        case "aftersales":
            return care(heard)
        case _:
            return []


def places(event: Any) -> list[Effect]:
    """Stores and the people who work there."""
    match event:
        case gateway.StoreOpened(store_id=store_id, code=code, entity_id=entity_id, timezone=timezone):
            return [Put(known.stores, known.Store(store_id=store_id, code=code, entity_id=entity_id, timezone=timezone))]
        case gateway.StaffAssigned(staff_id=staff_id, store_ids=store_ids):
            return [Put(known.staff, known.Staff(staff_id=staff_id, store_ids=store_ids, enabled=True))]
        case gateway.UserDisabled(staff_id=staff_id):
            return [Change(known.staff, (staff_id,), lambda one: replace(one, enabled=False) if one else None)]
        case _:
            return []


# --- leads -------------------------------------------------------------------------------------------------------


def interest(heard: Heard) -> list[Effect]:
    """A person's leads; whoever is converted becomes a customer."""
    match heard.event:
        case leads.LeadCaptured(lead_id=id, person_id=person, brand=brand, series=series, channel=channel):
            return both(heard, "lead", id, person, "open", brand=brand, series=series, channel=channel)
        case leads.LeadPlaced(lead_id=id, person_id=person):
            return both(heard, "lead", id, person)
        case leads.LeadTouched(lead_id=id, person_id=person, channel=channel):
            return [told(heard, "lead", id, person, channel=channel)]
        case leads.LeadGraded(lead_id=id, grade=grade):
            return both(heard, "lead", id, grade=grade)
        case leads.LeadAssigned(lead_id=id, person_id=person, seller_id=seller):
            return both(heard, "lead", id, person, "assigned", seller_id=seller)
        case leads.LeadContacted(lead_id=id, within_sla=within):
            return both(heard, "lead", id, "", "contacted", within_sla=within)
        case leads.LeadConverted(lead_id=id, person_id=person, opportunity_id=opportunity):
            converted = both(heard, "lead", id, person, "converted", opportunity_id=opportunity)
            return [Send(to=f"customer-{person}", command=registration(heard, heard.event)), *converted]
        case leads.LeadDisqualified(lead_id=id, person_id=person, reason=reason):
            return both(heard, "lead", id, person, "disqualified", reason=reason)
        case leads.FollowUpRecorded(lead_id=lead, opportunity_id=opportunity, person_id=person, kind=kind, text=text, next_at=next_at):
            ref_type, ref_id = ("opportunity", opportunity) if opportunity else ("lead", lead or "")
            spoken = told(heard, ref_type, ref_id, person, through=kind, next_at=next_at.isoformat() if next_at else None)
            return [Put(timeline.table, replace(spoken.row, text=text))]
        case _:
            return pursuit(heard)


def registration(heard: Heard, lead: leads.LeadConverted) -> RegisterCustomer:
    """The customer a lead becomes: its tokens travel as they are, its number is given when he is registered."""
    return RegisterCustomer(
        customer_id=lead.person_id,
        number="",
        store_id=lead.store_id,
        entity_id=lead.entity_id,
        channel=lead.channel,
        seller_id=lead.seller_id,
        name=lead.name,
        phone=lead.phone,
        email=lead.email,
        lead_id=lead.lead_id,
        opportunity_id=lead.opportunity_id,
        at=heard.occurred_at,
    )


def pursuit(heard: Heard) -> list[Effect]:
    """Opportunities and test drives."""
    match heard.event:
        case leads.OpportunityOpened(opportunity_id=id, person_id=person, brand=brand, series=series, seller_id=seller):
            begun = both(heard, "opportunity", id, person, "open", brand=brand, series=series, seller_id=seller)
            return [deal(heard, person, "opportunity", id, True), *begun]
        case leads.OpportunityAdvanced(opportunity_id=id, person_id=person, stage_from=origin, stage_to=stage):
            return [told(heard, "opportunity", id, person, stage_from=origin, stage_to=stage), dealt(heard, "opportunity", id, stage=stage)]
        case leads.OpportunityWon(opportunity_id=id, person_id=person, order_id=order):
            won = both(heard, "opportunity", id, person, "won", order_id=order)
            return [deal(heard, person, "opportunity", id, False), *won]
        case leads.OpportunityLost(opportunity_id=id, person_id=person, reason=reason, competitor=competitor):
            lost = both(heard, "opportunity", id, person, "lost", reason=reason, competitor=competitor)
            return [deal(heard, person, "opportunity", id, False), *lost]
        case leads.TestDriveBooked(test_drive_id=id, person_id=person, vin=vin, opportunity_id=opportunity, starts_at=starts_at):
            booked = {"vin": vin, "opportunity_id": opportunity, "starts_at": starts_at.isoformat()}
            return both(heard, "test-drive", id, person, "booked", **booked)
        case leads.TestDriveFinished(test_drive_id=id, person_id=person, kilometres=kilometres):
            return both(heard, "test-drive", id, person, "finished", kilometres=kilometres)
        case _:
            return []


# --- orders, money and cars --------------------------------------------------------------------------------------


def purchase(heard: Heard) -> list[Effect]:
    """Quotes and orders."""
    match heard.event:
        case orders.QuoteIssued(quote_id=id, customer_id=customer) as quote:
            facts = {"number": quote.number, "revision": quote.revision, "trim_id": quote.trim_id, "price": amount(quote.price)}
            return both(heard, "quote", id, customer, "issued", **facts)
        case orders.OrderPlaced(order_id=id, customer_id=customer, vin=vin) as order:
            facts = {"number": order.number, "trim_id": order.trim_id, "vin": vin, "price": amount(order.price)}
            return [deal(heard, customer, "order", id, True), *both(heard, "order", id, customer, "placed", **facts)]
        case orders.OrderApproved(order_id=id, vin=vin):
            return both(heard, "order", id, "", "approved", vin=vin)
        case orders.OrderChanged(order_id=id, vin=vin, price=price):
            return both(heard, "order", id, "", "changed", vin=vin, price=amount(price))
        case orders.ContractSigned(order_id=id, customer_id=customer, vin=vin, price=price):
            return both(heard, "order", id, customer, "signed", vin=vin, price=amount(price))
        case orders.OrderCancelled(order_id=id, customer_id=customer, forfeit=forfeit):
            cancelled = both(heard, "order", id, customer, "cancelled", forfeit=forfeit)
            return [deal(heard, customer, "order", id, False), *cancelled]
        case orders.OrderDelivered(order_id=id, customer_id=customer, vin=vin, trim_id=trim):
            owned = dealt(heard, "vehicle", vin, customer, "owned", vin=vin, trim_id=trim, order_id=id)
            delivered = both(heard, "order", id, customer, "delivered", vin=vin)
            return [deal(heard, customer, "car", vin, True), deal(heard, customer, "order", id, False), *delivered, owned]
        case _:
            return []


def money(heard: Heard) -> list[Effect]:
    """What was paid, paid back and invoiced."""
    match heard.event:
        case finance.PaymentReceived(receipt_id=id, order_id=order, customer_id=customer, paid_total=paid) as taken:
            facts = {"number": taken.number, "order_id": order, "kind": taken.kind, "method": taken.method, "amount": amount(taken.amount)}
            return [*both(heard, "payment", id, customer, "received", **facts), dealt(heard, "order", order, paid=amount(paid))]
        case finance.PaymentRefunded(refund_id=id, order_id=order, customer_id=customer, paid_total=paid) as given:
            facts = {"number": given.number, "order_id": order, "amount": amount(given.amount)}
            return [*both(heard, "payment", id, customer, "refunded", **facts), dealt(heard, "order", order, paid=amount(paid))]
        case finance.InvoiceIssued(order_id=id, number=number, gross=gross):
            return [told(heard, "order", id, number=number, gross=amount(gross)), dealt(heard, "order", id, invoice=number)]
        case finance.InvoiceReversed(order_id=id, number=number):
            return [told(heard, "order", id, number=number), dealt(heard, "order", id, invoice=None)]
        case _:
            return []


def stock(heard: Heard) -> list[Effect]:
    """The car of an order: held, let go, arrived."""
    match heard.event:
        case inventory.VehicleReserved(order_id=str(id), vin=vin) | inventory.VehicleReleased(order_id=str(id), vin=vin):
            return [told(heard, "order", id, vin=vin)]
        case inventory.VehicleArrived(order_id=str(id), vin=vin, to_store=to_store):
            return [told(heard, "order", id, vin=vin, to_store=to_store)]
        case _:
            return []


def care(heard: Heard) -> list[Effect]:
    """Appointments, service and complaints."""
    match heard.event:
        case aftersales.VehicleEnrolled(vin=vin, customer_id=customer):
            return both(heard, "vehicle", vin, customer, vin=vin, enrolled=True)
        case aftersales.AppointmentBooked(appointment_id=id, customer_id=customer, vin=vin, starts_at=starts_at, services=services):
            return both(heard, "appointment", id, customer, "booked", vin=vin, starts_at=starts_at.isoformat(), services=list(services))
        case aftersales.AppointmentCancelled(appointment_id=id, customer_id=customer):
            return both(heard, "appointment", id, customer, "cancelled")
        case aftersales.WorkOrderOpened(work_order_id=id, customer_id=customer, number=number, vin=vin):
            return both(heard, "service", id, customer, "open", number=number, vin=vin)
        case aftersales.WorkOrderClosed(work_order_id=id, customer_id=customer, vin=vin) as work:
            facts = {"vin": vin, "kilometres": work.kilometres, "services": list(work.services), "price": amount(work.price)}
            return [*both(heard, "service", id, customer, "closed", **facts), profile.driven(vin, heard.occurred_at, work.kilometres)]
        case aftersales.ComplaintOpened(complaint_id=id, customer_id=customer, number=number, vin=vin, due_at=due_at):
            return both(heard, "complaint", id, customer, "open", number=number, vin=vin, due_at=due_at.isoformat())
        case aftersales.ComplaintResolved(complaint_id=id, customer_id=customer):
            return both(heard, "complaint", id, customer, "resolved")
        case _:
            return []


# --- effects -----------------------------------------------------------------------------------------------------


def both(heard: Heard, kind: str, id: str, customer_id: str = "", status: str = "", /, **facts: Any) -> list[Effect]:
    """An entry of the timeline, and what it makes of the dealing."""
    return [told(heard, kind, id, customer_id, **facts), dealt(heard, kind, id, customer_id, status, **facts)]


def told(heard: Heard, ref_type: str, ref_id: str, customer_id: str = "", /, **facts: Any) -> Put[Entry]:
    """An entry of the timeline; what names no customer is found by the thing it is about."""
    entry = Entry(
        event_id=str(heard.id),
        customer_id=customer_id,
        occurred_at=heard.occurred_at,
        type=heard.type,
        context=heard.source,
        ref_type=ref_type,
        ref_id=ref_id,
        store_id=heard.store_id or "",
        by=heard.actor,
        facts=facts,
    )
    return Put(timeline.table, entry)


def dealt(heard: Heard, kind: str, id: str, customer_id: str = "", status: str = "", /, **facts: Any) -> Change[profile.Dealing]:
    """What an event adds to a dealing."""
    store_id = heard.store_id or ""
    return profile.dealing(kind, id, heard.occurred_at, customer_id=customer_id, store_id=store_id, status=status, facts=facts)


def deal(heard: Heard, customer_id: str, kind: Any, id: str, open: bool) -> Send:
    """What moves the purchase stage."""
    return Send(to=f"customer-{customer_id}", command=RecordDeal(kind=kind, deal_id=id, open=open, at=heard.occurred_at))
