"""What the books hear of a car during one stay in stock, and what they make of it."""

from datetime import date, datetime

from services.finance.domain.entry import Entry
from shared.decider import message
from shared.values.money import Money


@message
class ReceiveCar:
    """`book_cost` is net; the supplier is owed it with the input VAT."""

    stay_id: str
    vin: str
    entity_id: str
    store_id: str
    supplier: str
    book_cost: Money
    input_vat: Money
    on: date
    at: datetime


@message
class AddCost:
    """`amount` is net; a rebate is negative."""

    stay_id: str
    cost_id: str
    kind: str
    amount: Money
    store_id: str
    on: date
    at: datetime


@message
class DispatchCar:
    stay_id: str
    transfer_id: str
    from_store: str
    on: date
    at: datetime


@message
class ArriveCar:
    stay_id: str
    transfer_id: str
    from_store: str
    to_store: str
    to_entity: str
    transport: Money
    on: date
    at: datetime


@message
class SellCar:
    """The sale of `order_id` is recognised with this net revenue; the car stands in the selling store."""

    stay_id: str
    order_id: str
    store_id: str
    revenue: Money
    on: date
    at: datetime


@message
class CarReceived:
    stay_id: str
    vin: str
    entity_id: str
    store_id: str
    supplier: str
    book_cost: Money
    input_vat: Money
    entry: Entry | None


@message
class CarCostAdded:
    cost_id: str
    kind: str
    amount: Money
    entry: Entry | None


@message
class LateCostAdded:
    """The car was sold before: cost of sales of the open period."""

    cost_id: str
    kind: str
    amount: Money
    order_id: str
    entry: Entry | None


@message
class CarDispatched:
    transfer_id: str
    entry: Entry | None


@message
class CarSoldWithinGroup:
    """At its book cost, with the VAT it was bought with: no profit arises between two legal entities of the group."""

    transfer_id: str
    entity_id: str
    entry: Entry | None


@message
class CarArrived:
    transfer_id: str
    store_id: str
    entity_id: str
    transport: Money
    entry: Entry | None


@message
class CarSold:
    order_id: str
    revenue: Money
    cost: Money
    entry: Entry | None


@message
class FactHeld:
    """Heard before what it builds on; booked as soon as that is known. Exactly one is given."""

    cost: AddCost | None = None
    dispatch: DispatchCar | None = None
    arrival: ArriveCar | None = None
    sale: SellCar | None = None


type Command = ReceiveCar | AddCost | DispatchCar | ArriveCar | SellCar
type Booked = CarReceived | CarCostAdded | LateCostAdded | CarDispatched | CarSoldWithinGroup | CarArrived | CarSold
type Event = Booked | FactHeld
