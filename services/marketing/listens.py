"""What marketing makes of the others' public events: leads and orders of its campaigns."""

from services.marketing.domain.credit import CreditOrder
from services.marketing.known import (
    KnownEntity,
    KnownStaff,
    KnownStore,
    Touch,
    entities_known,
    staff_known,
    stores_known,
    touches,
)
from shared.bus.heard import Effect, Heard, Send
from shared.contracts import gateway, leads, orders
from shared.decider import replace
from shared.views.table import Change, Put


def listen(heard: Heard) -> list[Effect]:
    """The effects of a public event; none for those that name no campaign."""
    match heard.event:
        case leads.LeadCaptured(lead_id=lead_id, campaign_id=str(campaign_id)):
            return [touch(heard, campaign_id, lead_id, first=True)]
        case leads.LeadTouched(lead_id=lead_id, campaign_id=str(campaign_id)):
            return [touch(heard, campaign_id, lead_id, first=False)]
        case orders.OrderDelivered(order_id=order_id, campaign_id=str(campaign_id), vin=vin, price=price):
            credit = CreditOrder(order_id=order_id, campaign_id=campaign_id, vin=vin, revenue=price, at=heard.occurred_at)
            return [Send(to=f"credit-{order_id}", command=credit)]
        case gateway.LegalEntityRegistered(entity_id=entity_id, currency=currency):
            return [Put(entities_known, KnownEntity(entity_id=entity_id, currency=currency))]
        case gateway.StoreOpened() as store:
            known = KnownStore(
                store_id=store.store_id, code=store.code, name=store.name, entity_id=store.entity_id, timezone=store.timezone
            )
            return [Put(stores_known, known)]
        case gateway.StaffAssigned(staff_id=staff_id, store_ids=store_ids):
            return [Put(staff_known, KnownStaff(staff_id=staff_id, store_ids=store_ids))]
        case gateway.UserDisabled(staff_id=staff_id):
            return [Change(staff_known, (staff_id,), lambda row: replace(row, enabled=False) if row else None)]
        case _:
            return []


def touch(heard: Heard, campaign_id: str, lead_id: str, *, first: bool) -> Put[Touch]:
    """A row named by the event, so that hearing it twice counts once."""
    row = Touch(touch_id=str(heard.id), campaign_id=campaign_id, lead_id=lead_id, first=first, touched_at=heard.occurred_at)
    return Put(touches, row)
