"""Public events of the other contexts, as orders hears them in tests."""

from datetime import date, datetime
from typing import Any

from shared.bus.heard import Heard
from shared.contracts import customers, finance, gateway, inventory, leads, orders, published_name
from shared.testing.hearing import NOON, an_id, entity_registered, heard, store_opened
from shared.values.money import Money

RED, BLUE = "LFV2A2150N3000001", "LFV2A2150N3000002"


ENTITY, STORE, OTHER_STORE, CUSTOMER, OPPORTUNITY, TRIM, STAY, BLUE_STAY, ORDER, CAMPAIGN = (an_id(n) for n in range(1, 11))
LI, ZHAO, SUN = an_id(21), an_id(22), an_id(23)
CATALOGUE = Money(19_980_000)

STREAMS = {
    "gateway": ("entity_id", "store_id", "staff_id", "role"),
    "leads": ("opportunity_id",),
    "customers": ("customer_id",),
    "inventory": ("stay_id", "trim_id", "vin"),
    "finance": ("order_id",),
    "orders": ("order_id",),
}


def hear(event: Any, at: datetime = NOON, sequence: int = 100) -> Heard:
    """The event as the bus brings it, in the stream of what it is about."""
    source = published_name(event).partition(".")[0]
    stream = next(getattr(event, field) for field in STREAMS[source] if hasattr(event, field))
    return heard(event, at, STORE, actor="system", stream=f"{source}-{stream}", sequence=sequence)


entity = entity_registered(ENTITY)


def store(store_id: str = STORE, code: str = "BJ1") -> gateway.StoreOpened:
    """A store of the entity."""
    return store_opened(store_id, code, ENTITY)


seller = gateway.StaffAssigned(staff_id=LI, username="li", name="李雷", roles=("sales-consultant",), store_ids=(STORE,))
authority = gateway.AuthorityGranted(role="sales-manager", series="*", discount_permille=60)
han_authority = gateway.AuthorityGranted(role="sales-manager", series="汉", discount_permille=70)
regional = gateway.AuthorityGranted(role="regional-manager", series="*", discount_permille=100)
customer = customers.CustomerRegistered(
    customer_id=CUSTOMER, number="C-1", store_id=STORE, kind="person", name="~p1.x", phone="~p1.y", email=""
)
opportunity = leads.OpportunityOpened(
    opportunity_id=OPPORTUNITY,
    lead_id=None,
    person_id=CUSTOMER,
    store_id=STORE,
    entity_id=ENTITY,
    seller_id=LI,
    campaign_id=CAMPAIGN,
    channel="website",
    brand="比亚迪",
    series="汉",
)
trim = inventory.TrimListed(
    trim_id=TRIM, brand="比亚迪", series="汉", model_year=2026, name="EV 605", powertrain="electric", guide_price=Money(20_980_000)
)
price = inventory.PriceListed(
    trim_id=TRIM, store_id=None, price=CATALOGUE, valid_from=date(2026, 1, 1), valid_to=None, source="price list 1"
)


def received(vin: str = RED, stay_id: str = STAY, store_id: str = OTHER_STORE, certificate: str = "with-us") -> inventory.VehicleReceived:
    """A car comes into stock."""
    nothing = Money(0)
    return inventory.VehicleReceived(
        stay_id=stay_id,
        vin=vin,
        trim_id=TRIM,
        brand="比亚迪",
        series="汉",
        category="new",
        store_id=store_id,
        entity_id=ENTITY,
        supplier="BYD",
        purchase_order_id=None,
        purchase=Money(15_000_000),
        rebate=nothing,
        freight=nothing,
        preparation=nothing,
        book_cost=Money(15_000_000),
        input_vat=Money(1_950_000),
        acquired_on=date(2026, 2, 1),
        certificate=certificate,
    )


def reserved(request: orders.VehicleRequested, stay_id: str = STAY, store_id: str = OTHER_STORE) -> inventory.VehicleReserved:
    """Inventory's yes."""
    return inventory.VehicleReserved(
        request_id=request.request_id,
        order_id=request.order_id,
        vin=request.vin,
        stay_id=stay_id,
        trim_id=TRIM,
        store_id=store_id,
        certificate="with-us",
        until=NOON,
    )


def refused(request: orders.VehicleRequested) -> inventory.VehicleRefused:
    """Inventory's no."""
    return inventory.VehicleRefused(
        request_id=request.request_id,
        order_id=request.order_id,
        vin=request.vin,
        problem="vin-already-reserved",
        reason="Somebody else has reserved this car.",
    )


def released(request_id: str, order_id: str, vin: str = RED, reason: str = "expired") -> inventory.VehicleReleased:
    """A reservation ends."""
    return inventory.VehicleReleased(
        request_id=request_id, order_id=order_id, vin=vin, stay_id=STAY, trim_id=TRIM, store_id=OTHER_STORE, reason=reason
    )


def arrived(order_id: str | None, vin: str = RED) -> inventory.VehicleArrived:
    """The car comes from the other store."""
    return inventory.VehicleArrived(
        transfer_id=an_id(40),
        vin=vin,
        stay_id=STAY,
        trim_id=TRIM,
        brand="比亚迪",
        series="汉",
        acquired_on=date(2026, 2, 1),
        from_store=OTHER_STORE,
        to_store=STORE,
        from_entity=ENTITY,
        to_entity=ENTITY,
        carrier="truck",
        transport=Money(50_000),
        book_cost=Money(15_050_000),
        order_id=order_id,
    )


def paid(order_id: str, total: Money, earnest: Money, receipt: int = 1) -> finance.PaymentReceived:
    """Money comes in."""
    return finance.PaymentReceived(
        order_id=order_id,
        receipt_id=an_id(50 + receipt),
        number=f"RV-{receipt}",
        kind="earnest" if earnest.minor else "balance",
        method="transfer",
        amount=total,
        earnest=earnest,
        paid_total=total,
        customer_id=CUSTOMER,
        store_id=STORE,
    )


def refunded(order_id: str, total: Money) -> finance.PaymentRefunded:
    """Money goes back."""
    return finance.PaymentRefunded(
        order_id=order_id,
        refund_id=an_id(60),
        number="PV-1",
        amount=Money(1),
        paid_total=total,
        customer_id=CUSTOMER,
        store_id=STORE,
    )


def invoiced(order_id: str, gross: Money, vin: str = RED) -> finance.InvoiceIssued:
    """The vehicle sales invoice."""
    return finance.InvoiceIssued(order_id=order_id, invoice_id=an_id(70), number="IN-1", vin=vin, net=gross, vat=Money(0), gross=gross)


def everything() -> list[Any]:
    """A little world: an entity with two stores, people, a customer, a car of each colour in the other store."""
    return [
        entity,
        store(),
        store(OTHER_STORE, "SH1"),
        seller,
        authority,
        regional,
        trim,
        price,
        opportunity,
        received(),
        received(BLUE, BLUE_STAY, certificate="pledged"),
    ]
