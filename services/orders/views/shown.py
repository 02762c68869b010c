"""How rows cross the API: amounts with their currency, nested ones too."""

from collections.abc import Mapping
from typing import Any

from shared.values.money import Money
from shared.web.body import amount, plain
from shared.web.call import Call

READ = "orders.read"


def manages(call: Call) -> bool:
    """Whether the caller looks after all orders of a store, not only his own."""
    return call.auth.may("orders.all")


def may_see_person(call: Call, row: Mapping[str, Any]) -> bool:
    """Whether the caller sees what is personal in a row in clear: its seller, and whoever looks after all orders of a store."""
    return manages(call) or row["seller_id"] == call.staff


def shown(row: Mapping[str, Any], *amounts: str) -> dict[str, Any]:
    """A row for an answer; `amounts` are columns in minor units of the row's `currency`, which is not repeated."""
    money = {name: amount(Money(row[name], row["currency"])) for name in amounts if row[name] is not None}
    return {name: money.get(name, plain(value)) for name, value in row.items() if name != "currency"}
