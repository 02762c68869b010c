"""Work orders with cost and margin per line; and what was ever done to a car, across owners and stores."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter

from services.aftersales.domain import work_order_messages as w
from services.aftersales.known import customers_known, stores_known
from services.aftersales.views.shown import cash, opened
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Fold, Table
from shared.web.body import Id, VinText
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)


@message
class LineRow:
    """`status` is estimated, approved or declined; amounts are minor units, net."""

    item_id: str
    kind: str
    text: str
    quantity: int
    price: int
    cost: int
    technician_id: str | None
    status: str


@message
class WorkOrderRow:
    """`price` and `cost` are of the lines not declined; `concern` is a token."""

    work_order_id: str
    store_id: str
    number: str
    vin: str
    customer_id: str
    currency: str
    appointment_id: str | None
    services: tuple[str, ...]
    kilometres: int
    concern: str
    status: str
    lines: tuple[LineRow, ...]
    price: int
    cost: int
    consent: str
    checked: bool
    checked_by: str | None
    check_note: str
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None
    cancelled_for: str
    version: int


@message
class HistoryRow:
    """What any store may know of a car: when it was where, how far it had gone and what was done. No person, no amount.

    `work` are the lines the customer agreed to; `estimate` those he has not agreed to, by id.
    """

    work_order_id: str
    number: str
    vin: str
    store_id: str
    status: str
    services: tuple[str, ...]
    work: tuple[str, ...]
    estimate: dict[str, str]
    kilometres: int
    opened_at: datetime
    closed_at: datetime | None


work_orders = Table(
    "work_orders",
    1,
    WorkOrderRow,
    key=("work_order_id",),
    indexes=("store_id, opened_at desc, work_order_id desc", "appointment_id", "customer_id"),
)
history = Table(
    "work_history", 1, HistoryRow, key=("work_order_id",), store=None, indexes=("vin, opened_at desc", "opened_at desc, work_order_id desc")
)


def apply(row: WorkOrderRow | None, recorded: Recorded[w.Event]) -> WorkOrderRow | None:
    """The work order's row after an event."""
    event = recorded.event
    if isinstance(event, w.WorkOrderOpened):
        return begun(event, recorded)
    return changed(replace(row, version=recorded.version), recorded) if row else None


def begun(event: w.WorkOrderOpened, recorded: Recorded[w.Event]) -> WorkOrderRow:
    return WorkOrderRow(
        work_order_id=event.work_order_id,
        store_id=event.store_id,
        number=event.number,
        vin=event.vin,
        customer_id=event.customer_id,
        currency=event.currency,
        appointment_id=event.appointment_id,
        services=event.services,
        kilometres=event.kilometres,
        concern=event.concern,
        status="open",
        lines=(),
        price=0,
        cost=0,
        consent="",
        checked=False,
        checked_by=None,
        check_note="",
        opened_by=event.by,
        opened_at=recorded.occurred_at,
        closed_at=None,
        cancelled_for="",
        version=recorded.version,
    )


def changed(row: WorkOrderRow, recorded: Recorded[w.Event]) -> WorkOrderRow:
    match recorded.event:
        case w.ItemAdded(item=item):
            return with_lines(replace(row, checked=False), (*row.lines, line(item)))
        case w.ItemDeclined(item_id=item_id):
            return with_lines(row, tuple(marked(one, "declined") if one.item_id == item_id else one for one in row.lines))
        case w.EstimateApproved(items=items, consent=consent):
            lines = tuple(marked(one, "approved") if one.item_id in items else one for one in row.lines)
            return replace(with_lines(row, lines), consent=consent)
        case w.QualityChecked(passed=passed, note=note, by=by):
            return replace(row, checked=passed, checked_by=by, check_note=note)
        case w.WorkOrderClosed():
            return replace(row, status="closed", closed_at=recorded.occurred_at)
        case w.WorkOrderCancelled(reason=reason):
            return replace(row, status="cancelled", cancelled_for=reason, closed_at=recorded.occurred_at)
        case _:
            return row


def line(item: w.Item) -> LineRow:
    return LineRow(
        item_id=item.item_id,
        kind=item.kind,
        text=item.text,
        quantity=item.quantity,
        price=item.price.minor,
        cost=item.cost.minor,
        technician_id=item.technician_id,
        status="estimated",
    )


def marked(one: LineRow, status: str) -> LineRow:
    return replace(one, status=status)


def with_lines(row: WorkOrderRow, lines: tuple[LineRow, ...]) -> WorkOrderRow:
    """The row with these lines and their totals."""
    counted = [one for one in lines if one.status != "declined"]
    return replace(row, lines=lines, price=sum(one.price for one in counted), cost=sum(one.cost for one in counted))


def apply_history(row: HistoryRow | None, recorded: Recorded[w.Event]) -> HistoryRow | None:
    """What the car's history says of a work order after an event."""
    match recorded.event:
        case w.WorkOrderOpened() as event:
            return HistoryRow(
                work_order_id=event.work_order_id,
                number=event.number,
                vin=event.vin,
                store_id=event.store_id,
                status="open",
                services=event.services,
                work=(),
                estimate={},
                kilometres=event.kilometres,
                opened_at=recorded.occurred_at,
                closed_at=None,
            )
        case w.ItemAdded(item=item) if row:
            return replace(row, estimate={**row.estimate, item.item_id: item.text})
        case w.EstimateApproved(items=items) if row:
            agreed = tuple(text for id, text in row.estimate.items() if id in items)
            left = {id: text for id, text in row.estimate.items() if id not in items}
            return replace(row, work=(*row.work, *agreed), estimate=left)
        case w.WorkOrderClosed() if row:
            return replace(row, status="closed", closed_at=recorded.occurred_at)
        case w.WorkOrderCancelled() if row:
            return replace(row, status="cancelled", closed_at=recorded.occurred_at)
        case _:
            return row


work_book = Fold(work_orders, apply)
car_history = Fold(history, apply_history)

LISTED = f"""
select done.work_order_id, done.number, done.vin, done.store_id, store.name as store, done.status, done.services, done.work,
    done.kilometres, done.opened_at, done.closed_at, own.customer_id, customer.name as customer, own.price, own.cost,
    own.currency
from {history.sql_name} done {{join}} {work_orders.sql_name} own using (work_order_id)
left join {stores_known.sql_name} store on store.store_id = done.store_id
left join {customers_known.sql_name} customer on customer.customer_id = own.customer_id
"""
OWN = LISTED.format(join="join")
OF_A_CAR = LISTED.format(join="left join")


OF_OURS = {"store": str | None, "customer_id": str | None, "customer": str, "price": Money | None, "cost": Money | None}
LINE = shape("WorkOrderLine", LineRow, amounts=("price", "cost"), also={"margin": Money})
WORK_ORDER = shape(
    "WorkOrder",
    WorkOrderRow,
    without=("currency",),
    amounts=("price", "cost"),
    also={"customer": str, "margin": Money, "lines": [LINE]},
)


@router.get(
    "/work-orders",
    summary="Work orders; with a VIN, the car's whole history",
    response_model=page_of("WorkOrderListed", HistoryRow, without=("estimate",), also=OF_OURS),
    openapi_extra=needs("service.work", "service.read"),
)
async def list_work_orders(
    call: Call,
    paging: Paging,
    vin: VinText | None = None,
    store_id: Id | None = None,
    status: Literal["open", "closed", "cancelled"] | None = None,
) -> Page:
    """The latest first, of the caller's stores. With `vin` those of every store and owner, without person and amounts where not his."""
    where = {"vin": vin, "store_id": store_id, "status": status}
    found = await page(call, OF_A_CAR if vin else OWN, paging, order="opened_at desc, work_order_id desc", where=where)
    await opened(call, found["items"], "customer")
    for row in found["items"]:
        currency = row.pop("currency")
        row |= {"price": cash(row["price"], currency), "cost": cash(row["cost"], currency)}
    return found


@router.get(
    "/work-orders/{work_order_id}", summary="A work order", response_model=WORK_ORDER, openapi_extra=needs("service.work", "service.read")
)
async def show_work_order(work_order_id: Id, call: Call) -> dict[str, Any]:
    """With its lines, each with price, cost and margin."""
    row = await call.need(
        f"select own.*, customer.name as customer from {work_orders.sql_name} own left join {customers_known.sql_name} customer using (customer_id) "
        "where work_order_id = %s",
        [work_order_id],
    )
    await opened(call, [row], "customer", "concern")
    currency = row.pop("currency")
    return priced(row, currency) | {"lines": [priced(one, currency) for one in row["lines"]]}


def priced(row: dict[str, Any], currency: str) -> dict[str, Any]:
    """A row with price, cost and margin as amounts."""
    price, cost = row["price"], row["cost"]
    return row | {"price": cash(price, currency), "cost": cash(cost, currency), "margin": cash(price - cost, currency)}
