"""What orders tells: quotes and orders, and what it asks of inventory for them."""

from shared.contracts import published
from shared.values.money import Money


@published("orders.QuoteIssued")
class QuoteIssued:
    quote_id: str
    number: str
    revision: int
    opportunity_id: str | None
    customer_id: str
    store_id: str
    seller_id: str
    trim_id: str
    price: Money


@published("orders.OrderPlaced")
class OrderPlaced:
    order_id: str
    number: str
    store_id: str
    entity_id: str
    customer_id: str
    opportunity_id: str | None
    campaign_id: str | None
    channel: str
    seller_id: str
    trim_id: str
    vin: str | None
    price: Money
    """Gross, what the customer pays for the car."""
    vat_permille: int


@published("orders.OrderApproved")
class OrderApproved:
    order_id: str
    number: str
    store_id: str
    vin: str
    seller_id: str
    approver_id: str
    opportunity_id: str | None


@published("orders.VehicleRequested")
class VehicleRequested:
    """Inventory is asked to reserve `vin`; it answers VehicleReserved or VehicleRefused with the same request_id.

    A hold of the order's own seller becomes the order's.
    """

    request_id: str
    order_id: str
    vin: str
    store_id: str
    seller_id: str


@published("orders.VehicleReleaseRequested")
class VehicleReleaseRequested:
    request_id: str
    order_id: str
    vin: str
    reason: str


@published("orders.ContractSigned")
class ContractSigned:
    order_id: str
    number: str
    customer_id: str
    vin: str
    price: Money
    earnest_agreed: Money
    sha256: str


@published("orders.OrderChanged")
class OrderChanged:
    order_id: str
    number: str
    price: Money
    vin: str | None


@published("orders.OrderCancelled")
class OrderCancelled:
    order_id: str
    number: str
    vin: str | None
    customer_id: str
    opportunity_id: str | None
    reason: str
    forfeit: bool
    """True: the earnest money is kept; all else is paid back."""


@published("orders.OrderDelivered")
class OrderDelivered:
    order_id: str
    number: str
    store_id: str
    entity_id: str
    vin: str
    stay_id: str
    trim_id: str
    customer_id: str
    seller_id: str
    opportunity_id: str | None
    campaign_id: str | None
    channel: str
    price: Money
