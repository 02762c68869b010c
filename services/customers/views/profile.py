"""The customer at one glance: profile, consents, and everything he has or had going with us, in one answer."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from services.customers.domain.customer_messages import PERSONAL
from services.customers.views.clear import READ, opened
from services.customers.views.customer_list import CustomerRow, row_of, wishes
from shared.decider import message, replace
from shared.values.money import Money
from shared.views.table import Change, Table
from shared.web.body import Id
from shared.web.call import Call
from shared.web.route import CommandRoute, needs
from shared.web.shape import shape

SECTIONS = {
    "lead": "leads",
    "opportunity": "opportunities",
    "test-drive": "test_drives",
    "quote": "quotes",
    "order": "orders",
    "vehicle": "vehicles",
    "payment": "payments",
    "appointment": "appointments",
    "service": "services",
    "complaint": "complaints",
}
"""The kinds of dealings and the section each is shown in."""
_LEFT_OUT = frozenset(
    {"entity_id", "phone_index", "phone_last4", "email_index", "todo", "brand", "series", "trim", "colour", "budget", "currency"}
)


@message
class Dealing:
    """A lead, quote, order, car … of a customer: empty until an event names him. `facts` hold codes, numbers and amounts only.

    Every store's dealings with a customer are shown to whoever may see the customer.
    """

    kind: str
    dealing_id: str
    customer_id: str = ""
    store_id: str = ""
    status: str = ""
    facts: dict[str, Any]
    since: datetime
    changed_at: datetime


table = Table("dealings", 1, Dealing, key=("kind", "dealing_id"), store=None, indexes=("customer_id",))


def dealing(
    kind: str, id: str, at: datetime, *, customer_id: str = "", store_id: str = "", status: str = "", facts: dict[str, Any]
) -> Change[Dealing]:
    """What an event adds to a dealing, which another stream's event may have begun; what it leaves empty stays."""

    def apply(row: Dealing | None) -> Dealing:
        row = row or Dealing(kind=kind, dealing_id=id, facts={}, since=at, changed_at=at)
        return replace(
            row,
            customer_id=customer_id or row.customer_id,
            store_id=store_id or row.store_id,
            status=status or row.status,
            facts=row.facts | facts,
            since=min(row.since, at),
            changed_at=max(row.changed_at, at),
        )

    return Change(table, (kind, id), apply)


def driven(vin: str, at: datetime, kilometres: int) -> Change[Dealing]:
    """What a visit tells of a car: visits are streams of their own, heard in any order, and the highest reading is the last one."""

    def apply(row: Dealing | None) -> Dealing:
        row = row or Dealing(kind="vehicle", dealing_id=vin, facts={}, since=at, changed_at=at)
        read = max(kilometres, row.facts.get("kilometres", 0))
        return replace(row, facts=row.facts | {"kilometres": read}, since=min(row.since, at), changed_at=max(row.changed_at, at))

    return Change(table, ("vehicle", vin), apply)


router = APIRouter(route_class=CommandRoute)


DEALING = shape("Dealing", Dealing, only=("store_id", "status", "since", "changed_at"), also={"id": str}, more=True)
WISHES = shape("WishesShown", CustomerRow, only=("brand", "series", "trim", "colour"), also={"budget": Money | None})
PROFILE = shape(
    "Customer",
    CustomerRow,
    without=_LEFT_OUT,
    also={"masked": bool, "preferences": WISHES, **{section: [DEALING] for section in SECTIONS.values()}},
)


@router.get("/customers/{customer_id}", summary="A customer with all dealings", response_model=PROFILE, openapi_extra=needs(READ))
async def customer(customer_id: Id, call: Call) -> dict[str, Any]:
    """One request for the whole picture; 410 for a person whose data was erased."""
    row = await row_of(call, customer_id)
    dealings = await call.rows(f"select * from {table.sql_name} where customer_id = %s order by since desc, dealing_id", [customer_id])
    sections: dict[str, list[dict[str, Any]]] = {section: [] for section in SECTIONS.values()}
    for one in dealings:
        sections[SECTIONS[one["kind"]]].append(shown(one))
    (told,) = await opened(call, [row], PERSONAL)
    profile = {name: value for name, value in told.items() if name not in _LEFT_OUT}
    return {**profile, "preferences": wishes(row), **sections}


def shown(one: dict[str, Any]) -> dict[str, Any]:
    """A dealing for an answer."""
    return {
        "id": one["dealing_id"],
        "store_id": one["store_id"],
        "status": one["status"],
        "since": one["since"],
        "changed_at": one["changed_at"],
        **one["facts"],
    }
