"""Users, stores, legal entities, shifts and authorities."""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter
from pydantic import Field

from services.gateway.api.auth import Secret, end_sessions, hashed_password
from services.gateway.audit import AuditRow, audit
from services.gateway.domain.authority import GrantAuthority
from services.gateway.domain.shift import CancelShift, PlanShift
from services.gateway.domain.store import OpenStore, RegisterLegalEntity
from services.gateway.domain.user import Assigner, AssignUser, CreateUser, DisableUser, EnableUser, ResetPassword
from services.gateway.views.places import AuthorityRow, EntityRow, ShiftRow, StoreRow, authorities, entities, shifts, stores
from services.gateway.views.users import UserRow, users
from shared.handling import Done
from shared.values.ids import derived_id, new_id
from shared.web.body import Body, Clean, Id, Instant, Line
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)

Username = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,59}$", examples=["lin.yue"])]
Role = Literal[
    "sales-consultant",
    "sales-manager",
    "stock-clerk",
    "finance",
    "service-adviser",
    "marketing",
    "regional-manager",
    "group-owner",
    "administrator",
]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}$", examples=["BJ1"])]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["09:00"])]
Zone = Annotated[str, Clean(most=60, least=1, example="Asia/Shanghai")]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["CNY"])]
Series = Annotated[str, Clean(most=80, least=1, example="*")]
EVERYWHERE = "*"
_SHOWN = ("staff_id", "username", "name", "roles", "store_ids", "brands", "capacity", "disabled", "must_change", "version")


class Assignment(Body):
    """Roles and stores; `*` among the stores is every store."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=9)]
    store_ids: Annotated[list[Id | Literal["*"]], Field(max_length=200)]
    brands: Annotated[list[Line], Field(max_length=50, default_factory=list)]
    capacity: Annotated[int, Field(ge=0, le=1000)] = 30


class NewUser(Assignment):
    """A member of staff; the password is to be changed at first login."""

    username: Username
    name: Line
    password: Secret


class Reset(Body):
    """A first password, to be changed at the next login."""

    password: Secret


class NewEntity(Body):
    name: Line
    tax_number: Annotated[str, Field(pattern="^[A-Z0-9-]{5,30}$", examples=["91110105MA01ABCD2X"])]
    currency: Currency = "CNY"
    vat_permille: Annotated[int, Field(ge=0, le=500)] = 130


class NewStore(Body):
    code: Code
    name: Line
    entity_id: Id
    region: Line
    timezone: Zone = "Asia/Shanghai"
    opens: Clock = "09:00"
    closes: Clock = "18:00"


class NewShift(Body):
    staff_id: Id
    store_id: Id
    starts_at: Instant
    ends_at: Instant


class Grant(Body):
    role: Role
    series: Series = "*"
    discount_permille: Annotated[int, Field(ge=0, le=1000)]


@router.post("/users", status_code=201, summary="Add a user", openapi_extra=needs("users.admin"))
async def add_user(body: NewUser, call: Call) -> Done:
    """The password given here must be changed at first login."""
    await _known_stores(call, body.store_ids)
    staff_id = new_id()
    command = CreateUser(
        staff_id=staff_id,
        username=body.username,
        name=body.name,
        roles=tuple(body.roles),
        store_ids=tuple(body.store_ids),
        brands=tuple(body.brands),
        capacity=body.capacity,
        password_hash=await hashed_password(body.password, body.username),
        must_change=body.password != call.kit.settings.demo_password,
        by=_assigner(call),
        at=call.at,
    )
    return await call.handle("user", staff_id, command)


_COLLEAGUES = f"select * from {users.sql_name} where %(everywhere)s or store_ids ?| %(stores)s"


@router.get(
    "/users", summary="Users", response_model=page_of("User", UserRow, only=_SHOWN), openapi_extra=needs("users.read", "users.admin")
)
async def list_users(call: Call, paging: Paging, store_id: Id | None = None) -> Page:
    """Those of the caller's stores, by name."""
    where: dict[str, object] = {"store_ids @>": f'["{store_id}"]'} if store_id else {}
    params = {"everywhere": call.auth.all_stores, "stores": sorted(call.auth.stores)}
    return await page(call, _COLLEAGUES, paging, order="name, staff_id", where=where, columns=_SHOWN, params=params)


@router.get(
    "/users/{staff_id}",
    summary="A user",
    response_model=shape("User", UserRow, only=_SHOWN),
    openapi_extra=needs("users.read", "users.admin"),
)
async def read_user(staff_id: Id, call: Call) -> dict[str, Any]:
    """Without anything secret."""
    row = await call.need(f"select {', '.join(_SHOWN)} from {users.sql_name} where staff_id = %s", [staff_id])
    if not _visible(call, row):
        raise Problem("not-found")
    return row


@router.post("/users/{staff_id}/assign", summary="Give roles and stores", openapi_extra=needs("users.admin"))
async def assign_user(staff_id: Id, body: Assignment, call: Call) -> Done:
    """Replaces roles, stores and product lines. Nobody gives more than he has."""
    await _known_stores(call, body.store_ids)
    command = AssignUser(
        roles=tuple(body.roles),
        store_ids=tuple(body.store_ids),
        brands=tuple(body.brands),
        capacity=body.capacity,
        by=_assigner(call),
        at=call.at,
    )
    return await call.handle("user", staff_id, command)


@router.post("/users/{staff_id}/reset-password", summary="Reset a password", openapi_extra=needs("users.admin"))
async def reset_password(staff_id: Id, body: Reset, call: Call) -> Done:
    """Ends the user's sessions; the new password must be changed at the next login."""
    row = await call.need(f"select username from {users.sql_name} where staff_id = %s", [staff_id])
    hashed = await hashed_password(body.password, row["username"])
    done = await call.handle("user", staff_id, ResetPassword(password_hash=hashed, by=_assigner(call), at=call.at))
    await _end_all(call, staff_id, "password-reset")
    return done


@router.post("/users/{staff_id}/disable", summary="Disable a user", openapi_extra=needs("users.admin"))
async def disable_user(staff_id: Id, call: Call) -> Done:
    """Ends the user's sessions; tokens stop working within seconds."""
    done = await call.handle("user", staff_id, DisableUser(by=_assigner(call), at=call.at))
    await _end_all(call, staff_id, "disabled")
    return done


@router.post("/users/{staff_id}/enable", summary="Enable a user again", openapi_extra=needs("users.admin"))
async def enable_user(staff_id: Id, call: Call) -> Done:
    """The user may log in again."""
    return await call.handle("user", staff_id, EnableUser(by=_assigner(call), at=call.at))


@router.post("/legal-entities", status_code=201, summary="Register a legal entity", openapi_extra=needs("stores.admin"))
async def register_entity(body: NewEntity, call: Call) -> Done:
    """One tax number, one set of books."""
    entity_id = new_id()
    return await call.handle("entity", entity_id, RegisterLegalEntity(entity_id=entity_id, **body.model_dump(), at=call.at))


@router.get(
    "/legal-entities", summary="Legal entities", response_model=page_of("LegalEntity", EntityRow), openapi_extra=needs("stores.read")
)
async def list_entities(call: Call, paging: Paging) -> Page:
    """All of the group's."""
    return await page(call, entities, paging, order="entity_id")


@router.post("/stores", status_code=201, summary="Open a store", openapi_extra=needs("stores.admin"))
async def open_store(body: NewStore, call: Call) -> Done:
    """A store of a legal entity."""
    if body.timezone not in available_timezones():
        raise Problem("validation", errors=[FieldError("timezone", "unknown")])
    ZoneInfo(body.timezone)
    if await call.one(f"select entity_id from {entities.sql_name} where entity_id = %s", [body.entity_id]) is None:
        raise Problem("unknown-reference", errors=[FieldError("entity_id", "unknown")])
    store_id = new_id()
    return await call.handle("store", store_id, OpenStore(store_id=store_id, **body.model_dump(), at=call.at))


@router.get("/stores", summary="Stores", response_model=page_of("Store", StoreRow), openapi_extra=needs("stores.read"))
async def list_stores(call: Call, paging: Paging) -> Page:
    """All of the group's: cars move between them."""
    return await page(call, stores, paging, order="code, store_id")


@router.post("/shifts", status_code=201, summary="Plan a shift", openapi_extra=needs("shifts.write"))
async def plan_shift(body: NewShift, call: Call) -> Done:
    """Nobody works two shifts at once."""
    await _known_staff(call, body.staff_id, body.store_id)
    shift_id = new_id()
    return await call.handle("shift", shift_id, PlanShift(shift_id=shift_id, **body.model_dump(), at=call.at), store_id=body.store_id)


@router.get("/shifts", summary="Shifts", response_model=page_of("Shift", ShiftRow), openapi_extra=needs("stores.read"))
async def list_shifts(call: Call, paging: Paging, staff_id: Id | None = None, since: Instant | None = None) -> Page:
    """Of the caller's stores, in order."""
    where = {"staff_id": staff_id, "starts_at >=": since}
    return await page(call, shifts, paging, order="starts_at, shift_id", where=where)


@router.post("/shifts/{shift_id}/cancel", summary="Cancel a shift", openapi_extra=needs("shifts.write"))
async def cancel_shift(shift_id: Id, call: Call) -> Done:
    """The person is free then."""
    return await call.handle("shift", shift_id, CancelShift(at=call.at))


@router.post("/authorities", summary="Grant discount authority", openapi_extra=needs("authorities.write", key=False, match=False))
async def grant(body: Grant, call: Call) -> Done:
    """How much discount a role may approve for a series."""
    id = str(derived_id("authority", body.role, body.series))
    return await call.handle("authority", id, GrantAuthority(**body.model_dump(), at=call.at), new=True)


@router.get(
    "/authorities", summary="Discount authorities", response_model=page_of("Authority", AuthorityRow), openapi_extra=needs("stores.read")
)
async def list_authorities(call: Call, paging: Paging) -> Page:
    """By role and series."""
    return await page(call, authorities, paging, order="role, series")


@router.get("/audit", summary="The audit trail", response_model=page_of("AuditEntry", AuditRow), openapi_extra=needs("audit.read"))
async def read_audit(call: Call, paging: Paging, staff_id: Id | None = None, since: Instant | None = None) -> Page:
    """Newest first; of the people of the caller's stores."""
    who: list[str] | str | None = staff_id
    if not call.auth.all_stores:
        colleagues = await call.rows(f"select staff_id from {users.sql_name} where store_ids ?| %s", [sorted(call.auth.stores)])
        who = [row["staff_id"] for row in colleagues if staff_id in (None, row["staff_id"])]
    return await page(call, audit, paging, order="at desc, audit_id", where={"staff_id": who, "at >=": since})


def _assigner(call: Call) -> Assigner:
    stores_of = frozenset({EVERYWHERE}) if call.auth.all_stores else call.auth.stores
    return Assigner(id=call.staff, roles=tuple(sorted(call.auth.roles)), stores=stores_of)


def _visible(call: Call, row: dict[str, Any]) -> bool:
    return call.auth.all_stores or not call.auth.stores.isdisjoint(row["store_ids"])


async def _known_stores(call: Call, store_ids: list[str]) -> None:
    named = [store_id for store_id in store_ids if store_id != EVERYWHERE]
    rows = await call.rows(f"select store_id from {stores.sql_name} where store_id = any(%s)", [named])
    if len(rows) < len(set(named)):
        raise Problem("unknown-reference", errors=[FieldError("store_ids", "unknown")])


async def _known_staff(call: Call, staff_id: str, store_id: str) -> None:
    """Refuses whoever does not work in the store."""
    row = await call.one(f"select store_ids from {users.sql_name} where staff_id = %s", [staff_id])
    if row is None or {store_id, EVERYWHERE}.isdisjoint(row["store_ids"]):
        raise Problem("unknown-reference", errors=[FieldError("staff_id", "unknown")])


async def _end_all(call: Call, staff_id: str, reason: str) -> None:
    """Ending is the system's: the version the caller saw is the user's, not a session's."""
    call.expected = None
    call.key = None
    await end_sessions(call, staff_id, reason)
