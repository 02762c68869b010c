"""What finance makes of the others' public events: orders' money, cars' cost, suppliers' claims."""

from services.finance.domain import chart
from services.finance.domain.account_messages import CancelAccount, ChangePrice, OpenAccount, RecogniseSale, RecordContract
from services.finance.domain.car_messages import AddCost, ArriveCar, DispatchCar, ReceiveCar
from services.finance.domain.payable import OpenPayable
from services.finance.domain.rates import business_day
from services.finance.known import (
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
from shared.contracts import customers, gateway, inventory, marketing, orders
from shared.values.money import Money
from shared.views.table import Drop, Put


def listen(heard: Heard) -> list[Effect]:
    """The effects of a public event; none for those finance has no use for."""
    match heard.source:
        case "orders":
            return listen_orders(heard)
        case "inventory":
            return listen_inventory(heard)
        case "marketing":
            return listen_marketing(heard)
        case _:
            return listen_reference(heard)


def listen_orders(heard: Heard) -> list[Effect]:
    """An order opens an account; its contract, change, cancellation and delivery are booked there."""
    at, on, store_id = heard.occurred_at, business_day(heard.occurred_at), heard.store_id or ""
    match heard.event:
        case orders.OrderPlaced() as placed:
            opened = OpenAccount(
                order_id=placed.order_id,
                order_number=placed.number,
                entity_id=placed.entity_id,
                store_id=placed.store_id,
                customer_id=placed.customer_id,
                vin=placed.vin,
                price=placed.price,
                vat_permille=placed.vat_permille,
                at=at,
            )
            return [Send(to=f"account-{placed.order_id}", command=opened)]
        case orders.ContractSigned(order_id=order_id, vin=vin, price=price, earnest_agreed=agreed):
            contract = RecordContract(vin=vin, price=price, earnest_agreed=agreed, store_id=store_id, on=on, at=at)
            return [Send(to=f"account-{order_id}", command=contract)]
        case orders.OrderChanged(order_id=order_id, vin=changed_vin, price=price):
            change = ChangePrice(vin=changed_vin, price=price, store_id=store_id, on=on, at=at)
            return [Send(to=f"account-{order_id}", command=change)]
        case orders.OrderCancelled(order_id=order_id, forfeit=forfeit):
            cancel = CancelAccount(forfeit=forfeit, by=heard.actor, store_id=store_id, on=on, at=at)
            return [Send(to=f"account-{order_id}", command=cancel)]
        case orders.OrderDelivered(order_id=order_id, vin=vin, stay_id=stay_id, store_id=sold_at):
            sale = RecogniseSale(vin=vin, stay_id=stay_id, store_id=sold_at, on=on, at=at)
            return [Send(to=f"account-{order_id}", command=sale)]
        case _:
            return []


def listen_inventory(heard: Heard) -> list[Effect]:
    """A car's way through stock is booked at cost; who is owed for it gets a payable."""
    at, on = heard.occurred_at, business_day(heard.occurred_at)
    match heard.event:
        case inventory.VehicleReceived() as car:
            received = ReceiveCar(
                stay_id=car.stay_id,
                vin=car.vin,
                entity_id=car.entity_id,
                store_id=car.store_id,
                supplier=car.supplier,
                book_cost=car.book_cost,
                input_vat=car.input_vat,
                on=on,
                at=at,
            )
            owed = owe(heard, car.stay_id, car.supplier, car.entity_id, car.store_id, car.book_cost + car.input_vat, "vehicle", car.vin)
            return [Send(to=f"car-{car.stay_id}", command=received), *owed]
        case inventory.CostAdded() as cost:
            added = AddCost(
                stay_id=cost.stay_id,
                cost_id=cost.cost_id,
                kind=cost.kind,
                amount=cost.amount,
                store_id=cost.store_id,
                on=on,
                at=at,
            )
            owed = owe(heard, cost.cost_id, cost.supplier, cost.entity_id, cost.store_id, cost.amount, cost.kind, cost.vin)
            return [Send(to=f"car-{cost.stay_id}", command=added), *owed]
        case inventory.VehicleDispatched(stay_id=stay_id, transfer_id=transfer_id, from_store=from_store):
            dispatched = DispatchCar(stay_id=stay_id, transfer_id=transfer_id, from_store=from_store, on=on, at=at)
            return [Send(to=f"car-{stay_id}", command=dispatched)]
        case inventory.VehicleArrived() as move:
            arrived = ArriveCar(
                stay_id=move.stay_id,
                transfer_id=move.transfer_id,
                from_store=move.from_store,
                to_store=move.to_store,
                to_entity=move.to_entity,
                transport=move.transport,
                on=on,
                at=at,
            )
            owed = owe(heard, move.transfer_id, move.carrier, move.to_entity, move.to_store, move.transport, "transport", move.vin)
            return [Send(to=f"car-{move.stay_id}", command=arrived), *owed]
        case _:
            return []


def listen_marketing(heard: Heard) -> list[Effect]:
    """What a campaign spends is an expense owed to its supplier."""
    match heard.event:
        case marketing.CampaignSpent() as spent:
            return owe(
                heard,
                spent.spend_id,
                spent.supplier,
                spent.entity_id,
                spent.store_id,
                spent.amount,
                "campaign",
                spent.campaign_id,
                expense=chart.SELLING_EXPENSES,
            )
        case _:
            return []


def listen_reference(heard: Heard) -> list[Effect]:
    """Legal entities, stores, staff and customers' names."""
    match heard.event:
        case gateway.LegalEntityRegistered() as entity:
            known = KnownEntity(
                entity_id=entity.entity_id,
                name=entity.name,
                tax_number=entity.tax_number,
                currency=entity.currency,
                vat_permille=entity.vat_permille,
            )
            return [Put(entities_known, known)]
        case gateway.StoreOpened() as store:
            opened = KnownStore(
                store_id=store.store_id, code=store.code, name=store.name, entity_id=store.entity_id, timezone=store.timezone
            )
            return [Put(stores_known, opened)]
        case gateway.StaffAssigned(staff_id=staff_id, name=staff_name):
            return [Put(staff_known, KnownStaff(staff_id=staff_id, name=staff_name))]
        case (
            customers.CustomerRegistered(customer_id=customer_id, name=name)
            | customers.CustomerCorrected(customer_id=customer_id, name=name)
        ):
            return [Put(customers_known, KnownCustomer(customer_id=customer_id, name=name))]
        case customers.CustomerForgotten(customer_id=customer_id):
            return [Drop(customers_known, (customer_id,))]
        case _:
            return []


def owe(
    heard: Heard,
    payable_id: str,
    supplier: str,
    entity_id: str,
    store_id: str,
    amount: Money,
    source: str,
    reference: str,
    expense: str | None = None,
) -> list[Effect]:
    """A payable of its own for each thing owed; none for nothing."""
    if amount.minor == 0:
        return []
    command = OpenPayable(
        payable_id=payable_id,
        supplier=supplier,
        entity_id=entity_id,
        store_id=store_id,
        amount=amount,
        source=source,
        reference=reference,
        expense=expense,
        on=business_day(heard.occurred_at),
        at=heard.occurred_at,
    )
    return [Send(to=f"payable-{payable_id}", command=command)]
