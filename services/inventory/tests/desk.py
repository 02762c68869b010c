"""Inventory running on a real database, and the people of two stores who work with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from services.inventory.app import service
from services.inventory.listens import listen
from services.inventory.tests.cars import VIN
from shared.contracts import orders
from shared.ops.settings import Settings
from shared.processes.timers import Timers
from shared.runtime import Runtime, migrate, runtime
from shared.testing.hearing import entity_registered, heard, store_opened
from shared.values.clock import utc_now
from shared.values.ids import new_id
from shared.values.money import Money
from shared.web.app import create_app
from shared.web.tests.client import Answer, Client
from shared.web.tests.example import PUBLIC, bearer

ENTITY, OTHER_ENTITY = new_id(), new_id()
NORTH, SOUTH, ABROAD = new_id(), new_id(), new_id()
ORDER = new_id()

CLERK = ("inventory.read", "inventory.cost", "inventory.receive", "inventory.transfer", "inventory.order", "catalogue.write")
MANAGER = ("inventory.read", "inventory.cost", "inventory.reserve", "inventory.transfer", "inventory.approve")
SELLER = ("inventory.read", "inventory.reserve")


@dataclass
class Desk:
    """The service and its people."""

    running: Runtime
    app: Any

    def person(self, name: str, permissions: tuple[str, ...], *stores: str) -> Client:
        """Somebody of these stores."""
        return Client(self.app, bearer(name, permissions, stores))

    @property
    def clerk(self) -> Client:
        """Chen keeps the stock of the north store."""
        return self.person("chen", CLERK, NORTH)

    @property
    def headquarters(self) -> Client:
        """Ma keeps the catalogue of the whole group."""
        return self.person("ma", ("catalogue.write", "rules.write"))

    @property
    def southern_clerk(self) -> Client:
        """Sun keeps the stock of the south store."""
        return self.person("sun", CLERK, SOUTH)

    @property
    def manager(self) -> Client:
        """Zhao manages the north store."""
        return self.person("zhao", MANAGER, NORTH)

    @property
    def seller(self) -> Client:
        """Li sells at the south store."""
        return self.person("li", SELLER, SOUTH)

    async def hear(self, *events: Any, actor: str = "li", store_id: str = NORTH) -> None:
        """What other contexts tell, and all that follows from it here."""
        async with self.running.store.begin() as tx:
            told = [heard(event, utc_now(), store_id, actor=actor) for event in events]
            await self.running.handler.apply(tx, [(each, listen(each)) for each in told])
        await self.settle()

    async def settle(self) -> None:
        """What one stream told another is done."""
        timers = Timers(self.running.store, self.running.handler)
        while await timers.fire(50):
            pass

    async def published(self, name: str) -> list[str]:
        """The data of the public events of a type that wait to be sent."""
        return [row.data for row in await self.running.store.waiting(1_000) if row.type == f"inventory.{name}.v1"]


@asynccontextmanager
async def open_desk(writer_url: str, reader_url: str) -> AsyncIterator[Desk]:
    """The service with two stores of one legal entity, a third of another, and one order."""
    settings = Settings(
        port=8104,
        writer_url=writer_url,
        reader_url=reader_url,
        kafka="localhost:1",
        redis_url="redis://localhost:1",
        internal_public_key=PUBLIC,
        cursor_secret="vX9nq2Lw7Rk4Tz8Bc3Hm6Jd1Fg5Ps0Ya",
        index_key="aY0sP5gF1dJ6mH3cB8zT4kR7wL2qn9Xv",
    )
    await migrate(service, settings)
    async with runtime(service, settings) as running:
        desk = Desk(running, create_app(service, running))
        await desk.hear(entity_registered(ENTITY), entity_registered(OTHER_ENTITY, "USD"))
        await desk.hear(store_opened(NORTH, "BJ1", ENTITY), store_opened(SOUTH, "BJ2", ENTITY), store_opened(ABROAD, "US1", OTHER_ENTITY))
        await desk.hear(_order())
        yield desk


def _order() -> orders.OrderPlaced:
    return orders.OrderPlaced(
        order_id=ORDER,
        number="SO-BJ2-20260302-001",
        store_id=SOUTH,
        entity_id=ENTITY,
        customer_id=new_id(),
        opportunity_id=None,
        campaign_id=None,
        channel="walk-in",
        seller_id="li",
        trim_id=new_id(),
        vin=None,
        price=Money(18_980_000),
        vat_permille=130,
    )


def yuan(amount: str) -> dict[str, str]:
    """An amount as it crosses the API."""
    return {"amount": amount, "currency": "CNY"}


async def post(client: Client, path: str, body: Any = None, match: str = "*") -> Answer:
    """POST with a fresh key and any version."""
    return await client.post(f"/api/v1{path}", body, {"idempotency-key": new_id(), "if-match": match})


async def made(client: Client, path: str, body: Any) -> str:
    """The id of what a POST created."""
    answer = await post(client, path, body)
    assert answer.status == 201, answer.json
    return str(answer.json["id"])


async def get(client: Client, path: str) -> Any:
    """The JSON of a GET that succeeds."""
    answer = await client.get(f"/api/v1{path}")
    assert answer.status == 200, answer.json
    return answer.json


TRIM = {
    "brand": "Aurora",
    "series": "A5",
    "model_year": 2026,
    "name": "A5 Long Range",
    "powertrain": "electric",
    "guide_price": yuan("189800.00"),
}


async def listed(desk: Desk) -> str:
    """The id of a trim in the catalogue."""
    return await made(desk.clerk, "/trims", TRIM)


def arrival(trim_id: str, vin: str = VIN, **changed: object) -> dict[str, object]:
    """The body of a receipt of a car."""
    return {
        "vin": vin,
        "trim_id": trim_id,
        "purchase": yuan("150000.00"),
        "rebate": yuan("3000.00"),
        "freight": yuan("1200.00"),
        "preparation": yuan("800.00"),
        "input_vat": yuan("19500.00"),
        "certificate": "pledged",
        **changed,
    }


async def in_stock(desk: Desk, trim_id: str | None = None, vin: str = VIN) -> str:
    """A car at the north store; the id of its stay."""
    body = arrival(trim_id or await listed(desk), vin, store_id=NORTH, supplier="Aurora Motors")
    stay_id = await made(desk.clerk, "/vehicles", body)
    await desk.settle()
    return stay_id


def delivered(stay_id: str) -> orders.OrderDelivered:
    """The hand-over of a car to who ordered it."""
    return orders.OrderDelivered(
        order_id=ORDER,
        number="SO-BJ2-20260302-001",
        store_id=SOUTH,
        entity_id=new_id(),
        vin=VIN,
        stay_id=stay_id,
        trim_id=new_id(),
        customer_id=new_id(),
        seller_id="li",
        opportunity_id=None,
        campaign_id=None,
        channel="walk-in",
        price=Money(18_980_000),
    )
