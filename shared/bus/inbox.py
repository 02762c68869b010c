"""What a consumer remembers beside its marks: where it stopped, whose messages it knows, which it has parked."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable
from uuid import UUID

import msgspec
from psycopg.errors import DivisionByZero
from psycopg.rows import dict_row

from shared.bus.protocol import Message, Place
from shared.store.memory import MemoryTransaction
from shared.store.postgres import Connection, PostgresStore, PostgresTransaction
from shared.store.protocol import Store, Transaction

type Key = tuple[str, str]
"""Source and stream: what keeps its order."""


class Position(NamedTuple):
    """The offset a consumer wants next from a partition, and how far that partition's store was published."""

    next: int
    watermark: datetime | None


class Known(NamedTuple):
    """What was known of a batch's streams: the last sequence taken of each, and which are parked."""

    marks: dict[Key, int]
    parked: set[Key]


type Moves = Mapping[Place, tuple[int, Position]]
"""Per partition where it is believed to be, and where it goes."""


@dataclass(frozen=True, kw_only=True)
class Parked:
    """A message that failed too often, or came behind one that did."""

    event_id: UUID
    source: str
    stream: str
    sequence: int
    topic: str
    partition: int
    offset: int
    headers: str
    """JSON pairs of name and text."""
    data: bytes
    cause: str
    parked_at: datetime | None = None

    @property
    def message(self) -> Message:
        """The message as it came."""
        pairs = msgspec.json.decode(self.headers, type=list[tuple[str, str]])
        return Message(self.stream.encode(), self.data, [(name, value.encode()) for name, value in pairs])


@runtime_checkable
class Inbox(Protocol):
    """Part of the transaction it was made of."""

    async def take(self, consumer: str, moves: Moves, newest: Mapping[Key, int]) -> Known | None:
        """Moves offsets from where they are believed to be, and marks to `newest`; None, and nothing is moved, when another member has moved one.

        On PostgreSQL one statement: a batch of one message is mostly statements. After None the transaction is dead.
        """
        ...

    async def positions(self, consumer: str) -> dict[Place, Position]:
        """Where the consumer stopped in each partition."""
        ...

    async def lineages(self, consumer: str) -> dict[str, str]:
        """The store known for each source, and under '' the cluster its offsets belong to."""
        ...

    async def learn(self, consumer: str, source: str, lineage: str) -> None:
        """Keeps the lineage of a source heard for the first time."""
        ...

    async def parked_keys(self, consumer: str, keys: Collection[Key]) -> set[Key]:
        """Which of these keys are parked; locked against the other side, consumer or operator, until this transaction ends."""
        ...

    async def park(self, consumer: str, message: Parked) -> None:
        """Keeps a message and marks its key; a message already parked stays as it is."""
        ...

    async def parked(self, consumer: str, key: Key | None = None) -> list[Parked]:
        """What is parked behind a key (None: behind all), in order."""
        ...

    async def parked_count(self, consumer: str) -> int:
        """How many messages are parked."""
        ...

    async def reached(self, consumer: str, keys: Collection[Key]) -> dict[Key, int]:
        """The sequence up to which each of these streams is taken, and nothing of it parked."""
        ...

    async def unpark(self, consumer: str, event_ids: Collection[UUID]) -> None:
        """Drops parked messages, and the mark of each key that has none left."""
        ...


def inbox(tx: Transaction) -> Inbox:
    """The inbox of this transaction's store, which may be the transaction itself."""
    match tx:
        case PostgresTransaction():
            return _PostgresInbox(tx.conn)
        case Inbox():
            return tx
        case MemoryTransaction():
            return MemoryInbox(tx.data.inbox, tx.data.offsets, tx.data.watermarks, tx.data.marks)
        case _:
            raise TypeError(type(tx).__name__)


async def take_alone(store: Store, consumer: str, moves: Moves, newest: Mapping[Key, int]) -> Known | None:
    """Takes where there is nothing to do but this: on PostgreSQL without BEGIN and COMMIT around the statement."""
    if isinstance(store, PostgresStore):
        async with store.look() as tx:
            return await inbox(tx).take(consumer, moves, newest)
    async with store.begin() as tx:
        return await inbox(tx).take(consumer, moves, newest)


def _named(keys: Collection[Key]) -> str:
    return _json([{"source": source, "stream": stream} for source, stream in keys])


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()


_TAKE = """with moves as (select * from json_to_recordset(%(moves)s::json)
        as x(topic text, partition integer, start bigint, "end" bigint, watermark timestamptz)),
    newest as (select * from json_to_recordset(%(newest)s::json) as x(source text, stream text, sequence bigint)),
    moved as (insert into offsets (consumer, topic, partition, next, watermark)
        select %(consumer)s, topic, partition, "end", watermark from moves m where start = 0 or exists (select from offsets o
            where o.consumer = %(consumer)s and o.topic = m.topic and o.partition = m.partition) order by topic, partition
        on conflict (consumer, topic, partition) do update
        set next = excluded.next, watermark = coalesce(excluded.watermark, offsets.watermark)
        where offsets.next = (select start from moves m where m.topic = offsets.topic and m.partition = offsets.partition)
        returning topic),
    marked as (insert into marks (consumer, source, stream, sequence)
        select %(consumer)s, source, stream, sequence from newest
        order by source, stream
        on conflict (consumer, source, stream) do update set sequence = greatest(marks.sequence, excluded.sequence)
        returning source, stream, old.sequence as before),
    held as (select k.source, k.stream from parked_keys k join newest using (source, stream) where k.consumer = %(consumer)s
        order by k.source, k.stream for update of k)
    select 1 / ((select count(*) from moved) = (select count(*) from moves))::int, m.source, m.stream, m.before, h.source is not null
    from (values (1)) one left join marked m on true left join held h using (source, stream)"""
"""Whole or not at all, without a transaction around it too: it divides by zero when an offset is not where it was believed to be."""
_LOCK = """select source, stream from parked_keys where consumer = %s
    and (source, stream) in (select * from json_to_recordset(%s::json) as x(source text, stream text))
    order by source, stream for update"""
_PARK_KEY = "insert into parked_keys (consumer, source, stream) values (%(consumer)s, %(source)s, %(stream)s) on conflict do nothing"
_PARK = """insert into parked (consumer, event_id, source, stream, sequence, topic, partition, "offset", headers, data, cause)
    values (%(consumer)s, %(event_id)s, %(source)s, %(stream)s, %(sequence)s, %(topic)s, %(partition)s, %(offset)s,
        convert_to(%(headers)s, 'UTF8'), %(data)s, %(cause)s) on conflict do nothing"""
_PARKED = """select event_id, source, stream, sequence, topic, partition, "offset", convert_from(headers, 'UTF8') as headers, data,
    cause, parked_at from parked where consumer = %(consumer)s
    and (%(source)s::text is null or (source = %(source)s and stream = %(stream)s))
    order by source, stream, sequence, "offset" """
_REACHED = """select source, stream, least(sequence, (select min(p.sequence) - 1 from parked p
        where (p.consumer, p.source, p.stream) = (m.consumer, m.source, m.stream)))
    from marks m where consumer = %s and (source, stream) in (select * from json_to_recordset(%s::json) as x(source text, stream text))"""
_FREE = """delete from parked_keys k where consumer = %(consumer)s and not exists
    (select from parked p where p.consumer = k.consumer and p.source = k.source and p.stream = k.stream)"""


class _PostgresInbox:
    def __init__(self, conn: Connection) -> None:
        self.conn = conn

    async def take(self, consumer: str, moves: Moves, newest: Mapping[Key, int]) -> Known | None:
        moved = [
            {"topic": place.topic, "partition": place.partition, "start": start, "end": position.next, "watermark": position.watermark}
            for place, (start, position) in sorted(moves.items())
        ]
        marked = [{"source": source, "stream": stream, "sequence": n} for (source, stream), n in sorted(newest.items())]
        try:
            found = await self.conn.execute(_TAKE, {"consumer": consumer, "moves": _json(moved), "newest": _json(marked)})
        except DivisionByZero:
            return None
        keys = [((source, stream), before, held) for _, source, stream, before, held in await found.fetchall() if source is not None]
        return Known({key: before for key, before, _ in keys if before is not None}, {key for key, _, held in keys if held})

    async def positions(self, consumer: str) -> dict[Place, Position]:
        sql = "select topic, partition, next, watermark from offsets where consumer = %s"
        return {Place(t, p): Position(n, w) for t, p, n, w in await (await self.conn.execute(sql, [consumer])).fetchall()}

    async def lineages(self, consumer: str) -> dict[str, str]:
        sql = "select source, lineage from lineages where consumer = %s"
        return dict(await (await self.conn.execute(sql, [consumer])).fetchall())

    async def learn(self, consumer: str, source: str, lineage: str) -> None:
        sql = "insert into lineages (consumer, source, lineage) values (%s, %s, %s) on conflict do nothing"
        await self.conn.execute(sql, [consumer, source, lineage])

    async def parked_keys(self, consumer: str, keys: Collection[Key]) -> set[Key]:
        return set(await (await self.conn.execute(_LOCK, [consumer, _named(keys)])).fetchall())

    async def park(self, consumer: str, message: Parked) -> None:
        row = asdict(message) | {"consumer": consumer}
        await self.conn.execute(_PARK_KEY, row)
        await self.conn.execute(_PARK, row)

    async def parked(self, consumer: str, key: Key | None = None) -> list[Parked]:
        source, stream = key or (None, None)
        cursor = self.conn.cursor(row_factory=dict_row)
        found = await cursor.execute(_PARKED, {"consumer": consumer, "source": source, "stream": stream})
        return [Parked(**row) for row in await found.fetchall()]

    async def parked_count(self, consumer: str) -> int:
        [(n,)] = await (await self.conn.execute("select count(*) from parked where consumer = %s", [consumer])).fetchall()
        return int(n)

    async def reached(self, consumer: str, keys: Collection[Key]) -> dict[Key, int]:
        found = await (await self.conn.execute(_REACHED, [consumer, _named(keys)])).fetchall()
        return {(source, stream): sequence for source, stream, sequence in found}

    async def unpark(self, consumer: str, event_ids: Collection[UUID]) -> None:
        await self.conn.execute("delete from parked where consumer = %s and event_id = any(%s)", [consumer, list(event_ids)])
        await self.conn.execute(_FREE, {"consumer": consumer})


class MemoryInbox:
    """What a memory transaction keeps."""

    def __init__(
        self,
        kept: dict[str, Any],
        offsets: dict[tuple[str, str, int], int],
        watermarks: dict[tuple[str, str, int], datetime],
        marks: dict[tuple[str, str, str], int],
    ) -> None:
        self._offsets = offsets
        self._watermarks = watermarks
        self._marks = marks
        self._lineages: dict[Key, str] = kept.setdefault("lineages", {})
        self._parked: dict[tuple[str, UUID], Parked] = kept.setdefault("parked", {})

    async def take(self, consumer: str, moves: Moves, newest: Mapping[Key, int]) -> Known | None:
        if any(self._offsets.get((consumer, *place), 0) != start for place, (start, _) in moves.items()):
            return None
        for place, (_, position) in moves.items():
            self._offsets[consumer, *place] = position.next
            if position.watermark is not None:
                self._watermarks[consumer, *place] = position.watermark
        before = {key: self._marks[consumer, *key] for key in newest if (consumer, *key) in self._marks}
        self._marks |= {(consumer, *key): max(n, before.get(key, n)) for key, n in newest.items()}
        return Known(before, await self.parked_keys(consumer, newest.keys()))

    async def positions(self, consumer: str) -> dict[Place, Position]:
        held = {(t, p): n for (c, t, p), n in self._offsets.items() if c == consumer}
        return {Place(t, p): Position(n, self._watermarks.get((consumer, t, p))) for (t, p), n in held.items()}

    async def lineages(self, consumer: str) -> dict[str, str]:
        return {source: lineage for (c, source), lineage in self._lineages.items() if c == consumer}

    async def learn(self, consumer: str, source: str, lineage: str) -> None:
        self._lineages.setdefault((consumer, source), lineage)

    async def parked_keys(self, consumer: str, keys: Collection[Key]) -> set[Key]:
        return {(m.source, m.stream) for m in await self.parked(consumer)} & set(keys)

    async def park(self, consumer: str, message: Parked) -> None:
        self._parked.setdefault((consumer, message.event_id), replace(message, parked_at=datetime.now(UTC)))

    async def parked(self, consumer: str, key: Key | None = None) -> list[Parked]:
        held = [m for (c, _), m in self._parked.items() if c == consumer and (key is None or (m.source, m.stream) == key)]
        return sorted(held, key=lambda m: (m.source, m.stream, m.sequence, m.offset))

    async def parked_count(self, consumer: str) -> int:
        return len(await self.parked(consumer))

    async def reached(self, consumer: str, keys: Collection[Key]) -> dict[Key, int]:
        taken = {key: self._marks[consumer, *key] for key in keys if (consumer, *key) in self._marks}
        first = {(m.source, m.stream): m.sequence for m in reversed(await self.parked(consumer))}
        return {key: min(n, first.get(key, n + 1) - 1) for key, n in taken.items()}

    async def unpark(self, consumer: str, event_ids: Collection[UUID]) -> None:
        for event_id in event_ids:
            self._parked.pop((consumer, event_id), None)
