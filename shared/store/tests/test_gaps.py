"""Nothing is skipped and no stream's order breaks, whatever order transactions commit in: the failure four frameworks shipped."""

import asyncio
import random
from uuid import UUID, uuid4

import msgspec

from shared.bus.memory import MemoryBus
from shared.bus.relay import Relay
from shared.store.postgres import PostgresStore
from shared.store.protocol import Answer, Commit, Conflict, EventRow, Key, OutboxRow
from shared.store.tests.support import postgres_store
from shared.testing.servers import FreshDatabase
from shared.testing.tills import NOON
from shared.values.ids import new_id

WRITERS = 16
EVENTS = 20_000
PER_COMMIT = 6
STREAMS = [f"till-{number}" for number in range(64)]


async def test_a_relay_skips_nothing_and_keeps_each_streams_order(fresh_database: FreshDatabase) -> None:
    seed = random.randrange(1 << 30)
    print("seed", seed)
    async with postgres_store(fresh_database) as store:
        bus = MemoryBus()
        relay = Relay(store, bus, "testing", uuid4(), poll=0.005, batch=20)
        relaying = asyncio.create_task(relay.run())
        committed: dict[UUID, tuple[str, int]] = {}
        await asyncio.gather(*(_write(store, committed, random.Random(seed + writer)) for writer in range(WRITERS)))
        while await store.waiting(1):
            await asyncio.sleep(0.02)
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)

    published = [dict(record.message.headers) for record in bus.records(relay.topic) if record.message.key]
    assert len(committed) >= EVENTS
    assert {UUID(headers["ce_id"].decode()) for headers in published} == set(committed)
    last: dict[str, int] = {}
    for headers in published:
        stream, place = committed[UUID(headers["ce_id"].decode())]
        assert place > last.get(stream, 0)
        last[stream] = place


async def _write(store: PostgresStore, committed: dict[UUID, tuple[str, int]], chance: random.Random) -> None:
    """Transactions that get their id early, hold it a while, and end in a commit, a lost race or a rollback."""
    while len(committed) < EVENTS:
        stream = chance.choice(STREAMS)
        rows: list[OutboxRow] = []
        try:
            async with store.begin() as tx:
                key = Key(subject="li", route="test", key=new_id())
                await tx.append(Commit(answers=[Answer(key=key, body_hash="", status=200, stream=stream, version=1, seen=None)]))
                await asyncio.sleep(0.4 if chance.random() < 0.01 else chance.random() * 0.02)
                version = len((await tx.load([stream])).events[stream])
                rows = [_outbox(stream, version + n) for n in range(1, PER_COMMIT + 1)]
                await tx.append(Commit(events=[_event(stream, version + n) for n in range(1, PER_COMMIT + 1)], outbox=rows))
                await asyncio.sleep(chance.random() * 0.01)
                if chance.random() < 0.1:
                    raise _RolledBack
        except (Conflict, _RolledBack):
            continue
        committed |= {row.id: (row.stream, row.sequence) for row in rows}


class _RolledBack(Exception):
    """One in ten ends so."""


def _event(stream: str, version: int) -> EventRow:
    return EventRow(
        stream=stream, version=version, id=uuid4(), type="Filled", type_version=1, data='{"amount":1}', meta="{}", occurred_at=NOON
    )


def _outbox(stream: str, version: int) -> OutboxRow:
    headers = msgspec.json.encode({"time": NOON}).decode()
    return OutboxRow(id=uuid4(), stream=stream, sequence=version * 100, type="testing.TillFilled.v1", data="{}", headers=headers)
