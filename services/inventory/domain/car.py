"""The words of one car's stay in stock: what may be asked of it and what may happen to it."""

from datetime import date, datetime
from typing import Literal

from services.inventory.domain.between import MarkArrived, MarkDispatched
from shared.decider import message
from shared.values.money import Money

type Category = Literal["new", "used", "demo"]
type Certificate = Literal["with-us", "pledged", "redeemed", "none"]
type CostKind = Literal["purchase", "rebate", "freight", "preparation", "reconditioning"]


@message
class LandedCost:
    """What a car cost us to have on the lot, net of VAT; the rebate is what the maker gives back."""

    purchase: Money
    rebate: Money
    freight: Money
    preparation: Money

    @property
    def book_cost(self) -> Money:
        """Purchase − rebate + freight + preparation. ValueError when currencies differ."""
        return self.purchase - self.rebate + self.freight + self.preparation


@message
class ReceiveVehicle:
    """`vin` is normalised. `confirmed_by` is the manager who vouches for a VIN whose check digit does not fit."""

    stay_id: str
    vin: str
    trim_id: str
    brand: str
    series: str
    category: Category
    store_id: str
    entity_id: str
    supplier: str
    purchase_order_id: str | None
    cost: LandedCost
    input_vat: Money
    acquired_on: date
    certificate: Certificate
    confirmed_by: str | None = None
    at: datetime


@message
class Reserve:
    """A person's own request; with `queue` he waits behind the holder instead of being refused."""

    request_id: str
    order_id: str | None = None
    by: str
    queue: bool = False
    at: datetime


@message
class AnswerRequest:
    """An order of the seller `by` asks for this car; yes or no, the answer is a fact. Asked again with earnest money it is held longer."""

    request_id: str
    order_id: str
    vin: str
    by: str
    earnest: bool
    at: datetime


@message
class WithdrawRequest:
    """The order no longer wants the car."""

    request_id: str
    reason: str
    at: datetime


@message
class ReleaseReservation:
    """`manager`: who asks may end the reservations of others too."""

    request_id: str
    by: str
    manager: bool = False
    at: datetime


@message
class ExpireReservation:
    request_id: str
    at: datetime


@message
class AddCost:
    """A cost that became known after receipt; a rebate is negative, all else positive."""

    cost_id: str
    kind: CostKind
    supplier: str
    amount: Money
    at: datetime


@message
class RedeemCertificate:
    by: str
    at: datetime


@message
class Sell:
    """The car was handed over under this order."""

    order_id: str
    at: datetime


@message
class VehicleReceived:
    stay_id: str
    vin: str
    trim_id: str
    brand: str
    series: str
    category: Category
    store_id: str
    entity_id: str
    supplier: str
    purchase_order_id: str | None
    cost: LandedCost
    book_cost: Money
    input_vat: Money
    acquired_on: date
    certificate: Certificate
    check_digit_fits: bool
    confirmed_by: str | None
    at: datetime


@message
class VehicleReserved:
    stay_id: str
    vin: str
    trim_id: str
    store_id: str
    request_id: str
    order_id: str | None
    by: str
    earnest: bool
    until: datetime
    instead_of: str | None = None
    """The seller's own hold that becomes his order's."""
    at: datetime


@message
class ReservationQueued:
    request_id: str
    order_id: str | None
    by: str
    place: int


@message
class QueueLeft:
    request_id: str


@message
class ReservationRefused:
    request_id: str
    order_id: str | None
    vin: str
    problem: str
    reason: str


@message
class ReservationExtended:
    request_id: str
    until: datetime


@message
class VehicleReleased:
    """`free`: the car can be sold at its store now; else it travels, or the next in the queue has it."""

    stay_id: str
    trim_id: str
    store_id: str
    request_id: str
    order_id: str | None
    reason: str
    free: bool
    at: datetime


@message
class ReservationExpired:
    """`free` as in VehicleReleased."""

    stay_id: str
    trim_id: str
    store_id: str
    request_id: str
    order_id: str | None
    free: bool
    at: datetime


@message
class CostAdded:
    """`book_cost` is the car's after this; a late cost (after the sale) leaves it as it was at the deal."""

    cost_id: str
    kind: CostKind
    supplier: str
    amount: Money
    book_cost: Money
    late: bool


@message
class CertificateRedeemed:
    by: str


@message
class CarDispatched:
    stay_id: str
    trim_id: str
    transfer_id: str
    from_store: str
    to_store: str
    from_entity: str
    to_entity: str
    order_id: str | None
    at: datetime


@message
class DispatchRefused:
    transfer_id: str
    reason: str
    at: datetime


@message
class CarArrived:
    """`book_cost` is the car's with the transport; `free` as in VehicleReleased."""

    stay_id: str
    trim_id: str
    transfer_id: str
    from_store: str
    to_store: str
    from_entity: str
    to_entity: str
    carrier: str
    transport: Money
    book_cost: Money
    order_id: str | None
    free: bool
    at: datetime


@message
class SaleAwaited:
    """Handed over while still on the road by our books: the sale is entered at arrival."""

    order_id: str


@message
class VehicleSold:
    """`request_id` is the reservation that ends with the sale."""

    stay_id: str
    vin: str
    trim_id: str
    store_id: str
    order_id: str
    request_id: str | None
    at: datetime


@message
class SaleRefused:
    """Handed over by its order, and stock cannot enter it. `store_id` is the selling store."""

    stay_id: str
    vin: str
    store_id: str
    order_id: str
    problem: str
    reason: str


type Command = (
    ReceiveVehicle
    | Reserve
    | AnswerRequest
    | ReleaseReservation
    | WithdrawRequest
    | ExpireReservation
    | AddCost
    | RedeemCertificate
    | MarkDispatched
    | MarkArrived
    | Sell
)
type Event = (
    VehicleReceived
    | VehicleReserved
    | ReservationQueued
    | QueueLeft
    | ReservationRefused
    | ReservationExtended
    | VehicleReleased
    | ReservationExpired
    | CostAdded
    | CertificateRedeemed
    | CarDispatched
    | DispatchRefused
    | CarArrived
    | SaleAwaited
    | VehicleSold
    | SaleRefused
)
