"""The history of a customer's record, field by field: what it was, what it became, when and by whom."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from services.customers.domain import customer_messages as m
from services.customers.views.clear import HIDDEN, READ, masked, sees_clear
from services.customers.views.customer_list import row_of
from shared.decider import message
from shared.events.envelope import Recorded
from shared.values.money import format_amount
from shared.values.personal import TOKEN_PREFIX
from shared.views.table import Rows, Table
from shared.web.body import Id
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of


@message
class FieldSet:
    """`now` is a token where the field is personal. Who may see the customer may see his history, so no store is named."""

    customer_id: str
    version: int
    field: str
    now: str
    at: datetime
    by: str


def apply(recorded: Recorded[m.Event]) -> Sequence[FieldSet]:
    """One row per field an event sets."""
    return [
        FieldSet(
            customer_id=recorded.stream.partition("-")[2],
            version=recorded.version,
            field=field,
            now=now,
            at=recorded.occurred_at,
            by=recorded.meta.actor,
        )
        for field, now in values(recorded.event).items()
    ]


def values(event: m.Event) -> dict[str, str]:
    """The fields an event sets, as texts or tokens."""
    match event:
        case m.CustomerRegistered():
            plain = {"kind": event.kind, "channel": event.channel, "seller_id": event.seller_id or "", "stage": event.stage}
            agreed = {key: text for consent in event.consents for key, text in consented(consent).items()}
            return m.said(event) | plain | preferred(event.preferences) | agreed | {"status": "active"}
        case m.CustomerCorrected(preferences=preferences):
            plain = {name: getattr(event, name) for name in ("kind", "channel", "seller_id") if name in event.changed}
            return m.said(event) | plain | (preferred(preferences) if preferences else {})
        case m.ConsentRecorded(consent=consent):
            return consented(consent)
        case m.DealRecorded(stage=stage):
            return {"stage": stage}
        case m.CustomerMarkedInvalid(reason=reason, note=note):
            return {"status": "invalid", "invalid_for": reason, "invalid_note": note}
        case m.CustomerArchived():
            return {"status": "archived"}
        case m.CustomerRestored():
            return {"status": "active", "invalid_for": "", "invalid_note": ""}
        case _:
            return {}


def preferred(wishes: m.Preferences) -> dict[str, str]:
    """The wishes, each a field."""
    budget = f"{format_amount(wishes.budget)} {wishes.budget.currency}" if wishes.budget else ""
    return {"brand": wishes.brand, "series": wishes.series, "trim": wishes.trim, "colour": wishes.colour, "budget": budget}


def consented(consent: m.Consent) -> dict[str, str]:
    """A consent as a field."""
    return {f"consent {consent.purpose}": f"{'given' if consent.given else 'refused'}: {consent.wording}"}


table = Table("customer_history", 1, FieldSet, key=("customer_id", "version", "field"), store=None)
history = Rows(table, apply)

_CHANGES = f"""select version, at, by, field, was, now from (
    select *, lag(now, 1, '') over (partition by field order by version) as was from {table.sql_name} where customer_id = %(customer)s
) as seen where was <> now"""

router = APIRouter(route_class=CommandRoute)


@router.get(
    "/customers/{customer_id}/history",
    summary="What was changed, field by field, newest first",
    response_model=page_of("FieldChange", FieldSet, without=("customer_id",), also={"was": str}),
    openapi_extra=needs(READ),
)
async def changes(customer_id: Id, call: Call, paging: Paging) -> Page:
    """Personal values are opened for whoever may see the customer in clear."""
    row = await row_of(call, customer_id)
    found = await page(call, _CHANGES, paging, order="version desc, field desc", params={"customer": customer_id})
    clear = sees_clear(call, row)
    texts = iter(await call.vault.open_all([item[side] for item in found["items"] for side in ("was", "now")]))
    for item in found["items"]:
        for side in ("was", "now"):
            item[side] = shown(item["field"], item[side], next(texts), clear)
    return found


def shown(field: str, value: str, text: str | None, clear: bool) -> Any:
    """A value for an answer; `text` is what the vault made of it."""
    if not value.startswith(TOKEN_PREFIX):
        return value
    return HIDDEN if text is None else text if clear or not text else masked(field, text)
