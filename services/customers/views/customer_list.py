"""The list of customers: who they are, whose they are, how far they have come, and how to find them."""

from datetime import datetime
from typing import Any, Literal, assert_never

from fastapi import APIRouter

from services.customers.countries import HOME
from services.customers.domain import customer_messages as m
from services.customers.fields import Digits4, NumberText, PhoneWritten, Region, read_phone
from services.customers.views.clear import READ, opened
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Fold, Table
from shared.web.body import EmailText, Id, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.problems import Problem
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of


@message
class Agreed:
    """A consent as it stands, with when and by whom it was recorded."""

    purpose: str
    given: bool
    wording: str
    at: datetime
    by: str


@message
class CustomerRow:
    """Personal fields are tokens, empty when there is nothing. `todo` is what the caretaker has still to do: index or erase."""

    customer_id: str
    version: int
    number: str
    store_id: str
    entity_id: str
    kind: str
    status: str = "active"
    stage: str
    channel: str
    seller_id: str
    lead_id: str
    name: str
    phone: str
    email: str
    wechat: str
    contact: str
    address: str
    id_number: str
    birthday: str
    gender: str
    notes: str
    brand: str = ""
    series: str = ""
    trim: str = ""
    colour: str = ""
    budget: int | None = None
    currency: str = ""
    consents: tuple[Agreed, ...]
    phone_index: str = ""
    phone_last4: str = ""
    email_index: str = ""
    duplicate_of: str = ""
    invalid_for: str = ""
    todo: str = ""
    registered_at: datetime
    changed_at: datetime


def apply(row: CustomerRow | None, recorded: Recorded[m.Event]) -> CustomerRow | None:
    """The row after one more event."""
    event = recorded.event
    if isinstance(event, m.CustomerRegistered):
        return registered(event, recorded)
    if row is None:
        return None
    row = replace(row, version=recorded.version, changed_at=recorded.occurred_at)
    match event:
        case m.CustomerNumbered(number=number):
            return replace(row, number=number)
        case m.CustomerCorrected():
            return corrected(row, event)
        case m.ContactsIndexed(indexes=indexes, duplicate_of=other):
            return replace(indexed(row, indexes), duplicate_of=other or "")
        case m.ConsentRecorded(consent=consent):
            others = tuple(one for one in row.consents if one.purpose != consent.purpose)
            return replace(row, consents=(*others, agreed(consent, recorded)))
        case m.DealRecorded(stage=stage):
            return replace(row, stage=stage)
        case m.CustomerMarkedInvalid(reason=reason):
            return replace(row, status="invalid", invalid_for=reason)
        case m.CustomerArchived():
            return replace(row, status="archived")
        case m.CustomerRestored():
            return replace(row, status="active", invalid_for="")
        case m.CustomerForgotten():
            nothing: dict[str, Any] = dict.fromkeys((*m.PERSONAL, "phone_index", "phone_last4", "email_index"), "")
            return replace(row, **nothing, status="forgotten", todo="erase")
        case m.KeysDestroyed():
            return replace(row, todo="")
        case unknown:
            assert_never(unknown)


def registered(event: m.CustomerRegistered, recorded: Recorded[m.Event]) -> CustomerRow:
    """The row of a new customer."""
    tokens: dict[str, Any] = {name: getattr(event, name) or "" for name in m.PERSONAL}
    row = CustomerRow(
        **tokens,
        customer_id=event.customer_id,
        version=recorded.version,
        number=event.number,
        store_id=event.store_id,
        entity_id=event.entity_id,
        kind=event.kind,
        stage=event.stage,
        channel=event.channel,
        seller_id=event.seller_id or "",
        lead_id=event.lead_id or "",
        consents=tuple(agreed(consent, recorded) for consent in event.consents),
        registered_at=recorded.occurred_at,
        changed_at=recorded.occurred_at,
    )
    row = preferring(row, event.preferences)
    if event.indexes:
        return indexed(row, event.indexes)
    return replace(row, todo="index" if row.phone or row.email else "")


def corrected(row: CustomerRow, event: m.CustomerCorrected) -> CustomerRow:
    """The row with what was changed."""
    columns = (*m.PERSONAL, "kind", "channel", "seller_id")
    row = replace(row, **{name: getattr(event, name) for name in columns if name in event.changed})
    if event.preferences:
        row = preferring(row, event.preferences)
    return indexed(row, event.indexes) if event.indexes else row


def preferring(row: CustomerRow, wishes: m.Preferences) -> CustomerRow:
    """The wishes as columns."""
    budget = wishes.budget
    row = replace(row, brand=wishes.brand, series=wishes.series, trim=wishes.trim, colour=wishes.colour)
    return replace(row, budget=budget.minor if budget else None, currency=budget.currency if budget else "")


def indexed(row: CustomerRow, indexes: m.Indexes) -> CustomerRow:
    """The row with its contacts searchable."""
    return replace(row, phone_index=indexes.phone, phone_last4=indexes.phone_last4, email_index=indexes.email, todo="")


def agreed(consent: m.Consent, recorded: Recorded[m.Event]) -> Agreed:
    """A consent with its circumstances."""
    return Agreed(purpose=consent.purpose, given=consent.given, wording=consent.wording, at=recorded.occurred_at, by=recorded.meta.actor)


table = Table(
    "customers",
    1,
    CustomerRow,
    key=("customer_id",),
    indexes=(
        "store_id, registered_at desc, customer_id",
        "registered_at, customer_id",
        "seller_id, registered_at, customer_id",
        "number",
        "phone_index",
        "phone_last4",
        "email_index",
        "todo",
    ),
)
customer_list = Fold(table, apply)

ORDERS = {
    "-registered_at": "registered_at desc, customer_id desc",
    "registered_at": "registered_at, customer_id",
    "-changed_at": "changed_at desc, customer_id desc",
    "number": "number, customer_id",
    "stage": "stage, customer_id",
}
_LISTED = (
    "customer_id",
    "version",
    "number",
    "store_id",
    "kind",
    "status",
    "stage",
    "channel",
    "seller_id",
    "name",
    "phone",
    "email",
    "brand",
    "series",
    "duplicate_of",
    "registered_at",
    "changed_at",
)

router = APIRouter(route_class=CommandRoute)


@router.get(
    "/customers",
    summary="Customers, newest first",
    response_model=page_of("CustomerListed", CustomerRow, only=_LISTED, also={"masked": bool}),
    openapi_extra=needs(READ),
)
async def customers(
    call: Call,
    paging: Paging,
    store_id: Id | None = None,
    number: NumberText | None = None,
    phone: PhoneWritten | None = None,
    phone_last4: Digits4 | None = None,
    email: EmailText | None = None,
    region: Region = HOME,
    stage: m.Stage | None = None,
    kind: m.Kind | None = None,
    status: Literal["active", "invalid", "archived"] = "active",
    seller_id: Id | None = None,
) -> Page:
    """Contacts match exactly; a telephone number is read as people in `region` write it."""
    blind = call.vault.index
    where = {
        "store_id": store_id,
        "number": number,
        "phone_index": blind("phone", read_phone(phone, region, "phone")) if phone else None,
        "phone_last4": blind("phone-last4", phone_last4) if phone_last4 else None,
        "email_index": blind("email", email.casefold()) if email else None,
        "stage": stage,
        "kind": kind,
        "status": status,
        "seller_id": seller_id,
    }
    found = await page(call, table, paging, order=ORDERS, where=where, columns=_LISTED)
    return {"items": await opened(call, found["items"], ("name", "phone", "email")), "next_cursor": found["next_cursor"]}


async def row_of(call: Call, customer_id: str) -> dict[str, Any]:
    """A customer's row. NotFound when it is another store's; Problem `erased` for a person forgotten."""
    row = await call.need(f"select * from {table.sql_name} where customer_id = %s", [customer_id])
    if row["status"] == "forgotten":
        raise Problem("erased")
    return row


def wishes(row: dict[str, Any]) -> dict[str, Any]:
    """The preferences as they cross the API."""
    budget = None if row["budget"] is None else amount(Money(row["budget"], row["currency"]))
    return {name: row[name] for name in ("brand", "series", "trim", "colour")} | {"budget": budget}
