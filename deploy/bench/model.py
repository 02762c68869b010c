"""A deal to measure with: two events, a claim, a row of a view and two public events a command."""

from datetime import datetime
from uuid import uuid4

from shared.contracts import orders as public
from shared.decider import Claim, Decider, Take, message, replace
from shared.deciding import Aggregate, Order
from shared.events.envelope import Meta, Recorded
from shared.events.registry import Registry
from shared.handling import Request
from shared.store.protocol import Key
from shared.values.clock import utc_now
from shared.values.ids import new_id
from shared.values.money import Money
from shared.views.table import Fold, Table

PRICE = Money(2_745_000, "CNY")
STORE = "0192f3a4-0000-7000-8000-000000000001"


@message
class Place:
    order_id: str
    customer_id: str
    vin: str
    at: datetime


@message
class Change:
    at: datetime


@message
class Placed:
    """About as much as an order says: 15 fields, 500 bytes."""

    order_id: str
    customer_id: str
    store_id: str
    vin: str
    brand: str
    series: str
    trim: str
    price: Money
    tax: Money
    seller: str
    channel: str
    options: tuple[str, ...]
    deliver_on: str
    kilometres: int
    number: str


@message
class Priced:
    price: Money


@message
class Noted:
    text: str


@message
class Deal:
    order_id: str = ""
    number: str = ""
    vin: str = ""
    price: Money = PRICE


type Event = Placed | Priced | Noted


def decide(command: Place | Change, deal: Deal) -> list[Event]:
    """Two events each."""
    match command:
        case Place():
            return [placed(command), Priced(price=PRICE)]
        case Change():
            return [Priced(price=replace(deal.price, minor=deal.price.minor + 100)), Noted(text="A hundred fen more")]


def placed(command: Place) -> Placed:
    """The order's first event."""
    return Placed(
        order_id=command.order_id,
        customer_id=command.customer_id,
        store_id=STORE,
        vin=command.vin,
        brand="Volkswagen",
        series="Golf",
        trim="2.0 TDI Life",
        price=PRICE,
        tax=Money(521_550, "CNY"),
        seller="anna.schmidt",
        channel="walk-in",
        options=("sunroof", "tow-bar", "winter-pack"),
        deliver_on="2026-06-01",
        kilometres=12,
        number=f"SO-{command.order_id[-8:]}",
    )


def evolve(deal: Deal, event: Event) -> Deal:
    """The deal after an event."""
    match event:
        case Placed(order_id=order_id, number=number, vin=vin, price=price):
            return Deal(order_id=order_id, number=number, vin=vin, price=price)
        case Priced(price=price):
            return replace(deal, price=price)
        case Noted():
            return deal


def claims(event: Event) -> list[Claim]:
    """One open deal per car."""
    if not isinstance(event, Placed):
        return []
    return [Take(kind="open-deal", key=event.vin, problem="already-sold", reason="The car is sold.")]


@message
class DealRow:
    order_id: str
    number: str
    vin: str
    price: int
    currency: str
    changed_at: datetime


deals = Table("deals", 1, DealRow, key=("order_id",), store=None)


def show(row: DealRow | None, recorded: Recorded[Event]) -> DealRow | None:
    """The deal as a list shows it."""
    match recorded.event:
        case Placed(order_id=order_id, number=number, vin=vin, price=price):
            at = recorded.occurred_at
            return DealRow(order_id=order_id, number=number, vin=vin, price=price.minor, currency=price.currency, changed_at=at)
        case Priced(price=price) if row:
            return replace(row, price=price.minor, changed_at=recorded.occurred_at)
        case _:
            return row


def publish(event: Event, deal: Deal) -> list[object]:
    """Every event has its public one."""
    return [public.OrderChanged(order_id=deal.order_id, number=deal.number, price=deal.price, vin=deal.vin)]


stored = Registry("orders", {"Placed": Placed, "Priced": Priced, "Noted": Noted})
aggregate = Aggregate("deal", Decider(Deal(), decide, evolve, claims=claims), views=(Fold(deals, show),), publish=publish)


def place(order_id: str) -> Place:
    """The command that begins a deal."""
    return Place(order_id=order_id, customer_id=str(uuid4()), vin=order_id, at=utc_now())


def request(order_id: str, command: object, *, new: bool) -> Request:
    """A command as a route asks for it, with a key."""
    meta = Meta(actor="lin", store_id=STORE, correlation_id=order_id)
    key = Key(subject="lin", route="POST /api/v1/deals", key=new_id())
    order = Order(stream=f"deal-{order_id}", meta=meta, must_exist=not new, new=new)
    return Request(order=order, command=command, key=key, body_hash="0" * 64)
