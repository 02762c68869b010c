"""What one stream of inventory tells another: handled at once, each in a transaction of its own."""

from datetime import datetime

from shared.decider import message
from shared.values.money import Money


@message
class NoteReceipt:
    """To a purchase order: a car came in against it."""

    stay_id: str
    vin: str
    trim_id: str
    purchase: Money
    at: datetime


@message
class NoteCar:
    """To a stock level: whether this car can be sold from this store now."""

    store_id: str
    trim_id: str
    stay_id: str
    available: bool
    at: datetime


@message
class MarkDispatched:
    """To a stay: its transfer wants it on the road."""

    transfer_id: str
    from_store: str
    to_store: str
    to_entity: str
    at: datetime


@message
class MarkArrived:
    """To a stay: its transfer has it at the receiving store."""

    transfer_id: str
    carrier: str
    transport: Money
    at: datetime


@message
class ConfirmDispatch:
    """To a transfer: the car has left."""

    at: datetime


@message
class RefuseDispatch:
    """To a transfer: the car cannot leave, for this reason."""

    reason: str
    at: datetime


def level_stream(store_id: str, trim_id: str) -> str:
    """The stream that counts the cars of a trim at a store."""
    return f"level-{store_id}.{trim_id}"
