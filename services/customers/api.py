"""The commands of a customer's record over HTTP. What is personal is sealed here, before anything is decided."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from services.customers import known
from services.customers.countries import country_of
from services.customers.domain import customer_messages as m
from services.customers.domain.customer import customer_number
from services.customers.fields import (
    BirthdayText,
    Channel,
    Code,
    EmailOrNone,
    Gender,
    PhoneWritten,
    Region,
    Word,
    indexes_of,
    read_phone,
    sealed,
)
from services.customers.views.customer_list import row_of
from shared.events.privacy import VaultUnavailable
from shared.handling import Done, Number
from shared.values.clock import local_day
from shared.values.ids import new_id
from shared.web.body import Body, Clean, Id, Line, PositiveAmount, Text
from shared.web.call import Call
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)

WRITE = "customers.write"


class Wishes(Body):
    """What the customer looks for; without a field, no wish."""

    brand: Word = ""
    series: Word = ""
    trim: Word = ""
    colour: Word = ""
    budget: PositiveAmount | None = None

    def preferences(self) -> m.Preferences:
        """As the domain knows them."""
        return m.Preferences(brand=self.brand, series=self.series, trim=self.trim, colour=self.colour, budget=self.budget)


class ConsentBody(Body):
    """What was agreed to or refused, and by which text."""

    purpose: Code
    given: bool
    wording: Annotated[str, Clean(most=80, least=1, example="privacy-2026-01")]


class About(Body):
    """What is told of a customer. `region` is the country whose customs the number follows; the store's, unless given."""

    region: Region | None = None
    email: EmailOrNone | None = None
    wechat: Annotated[str, Clean(most=40, example="wxid_lin")] | None = None
    contact: Word | None = None
    address: Annotated[str, Clean(most=300, example="北京市朝阳区建国路 1 号")] | None = None
    id_number: Annotated[str, Clean(most=40, example="11010519900517002X")] | None = None
    birthday: BirthdayText | None = None
    gender: Gender | None = None
    notes: Text | None = None
    seller_id: Id | None = None

    def texts(self) -> dict[str, str | None]:
        """The personal fields but name and telephone number."""
        plain = {name: getattr(self, name) for name in ("email", "wechat", "contact", "address", "id_number", "gender", "notes")}
        return plain | {"birthday": self.birthday.isoformat() if self.birthday else None}


class NewCustomer(About):
    store_id: Id
    kind: m.Kind = "person"
    name: Line
    phone: PhoneWritten
    channel: Channel = "walk-in"
    preferences: Wishes = Wishes()
    consents: Annotated[list[ConsentBody], Field(max_length=20, default_factory=list)]


class Correction(About):
    """The fields that are not as they should be; a field not given stays as it is, an empty text empties it."""

    kind: m.Kind | None = None
    name: Line | None = None
    phone: PhoneWritten | None = None
    channel: Channel | None = None
    preferences: Wishes | None = None


class Invalid(Body):
    reason: Literal["wrong-number", "no-such-person", "duplicate", "test", "other"]
    note: Text = ""


class Forgetting(Body):
    """`confirm` is the customer's number, typed by who erases."""

    confirm: Line


@router.post("/customers", status_code=201, summary="Register a customer", openapi_extra=needs(WRITE))
async def register(body: NewCustomer, call: Call) -> Done:
    """One record per telephone number and legal entity, with a gapless number."""
    store = await store_of(call, body.store_id)
    await check_seller(call, body.seller_id, body.store_id)
    customer_id = new_id()
    phone = read_phone(body.phone, body.region or country_of(store.timezone), "phone")
    tokens = await sealed(call.vault, customer_id, {"name": body.name, "phone": phone} | body.texts())
    day = local_day(call.at, store.timezone)

    def command(n: int) -> m.RegisterCustomer:
        return m.RegisterCustomer(
            **tokens,
            customer_id=customer_id,
            number=customer_number(store.code, day, n),
            store_id=body.store_id,
            entity_id=store.entity_id,
            kind=body.kind,
            channel=body.channel,
            seller_id=body.seller_id or (call.staff if "sales-consultant" in call.auth.roles else None),
            preferences=body.preferences.preferences(),
            consents=tuple(m.Consent(purpose=one.purpose, given=one.given, wording=one.wording) for one in body.consents),
            indexes=indexes_of(call.vault, phone, body.email or ""),
            at=call.at,
        )

    number = Number(series=f"C-{store.code}", day=day)
    return await call.handle("customer", customer_id, command, number=number, store_id=body.store_id)


@router.post("/customers/{customer_id}/correct", summary="Correct a customer's record", openapi_extra=needs(WRITE))
async def correct(customer_id: Id, body: Correction, call: Call) -> Done:
    """Only the fields that differ are recorded, each in the history."""
    row = await row_of(call, customer_id)
    if body.seller_id:
        await check_seller(call, body.seller_id, row["store_id"])
    phone = None
    if body.phone:
        store = await store_of(call, row["store_id"])
        phone = read_phone(body.phone, body.region or country_of(store.timezone), "phone")
    changed, now = await differing(call, row, {"name": body.name, "phone": phone} | body.texts())
    tokens = await sealed(call.vault, customer_id, changed)
    command = m.CorrectCustomer(
        **tokens,
        kind=body.kind,
        channel=body.channel,
        seller_id=body.seller_id,
        preferences=body.preferences.preferences() if body.preferences else None,
        indexes=indexes_of(call.vault, now["phone"] or "", now["email"] or "") if {"phone", "email"} & changed.keys() else None,
        at=call.at,
    )
    return await call.handle("customer", customer_id, command)


@router.post("/customers/{customer_id}/consents", summary="Record a consent given or withdrawn", openapi_extra=needs(WRITE))
async def record_consent(customer_id: Id, body: ConsentBody, call: Call) -> Done:
    """The latest one for a purpose holds; the history keeps them all."""
    consent = m.Consent(purpose=body.purpose, given=body.given, wording=body.wording)
    return await call.handle("customer", customer_id, m.RecordConsent(consent=consent, at=call.at))


@router.post("/customers/{customer_id}/invalid", summary="Mark a customer's record as invalid", openapi_extra=needs(WRITE))
async def mark_invalid(customer_id: Id, body: Invalid, call: Call) -> Done:
    """Its telephone number is free for the right record."""
    await row_of(call, customer_id)
    note = await call.vault.seal(customer_id, body.note)
    return await call.handle("customer", customer_id, m.MarkInvalid(reason=body.reason, note=note, at=call.at))


@router.post("/customers/{customer_id}/archive", summary="Archive a customer", openapi_extra=needs(WRITE))
async def archive(customer_id: Id, call: Call) -> Done:
    """Out of the everyday list, until restored or back with a new lead."""
    return await call.handle("customer", customer_id, m.ArchiveCustomer(at=call.at))


@router.post("/customers/{customer_id}/restore", summary="Restore an archived or invalid customer", openapi_extra=needs(WRITE))
async def restore(customer_id: Id, call: Call) -> Done:
    """Refused while another record has the telephone number."""
    return await call.handle("customer", customer_id, m.RestoreCustomer(at=call.at))


@router.post("/customers/{customer_id}/forget", summary="Erase a person's data for good", openapi_extra=needs("customers.erase"))
async def forget(customer_id: Id, body: Forgetting, call: Call) -> Done:
    """Once recorded, the key is destroyed: at once, and again by the caretaker, should this process die in between."""
    row = await row_of(call, customer_id)
    if body.confirm != row["number"]:
        raise Problem("validation", errors=[FieldError("confirm", "must be the customer's number")])
    done = await call.handle("customer", customer_id, m.ForgetCustomer(at=call.at))
    with suppress(VaultUnavailable):
        await call.vault.forget(customer_id)
    return done


async def store_of(call: Call, store_id: str) -> known.Store:
    """A store of the caller's. Raises Problem when it is not his."""
    store: known.Store | None = (await call.kit.store.rows(known.stores, [(store_id,)])).get((store_id,))
    if store is None or not call.auth.has_store(store_id):
        raise Problem("unknown-reference", errors=[FieldError("store_id", "unknown")])
    return store


async def check_seller(call: Call, seller_id: str | None, store_id: str) -> None:
    """Refuses a consultant who does not work in the store."""
    if seller_id is None:
        return
    one: known.Staff | None = (await call.kit.store.rows(known.staff, [(seller_id,)])).get((seller_id,))
    if one is None or not one.enabled or not {store_id, "*"} & {*one.store_ids}:
        raise Problem("unknown-reference", errors=[FieldError("seller_id", "unknown")])


async def differing(call: Call, row: dict[str, Any], texts: Mapping[str, str | None]) -> tuple[dict[str, str], dict[str, str | None]]:
    """The given texts that are not what the record says, and the whole as it will be in clear."""
    before = dict(zip(texts, await call.vault.open_all([row[name] for name in texts]), strict=True))
    changed = {name: text for name, text in texts.items() if text is not None and text != before[name]}
    return changed, before | changed
