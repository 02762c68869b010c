"""Old and new versions side by side: what a newer service tells is heard as far as it is understood, and nothing stops."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.leads import known
from services.leads.app import service
from shared.bus.cloudevents import to_message
from shared.bus.consumer import Consumer
from shared.bus.memory import MemoryBus
from shared.bus.protocol import Message, topic_of
from shared.bus.seen import Seen
from shared.deciding import Folder
from shared.events.envelope import sequence
from shared.handling import Handler
from shared.store.memory import MemoryStore
from shared.store.protocol import OutboxRow
from shared.values.ids import derived_id
from tests.faults.record import Record
from tests.faults.workload import Desk, car, reserve_and_release, stock_value
from tests.faults.world import World
from tests.oracle import Oracle

NEWER = """
import json
from shared import deciding
from shared.events.registry import Registry

def more(text):
    return json.dumps(json.loads(text) | {"colour": "blue"}).encode() if text.startswith(b"{") else text

class Newer:
    def encode(self, what, encode=deciding._json.encode):
        return more(encode(what))

def newer(self, what, encode=Registry.encode):
    name, version, text = encode(self, what)
    return name, version, more(text)

deciding._json, Registry.encode = Newer(), newer
"""
"""A process of a version in which every event, envelope, meta and timer has a field more."""
LINEAGE = "11111111-1111-4111-8111-111111111111"
CARS = 3
STREAM = "store-0192f3a4-0000-7000-8000-000000000001"
STORE: dict[str, Any] = {"store_id": "s1", "code": "S01", "name": "South", "entity_id": "e1", "region": "south"}
STORE |= {"timezone": "Asia/Shanghai", "opens": "09:00", "closes": "18:00"}


def message(n: int, type: str, event: dict[str, Any]) -> Message:
    """The n-th event of the store, as a newer gateway might tell it."""
    attributes = {"time": datetime.now(UTC), "authid": "system", "correlationid": "c", "newattribute": "1"}
    row = OutboxRow(
        id=derived_id(STREAM, str(n)),
        stream=STREAM,
        sequence=sequence(n, 0),
        type=type,
        data=msgspec.json.encode(event).decode(),
        headers=msgspec.json.encode(attributes).decode(),
    )
    return to_message(row, "gateway", LINEAGE)


async def test_f24_unknown_fields_are_ignored_and_unknown_types_passed_over() -> None:
    bus, store = MemoryBus(), MemoryStore()
    handler = Handler(store, Folder(service.stored, service.aggregates), service.prepare)
    ear = Consumer("leads", store, bus, service.topics, service.listen, handler.apply)
    told = [
        message(1, "gateway.StoreOpened.v1", STORE | {"colour": "blue", "parking": {"places": 40}}),
        message(2, "gateway.StorePainted.v1", {"store_id": "s1", "colour": "green"}),
        message(3, "gateway.StoreOpened.v2", STORE | {"hours": ["09:00", "18:00"]}),
        message(4, "gateway.StoreOpened.v1", STORE | {"closes": "20:00", "colour": "green"}),
    ]
    await bus.publish(topic_of("gateway"), told)
    hearing = asyncio.create_task(ear.run())
    try:
        assert await Seen(store, "leads").reached("gateway", STREAM, sequence(4, 0), timeout=5)
    finally:
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing
    (row,) = await store.scan(known.stores)
    assert (row.code, row.closes) == ("S01", "20:00")
    assert ear.alarm is None


def test_f24_an_old_and_a_newer_process_share_a_store_and_its_streams(world: World, desk: Desk, oracle: Oracle, record: Record) -> None:
    oracle.settle()
    before, old = stock_value(desk), (desk.client(record, "stock"), desk.client(record, "sales"))
    with world.spare("inventory", "run", otherwise=NEWER):
        new = old[0].at(world.second_door), old[1].at(world.second_door)
        for (clerk, seller), (_, other) in [(old, new), (new, old)] * CARS:
            vin = desk.vin()
            clerk.finish(car(desk, clerk, vin))
            reserve_and_release(desk, other, vin)
            reserve_and_release(desk, seller, vin)
    oracle.settle()
    assert stock_value(desk) == before + 150_000 * 2 * CARS
    (kept,) = oracle.rows("inventory", "select count(*) as n from events where convert_from(data, 'UTF8') like '%%colour%%'")
    assert kept["n"] >= 5 * CARS
    assert not oracle.rows("finance", "select 1 from parked")
