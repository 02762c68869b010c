"""What inventory tells: the catalogue, each stay of a car in stock, reservations, transfers, shortages."""

from datetime import date, datetime

from shared.contracts import published
from shared.values.money import Money


@published("inventory.TrimListed")
class TrimListed:
    trim_id: str
    brand: str
    series: str
    model_year: int
    name: str
    powertrain: str
    guide_price: Money


@published("inventory.PriceListed")
class PriceListed:
    trim_id: str
    store_id: str | None
    """None: for every store without a price of its own."""
    price: Money
    valid_from: date
    valid_to: date | None
    source: str


@published("inventory.PurchaseOrdered")
class PurchaseOrdered:
    purchase_order_id: str
    number: str
    supplier: str
    store_id: str
    entity_id: str
    trim_ids: tuple[str, ...]
    total: Money


@published("inventory.VehicleReceived")
class VehicleReceived:
    """A stay begins. Amounts are net of VAT; book cost = purchase − rebate + freight + preparation."""

    stay_id: str
    vin: str
    trim_id: str
    brand: str
    series: str
    category: str
    store_id: str
    entity_id: str
    supplier: str
    purchase_order_id: str | None
    purchase: Money
    rebate: Money
    freight: Money
    preparation: Money
    book_cost: Money
    input_vat: Money
    acquired_on: date
    certificate: str
    """`with-us`, `pledged`, `redeemed` or `none`."""


@published("inventory.CostAdded")
class CostAdded:
    """A cost that became known after receipt; positive raises the book cost, a rebate is negative.

    `book_cost` is the car's after it; a `late` one came after the sale and leaves it as it was at the deal.
    """

    stay_id: str
    vin: str
    cost_id: str
    kind: str
    supplier: str
    amount: Money
    book_cost: Money
    late: bool
    store_id: str
    entity_id: str


@published("inventory.VehicleReserved")
class VehicleReserved:
    """Told again, with a later `until`, when earnest money prolongs the hold of the same request."""

    request_id: str
    order_id: str | None
    vin: str
    stay_id: str
    trim_id: str
    store_id: str
    """Where the car stands."""
    certificate: str
    until: datetime


@published("inventory.VehicleRefused")
class VehicleRefused:
    request_id: str
    order_id: str | None
    vin: str
    problem: str
    reason: str


@published("inventory.VehicleReleased")
class VehicleReleased:
    request_id: str
    order_id: str | None
    vin: str
    stay_id: str
    trim_id: str
    store_id: str
    reason: str


@published("inventory.CertificateRedeemed")
class CertificateRedeemed:
    vin: str
    stay_id: str


@published("inventory.TransferRequested")
class TransferRequested:
    transfer_id: str
    number: str
    vin: str
    stay_id: str
    from_store: str
    to_store: str
    order_id: str | None


@published("inventory.TransferCancelled")
class TransferCancelled:
    transfer_id: str
    vin: str
    stay_id: str


@published("inventory.VehicleDispatched")
class VehicleDispatched:
    """`book_cost` leaves the sending store with the car."""

    transfer_id: str
    vin: str
    stay_id: str
    trim_id: str
    from_store: str
    to_store: str
    from_entity: str
    to_entity: str
    book_cost: Money
    order_id: str | None


@published("inventory.VehicleArrived")
class VehicleArrived:
    """`transport` is part of `book_cost` at the receiving store; the reservation, if any, travelled along.

    Says of the car what its receipt said, because the receiving store was not told of that.
    """

    transfer_id: str
    vin: str
    stay_id: str
    trim_id: str
    brand: str
    series: str
    acquired_on: date
    from_store: str
    to_store: str
    from_entity: str
    to_entity: str
    carrier: str
    transport: Money
    book_cost: Money
    order_id: str | None


@published("inventory.VehicleSold")
class VehicleSold:
    """The stay ends: handed over under an order, at this book cost."""

    vin: str
    stay_id: str
    trim_id: str
    store_id: str
    order_id: str
    book_cost: Money


@published("inventory.SaleRefused")
class SaleRefused:
    """An order says its car is handed over and stock cannot enter it: somebody has to look. `store_id` is the selling store."""

    stay_id: str
    vin: str
    store_id: str
    order_id: str
    problem: str
    reason: str


@published("inventory.StockLow")
class StockLow:
    store_id: str
    trim_id: str
    count: int
    threshold: int


@published("inventory.StockRecovered")
class StockRecovered:
    store_id: str
    trim_id: str
    count: int
