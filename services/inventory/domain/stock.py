"""What is known of a car during its stay."""

from datetime import date, datetime

from services.inventory.domain.car import Certificate
from shared.decider import message
from shared.values.money import Money


@message
class Absent: ...


@message
class Wish:
    """Who wants the car, under which request, for which order if any."""

    request_id: str
    order_id: str | None
    by: str


@message
class Hold:
    wish: Wish
    earnest: bool
    until: datetime


@message
class Transit:
    transfer_id: str
    to_store: str
    to_entity: str


@message
class OnHand:
    """In the group's stock, or on the road between two of its stores; `store_id` is where it last stood."""

    stay_id: str
    vin: str
    trim_id: str
    brand: str
    series: str
    acquired_on: date
    store_id: str
    entity_id: str
    certificate: Certificate
    book_cost: Money
    cost_ids: frozenset[str] = frozenset()
    hold: Hold | None = None
    queue: tuple[Wish, ...] = ()
    transit: Transit | None = None
    sale_awaited: str | None = None
    """The order under which it was handed over before it arrived."""


@message
class Sold:
    """Its stay is over; late costs still find it."""

    stay_id: str
    vin: str
    trim_id: str
    store_id: str
    entity_id: str
    order_id: str
    book_cost: Money
    cost_ids: frozenset[str]


type State = Absent | OnHand | Sold
