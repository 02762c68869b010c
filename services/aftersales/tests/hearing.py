"""Public events of the other contexts, as after-sales hears them in tests."""

from datetime import datetime
from typing import Any

from shared.bus.heard import Heard
from shared.contracts import customers, gateway, orders
from shared.testing.hearing import NOON, an_id, entity_registered, heard, store_opened
from shared.values.money import Money

VIN, OTHER_VIN = "LFV2A2150N3000001", "LFV2A2150N3000002"
SHANGHAI = "Asia/Shanghai"


ENTITY, STORE, OTHER_STORE, CUSTOMER, BUYER, ORDER, RESALE = (an_id(n) for n in range(1, 8))
WU, HE, LI, ZHAO, SOUTHERNER = (an_id(n) for n in range(21, 26))

entity = entity_registered(ENTITY)


def store(store_id: str = STORE, code: str = "BJ1") -> gateway.StoreOpened:
    """A store of the legal entity."""
    return store_opened(store_id, code, ENTITY)


def person(staff_id: str, name: str, *roles: str, at: str = STORE) -> gateway.StaffAssigned:
    """A colleague."""
    return gateway.StaffAssigned(staff_id=staff_id, username=name, name=name, roles=roles, store_ids=(at,))


def customer(customer_id: str, name: str, phone: str = "") -> customers.CustomerRegistered:
    """A customer; name and phone are tokens."""
    return customers.CustomerRegistered(
        customer_id=customer_id, number="C-1", store_id=STORE, kind="person", name=name, phone=phone, email=""
    )


def delivered(order_id: str = ORDER, vin: str = VIN, customer_id: str = CUSTOMER, store_id: str = STORE) -> orders.OrderDelivered:
    """A car handed over."""
    return orders.OrderDelivered(
        order_id=order_id,
        number="SO-BJ1-20260302-001",
        store_id=store_id,
        entity_id=ENTITY,
        vin=vin,
        stay_id=an_id(31),
        trim_id="trim1",
        customer_id=customer_id,
        seller_id=LI,
        opportunity_id=None,
        campaign_id=None,
        channel="walk-in",
        price=Money(18_980_000),
    )


def hear(event: Any, at: datetime = NOON, store_id: str | None = STORE) -> Heard:
    """The event as the consumer gives it to listen."""
    return heard(event, at, store_id, actor=LI)
