"""What may be asked of an order, and what may happen to it."""

from datetime import date, datetime
from typing import Annotated

from services.orders.domain.approval import Authority, Grant
from shared.decider import message
from shared.values.money import Money
from shared.values.personal import Personal


@message
class Sale:
    """Whose purchase it is and what sold it; never changes."""

    order_id: str
    number: str
    store_id: str
    entity_id: str
    customer_id: str
    opportunity_id: str | None
    campaign_id: str | None
    channel: str
    seller_id: str
    quote_id: str | None
    vat_permille: int
    checklist: tuple[str, ...]


@message
class Terms:
    """What was agreed; a change order replaces it. `list_price` is the price in force with options, `price` what is paid for the car."""

    trim_id: str
    vin: str | None
    options: tuple[str, ...] = ()
    list_price: Money
    price: Money
    down_payment: Money
    deliver_on: date | None


# --- commands ----------------------------------------------------------------------------------------------------


@message
class PlaceOrder:
    sale: Sale
    terms: Terms
    at: datetime


@message
class SubmitOrder:
    """`manager`: who asks may act on the orders of others too; here and below."""

    by: str
    manager: bool = False
    at: datetime


@message
class ApproveOrder:
    by: str
    roles: tuple[str, ...]
    authorities: tuple[Authority, ...]
    """Every role's authority for this series."""
    minimum_down_permille: int
    source: str
    at: datetime


@message
class ConfirmVehicle:
    """From fulfilment: the car is reserved for this order."""

    request_id: str
    vin: str
    stay_id: str
    store_id: str
    """Where it stands."""
    certificate: str
    sequence: int = 0
    """Of inventory's answer: the order of its answers, which their times need not keep; here and below."""
    at: datetime


@message
class ReportVehicleMissing:
    """From fulfilment: the car was refused, or its reservation ended."""

    request_id: str
    vin: str
    problem: str
    reason: str
    sequence: int = 0
    at: datetime


@message
class SignContract:
    """`vin` and `price` are what the document says."""

    by: str
    manager: bool = False
    vin: str
    price: Money
    signer: Annotated[str, Personal]
    earnest: Money
    earnest_limit_permille: int
    sha256: str
    document: Annotated[str, Personal]
    """What was signed, as printed and sealed; its digest is `sha256`."""
    at: datetime


@message
class RecordPayment:
    """From finance; `paid_total` is all that was received and not given back, `earnest` what of this receipt is earnest money."""

    receipt_id: str
    paid_total: Money
    earnest: Money
    at: datetime


@message
class RecordInvoice:
    invoice_id: str
    number: str
    gross: Money
    at: datetime


@message
class RecordInvoiceReversal:
    invoice_id: str
    at: datetime


@message
class RecordArrival:
    vin: str
    store_id: str
    at: datetime


@message
class CheckItem:
    by: str
    item: str
    passed: bool
    at: datetime


@message
class DeliverOrder:
    by: str
    certificate: str
    at: datetime


@message
class ChangeOrder:
    by: str
    manager: bool = False
    terms: Terms
    reason: str
    at: datetime


@message
class CancelOrder:
    by: str
    manager: bool = False
    reason: str
    forfeit: bool
    at: datetime


# --- events ------------------------------------------------------------------------------------------------------


@message
class OrderPlaced:
    sale: Sale
    terms: Terms
    at: datetime


@message
class OrderSubmitted:
    by: str


@message
class OrderApproved:
    """With the rules it kept to."""

    by: str
    vin: str
    granted: Grant
    minimum_down_permille: int
    source: str


@message
class VehicleConfirmed:
    request_id: str
    vin: str
    stay_id: str
    store_id: str
    certificate: str
    sequence: int = 0
    at: datetime


@message
class VehicleMissed:
    request_id: str
    vin: str
    problem: str
    reason: str
    sequence: int = 0
    at: datetime


@message
class ContractSigned:
    by: str
    signer: Annotated[str, Personal]
    price: Money
    earnest: Money
    sha256: str
    document: Annotated[str, Personal]


@message
class PaymentRecorded:
    receipt_id: str
    paid_total: Money
    earnest: Money


@message
class InvoiceRecorded:
    invoice_id: str
    number: str
    gross: Money


@message
class InvoiceReversed:
    invoice_id: str


@message
class CarArrived:
    vin: str
    store_id: str
    at: datetime


@message
class ItemChecked:
    by: str
    item: str
    passed: bool


@message
class OrderDelivered:
    by: str
    vin: str
    stay_id: str
    certificate: str


@message
class OrderChanged:
    """Old and new side by side."""

    by: str
    reason: str
    old: Terms
    new: Terms


@message
class OrderCancelled:
    order_id: str
    quote_id: str | None
    by: str
    reason: str
    forfeit: bool
    at: datetime
