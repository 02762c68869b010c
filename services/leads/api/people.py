"""Rows a command needs before it is decided, of the caller's stores only."""

from typing import Any

from services.leads import known
from shared.deciding import NotFound
from shared.views.table import Table
from shared.web.call import Call
from shared.web.problems import FieldError, Problem


async def stored_row(call: Call, table: Table[Any], id: str) -> Any:
    """The row of an inline view. Raises NotFound when it is another store's."""
    row = (await call.kit.store.rows(table, [(id,)])).get((id,))
    if row is None or not call.auth.has_store(row.store_id):
        raise NotFound
    return row


async def referred(call: Call, table: Table[Any], id: str, field: str) -> Any:
    """The row a body refers to. Raises Problem when there is none or it is another store's."""
    row = (await call.kit.store.rows(table, [(id,)])).get((id,))
    if row is None or not call.auth.has_store(row.store_id):
        raise Problem("unknown-reference", errors=[FieldError(field, "unknown")])
    return row


async def colleague(call: Call, staff_id: str, store_id: str, field: str) -> known.StaffKnown:
    """A colleague who works in the store. Raises Problem when there is none."""
    found: known.StaffKnown | None = (await call.kit.store.rows(known.staff, [(staff_id,)])).get((staff_id,))
    if found is None or not found.enabled or store_id not in found.store_ids:
        raise Problem("unknown-reference", errors=[FieldError(field, "unknown")])
    return found
