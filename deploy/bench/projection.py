"""From Kafka to reporting's rows: our consumer with its inbox, a bare loop that writes the same rows, and pyeventsourcing's runner."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.bench import raw
from deploy.bench.measure import Contender, Contenders, Prepared, Took, times
from deploy.bench.peers import event_stores
from deploy.bench.place import Place, opened
from deploy.local.setup import PARTITIONS
from services.reporting.app import service
from services.reporting.views.facts import lead_facts
from services.reporting.views.heard import REFERENCES, heard_events
from services.reporting.views.standing import lead_states
from shared.bus.cloudevents import to_message
from shared.bus.consumer import Consumer
from shared.bus.heard import Effect, Heard
from shared.bus.kafka import KafkaBus
from shared.contracts import leads, published_name
from shared.deciding import Folder
from shared.events.envelope import sequence
from shared.handling import Handler
from shared.store.postgres import PostgresStore
from shared.store.protocol import OutboxRow
from shared.testing.tasks import at_work
from shared.values.clock import utc_now
from shared.values.ids import new_id, new_uuid
from shared.views.table import Table

LEADS = 5_000
TURN = 4 * LEADS
OURS, RAW, RUNNER = "ours, reporting", "raw batches of 500 by unnest", "pyeventsourcing's ProjectionRunner"
GOALS = (times(OURS, RAW, 0.75), times(OURS, RUNNER, 60))
STORE = "0192f3a4-0000-7000-8000-000000000001"
PATIENCE = 120
_encode = msgspec.json.Encoder().encode


def story(lead_id: str) -> list[Any]:
    """A lead's first four public events."""
    person, seller, due = new_id(), new_id(), utc_now() + timedelta(minutes=30)
    about = {"store_id": STORE, "entity_id": new_id(), "brand": "Aurora", "series": "A5", "channel": "website", "campaign_id": None}
    sealed = {"name": f"~p1.{person}", "phone": f"~p1.{person}", "email": f"~p1.{person}"}
    return [
        leads.LeadCaptured(lead_id=lead_id, person_id=person, **about, **sealed),  # type: ignore[arg-type]
        leads.LeadGraded(lead_id=lead_id, grade="H", rule="budget and date"),
        leads.LeadAssigned(lead_id=lead_id, person_id=person, seller_id=seller, contact_due_at=due),
        leads.LeadContacted(lead_id=lead_id, seller_id=seller, due_at=due, within_sla=True),
    ]


def stories() -> Iterable[OutboxRow]:
    """The events of all leads, the first of each before the second of any."""
    told = {lead_id: story(lead_id) for lead_id in (new_id() for _ in range(LEADS))}
    for number in range(4):
        for lead_id, events in told.items():
            attributes = {"time": utc_now(), "storeid": STORE, "authid": "lin", "correlationid": lead_id, "causationid": new_id()}
            yield OutboxRow(
                id=new_uuid(),
                stream=f"lead-{lead_id}",
                sequence=sequence(number + 1, 0),
                type=published_name(events[number]),
                data=_encode(events[number]).decode(),
                headers=_encode(attributes).decode(),
                recorded_at=utc_now(),
            )


async def tell(bus: KafkaBus, prefix: str, lineage: str) -> None:
    """A turn's events to the topic of leads."""
    rows = list(stories())
    for start in range(0, TURN, 1000):
        await bus.publish(f"{prefix}.leads", [to_message(row, "leads", lineage) for row in rows[start : start + 1000]])


class Ours:
    """Reporting's consumer, from offset 0 with empty tables in every turn."""

    until = TURN
    """How many events it has taken in all when the turn is over."""

    def __init__(self, store: PostgresStore, bus: KafkaBus, prefix: str) -> None:
        self.store = store
        self.bus = bus
        self.prefix = prefix

    async def prepare(self) -> None:
        """Forgets everything."""
        async with self.store.pool.connection() as connection:
            await connection.execute("truncate offsets, marks, lineages, heard_1, lead_facts_1, lead_states_1")

    async def run(self, seconds: float) -> Took:
        """Until all is taken, counted from the first event."""
        handler = Handler(self.store, Folder(service.stored, service.aggregates))
        began = 0.0

        def listen(heard: Heard) -> list[Effect]:
            nonlocal began
            began = began or time.perf_counter()
            return service.listen(heard)

        consumer = Consumer("reporting", self.store, self.bus, ("leads",), listen, handler.apply, prefix=self.prefix)
        async with at_work(consumer.run()), asyncio.timeout(PATIENCE):
            while sum(position.next for position in consumer.positions.values()) < self.until:
                await asyncio.sleep(0.005)
            return Took(operations=TURN, seconds=time.perf_counter() - began)


class Raw:
    """A loop that writes the same rows, with no offset, no mark and no second look; where leads stand it keeps in a dictionary."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], kafka: str, topic: str) -> None:
        self.connection = connection
        self.kafka = kafka
        self.topic = topic
        self.states: dict[str, dict[str, Any]] = {}

    async def prepare(self) -> None:
        """Empties the tables."""
        self.states.clear()
        await self.connection.execute("truncate heard_1, lead_facts_1, lead_states_1")

    async def run(self, seconds: float) -> Took:
        """Until all is written."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await consumer.start()
        try:
            places = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            began, taken = time.perf_counter(), 0
            while taken < TURN:
                batches = await consumer.getmany(timeout_ms=1000, max_records=500)
                records = [record for batch in batches.values() for record in batch]
                if records:
                    await self._write([_rows(record) for record in records])
                taken += len(records)
            return Took(operations=TURN, seconds=time.perf_counter() - began)
        finally:
            await consumer.stop()

    async def _write(self, told: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> None:
        states = {fact["lead_id"]: _stands(fact, self.states) for _, fact in told}
        parts = ((_HEARD, [heard for heard, _ in told]), (_FACTS, [fact for _, fact in told]), (_STATES, states.values()))
        async with self.connection.transaction():
            for (sql, names), rows in parts:
                await self.connection.execute(sql, [[row.get(name) for row in rows] for name in names])


def _unnest(table: Table[Any], conflict: str = "nothing") -> tuple[bytes, Sequence[str]]:
    names, arrays = ", ".join(table.columns), ", ".join(f"%s::{kind}[]" for kind in table.columns.values())
    key = ", ".join(table.key)
    sql = f"insert into {table.sql_name} ({names}) select * from unnest({arrays}) on conflict ({key}) do {conflict}"
    return sql.encode(), list(table.columns)


_HEARD, _FACTS = _unnest(heard_events), _unnest(lead_facts)
_STATES = _unnest(lead_states, f"update set {', '.join(f'{name} = excluded.{name}' for name in lead_states.columns)}")
_KINDS = {"LeadCaptured": "captured", "LeadGraded": "graded", "LeadAssigned": "assigned", "LeadContacted": "contacted"}


def _stands(fact: dict[str, Any], states: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Where a lead stands after this fact."""
    kind, at = fact["kind"], fact["occurred_at"]
    if kind == "captured":
        states[fact["lead_id"]] = fact | {"stepped_at": at, "reached": 0, "stands": 0, "closed": False}
    state = states[fact["lead_id"]]
    state["recorded_at"] = fact["recorded_at"]
    if kind == "graded":
        state["grade"] = fact["grade"]
    elif kind == "assigned":
        state["seller_id"] = fact["seller_id"]
    elif kind == "contacted":
        state |= {"stepped_at": at, "reached": 1, "stands": 1}
    return state


def _rows(record: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    told = {name: value.decode() for name, value in record.headers}
    event = msgspec.json.decode(record.value)
    stream, number, at = told["ce_partitionkey"], int(told["ce_sequence"]), told["ce_time"]
    common = {
        "stream": stream,
        "sequence": number,
        "occurred_at": at,
        "recorded_at": told["ce_recordedtime"],
        "store_id": told["ce_storeid"],
    }
    about = {"event_id": told["ce_id"], "type": told["ce_type"], "source": "leads", "actor": told["ce_authid"]}
    heard = common | about | {"correlation_id": told["ce_correlationid"], "data": record.value.decode()}
    heard |= {name: event.get(name) for name in REFERENCES}
    kind = _KINDS[told["ce_type"].split(".")[1]]
    fact = event | common | {"kind": kind, "captured_at": at if kind == "captured" else None}
    return heard, fact


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """A turn is the 20,000 public events of 5,000 leads, whatever its seconds; a thousand for the runner."""
    prefix = await place.servers.fresh_topics("leads")
    bus = KafkaBus(place.servers.kafka)
    await tell(bus, prefix, new_id())
    async with AsyncExitStack() as stack:
        stack.push_async_callback(bus.close)
        store = await stack.enter_async_context(opened(await place.database("reporting", *service.all_tables())))
        bare = await place.database("reporting", *service.all_tables())
        (connection,) = await stack.enter_async_context(raw.connections(bare, 1))
        ours, hand = Ours(store, bus, prefix), Raw(connection, place.servers.kafka, f"{prefix}.leads")
        made: dict[str, Contender | Prepared] = {OURS: Prepared(ours.prepare, ours.run), RAW: Prepared(hand.prepare, hand.run)}
        with place.perhaps(RUNNER):
            made[RUNNER] = event_stores.eventsourcing(await place.superuser("runner"), "project", 1_000)
        yield made
