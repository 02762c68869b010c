"""Public events of the other contexts, as finance hears them in tests."""

from datetime import datetime
from typing import Any

from shared.bus.heard import Heard
from shared.contracts import customers, gateway, inventory, marketing, orders
from shared.testing.hearing import NOON, an_id, entity_registered, heard, store_opened
from shared.values.money import Money

VIN = "LFV2A2150N3000001"


ENTITY, STORE, OTHER_STORE, CUSTOMER, ORDER, STAY, TRANSFER, SPEND, COST = (an_id(n) for n in range(1, 10))
WANG, ZHAO = an_id(21), an_id(22)
PRICE = Money(18_980_000)

entity = entity_registered(ENTITY)
staff = gateway.StaffAssigned(staff_id=WANG, username="wang", name="王敏", roles=("finance",), store_ids=(STORE,))
customer = customers.CustomerRegistered(
    customer_id=CUSTOMER, number="C-1", store_id=STORE, kind="person", name="~p1.x", phone="~p1.y", email=""
)
placed = orders.OrderPlaced(
    order_id=ORDER,
    number="SO-BJ1-20260302-001",
    store_id=STORE,
    entity_id=ENTITY,
    customer_id=CUSTOMER,
    opportunity_id=None,
    campaign_id=None,
    channel="walk-in",
    seller_id="li",
    trim_id="trim1",
    vin=VIN,
    price=PRICE,
    vat_permille=130,
)
signed = orders.ContractSigned(
    order_id=ORDER,
    number=placed.number,
    customer_id=CUSTOMER,
    vin=VIN,
    price=PRICE,
    earnest_agreed=Money(1_000_000),
    sha256="0" * 64,
)
changed = orders.OrderChanged(order_id=ORDER, number=placed.number, price=Money(18_000_000), vin=VIN)
cancelled = orders.OrderCancelled(
    order_id=ORDER, number=placed.number, vin=VIN, customer_id=CUSTOMER, opportunity_id=None, reason="other brand", forfeit=False
)
delivered = orders.OrderDelivered(
    order_id=ORDER,
    number=placed.number,
    store_id=STORE,
    entity_id=ENTITY,
    vin=VIN,
    stay_id=STAY,
    trim_id="trim1",
    customer_id=CUSTOMER,
    seller_id="li",
    opportunity_id=None,
    campaign_id=None,
    channel="walk-in",
    price=PRICE,
)
received = inventory.VehicleReceived(
    stay_id=STAY,
    vin=VIN,
    trim_id="trim1",
    brand="VW",
    series="Magotan",
    category="new",
    store_id=OTHER_STORE,
    entity_id=ENTITY,
    supplier="FAW-VW",
    purchase_order_id=None,
    purchase=Money(15_200_000),
    rebate=Money(300_000),
    freight=Money(80_000),
    preparation=Money(20_000),
    book_cost=Money(15_000_000),
    input_vat=Money(1_950_000),
    acquired_on=NOON.date(),
    certificate="with-us",
)
cost_added = inventory.CostAdded(
    stay_id=STAY,
    vin=VIN,
    cost_id=COST,
    kind="freight",
    supplier="SF",
    amount=Money(200_000),
    book_cost=Money(15_280_000),
    late=False,
    store_id=STORE,
    entity_id=ENTITY,
)
dispatched = inventory.VehicleDispatched(
    transfer_id=TRANSFER,
    vin=VIN,
    stay_id=STAY,
    trim_id="trim1",
    from_store=OTHER_STORE,
    to_store=STORE,
    from_entity=ENTITY,
    to_entity=ENTITY,
    book_cost=Money(15_000_000),
    order_id=ORDER,
)
arrived = inventory.VehicleArrived(
    transfer_id=TRANSFER,
    vin=VIN,
    stay_id=STAY,
    trim_id="trim1",
    brand="VW",
    series="Magotan",
    acquired_on=NOON.date(),
    from_store=OTHER_STORE,
    to_store=STORE,
    from_entity=ENTITY,
    to_entity=ENTITY,
    carrier="SF",
    transport=Money(80_000),
    book_cost=Money(15_080_000),
    order_id=ORDER,
)
spent = marketing.CampaignSpent(
    campaign_id="show", spend_id=SPEND, store_id=STORE, entity_id=ENTITY, supplier="Print Co", amount=Money(500_000)
)


def store(store_id: str = STORE, code: str = "BJ1") -> gateway.StoreOpened:
    """A store of the legal entity."""
    return store_opened(store_id, code, ENTITY)


def hear(event: Any, at: datetime = NOON) -> Heard:
    """The event as the consumer gives it to listen."""
    return heard(event, at, STORE)
