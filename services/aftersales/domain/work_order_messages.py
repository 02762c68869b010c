"""The commands and events of a work order."""

from datetime import datetime
from typing import Annotated, Literal

from services.aftersales.domain.slots import Service
from shared.decider import message
from shared.values.money import Money
from shared.values.personal import Personal

type ItemKind = Literal["labour", "part"]
type Consent = Literal["signed", "telephone", "message"]


@message
class Item:
    """A line of work; `price` and `cost` are net, for the whole `quantity`."""

    item_id: str
    kind: ItemKind
    text: str
    quantity: int
    price: Money
    cost: Money
    technician_id: str | None


@message
class OpenWorkOrder:
    """`concern`: what the customer says, sealed. `currency` is that of the store's books."""

    work_order_id: str
    number: str
    vin: str
    customer_id: str
    store_id: str
    currency: str
    appointment_id: str | None
    services: tuple[Service, ...]
    kilometres: int
    concern: str
    by: str
    at: datetime


@message
class AddItem:
    item: Item
    by: str
    at: datetime


@message
class DeclineItem:
    """The customer does not want this line; it is kept, to be offered again."""

    item_id: str
    by: str
    at: datetime


@message
class ApproveEstimate:
    """The customer agrees to all lines there are now."""

    consent: Consent
    by: str
    at: datetime


@message
class CheckQuality:
    passed: bool
    note: str
    by: str
    at: datetime


@message
class CloseWorkOrder:
    """The car is handed back."""

    by: str
    at: datetime


@message
class CancelWorkOrder:
    reason: str
    by: str
    at: datetime


@message
class WorkOrderOpened:
    work_order_id: str
    number: str
    vin: str
    customer_id: str
    store_id: str
    currency: str
    appointment_id: str | None
    services: tuple[Service, ...]
    kilometres: int
    concern: Annotated[str, Personal]
    by: str
    at: datetime


@message
class ItemAdded:
    item: Item
    by: str


@message
class ItemDeclined:
    item_id: str
    by: str


@message
class EstimateApproved:
    """`items` are the lines agreed to now, `total` the net price of all agreed lines."""

    items: tuple[str, ...]
    total: Money
    consent: Consent
    by: str


@message
class QualityChecked:
    passed: bool
    note: str
    by: str


@message
class WorkOrderClosed:
    price: Money
    cost: Money
    by: str


@message
class WorkOrderCancelled:
    reason: str
    by: str


type Command = OpenWorkOrder | AddItem | DeclineItem | ApproveEstimate | CheckQuality | CloseWorkOrder | CancelWorkOrder
type Event = WorkOrderOpened | ItemAdded | ItemDeclined | EstimateApproved | QualityChecked | WorkOrderClosed | WorkOrderCancelled
