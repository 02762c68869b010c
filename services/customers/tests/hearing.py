"""Public events of the other contexts, as customers hears them in tests."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from shared.bus.heard import Heard
from shared.contracts import aftersales, finance, gateway, inventory, leads, orders, published_name
from shared.testing.hearing import NOON, an_id, heard, store_opened
from shared.values.money import Money

VIN = "LFV2A2150N3000001"


ENTITY, STORE, OTHER_STORE, PERSON, LEAD, OPPORTUNITY, ORDER, RECEIPT, QUOTE = (an_id(n) for n in range(1, 10))
LI, WANG, ZHAO, SUN, MA, OWNER = (an_id(n) for n in range(21, 27))
PRICE, PAID = Money(18_980_000), Money(1_000_000)


def store(id: str = STORE, code: str = "BJ1", timezone: str = "Asia/Shanghai") -> gateway.StoreOpened:
    """A store."""
    return store_opened(id, code, ENTITY, timezone=timezone)


def seller(id: str, at: str = STORE) -> gateway.StaffAssigned:
    """A consultant."""
    return gateway.StaffAssigned(staff_id=id, username=id, name=id, roles=("sales-consultant",), store_ids=(at,))


def converted(person: str = PERSON, name: str = "~p1.name", phone: str = "~p1.phone", email: str = "") -> leads.LeadConverted:
    """A lead becomes a customer."""
    return leads.LeadConverted(
        lead_id=LEAD,
        opportunity_id=OPPORTUNITY,
        person_id=person,
        store_id=STORE,
        entity_id=ENTITY,
        seller_id=LI,
        campaign_id=None,
        channel="website",
        brand="VW",
        name=name,
        phone=phone,
        email=email,
    )


captured = leads.LeadCaptured(
    lead_id=LEAD,
    person_id=PERSON,
    store_id=STORE,
    entity_id=ENTITY,
    brand="VW",
    series="ID.4",
    channel="website",
    campaign_id=None,
    name="~p1.name",
    phone="~p1.phone",
    email="",
)
allotted = leads.LeadPlaced(
    lead_id=LEAD,
    person_id=PERSON,
    store_id=STORE,
    entity_id=ENTITY,
    brand="VW",
    series="ID.4",
    channel="website",
    campaign_id=None,
    grade="A",
    captured_at=NOON,
)
graded = leads.LeadGraded(lead_id=LEAD, grade="A", rule="standard@1")
followed_up = leads.FollowUpRecorded(
    follow_up_id=an_id(40),
    lead_id=LEAD,
    opportunity_id=None,
    person_id=PERSON,
    seller_id=LI,
    kind="phone",
    text="~p1.text",
    next_at=NOON,
)
opened = leads.OpportunityOpened(
    opportunity_id=OPPORTUNITY,
    lead_id=LEAD,
    person_id=PERSON,
    store_id=STORE,
    entity_id=ENTITY,
    seller_id=LI,
    campaign_id=None,
    channel="website",
    brand="VW",
    series="ID.4",
)
advanced = leads.OpportunityAdvanced(opportunity_id=OPPORTUNITY, person_id=PERSON, stage_from="open", stage_to="quote")
won = leads.OpportunityWon(opportunity_id=OPPORTUNITY, person_id=PERSON, order_id=ORDER)
drive = leads.TestDriveBooked(
    test_drive_id=an_id(41),
    opportunity_id=OPPORTUNITY,
    person_id=PERSON,
    vin=VIN,
    specialist_id=LI,
    starts_at=NOON,
    ends_at=NOON,
)
quoted = orders.QuoteIssued(
    quote_id=QUOTE,
    number="Q-BJ1-20260302-001",
    revision=1,
    opportunity_id=OPPORTUNITY,
    customer_id=PERSON,
    store_id=STORE,
    seller_id=LI,
    trim_id="trim1",
    price=PRICE,
)
placed = orders.OrderPlaced(
    order_id=ORDER,
    number="SO-BJ1-20260302-001",
    store_id=STORE,
    entity_id=ENTITY,
    customer_id=PERSON,
    opportunity_id=OPPORTUNITY,
    campaign_id=None,
    channel="website",
    seller_id=LI,
    trim_id="trim1",
    vin=None,
    price=PRICE,
    vat_permille=130,
)
approved = orders.OrderApproved(
    order_id=ORDER, number=placed.number, store_id=STORE, vin=VIN, seller_id=LI, approver_id=ZHAO, opportunity_id=OPPORTUNITY
)
cancelled = orders.OrderCancelled(
    order_id=ORDER, number=placed.number, vin=VIN, customer_id=PERSON, opportunity_id=None, reason="moves to another city", forfeit=False
)
delivered = orders.OrderDelivered(
    order_id=ORDER,
    number=placed.number,
    store_id=STORE,
    entity_id=ENTITY,
    vin=VIN,
    stay_id=an_id(42),
    trim_id="trim1",
    customer_id=PERSON,
    seller_id=LI,
    opportunity_id=OPPORTUNITY,
    campaign_id=None,
    channel="website",
    price=PRICE,
)
paid = finance.PaymentReceived(
    order_id=ORDER,
    receipt_id=RECEIPT,
    number="RV-BJ1-20260302-001",
    kind="earnest",
    method="transfer",
    amount=PAID,
    earnest=PAID,
    paid_total=PAID,
    customer_id=PERSON,
    store_id=STORE,
)
invoiced = finance.InvoiceIssued(
    order_id=ORDER, invoice_id=an_id(43), number="VI-BJ1-20260302-001", vin=VIN, net=PRICE, vat=Money(0), gross=PRICE
)
reserved = inventory.VehicleReserved(
    request_id=an_id(44),
    order_id=ORDER,
    vin=VIN,
    stay_id=an_id(42),
    trim_id="trim1",
    store_id=OTHER_STORE,
    certificate="with-us",
    until=NOON,
)
appointed = aftersales.AppointmentBooked(
    appointment_id=an_id(45),
    vin=VIN,
    customer_id=PERSON,
    store_id=STORE,
    starts_at=NOON,
    ends_at=NOON,
    services=("first-maintenance",),
)
served = aftersales.WorkOrderClosed(
    work_order_id=an_id(46),
    number="WO-BJ1-20260302-001",
    vin=VIN,
    customer_id=PERSON,
    store_id=STORE,
    kilometres=5000,
    services=("first-maintenance",),
    price=Money(60_000),
    cost=Money(20_000),
)
complained = aftersales.ComplaintOpened(
    complaint_id=an_id(47), number="CP-BJ1-20260302-001", customer_id=PERSON, store_id=STORE, vin=VIN, due_at=NOON
)


def hear(event: Any, at: datetime = NOON) -> Heard:
    """An event of the store, as the consumer hands it over."""
    return heard(event, at, STORE, actor=LI, stream=f"{published_name(event).split('.')[0]}-{uuid4()}")
