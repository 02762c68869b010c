"""What after-sales makes of the others' public events: delivered cars come into its care."""

from services.aftersales.domain.car import EnrolCar
from services.aftersales.known import (
    KnownCustomer,
    KnownEntity,
    KnownStaff,
    KnownStore,
    customers_known,
    entities_known,
    staff_known,
    stores_known,
)
from shared.bus.heard import Effect, Heard, Send
from shared.contracts import customers, gateway, orders
from shared.decider import replace
from shared.views.table import Change, Drop, Put


def listen(heard: Heard) -> list[Effect]:
    """The effects of a public event; none for those after-sales has no use for."""
    match heard.event:
        case orders.OrderDelivered(vin=vin, customer_id=customer_id, order_id=order_id, store_id=store_id):
            enrol = EnrolCar(vin=vin, customer_id=customer_id, order_id=order_id, store_id=store_id, at=heard.occurred_at)
            return [Send(to=f"car-{vin}", command=enrol)]
        case gateway.LegalEntityRegistered(entity_id=entity_id, currency=currency):
            return [Put(entities_known, KnownEntity(entity_id=entity_id, currency=currency))]
        case gateway.StoreOpened() as store:
            known = KnownStore(
                store_id=store.store_id,
                code=store.code,
                name=store.name,
                entity_id=store.entity_id,
                timezone=store.timezone,
                opens=store.opens,
                closes=store.closes,
            )
            return [Put(stores_known, known)]
        case gateway.StaffAssigned() as staff:
            colleague = KnownStaff(staff_id=staff.staff_id, name=staff.name, roles=staff.roles, store_ids=staff.store_ids)
            return [Put(staff_known, colleague)]
        case gateway.UserDisabled(staff_id=staff_id):
            return [Change(staff_known, (staff_id,), lambda row: replace(row, enabled=False) if row else None)]
        case (
            customers.CustomerRegistered(customer_id=customer_id, name=name, phone=phone)
            | customers.CustomerCorrected(customer_id=customer_id, name=name, phone=phone)
        ):
            return [Put(customers_known, KnownCustomer(customer_id=customer_id, name=name, phone=phone))]
        case customers.CustomerForgotten(customer_id=customer_id):
            return [Drop(customers_known, (customer_id,))]
        case _:
            return []
