"""What leads makes of the others' public events."""

from datetime import datetime

from services.leads import known
from services.leads.domain.opportunity import WinOpportunity
from shared.bus.heard import Effect, Heard, Send
from shared.contracts import customers, gateway, inventory, marketing, orders
from shared.decider import replace
from shared.views.table import Change, Drop, Put


def listen(heard: Heard) -> list[Effect]:
    """Who works where and when, which campaigns, cars and customers there are, and which opportunities an order has won."""
    match heard.event:
        case orders.OrderDelivered(opportunity_id=opportunity, order_id=order) if opportunity:
            return [Send(to=f"opportunity-{opportunity}", command=WinOpportunity(order_id=order, at=heard.occurred_at))]
        case customers.CustomerRegistered() as who:
            row = known.CustomerKnown(customer_id=who.customer_id, store_id=who.store_id, name=who.name, phone=who.phone)
            return [Put(known.customers, row)]
        case customers.CustomerCorrected() as who:
            return [Change(known.customers, (who.customer_id,), lambda row: row and replace(row, name=who.name, phone=who.phone))]
        case customers.CustomerForgotten(customer_id=id):
            return [Drop(known.customers, (id,))]
        case marketing.CampaignApproved(campaign_id=id, store_id=store, entity_id=entity):
            return [Put(known.campaigns, known.CampaignKnown(campaign_id=id, store_id=store, entity_id=entity))]
        case (
            inventory.VehicleReceived(stay_id=stay, vin=vin, store_id=store)
            | inventory.VehicleArrived(stay_id=stay, vin=vin, to_store=store)
        ):
            return [Put(known.cars, known.CarKnown(stay_id=stay, vin=vin, store_id=store))]
        case inventory.VehicleDispatched(stay_id=stay) | inventory.VehicleSold(stay_id=stay):
            return [Drop(known.cars, (stay,))]
        case _:
            return _identity(heard)


def _identity(heard: Heard) -> list[Effect]:
    """Stores, staff and shifts."""
    match heard.event:
        case gateway.StoreOpened() as store:
            row = known.StoreKnown(
                store_id=store.store_id,
                code=store.code,
                entity_id=store.entity_id,
                timezone=store.timezone,
                opens=store.opens,
                closes=store.closes,
            )
            return [Put(known.stores, row)]
        case gateway.StaffAssigned() as one:
            person = known.StaffKnown(
                staff_id=one.staff_id,
                roles=one.roles,
                store_ids=one.store_ids,
                brands=one.brands,
                capacity=one.capacity,
                enabled=True,
            )
            return [Put(known.staff, person)]
        case gateway.UserDisabled(staff_id=id):
            return [Change(known.staff, (id,), lambda row: row and replace(row, enabled=False))]
        case gateway.ShiftPlanned(shift_id=id, staff_id=who, store_id=where, starts_at=start, ends_at=end):
            return [Put(known.shifts, _shift(id, who, where, start, end))]
        case gateway.ShiftCancelled(shift_id=id):
            return [Change(known.shifts, (id,), lambda row: row and replace(row, cancelled=True))]
        case _:
            return []


def _shift(shift_id: str, staff_id: str, store_id: str, starts_at: datetime, ends_at: datetime) -> known.ShiftKnown:
    return known.ShiftKnown(shift_id=shift_id, staff_id=staff_id, store_id=store_id, starts_at=starts_at, ends_at=ends_at, cancelled=False)
