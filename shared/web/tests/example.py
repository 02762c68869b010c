"""A small service to try the kit on: price tags, written by one person and changed by others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter
from starlette.responses import Response

from shared.decider import Decider, Rejected, message
from shared.deciding import Aggregate, Folder
from shared.events.registry import Registry
from shared.handling import Done, Handler, Number
from shared.service import Service
from shared.store.memory import MemoryStore
from shared.store.protocol import Unavailable
from shared.values.ids import new_id
from shared.values.money import Money
from shared.views.table import Table
from shared.web.app import create_app
from shared.web.body import Body, Clean, Day, Id, Instant, Line, NonNegativeAmount, PositiveAmount, Raw, Text, VinText
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs, public
from shared.web.shape import page_of
from shared.web.tests.client import Client

NORTH = "0192f3a4-0000-7000-8000-000000000001"
SOUTH = "0192f3a4-0000-7000-8000-000000000002"
SECRET = "vX9nq2Lw7Rk4Tz8Bc3Hm6Jd1Fg5Ps0Ya"
KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@message
class WriteTag:
    by: str
    title: str
    price: Money
    at: datetime


@message
class ChangePrice:
    by: str
    price: Money
    at: datetime


@message
class TagWritten:
    by: str
    title: str
    price: Money


@message
class PriceChanged:
    by: str
    price: Money


@message
class Tag:
    writer: str = ""
    price: Money | None = None


def decide(command: WriteTag | ChangePrice, tag: Tag) -> list[TagWritten | PriceChanged]:
    match command:
        case WriteTag(by=by, title=title, price=price):
            return [TagWritten(by=by, title=title, price=price)]
        case ChangePrice(by=by) if by == tag.writer:
            raise Rejected("four-eyes", "Who wrote the tag does not change its price.")
        case ChangePrice(price=price) if price == tag.price:
            return []
        case ChangePrice(by=by, price=price):
            return [PriceChanged(by=by, price=price)]


def evolve(tag: Tag, event: TagWritten | PriceChanged) -> Tag:
    match event:
        case TagWritten(by=by, price=price):
            return Tag(writer=by, price=price)
        case PriceChanged(price=price):
            return Tag(writer=tag.writer, price=price)


@dataclass(frozen=True)
class TagRow:
    tag_id: str
    store_id: str
    title: str
    price: int
    currency: str
    written_at: datetime
    cost: int


tags = Table(name="tags", version=1, row=TagRow, key=("tag_id",))
router = APIRouter(route_class=CommandRoute)


class NewTag(Body):
    store_id: Id
    title: Line
    price: PositiveAmount
    note: Text = ""
    discount: NonNegativeAmount | None = None
    vin: VinText | None = None
    valid_from: Instant | None = None
    first_day: Day | None = None
    copies: int = 1
    labels: tuple[Annotated[str, Clean(most=10)], ...] = ()


class NewPrice(Body):
    price: PositiveAmount


@router.post("/tags", status_code=201, summary="Write a tag", openapi_extra=needs("tags.write"))
async def write(body: NewTag, call: Call) -> Done:
    command = WriteTag(by=call.auth.subject, title=body.title, price=body.price, at=call.at)
    return await call.handle("tag", new_id(), command, store_id=body.store_id)


@router.post("/tags/numbered", status_code=201, openapi_extra=needs("tags.write", location="/tags/{id}"))
async def write_numbered(body: NewTag, call: Call) -> Done:
    def command(n: int) -> WriteTag:
        return WriteTag(by=call.auth.subject, title=f"T-{n:03}", price=body.price, at=call.at)

    return await call.handle("tag", new_id(), command, number=Number(series="T", day=date(2026, 11, 22)), store_id=body.store_id)


@router.post("/tags/{tag_id}/price", openapi_extra=needs("tags.price", "tags.write"))
async def reprice(tag_id: Id, body: NewPrice, call: Call) -> Done:
    """Change a tag's price."""
    return await call.handle("tag", tag_id, ChangePrice(by=call.auth.subject, price=body.price, at=call.at))


@router.post("/tags/{tag_id}/touch", openapi_extra=needs(match=False))
async def touch(tag_id: Id, call: Call) -> dict[str, Any]:
    return {"tag_id": tag_id, "body_hash": call.body_hash}


@router.get("/tags", response_model=page_of("Tag", TagRow, without=("cost",)), openapi_extra=needs("tags.write"))
async def list_tags(call: Call, paging: Paging, store_id: Id | None = None, since: Instant | None = None) -> Page:
    shown = [name for name in tags.columns if name != "cost"]
    order = {"-written_at": "written_at desc, tag_id", "title": "title, tag_id"}
    return await page(call, tags, paging, order=order, where={"store_id": store_id, "written_at >=": since}, columns=shown)


@router.get("/tags/{tag_id}", openapi_extra=needs("tags.write"))
async def one_tag(tag_id: Id, call: Call) -> dict[str, Any]:
    return await call.need("select tag_id, title, 7 as version from tags_1 where tag_id = %(id)s", {"id": tag_id})


@router.get("/counts", openapi_extra=needs())
async def counts(day: Day, copies: int = 1, shown: bool = True, title: Line | None = None) -> dict[str, Any]:
    return {"day": day, "copies": copies, "shown": shown, "title": title}


@router.post("/feeds", openapi_extra=needs("tags.write"))
async def feed(body: Annotated[bytes, Raw("application/xml", "text/xml", limit=1000)]) -> dict[str, int]:
    return {"length": len(body)}


@router.get("/leaflet.pdf", openapi_extra=needs(produces="application/pdf"))
async def leaflet() -> Response:
    return Response(b"%PDF-1.7", media_type="application/pdf")


@router.get("/motd", openapi_extra=public())
async def motd() -> list[str]:
    return ["good morning"]


@router.get("/broken", openapi_extra=public())
async def broken() -> None:
    raise RuntimeError("secret-detail")


@router.get("/down", openapi_extra=public())
async def down() -> None:
    raise Unavailable


stored = Registry("example", {"TagWritten": TagWritten, "PriceChanged": PriceChanged})
aggregate = Aggregate("tag", Decider(Tag(), decide, evolve))
service = Service(context="example", stored=stored, aggregates=(aggregate,), tables=(tags,), topics=("orders",), routers=(router,))


@dataclass
class Settings:
    internal_public_key: str = PUBLIC
    cursor_secret: str = SECRET


@dataclass
class Runtime:
    """The service in memory; `reader` only where a test brings PostgreSQL."""

    store: MemoryStore
    handler: Handler
    reader: Any = None
    vault: Any = None
    settings: Settings = field(default_factory=Settings)


def token(
    subject: str = "lin",
    permissions: tuple[str, ...] = ("tags.write", "tags.price"),
    stores: tuple[str, ...] = (NORTH,),
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """An internal token as the gateway makes it; a claim of None is left out."""
    now = datetime.now(UTC)
    all_claims = {
        "iss": "forecourt",
        "aud": "internal",
        "sub": subject,
        "exp": now + timedelta(hours=2),
        "permissions": list(permissions),
        "stores": list(stores),
        "roles": [],
        **claims,
    }
    return jwt.encode({name: value for name, value in all_claims.items() if value is not None}, KEY, "EdDSA", headers=header)


def bearer(*args: Any, **claims: Any) -> dict[str, str]:
    """The header of a token."""
    return {"authorization": f"Bearer {token(*args, **claims)}"}


@asynccontextmanager
async def running(reader: Any = None) -> AsyncIterator[Client]:
    """A client of the running example, as Lin of the north store."""
    store = MemoryStore()
    handler = Handler(store, Folder(stored, (aggregate,)))
    await handler.start()
    try:
        yield Client(create_app(service, Runtime(store, handler, reader)), bearer())
    finally:
        await handler.stop()
