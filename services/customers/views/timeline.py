"""The timeline of a customer: what happened between him and us, in every context, in one order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from services.customers.domain import customer_messages as m
from services.customers.views import profile
from services.customers.views.clear import READ, opened
from services.customers.views.customer_list import row_of
from shared.decider import message
from shared.events.envelope import Recorded
from shared.views.table import Rows, Table
from shared.web.body import Id
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of


@message
class Entry:
    """`facts` hold codes and numbers only, `text` is a token. An event that names no customer (empty) belongs to its thing's."""

    event_id: str
    customer_id: str
    occurred_at: datetime
    type: str
    context: str
    ref_type: str
    ref_id: str
    store_id: str
    by: str
    facts: dict[str, Any]
    text: str = ""


def apply(recorded: Recorded[m.Event]) -> Sequence[Entry]:
    """What happened to the record itself, as far as it concerns the customer."""
    told = facts_of(recorded.event)
    if told is None:
        return ()
    customer_id = recorded.stream.partition("-")[2]
    entry = Entry(
        event_id=str(recorded.id),
        customer_id=customer_id,
        occurred_at=recorded.occurred_at,
        type=f"customers.{type(recorded.event).__name__}.v1",
        context="customers",
        ref_type="customer",
        ref_id=customer_id,
        store_id=recorded.meta.store_id or "",
        by=recorded.meta.actor,
        facts=told,
    )
    return (entry,)


def facts_of(event: m.Event) -> dict[str, Any] | None:
    """The facts to tell; None: not for the timeline."""
    match event:
        case m.CustomerRegistered(number=number, channel=channel):
            return {"number": number, "channel": channel}
        case m.ConsentRecorded(consent=consent):
            return {"purpose": consent.purpose, "given": consent.given}
        case m.CustomerMarkedInvalid(reason=reason):
            return {"reason": reason}
        case m.CustomerArchived() | m.CustomerRestored():
            return {}
        case _:
            return None


table = Table("timeline", 1, Entry, key=("event_id",), store=None, indexes=("customer_id, occurred_at", "ref_type, ref_id"))
own_entries = Rows(table, apply)

_SHOWN = "e.event_id, e.occurred_at, e.type, e.context, e.ref_type, e.ref_id, e.store_id, e.by, e.facts, e.text"
_ENTRIES = f"""select {_SHOWN} from {table.sql_name} e where e.customer_id = %(customer)s
    union all
    select {_SHOWN} from {table.sql_name} e join {profile.table.sql_name} d on (d.kind, d.dealing_id) = (e.ref_type, e.ref_id)
    where d.customer_id = %(customer)s and e.customer_id = ''"""

router = APIRouter(route_class=CommandRoute)


@router.get(
    "/customers/{customer_id}/timeline",
    summary="All that happened with a customer, newest first",
    response_model=page_of("TimelineEntry", Entry, without=("customer_id",)),
    openapi_extra=needs(READ),
)
async def timeline(customer_id: Id, call: Call, paging: Paging) -> Page:
    """Events of every context; what was said is opened for whoever may see the customer in clear."""
    row = await row_of(call, customer_id)
    found = await page(call, _ENTRIES, paging, order="occurred_at desc, event_id desc", params={"customer": customer_id})
    owner = {"store_id": row["store_id"], "seller_id": row["seller_id"]}
    texts = await opened(call, [{**owner, "text": item["text"]} for item in found["items"]], ("text",))
    for item, told in zip(found["items"], texts, strict=True):
        item["text"] = told["text"]
    return found
