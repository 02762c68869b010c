"""What a request refers to: stores with their books, and the cars in stock."""

from typing import Annotated, Any

from services.inventory import known
from services.inventory.views.stock import stock
from shared.deciding import NotFound
from shared.values.money import Money
from shared.web.body import Clean
from shared.web.call import Call
from shared.web.problems import FieldError, Problem

type Name = Annotated[str, Clean(most=80, least=1, example="Aurora Motors")]
"""What a brand, a supplier, a carrier is called."""


def unknown(field: str) -> Problem:
    """Something the body names does not exist, or is not the caller's to name."""
    return Problem("unknown-reference", errors=[FieldError(field, "unknown")])


async def books_of(call: Call, store_id: str, field: str = "store_id") -> dict[str, Any]:
    """A store's code, timezone, legal entity and its currency. Raises Problem when the store is not known."""
    found = await call.one(
        f"select s.*, e.currency from {known.stores.sql_name} s join {known.entities.sql_name} e using (entity_id) where store_id = %s",
        [store_id],
    )
    if found is None:
        raise unknown(field)
    return found


def in_currency(books: dict[str, Any], *amounts: Money) -> None:
    """Raises Problem when an amount is not in the currency of the books."""
    if any(money.currency != books["currency"] for money in amounts):
        raise Problem("currency-differs", "All amounts of a car are in the currency of its books.")


async def open_stay(call: Call, vin: str) -> str:
    """The id of the open stay of a VIN; 404 when there is none."""
    stream = await call.holder("open-stay", vin)
    if stream is None:
        raise NotFound
    return stream.removeprefix("stay-")


async def own_stay(call: Call, stay_id: str) -> str:
    """The stay, when it is at one of the caller's stores; else 404."""
    found = await call.need(f"select store_id from {stock.sql_name} where stay_id = %s", [stay_id])
    if not call.auth.has_store(found["store_id"]):
        raise NotFound
    return stay_id
