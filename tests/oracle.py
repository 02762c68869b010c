"""Says what was lost, doubled, put out of order or counted wrongly: from the record of a client and the databases alone.

    oracle.settle()       # until every event is published and heard
    oracle.check(record)  # AssertionError with all that is wrong

What services show is not asked: everything is computed anew from the stored events.
"""

import asyncio
import re
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import msgspec
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg.rows import dict_row

from deploy.local.plan import PREFIX, SERVICES, Plan
from deploy.local.setup import PARTITIONS
from shared.bus.protocol import Message, topic_of
from shared.contracts import published_name
from shared.deciding import Aggregate, Folded, Folder, evolve
from shared.events.envelope import Meta, Recorded, public_id, sequence
from shared.service import Service
from shared.views.table import Rows, Table
from tests.faults.record import Record
from tests.outcomes import Known, different, last_told, mismarked, mistold, told, wrongly_ended

SETTLES_WITHIN = 60.0
POLL = 0.1

_EVENTS = """select stream, version, id, type, type_version, convert_from(data, 'UTF8') as data, convert_from(meta, 'UTF8') as meta,
    occurred_at from events order by stream, version"""
_BROKEN = """select stream, count(*) as events, max(version) as last from events group by stream
    having count(*) <> max(version) or min(version) <> 1"""
_REORDERED = """select stream, version from (select stream, version, position,
    lag(position) over (partition by stream order by version) as before from events) as e where before >= position"""
_ANSWERED = """select i.subject, i.route, i.key, i.stream, i.version, i.status, e.stream is not null as there from idempotency i
    left join events e on e.stream = i.stream and e.version = i.version"""
_UNBALANCED = """select entity_id, currency, sum(amount)::bigint as sum from ledger_1
    group by entity_id, currency having sum(amount) <> 0"""
_BUSY = """select (select count(*) from outbox) as outbox, (select count(*) from timers where due_at < now()) as timers,
    (select count(*) from republications where done_at is null) as telling, (select coalesce(max(position), 0) from events) as position"""

_LATER = "update timers set due_at = due_at + interval '1 day' where due_at > clock_timestamp() returning 1"

_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_meta = msgspec.json.Decoder(Meta)


@dataclass
class Rebuilt:
    """What the stored events of a service make of it."""

    rows: dict[Table[Any], dict[tuple[Any, ...], Any]] = field(default_factory=lambda: defaultdict(dict))
    public: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    """Per stream its public events: sequence and id."""
    states: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    """The events themselves."""
    broken: dict[str, str] = field(default_factory=dict)
    """Streams that cannot be folded, and why."""


class Oracle:
    """Reads one installation as its operator could: role writer of each database, and Kafka."""

    def __init__(self, plan: Plan, secrets: dict[str, str], *, retold: bool = False) -> None:
        self.plan = plan
        self.retold = retold
        """Whether topics were told a second time: then an event's time of record is that of the store, a moment before its first telling's."""
        self.secrets = secrets
        self.services: dict[str, Service] = {name: import_module(f"services.{name}.app").service for name in SERVICES}
        self._kafka = f"127.0.0.1:{plan.kafka}"
        self._connections: dict[str, psycopg.Connection[dict[str, Any]]] = {}
        self._next: dict[TopicPartition, int] = {}
        self._messages: dict[str, list[Message]] = {name: [] for name in self.services}

    def rows(self, context: str, sql: str, params: Any = None) -> list[dict[str, Any]]:
        """What the database of a service answers; it may have been killed since it was last asked."""
        if context in self._connections:
            with suppress(psycopg.OperationalError):
                return self._connections[context].execute(sql.encode(), params).fetchall()
        url = self.plan.database(context, "writer", self.secrets)
        self._connections[context] = psycopg.connect(url, autocommit=True, row_factory=dict_row)
        return self._connections[context].execute(sql.encode(), params).fetchall()

    def topics(self) -> dict[str, list[Message]]:
        """All public events by context as they stand in Kafka, repeated ones too, per partition in order."""
        asyncio.run(self._read_on())
        return self._messages

    async def _read_on(self) -> None:
        """Reads what has come since it was last asked."""
        async with _reader(self._kafka) as consumer:
            places = _places(self.services)
            consumer.assign(places)
            for place in places:
                consumer.seek(place, self._next.get(place, 0))
            ends = await consumer.end_offsets(places)
            while any(self._next.get(place, 0) < ends[place] for place in places):
                for place, records in (await consumer.getmany(timeout_ms=100)).items():
                    self._next[place] = records[-1].offset + 1
                    messages = [Message(one.key, one.value or b"", list(one.headers)) for one in records if one.key is not None]
                    self._messages[place.topic.rpartition(".")[2]] += messages

    # --- until nothing moves -------------------------------------------------------------------------------------

    def let_rest(self) -> None:
        """Puts off what is not due yet: after an hour's work something is due every second, and a platform that goes on cannot be judged."""
        for context in self.services:
            self.rows(context, _LATER)

    def settle(self, seconds: float = SETTLES_WITHIN) -> float:
        """Waits until every outbox is empty, no timer is due and everybody has heard everything; the seconds it took."""
        began = time.monotonic()
        while True:
            before = self._idle(began + seconds)
            behind = self._behind()
            while behind:
                assert time.monotonic() < began + seconds, f"not heard after {seconds:.0f} s: {behind[:10]}"
                time.sleep(POLL)
                behind = self._behind()
            if self._idle(began + seconds) == before:
                return time.monotonic() - began

    def _idle(self, until: float) -> dict[str, int]:
        """The last position of every store, once no store has anything to send or to do."""
        while True:
            busy = {context: self.rows(context, _BUSY)[0] for context in self.services}
            waits = {context: row for context, row in busy.items() if row["outbox"] or row["timers"] or row["telling"]}
            if not waits:
                return {context: row["position"] for context, row in busy.items()}
            assert time.monotonic() < until, f"still to be sent or done: {waits}"
            time.sleep(POLL)

    def _behind(self) -> list[str]:
        """Streams of which a service has not heard the last public event."""
        last = {context: last_told(messages) for context, messages in self.topics().items()}
        found = []
        for name, service in self.services.items():
            marks = self._marks(name)
            for context in set(service.topics) & last.keys():
                found += [f"{name}: {stream}" for stream, n in last[context].items() if marks.get((context, stream), -1) < n]
        return found

    def _marks(self, context: str) -> dict[tuple[str, str], int]:
        """Up to which sequence a service has heard each stream, by source and stream."""
        return {(row["source"], row["stream"]): row["sequence"] for row in self.rows(context, "select * from marks")}

    def heard_everything(self, seconds: float = SETTLES_WITHIN) -> None:
        """Waits until every service has gone past what stands in Kafka now, repeated messages too."""
        ends = asyncio.run(_ends(self._kafka, self.services))
        until = time.monotonic() + seconds
        for name, service in self.services.items():
            while True:
                there = {(row["topic"], row["partition"]): row["next"] for row in self.rows(name, "select * from offsets")}
                heard = [place for place in ends if place.topic.rpartition(".")[2] in service.topics]
                if all(there.get((place.topic, place.partition), 0) >= ends[place] for place in heard):
                    break
                assert time.monotonic() < until, f"{name} has stopped at {there}"
                time.sleep(POLL)

    # --- what is wrong -------------------------------------------------------------------------------------------

    def check(self, record: Record) -> None:
        """Raises AssertionError with everything that is wrong."""
        topics = self.topics()
        wrong: list[str] = []
        for context, service in self.services.items():
            wrong += [f"{context}: {what}" for what in self._store(context)]
            rebuilt = self._rebuild(context, service)
            wrong += [f"{context}: {stream} cannot be folded: {why}" for stream, why in rebuilt.broken.items()]
            wrong += self._deeds(context, record, rebuilt)
            wrong += [f"{context}: {what}" for what in self._numbers(context, rebuilt)]
            heard = told(service, (message for source in service.topics for message in topics.get(source, ())))
            wrong += [f"{context}: {what}" for what in self._tables(context, service, rebuilt, heard)]
            wrong += [f"{context}: {what}" for what in mistold(rebuilt.public, topics[context])]
            wrong += [f"{context}: {what}" for what in wrongly_ended(rebuilt.states)]
            wrong += [f"{context}: {what}" for what in mismarked(self._marks(context), {name: topics[name] for name in service.topics})]
        wrong += [f"ledger: {row}" for row in self.rows("finance", _UNBALANCED)]
        assert not wrong, f"{len(wrong)} faults:\n" + "\n".join(wrong[:30])

    def _deeds(self, context: str, record: Record, rebuilt: Rebuilt) -> Iterator[str]:
        """Acknowledged commands whose effect is not there exactly once, and commands nobody knows the outcome of."""
        answers = {(row["subject"], row["route"], row["key"]): row for row in self.rows(context, _ANSWERED)}
        marked = Counter(mark for text in rebuilt.texts for mark in _TEXT.findall(text))
        for deed in record:
            if deed.context != context:
                continue
            found = answers.get((deed.staff, deed.route, deed.key))
            if deed.refused:
                if found is not None:
                    yield f"{deed.path} {deed.key}: refused with {deed.answers[-1].problem}; the store has {found}"
                continue
            if deed.done is None:
                yield f"{deed.path} {deed.key}: outcome unknown to the client; the store has {found}"
            elif found is None or not found["there"] or found["version"] != deed.done.version:
                yield f"{deed.path} {deed.key}: answered {deed.done}; the store has {found}"
            if deed.mark and (n := marked[deed.mark]) != 1:
                yield f"{deed.path} {deed.key}: {n} times {deed.mark}"

    def _store(self, context: str) -> Iterator[str]:
        """Streams with gaps or repeats, waiting public events, parked messages."""
        yield from (f"stream {row}" for row in self.rows(context, _BROKEN))
        yield from (f"position {row}" for row in self.rows(context, _REORDERED))
        yield from (f"unsent {row}" for row in self.rows(context, "select stream, sequence from outbox"))
        yield from (f"parked {row}" for row in self.rows(context, "select source, stream, sequence, cause from parked"))

    def _numbers(self, context: str, rebuilt: Rebuilt) -> Iterator[str]:
        """Series of numbers with one missing, or one that was never given."""
        everything = "\n".join(rebuilt.texts)
        for row in self.rows(context, "select series, day, n from numbers"):
            prefix = f"{row['series']}-{row['day']:%Y%m%d}-"
            used = {int(n) for n in re.findall(rf'"{re.escape(prefix)}(\d+)"', everything)}
            if used != set(range(1, row["n"] + 1)):
                yield f"numbers {prefix}: {row['n']} were given, {len(used)} are used up to {max(used, default=0)}"

    def _tables(self, context: str, service: Service, rebuilt: Rebuilt, heard: Known) -> Iterator[str]:
        """Rows that are not what the streams say, what was published by others, or, where a table is filled by both, either."""
        inline = {view.table for aggregate in service.aggregates for view in aggregate.views}
        for table in service.all_tables():
            if table not in inline and not service.topics:
                continue
            wanted: dict[tuple[Any, ...], Any] = dict(rebuilt.rows[table])
            if table not in inline or table.name in service.also_heard:
                wanted |= heard[table]
            sql = f"select {', '.join(table.columns)} from {table.sql_name}"
            stored = {table.key_of(row): row for row in (msgspec.convert(row, type=table.row) for row in self.rows(context, sql))}
            yield from different(table.sql_name, stored, wanted, self._same)

    def _same(self, told: Any, stored: Any) -> bool:
        """Whether a row is what was told; of one told a second time, to the second."""
        if not (self.retold and told and stored and hasattr(told, "recorded_at")):
            return bool(told == stored)
        apart = abs(told.recorded_at - stored.recorded_at)
        return bool(apart < timedelta(seconds=1) and told == replace(stored, recorded_at=told.recorded_at))

    def _rebuild(self, context: str, service: Service) -> Rebuilt:
        """Folds every stream of a service."""
        folder, rebuilt, folded, before = Folder(service.stored, service.aggregates), Rebuilt(), Folded(state=None), ""
        for row in self.rows(context, _EVENTS):
            stream = row["stream"]
            rebuilt.texts.append(row["data"])
            aggregate = folder.of(stream)
            if stream != before:
                before, folded = stream, Folded(state=aggregate.decider.initial)
            event = service.stored.decode(row["type"], row["type_version"], row["data"].encode())
            meta = _meta.decode(row["meta"])
            recorded = Recorded(id=row["id"], stream=stream, version=row["version"], event=event, occurred_at=row["occurred_at"], meta=meta)
            try:
                _take(aggregate, folded, recorded, rebuilt)
            except Exception as error:
                rebuilt.broken[stream] = repr(error)
        return rebuilt


def _take(aggregate: Aggregate[Any, Any, Any], folded: Folded, recorded: Recorded[Any], rebuilt: Rebuilt) -> None:
    """One event into state, rows and public events."""
    before = dict(folded.rows)
    evolve(aggregate, folded, recorded)
    rebuilt.states[recorded.stream] = folded.state
    for view in aggregate.views:
        if isinstance(view, Rows):
            rebuilt.rows[view.table] |= {view.table.key_of(row): row for row in view.apply(recorded)}
            continue
        if (old := before.get(view)) is not None:
            rebuilt.rows[view.table].pop(view.table.key_of(old), None)
        if (new := folded.rows[view]) is not None:
            rebuilt.rows[view.table][view.table.key_of(new)] = new
    for index, public in enumerate(aggregate.publish(recorded.event, folded.state)):
        id = public_id(recorded.id, published_name(public), index)
        rebuilt.public[recorded.stream].append((sequence(recorded.version, index), str(id)))


def _places(contexts: Iterable[str]) -> list[TopicPartition]:
    return [TopicPartition(topic_of(context, PREFIX), partition) for context in contexts for partition in range(PARTITIONS)]


@asynccontextmanager
async def _reader(kafka: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _ends(kafka: str, contexts: Iterable[str]) -> dict[TopicPartition, int]:
    async with _reader(kafka) as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(_places(contexts))
        return ends
