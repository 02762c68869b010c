"""The whole service on a real PostgreSQL, its timers fired and its public events heard when a test says so."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg_pool import AsyncConnectionPool

from services.leads.app import service
from shared.contracts import gateway, inventory, orders
from shared.deciding import Folder
from shared.events.vault import MemoryVault
from shared.handling import Handler
from shared.processes.timers import Timers
from shared.store.migrate import migrate
from shared.store.pool import Readers
from shared.store.postgres import PostgresStore
from shared.testing.hearing import heard, store_opened
from shared.values.clock import utc_now
from shared.values.ids import new_id
from shared.values.money import Money
from shared.web.app import create_app
from shared.web.auth import Auth
from shared.web.tests.client import Answer, Client

NORTH = "0192f3a4-0000-7000-8000-000000000001"
SOUTH = "0192f3a4-0000-7000-8000-000000000002"
ENTITY = "0192f3a4-0000-7000-8000-0000000000e1"
LI = "0192f3a4-0000-7000-8000-0000000000a1"
WANG = "0192f3a4-0000-7000-8000-0000000000a2"
ZHAO = "0192f3a4-0000-7000-8000-0000000000a3"
SOUTHERNER = "0192f3a4-0000-7000-8000-0000000000a4"
OWNER = "0192f3a4-0000-7000-8000-0000000000a5"
CAR = "LFV2A2150N3000001"

SELLS = frozenset({"leads.read", "leads.capture", "leads.work", "opportunities.work"})
MANAGES = SELLS | {"leads.assign", "leads.all"}
PEOPLE = {
    LI: Auth(LI, SELLS, frozenset({NORTH})),
    WANG: Auth(WANG, SELLS, frozenset({NORTH})),
    ZHAO: Auth(ZHAO, MANAGES, frozenset({NORTH})),
    SOUTHERNER: Auth(SOUTHERNER, SELLS, frozenset({SOUTH})),
    OWNER: Auth(OWNER, frozenset({"leads.read", "leads.all", "leads.capture", "rules.write"}), all_stores=True),
}


class Tester:
    """Knows a caller by the staff id in a header."""

    async def authenticate(self, headers: Mapping[str, str]) -> Auth:
        """The caller."""
        return PEOPLE[headers["x-staff"]]


@dataclass
class Settings:
    cursor_secret: str = "vX9nq2Lw7Rk4Tz8Bc3Hm6Jd1Fg5Ps0Ya"


@dataclass
class Runtime:
    store: PostgresStore
    handler: Handler
    reader: Readers
    vault: MemoryVault
    settings: Settings


@dataclass
class Showroom:
    """One running service."""

    runtime: Runtime
    app: Any

    def by(self, staff: str) -> Client:
        """Requests of a colleague."""
        return Client(self.app, {"x-staff": staff})

    async def create(self, staff: str, path: str, body: Any, **headers: str) -> Answer:
        """A creating POST with a key of its own."""
        return await self.by(staff).post(f"/api/v1{path}", body, {"idempotency-key": new_id(), **headers})

    async def command(self, staff: str, path: str, body: Any = None) -> Answer:
        """A command on whatever version there is."""
        return await self.by(staff).post(f"/api/v1{path}", body, {"if-match": "*"})

    async def read(self, staff: str, path: str) -> Any:
        """A GET's JSON."""
        answer = await self.by(staff).get(f"/api/v1{path}")
        assert answer.status == 200, answer.body
        return answer.json

    async def hear(self, *events: Any) -> None:
        """Public events of others, as the consumer brings them."""
        told = [heard(event, utc_now(), actor="system", stream=new_id()) for event in events]
        async with self.runtime.store.begin() as tx:
            await self.runtime.handler.apply(tx, [(one, service.listen(one)) for one in told])

    async def tick(self) -> None:
        """Fires every timer that is due."""
        while await Timers(self.runtime.store, self.runtime.handler).fire(50):
            pass

    async def all_due(self) -> None:
        """Fires every timer that waits, as if its time had come, from two workers at once."""
        async with self.runtime.store.begin() as tx:
            await tx.conn.execute("update timers set due_at = now()")
        await asyncio.gather(self.tick(), self.tick())

    async def events(self, stream: str) -> list[Any]:
        """The events of a stream."""
        loaded = await self.runtime.store.load([stream])
        return [service.stored.decode(row.type, row.type_version, row.data.encode()) for row in loaded.events[stream]]

    async def published(self) -> list[str]:
        """The types on their way out, in order."""
        return [row.type for row in await self.runtime.store.waiting(1000)]


def store(id: str, code: str, entity: str = ENTITY) -> gateway.StoreOpened:
    """A store open around the clock."""
    return store_opened(id, code, entity, opens="00:00", closes="00:00")


def person(id: str, *roles: str, at: str = NORTH, capacity: int = 30, brands: tuple[str, ...] = ()) -> gateway.StaffAssigned:
    """A colleague."""
    return gateway.StaffAssigned(staff_id=id, username=id, name=id, roles=roles, store_ids=(at,), brands=brands, capacity=capacity)


def shift(staff: str, starts_in: float, hours: float = 8) -> gateway.ShiftPlanned:
    """A shift at the north store, beginning so many hours from now."""
    start = datetime.now(UTC) + timedelta(hours=starts_in)
    return gateway.ShiftPlanned(shift_id=new_id(), staff_id=staff, store_id=NORTH, starts_at=start, ends_at=start + timedelta(hours=hours))


@asynccontextmanager
async def opened(writer: str, reader: str) -> AsyncIterator[Showroom]:
    """The service on a fresh database, with two stores and their people."""
    await migrate(writer, "leads_reader", service.all_tables())
    kwargs = {"autocommit": True}
    async with (
        AsyncConnectionPool[Any](writer, min_size=1, max_size=5, kwargs=kwargs, open=False) as writers,
        Readers(reader, "reader") as readers,
    ):
        kept = PostgresStore(writers)
        await kept.open()
        handler = Handler(kept, Folder(service.stored, service.aggregates), service.prepare)
        await handler.start()
        runtime = Runtime(store=kept, handler=handler, reader=readers, vault=MemoryVault(), settings=Settings())
        showroom = Showroom(runtime, create_app(service, runtime, authenticator=Tester()))
        try:
            await showroom.hear(
                store(NORTH, "BJ1"),
                store(SOUTH, "SH1"),
                person(LI, "sales-consultant"),
                person(WANG, "sales-consultant"),
                person(ZHAO, "sales-manager"),
                person(SOUTHERNER, "sales-consultant", at=SOUTH),
            )
            yield showroom
        finally:
            await handler.stop()


def lead(**fields: Any) -> dict[str, Any]:
    return {
        "store_id": NORTH,
        "brand": "Volkswagen",
        "series": "Lavida",
        "channel": "website",
        "consent": "privacy-2026-01",
        "name": "Lin Yue",
        "phone": "138 0013 8000",
        "intent": "buy",
        "within_days": 5,
        "comments": "white, please",
        **fields,
    }


async def captured(showroom: Showroom, staff: str = LI, **fields: Any) -> str:
    answer = await showroom.create(staff, "/leads", lead(**fields))
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


async def assigned(showroom: Showroom, **fields: Any) -> tuple[str, str]:
    """A lead the rule has assigned, and its seller."""
    lead_id = await captured(showroom, **fields)
    await showroom.tick()
    row = await showroom.read(ZHAO, f"/leads/{lead_id}")
    return lead_id, row["seller_id"]


async def opportunity(showroom: Showroom) -> tuple[str, str]:
    """A converted lead's opportunity and its seller."""
    lead_id, seller = await assigned(showroom)
    assert (await showroom.command(seller, f"/leads/{lead_id}/convert")).status == 200
    await showroom.tick()
    return (await showroom.read(seller, f"/leads/{lead_id}"))["opportunity_id"], seller


def delivered(opportunity_id: str, order_id: str) -> orders.OrderDelivered:
    return orders.OrderDelivered(
        order_id=order_id,
        number="SO-BJ1-20260302-001",
        store_id=NORTH,
        entity_id=ENTITY,
        vin=CAR,
        stay_id="stay",
        trim_id="trim",
        customer_id="person",
        seller_id=LI,
        opportunity_id=opportunity_id,
        campaign_id=None,
        channel="website",
        price=Money(1),
    )


def received(vin: str = CAR, store_id: str = NORTH) -> inventory.VehicleReceived:
    nothing = Money(0)
    return inventory.VehicleReceived(
        stay_id=new_id(),
        vin=vin,
        trim_id="trim",
        brand="Volkswagen",
        series="Lavida",
        category="demo",
        store_id=store_id,
        entity_id=ENTITY,
        supplier="VW",
        purchase_order_id=None,
        purchase=nothing,
        rebate=nothing,
        freight=nothing,
        preparation=nothing,
        book_cost=nothing,
        input_vat=nothing,
        acquired_on=datetime.now(UTC).date(),
        certificate="with-us",
    )
