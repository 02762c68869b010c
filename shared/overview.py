"""What an operator looks at: a stream, how far everybody is behind, what is parked, which timers fail. Personal fields stay tokens."""

import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from shared.bus import parked
from shared.bus.inbox import Parked, Position, inbox
from shared.bus.protocol import Bus, BusUnavailable, topic_of
from shared.deciding import Folder
from shared.events.envelope import Meta
from shared.handling import Handler
from shared.processes.timers import FOR_GOOD
from shared.service import Service
from shared.store.postgres import PostgresStore
from shared.store.protocol import Kept, Store
from shared.store.verify import first_fault

LATE = timedelta(seconds=30)
"""A public event waiting longer, or a topic not heard up to then, is wrong."""

_EVENTS = """select stream, version, id, type, type_version, occurred_at, meta, data, hash, recorded_at from events
    where stream = %s order by version"""
_OUTBOX = "select count(*), coalesce(clock_timestamp() - min(recorded_at), interval '0') from outbox"


class NotThere(Exception):
    """What was asked for does not exist."""


def moment(at: datetime) -> str:
    """A time as operators read it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + "Z"


async def show_stream(store: PostgresStore, stream: str) -> int:
    """Prints the events of a stream; 1 when its chain is broken. Raises NotThere."""
    async with store.begin() as tx:
        found = await (await tx.conn.cursor(binary=True).execute(_EVENTS, [stream])).fetchall()
        timers = await (await tx.conn.execute("select key, due_at from timers where stream = %s order by due_at", [stream])).fetchall()
    if not found:
        raise NotThere(f"There is no stream {stream}.")
    for *values, recorded_at in found:
        _show(Kept(*values), recorded_at)
    for key, due_at in timers:
        print(f"timer {key} due {moment(due_at)}")
    fault = first_fault([Kept(*values) for *values, _ in found])
    print(fault or f"the chain of {len(found)} events is whole")
    return 1 if fault else 0


def _show(row: Kept, recorded_at: datetime) -> None:
    try:
        meta = msgspec.json.decode(row.meta, type=Meta)
        about = f"by {meta.actor}, store {meta.store_id or '–'}, correlation {meta.correlation_id}, because of {meta.causation_id or 'a request'}"
    except msgspec.MsgspecError:
        about = repr(row.meta)
    print(f"{row.stream}@{row.version}  {row.type} v{row.type_version}  {row.id}  hash {row.hash.hex()[:16]}")
    print(f"  occurred {moment(row.occurred_at)}, recorded {moment(recorded_at)}, {about}")
    print(f"  {row.data.decode(errors='replace')}")


async def show_lag(service: Service, store: PostgresStore, bus: Bus, prefix: str) -> int:
    """Prints what waits to be told and to be heard; 1 when something waits too long, is parked, or Kafka does not answer."""
    async with store.begin() as tx:
        found = await (await tx.conn.execute(_OUTBOX)).fetchone()
        assert found is not None
        waiting, oldest = found
        positions, held = await inbox(tx).positions(service.context), await inbox(tx).parked(service.context)
    wrong = oldest > LATE or bool(held)
    print(
        f"{service.context}: {waiting} public events wait to be told, the oldest for {oldest.total_seconds():.1f} s{_mark(oldest > LATE)}"
    )
    if again := await store.republication():
        print(f"  tells its whole store again, so far {f'up to {again.after}' if again.after else 'nothing'}")
    for source in service.topics:
        try:
            ends = await bus.ends(topic_of(source, prefix))
        except BusUnavailable:
            print(f"  {source}: Kafka does not answer  !")
            return 1
        late, line = _heard(source, {place.partition: p for place, p in positions.items() if place.topic == topic_of(source, prefix)}, ends)
        wrong = wrong or late
        print(f"  hears {line}{_mark(late)}")
    if held:
        print(f"  {len(held)} messages are parked  !")
    return 1 if wrong else 0


def _heard(source: str, positions: dict[int, Position], ends: dict[int, int]) -> tuple[bool, str]:
    """Whether a topic is not heard up to half a minute ago, and how far it is."""
    behind = sum(end - (positions[partition].next if partition in positions else 0) for partition, end in ends.items())
    marks = [positions[partition].watermark if partition in positions else None for partition in ends]
    known = [at for at in marks if at is not None]
    if len(known) < len(ends):
        return behind > 0, f"{source}: {behind} messages behind, not heard from every partition yet"
    return datetime.now(UTC) - min(known) > LATE, f"{source}: {behind} messages behind, complete to {moment(min(known))}"


def _mark(wrong: bool) -> str:
    return "  !" if wrong else ""


async def show_parked(service: Service, store: Store) -> int:
    """Prints parked messages by stream, with why; 1 when there are any."""
    streams: dict[tuple[str, str], list[Parked]] = defaultdict(list)
    for message in await parked.waiting(store, service.context):
        streams[message.source, message.stream].append(message)
    print(f"{service.context}: {sum(map(len, streams.values()))} messages parked in {len(streams)} streams")
    for (source, stream), messages in streams.items():
        print(f"  {source} {stream}")
        for one in messages:
            when = moment(one.parked_at) if one.parked_at else "–"
            print(f"    {one.event_id}  sequence {one.sequence}  since {when}  {one.cause}")
    return 1 if streams else 0


async def retry_parked(service: Service, store: Store, source: str | None, stream: str | None) -> int:
    """Tries parked streams again, each in order and in one transaction; 1 when one still fails. Raises NotThere."""
    handler = Handler(store, Folder(service.stored, service.aggregates), service.prepare)
    keys = dict.fromkeys((message.source, message.stream) for message in await parked.waiting(store, service.context))
    wanted = [key for key in keys if source is None or key == (source, stream)]
    if source is not None and not wanted:
        raise NotThere(f"Nothing of {source} {stream} is parked.")
    failed = 0
    for theirs in wanted:
        try:
            freed = await parked.retry(store, service.context, *theirs, service.listen, handler.apply)
            print(f"{' '.join(theirs)}: {freed} messages taken, the stream is free")
        except Exception as error:  # whatever it is, it goes to the person who asked
            failed += 1
            print(f"{' '.join(theirs)}: still fails, all of it stays parked: {error!r}", file=sys.stderr)
    return 1 if failed else 0


async def discard_parked(service: Service, store: Store, event_id: UUID, reason: str) -> int:
    """Gives one parked message up. Raises NotThere."""
    if not await parked.discard(store, service.context, event_id, reason):
        raise NotThere(f"No message {event_id} is parked.")
    print(f"{event_id} is given up: {reason}")
    return 0


async def show_timers(service: Service, store: Store) -> int:
    """Prints timers that could not be handled; 1 when one has failed so often that a person has to look."""
    failing = await store.failing(1)
    print(f"{service.context}: {len(failing)} timers fail")
    for timer in failing:
        print(f"  {timer.key}  {timer.type} for {timer.stream}  {timer.tries} tries, again at {moment(timer.due_at)}  {timer.cause}")
    return 1 if any(timer.tries >= FOR_GOOD for timer in failing) else 0
