"""Public events of the other contexts, as marketing hears them in tests."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.bus.heard import Heard
from shared.contracts import gateway, leads, orders
from shared.testing.hearing import NOON, an_id, entity_registered, heard, store_opened
from shared.values.money import Money

VIN = "LFV2A2150N3000001"
PRICE = Money(18_980_000)


ENTITY, STORE, OTHER_STORE, CAMPAIGN, LEAD, ORDER = (an_id(n) for n in range(1, 7))
SUN, ZHAO, OWNER, SOUTHERNER = (an_id(n) for n in range(21, 25))

entity = entity_registered(ENTITY)
staff = gateway.StaffAssigned(staff_id=SUN, username="sun", name="孙悦", roles=("marketing",), store_ids=(STORE,))


def store(store_id: str = STORE, code: str = "BJ1") -> gateway.StoreOpened:
    """A store of the legal entity."""
    return store_opened(store_id, code, ENTITY)


def captured(campaign_id: str | None = CAMPAIGN, lead_id: str = LEAD) -> leads.LeadCaptured:
    """A lead."""
    return leads.LeadCaptured(
        lead_id=lead_id,
        person_id=lead_id,
        store_id=STORE,
        entity_id=ENTITY,
        brand="Volkswagen",
        series="Lavida",
        channel="auto-show",
        campaign_id=campaign_id,
        name="~p1.x",
        phone="~p1.y",
        email="",
    )


def touched(campaign_id: str | None = CAMPAIGN, lead_id: str = LEAD) -> leads.LeadTouched:
    """A lead that comes again."""
    return leads.LeadTouched(lead_id=lead_id, person_id=lead_id, channel="website", campaign_id=campaign_id)


def delivered(campaign_id: str | None = CAMPAIGN, order_id: str = ORDER) -> orders.OrderDelivered:
    """A car handed over."""
    return orders.OrderDelivered(
        order_id=order_id,
        number="SO-BJ1-20260302-001",
        store_id=STORE,
        entity_id=ENTITY,
        vin=VIN,
        stay_id=an_id(31),
        trim_id="trim1",
        customer_id=an_id(32),
        seller_id="li",
        opportunity_id=None,
        campaign_id=campaign_id,
        channel="auto-show",
        price=PRICE,
    )


def hear(event: Any, at: datetime = NOON, id: UUID | None = None) -> Heard:
    """The event as the consumer gives it to listen."""
    return heard(event, at, STORE, id=id)
