"""Transfers: who wants which car from whom, and how far it has come. Seen by both stores."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from services.inventory.domain import transfer
from shared.decider import replace
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Fold, Table
from shared.web.body import Id, VinText, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape


@dataclass(frozen=True, kw_only=True)
class TransferRow:
    """`transport` in minor units, once received."""

    transfer_id: str
    number: str
    stay_id: str
    vin: str
    from_store: str
    to_store: str
    order_id: str | None
    status: str
    requested_by: str
    requested_at: datetime
    approved_by: str | None = None
    dispatched_by: str | None = None
    received_by: str | None = None
    carrier: str | None = None
    transport: int | None = None
    currency: str
    remark: str | None = None
    version: int = 1


transfers = Table(
    "transfers",
    1,
    TransferRow,
    key=("transfer_id",),
    store=None,
    indexes=("requested_at desc, transfer_id", "from_store", "to_store"),
)


def apply(row: TransferRow | None, recorded: Recorded[transfer.Event]) -> TransferRow | None:
    """The transfer as it is after the event."""
    if isinstance(recorded.event, transfer.TransferRequested):
        return _requested(recorded.event, recorded)
    return replace(_changed(row, recorded.event), version=recorded.version) if row else None


def _requested(event: transfer.TransferRequested, recorded: Recorded[transfer.Event]) -> TransferRow:
    return TransferRow(
        transfer_id=event.transfer_id,
        number=event.number,
        stay_id=event.stay_id,
        vin=event.vin,
        from_store=event.from_store,
        to_store=event.to_store,
        order_id=event.order_id,
        status="requested",
        requested_by=event.by,
        requested_at=recorded.occurred_at,
        currency=event.currency,
        version=recorded.version,
    )


def _changed(row: TransferRow, event: transfer.Event) -> TransferRow:
    match event:
        case transfer.TransferApproved(by=by):
            return replace(row, status="approved", approved_by=by)
        case transfer.DispatchOrdered(by=by, carrier=carrier):
            return replace(row, status="dispatching", dispatched_by=by, carrier=carrier)
        case transfer.TransferDispatched():
            return replace(row, status="dispatched")
        case transfer.DiscrepancyFound(text=text):
            return replace(row, status="discrepancy", remark=text)
        case transfer.TransferReceived(by=by, transport=transport):
            return replace(row, status="received", received_by=by, transport=transport.minor)
        case transfer.TransferCancelled(reason=reason):
            return replace(row, status="cancelled", remark=reason)
        case _:
            return row


transfer_list = Fold(transfers, apply)

router = APIRouter(route_class=CommandRoute)

_OURS = f"""select * from {transfers.sql_name}
    where %(everywhere)s or from_store = any(%(stores)s) or to_store = any(%(stores)s)"""


TRANSFER = shape("Transfer", TransferRow, without=("currency",), also={"transport": Money}, maybe=("transport",))


@router.get("/transfers", summary="List transfers", response_model=page_of(TRANSFER), openapi_extra=needs("inventory.read"))
async def list_transfers(
    call: Call,
    paging: Paging,
    from_store: Id | None = None,
    to_store: Id | None = None,
    status: transfer.Status | None = None,
    vin: VinText | None = None,
) -> Page:
    """Transfers from or to the caller's stores, newest first."""
    where = {"from_store": from_store, "to_store": to_store, "status": status, "vin": vin}
    found = await page(call, _OURS, paging, order="requested_at desc, transfer_id", where=where, params=_stores(call))
    found["items"] = [_shown(row, call) for row in found["items"]]
    return found


@router.get(
    "/transfers/{transfer_id}",
    summary="Show a transfer",
    response_model=TRANSFER,
    openapi_extra=needs("inventory.read"),
)
async def show_transfer(transfer_id: Id, call: Call) -> dict[str, Any]:
    """A transfer from or to one of the caller's stores."""
    sql = f"select * from ({_OURS}) as ours where transfer_id = %(transfer_id)s"
    return _shown(await call.need(sql, {**_stores(call), "transfer_id": transfer_id}), call)


def _stores(call: Call) -> dict[str, Any]:
    return {"everywhere": call.auth.all_stores, "stores": sorted(call.auth.stores)}


def _shown(row: dict[str, Any], call: Call) -> dict[str, Any]:
    """A transfer as it crosses the API; transport is a cost."""
    transport, currency = row.pop("transport"), row.pop("currency")
    if transport is not None and call.auth.may("inventory.cost"):
        row["transport"] = amount(Money(transport, currency))
    return row
