"""The stock list: every car of the group, where it is, who holds it; its cost only for those of its store who may see it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from fastapi import APIRouter

from services.inventory.domain import car
from shared.decider import replace
from shared.deciding import NotFound
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Fold, Table
from shared.web.body import Id, Line, VinText, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

type Status = Literal["in-stock", "reserved", "in-transit", "sold"]


@dataclass(frozen=True, kw_only=True)
class StockRow:
    """One stay. `bound_for` is the store it travels to, `waiting` how many wait behind the holder."""

    stay_id: str
    vin: str
    trim_id: str
    brand: str
    series: str
    category: str
    store_id: str
    entity_id: str
    status: str
    certificate: str
    acquired_on: date
    arrived_at: datetime
    bound_for: str | None = None
    request_id: str | None = None
    reserved_by: str | None = None
    reserved_for: str | None = None
    reserved_until: datetime | None = None
    waiting: int = 0
    sold_under: str | None = None
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """What one stay cost, in minor units: `book_cost` = purchase − rebate + freight + preparation + transport + added."""

    stay_id: str
    store_id: str
    supplier: str
    purchase_order_id: str | None
    currency: str
    purchase: int
    rebate: int
    freight: int
    preparation: int
    book_cost: int
    input_vat: int
    transport: int = 0
    added: int = 0
    late: int = 0


ON_LOT, GONE = "sold_under is null", "sold_under is not null"
stock = Table(
    "stock",
    1,
    StockRow,
    key=("stay_id",),
    store=None,
    indexes=(
        "vin",
        f"(acquired_on, stay_id) where {ON_LOT}",
        f"(acquired_on, stay_id) where {GONE}",
        f"(store_id, acquired_on, stay_id) where {ON_LOT}",
        f"(store_id, acquired_on, stay_id) where {GONE}",
    ),
)
stock_cost = Table("stock_cost", 1, CostRow, key=("stay_id",))


def apply_stock(row: StockRow | None, recorded: Recorded[car.Event]) -> StockRow | None:
    """The car as it is after the event."""
    if isinstance(recorded.event, car.VehicleReceived):
        return _received(recorded.event, recorded)
    if row is None:
        return None
    changed = replace(_changed(row, recorded), version=recorded.version)
    return replace(changed, status=_status(changed))


def _received(event: car.VehicleReceived, recorded: Recorded[car.Event]) -> StockRow:
    return StockRow(
        stay_id=event.stay_id,
        vin=event.vin,
        trim_id=event.trim_id,
        brand=event.brand,
        series=event.series,
        category=event.category,
        store_id=event.store_id,
        entity_id=event.entity_id,
        status="in-stock",
        certificate=event.certificate,
        acquired_on=event.acquired_on,
        arrived_at=recorded.occurred_at,
        version=recorded.version,
    )


def _changed(row: StockRow, recorded: Recorded[car.Event]) -> StockRow:
    match recorded.event:
        case car.VehicleReserved(request_id=request_id, order_id=order_id, by=by, until=until):
            waiting = max(row.waiting - 1, 0)
            return replace(row, request_id=request_id, reserved_by=by, reserved_for=order_id, reserved_until=until, waiting=waiting)
        case car.ReservationExtended(until=until):
            return replace(row, reserved_until=until)
        case car.VehicleReleased() | car.ReservationExpired():
            return replace(row, request_id=None, reserved_by=None, reserved_for=None, reserved_until=None)
        case car.ReservationQueued():
            return replace(row, waiting=row.waiting + 1)
        case car.QueueLeft():
            return replace(row, waiting=row.waiting - 1)
        case car.CertificateRedeemed():
            return replace(row, certificate="redeemed")
        case car.CarDispatched(to_store=to_store):
            return replace(row, bound_for=to_store)
        case car.CarArrived(to_store=to_store, to_entity=to_entity):
            return replace(row, store_id=to_store, entity_id=to_entity, bound_for=None, arrived_at=recorded.occurred_at)
        case car.VehicleSold(order_id=order_id):
            return replace(row, sold_under=order_id, waiting=0)
        case _:
            return row


def _status(row: StockRow) -> Status:
    if row.sold_under:
        return "sold"
    if row.bound_for:
        return "in-transit"
    return "reserved" if row.request_id else "in-stock"


def apply_cost(row: CostRow | None, recorded: Recorded[car.Event]) -> CostRow | None:
    """What the car has cost after the event."""
    match recorded.event, row:
        case car.VehicleReceived() as event, _:
            return CostRow(
                stay_id=event.stay_id,
                store_id=event.store_id,
                supplier=event.supplier,
                purchase_order_id=event.purchase_order_id,
                currency=event.book_cost.currency,
                purchase=event.cost.purchase.minor,
                rebate=event.cost.rebate.minor,
                freight=event.cost.freight.minor,
                preparation=event.cost.preparation.minor,
                book_cost=event.book_cost.minor,
                input_vat=event.input_vat.minor,
            )
        case car.CostAdded(late=True, amount=added), CostRow():
            return replace(row, late=row.late + added.minor)
        case car.CostAdded(amount=added, book_cost=book_cost), CostRow():
            return replace(row, added=row.added + added.minor, book_cost=book_cost.minor)
        case car.CarArrived(to_store=to_store, transport=transport, book_cost=book_cost), CostRow():
            return replace(row, store_id=to_store, transport=row.transport + transport.minor, book_cost=book_cost.minor)
        case _:
            return row


stock_list = Fold(stock, apply_stock)
cost_list = Fold(stock_cost, apply_cost)

router = APIRouter(route_class=CommandRoute)

_LISTED = f"select *, null::bigint as book_cost, null::text as currency from {stock.sql_name}"
_WITH_COST = f"""select car.*, cost.book_cost, cost.currency
    from {stock.sql_name} car left join {stock_cost.sql_name} cost on cost.stay_id = car.stay_id"""


PARTS = ("purchase", "rebate", "freight", "preparation", "transport", "added", "late", "input_vat")
COST = {
    "book_cost": Money,
    "costs": shape("CostOfCar", CostRow, only=PARTS, amounts=PARTS),
    "supplier": str,
    "purchase_order_id": str | None,
}
STAY = shape("Stay", StockRow, also=COST, maybe=COST)


@router.get(
    "/vehicles",
    summary="List the group's stock",
    response_model=page_of("StockListed", StockRow, also={"book_cost": Money}, maybe=("book_cost",)),
    openapi_extra=needs("inventory.read"),
)
async def list_vehicles(
    call: Call,
    paging: Paging,
    store_id: Id | None = None,
    trim_id: Id | None = None,
    brand: Line | None = None,
    series: Line | None = None,
    category: car.Category | None = None,
    certificate: car.Certificate | None = None,
    status: Status | None = None,
    vin: VinText | None = None,
) -> Page:
    """Cars on hand; with `status=sold` those handed over. `book_cost` is there for cars of the caller's stores, if he may see cost."""
    where = {
        "store_id": store_id,
        "trim_id": trim_id,
        "brand": brand,
        "series": series,
        "category": category,
        "certificate": certificate,
        "status": status,
        "vin": vin,
    }
    order = {"acquired_on": "acquired_on, stay_id", "-acquired_on": "acquired_on desc, stay_id"}
    source = f"{_WITH_COST if call.auth.may('inventory.cost') else _LISTED} where {GONE if status == 'sold' else ON_LOT}"
    found = await page(call, source, paging, order=order, where=where)
    for item in found["items"]:
        _show_book_cost(item)
    return found


def _show_book_cost(item: dict[str, Any]) -> None:
    """The book cost as an amount, or no such field."""
    book_cost, currency = item.pop("book_cost"), item.pop("currency")
    if book_cost is not None:
        item["book_cost"] = amount(Money(book_cost, currency))


@router.get("/vehicles/{vin}", summary="Show a car in stock", response_model=STAY, openapi_extra=needs("inventory.read"))
async def show_vehicle(vin: VinText, call: Call) -> dict[str, Any]:
    """The open stay of a VIN; with the parts of its cost for those of its store who may see them."""
    stream = await call.holder("open-stay", vin)
    if stream is None:
        raise NotFound
    return await _stay(call, stream.removeprefix("stay-"))


@router.get("/stays/{stay_id}", summary="Show a stay, also a past one", response_model=STAY, openapi_extra=needs("inventory.read"))
async def show_stay(stay_id: Id, call: Call) -> dict[str, Any]:
    """One stay of a car in the group's stock."""
    return await _stay(call, stay_id)


async def _stay(call: Call, stay_id: str) -> dict[str, Any]:
    shown = await call.need(f"select * from {stock.sql_name} where stay_id = %s", [stay_id])
    if not call.auth.may("inventory.cost"):
        return shown
    cost = await call.one(f"select * from {stock_cost.sql_name} where stay_id = %s", [stay_id])
    return shown | _costs(cost) if cost else shown


def _costs(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "book_cost": amount(Money(row["book_cost"], row["currency"])),
        "costs": {part: amount(Money(row[part], row["currency"])) for part in PARTS},
        "supplier": row["supplier"],
        "purchase_order_id": row["purchase_order_id"],
    }
