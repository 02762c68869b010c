"""What is asked of a car in stock, and how few of a trim are too few."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from services.inventory.api.refer import Name, open_stay, own_stay, unknown
from services.inventory.domain import car, stock_level
from services.inventory.views.stock import stock
from services.inventory.views.trims import trims
from shared.handling import Done
from shared.values.ids import new_id
from shared.web.body import Amount, Body, Id, VinText
from shared.web.call import Call
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class Reservation(Body):
    """With `queue` the caller waits behind the holder instead of being refused."""

    queue: bool = False


@router.post("/vehicles/{vin}/reserve", summary="Reserve a car for a day", openapi_extra=needs("inventory.reserve"))
async def reserve(vin: VinText, call: Call, body: Reservation = Reservation()) -> Done:  # noqa: B008
    """Any store's car. The seller's own hold becomes his order's when the order is approved."""
    command = car.Reserve(request_id=new_id(), by=call.staff, queue=body.queue, at=call.at)
    return await call.handle("stay", await open_stay(call, vin), command)


class LettingGo(Body):
    """Without `request_id` the holder's reservation."""

    request_id: Id | None = None


@router.post("/vehicles/{vin}/release", summary="Let go of a reserved car", openapi_extra=needs("inventory.reserve"))
async def release(vin: VinText, call: Call, body: LettingGo = LettingGo()) -> Done:  # noqa: B008
    """One's own hold; a manager of the store where the car stands ends those of others too."""
    stay_id = await open_stay(call, vin)
    found = await call.need(f"select request_id, store_id from {stock.sql_name} where stay_id = %s", [stay_id])
    manager = call.auth.may("inventory.approve") and call.auth.has_store(found["store_id"])
    request_id = body.request_id or found["request_id"] or ""
    command = car.ReleaseReservation(request_id=request_id, by=call.staff, manager=manager, at=call.at)
    return await call.handle("stay", stay_id, command)


class NewCost(Body):
    """Net of VAT; a rebate is negative, all else positive."""

    kind: car.CostKind
    supplier: Name
    amount: Amount


@router.post("/vehicles/{vin}/costs", summary="Add a cost to a car", openapi_extra=needs("inventory.receive", key=True))
async def add_cost(vin: VinText, body: NewCost, call: Call) -> Done:
    """Raises the book cost of a car in stock."""
    return await _add_cost(await own_stay(call, await open_stay(call, vin)), body, call)


@router.post("/stays/{stay_id}/costs", summary="Add a cost to a stay, also a past one", openapi_extra=needs("inventory.receive", key=True))
async def add_late_cost(stay_id: Id, body: NewCost, call: Call) -> Done:
    """After the sale it is a late cost: the book cost of the deal stays, the margin as of now has it."""
    return await _add_cost(await own_stay(call, stay_id), body, call)


async def _add_cost(stay_id: str, body: NewCost, call: Call) -> Done:
    return await call.handle("stay", stay_id, car.AddCost(cost_id=new_id(), at=call.at, **dict(body)))


class Redemption(Body):
    status: Literal["redeemed"]


@router.post("/vehicles/{vin}/certificate", summary="Redeem a pledged certificate", openapi_extra=needs("inventory.receive"))
async def redeem_certificate(vin: VinText, body: Redemption, call: Call) -> Done:
    """The certificate is back from the floor-plan bank."""
    stay_id = await own_stay(call, await open_stay(call, vin))
    return await call.handle("stay", stay_id, car.RedeemCertificate(by=call.staff, at=call.at))


class Threshold(Body):
    store_id: Id
    trim_id: Id
    threshold: Annotated[int, Field(ge=0, le=10_000, examples=[2])]


@router.post(
    "/stock-levels",
    summary="Say how few cars of a trim are too few",
    openapi_extra=needs("inventory.order", "inventory.approve", match=False),
)
async def set_threshold(body: Threshold, call: Call) -> Done:
    """Fewer than `threshold` raise StockLow, once per shortage; 0 asks for no alarm."""
    if await call.one(f"select trim_id from {trims.sql_name} where trim_id = %s", [body.trim_id]) is None:
        raise unknown("trim_id")
    command = stock_level.SetThreshold(by=call.staff, at=call.at, **dict(body))
    return await call.handle("level", f"{body.store_id}.{body.trim_id}", command, store_id=body.store_id, new=True)
