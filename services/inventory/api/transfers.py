"""Cars move from the store that has them to the store that wants them."""

from fastapi import APIRouter

from services.inventory import known
from services.inventory.api.refer import Name, books_of, unknown
from services.inventory.domain import transfer
from services.inventory.views.stock import stock
from shared.handling import Done, Number
from shared.values.clock import local_day
from shared.values.ids import new_id
from shared.web.body import Body, Id, Line, NonNegativeAmount, Text, VinText
from shared.web.call import Call
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class NewTransfer(Body):
    vin: VinText
    to_store: Id
    order_id: Id | None = None


@router.post(
    "/transfers", status_code=201, summary="Ask for a car of another store", openapi_extra=needs("inventory.transfer", "inventory.reserve")
)
async def request_transfer(body: NewTransfer, call: Call) -> Done:
    """By either store; a manager of the store that gives the car approves."""
    stream = await call.holder("open-stay", body.vin)
    if stream is None:
        raise unknown("vin")
    stay = await call.need(f"select * from {stock.sql_name} where stay_id = %s", [stream.removeprefix("stay-")])
    books = await books_of(call, body.to_store, "to_store")
    ours = next((store for store in (body.to_store, stay["store_id"]) if call.auth.has_store(store)), None)
    if ours is None:
        raise unknown("to_store")
    if body.order_id and await call.one(f"select order_id from {known.orders.sql_name} where order_id = %s", [body.order_id]) is None:
        raise unknown("order_id")
    transfer_id, day = new_id(), local_day(call.at, books["timezone"])

    def request(n: int) -> transfer.RequestTransfer:
        return transfer.RequestTransfer(
            transfer_id=transfer_id,
            number=f"TR-{books['code']}-{day:%Y%m%d}-{n:03}",
            stay_id=stay["stay_id"],
            vin=body.vin,
            from_store=stay["store_id"],
            to_store=body.to_store,
            from_entity=stay["entity_id"],
            to_entity=books["entity_id"],
            currency=books["currency"],
            order_id=body.order_id,
            by=call.staff,
            at=call.at,
        )

    number = Number(series=f"TR-{books['code']}", day=day)
    return await call.handle("transfer", transfer_id, request, number=number, store_id=ours)


def stores_of(call: Call) -> frozenset[str]:
    """The caller's stores as a transfer compares them."""
    return frozenset({transfer.EVERYWHERE}) if call.auth.all_stores else call.auth.stores


@router.post("/transfers/{transfer_id}/approve", summary="Approve a transfer", openapi_extra=needs("inventory.approve"))
async def approve_transfer(transfer_id: Id, call: Call) -> Done:
    """By a manager of the store that gives the car, not by who asked for it."""
    command = transfer.ApproveTransfer(by=call.staff, stores=stores_of(call), at=call.at)
    return await call.handle("transfer", transfer_id, command)


class Dispatch(Body):
    carrier: Name


@router.post("/transfers/{transfer_id}/dispatch", summary="Send the car", openapi_extra=needs("inventory.transfer"))
async def dispatch_transfer(transfer_id: Id, body: Dispatch, call: Call) -> Done:
    """It is on the road (`dispatched`) as soon as its stay has let it go."""
    command = transfer.DispatchTransfer(by=call.staff, stores=stores_of(call), carrier=body.carrier, at=call.at)
    return await call.handle("transfer", transfer_id, command)


class TransferArrival(Body):
    """`vin` as read off the car; `remark` what is wrong with it, if anything."""

    vin: VinText
    transport: NonNegativeAmount
    remark: Text = ""


@router.post("/transfers/{transfer_id}/receive", summary="Receive the car", openapi_extra=needs("inventory.transfer", key=True))
async def receive_transfer(transfer_id: Id, body: TransferArrival, call: Call) -> Done:
    """The transport is added to its book cost. Another VIN than the one sent is noted as a discrepancy."""
    command = transfer.ReceiveTransfer(by=call.staff, stores=stores_of(call), at=call.at, **dict(body))
    return await call.handle("transfer", transfer_id, command)


class Cancellation(Body):
    reason: Line


@router.post("/transfers/{transfer_id}/cancel", summary="Cancel a transfer", openapi_extra=needs("inventory.transfer", "inventory.approve"))
async def cancel_transfer(transfer_id: Id, body: Cancellation, call: Call) -> Done:
    """Before the car has left."""
    return await call.handle("transfer", transfer_id, transfer.CancelTransfer(by=call.staff, reason=body.reason, at=call.at))
