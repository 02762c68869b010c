"""Takes public events: effect, offset and marks in one transaction, so that a message counts once however often it comes."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
import structlog

from shared.bus import metrics
from shared.bus.cloudevents import Envelope, Malformed, Watermark, heard, known, read
from shared.bus.heard import Effect, Heard, Listen
from shared.bus.inbox import Key, Known, Moves, Position, inbox, take_alone
from shared.bus.pace import Pace
from shared.bus.parked import Apply, parked
from shared.bus.protocol import PREFIX, Batch, Bus, BusUnavailable, OutOfRange, Place, Record, Subscription, topic_of
from shared.ops import failpoints, telemetry
from shared.store.protocol import Conflict, Store, Taken, Transaction, Unavailable

log = structlog.get_logger(__name__)

_PASSING = (Unavailable, psycopg.OperationalError, BusUnavailable, TimeoutError, ConnectionError)
"""Not a try: whoever does not answer is waited for."""
CLUSTER = ""
_IDLE = 1.0
"""Seconds for which watermarks alone are not worth a transaction."""
_PATIENCE = 10.0
"""Seconds of message-by-message work before the bus is polled again."""
_LOST_RACES = 20


class Stopped(Exception):
    """Going on would skip or mix up messages; a person has to look."""


class Moved(Exception):
    """Another member of the group has taken these messages."""


@dataclass
class _Reading:
    """A batch as it was read: positions after it, its events (None: a broken one), and the stores they come from."""

    ahead: dict[Place, Position]
    lineages: dict[str, str]
    events: list[tuple[Record, Envelope | None]] = field(default_factory=list)
    newest: dict[Key, int] = field(default_factory=dict)
    """The highest sequence of each stream."""
    made: dict[tuple[Place, int], tuple[Heard, list[Effect]] | Exception] = field(default_factory=dict)
    """What the listener made of an event, or how it failed."""


@dataclass
class _Plan:
    """What is to be done with the messages of one transaction."""

    fresh: list[tuple[Record, Envelope]] = field(default_factory=list)
    park: list[tuple[Record, Envelope | None]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)


class Consumer:
    """One service's ear: it hears `contexts`, and what `listen` makes of an event is carried out by `apply`."""

    def __init__(
        self,
        name: str,
        store: Store,
        bus: Bus,
        contexts: Collection[str],
        listen: Listen,
        apply: Apply,
        *,
        tries: int = 5,
        pause: float = 0.05,
        prefix: str = PREFIX,
    ) -> None:
        self.name = name
        self.store = store
        self.bus = bus
        self.group = f"{prefix}.{name}"
        self.topics = [topic_of(context, prefix) for context in contexts]
        self.listen = listen
        self.apply = apply
        self.tries = tries
        self.pause = pause
        """Seconds before the first repeated try; doubled each time."""
        self.alarm: str | None = None
        """Why this consumer stopped itself; None while it is healthy."""
        self.positions: dict[Place, Position] = {}
        """What is stored: the next offset wanted and the watermark, per assigned partition."""
        self._ahead: dict[Place, Position] = {}
        self._lineages: dict[str, str] = {}
        self._one_by_one = False
        self._flush_at = 0.0
        self._tell_at = 0.0
        metrics.begin_consumer(name)

    async def run(self) -> None:
        """Takes messages until cancelled; returns only when stopped by an alarm."""
        metrics.stopped.labels(self.name).set(0)
        wait = self.pause
        while self.alarm is None:
            try:
                async with self.bus.subscribe(self.topics, self.group, self._starts) as subscription:
                    wait = self.pause
                    await self._listen_to(subscription)
            except (Stopped, OutOfRange) as stop:
                self.alarm = str(stop)
                metrics.stopped.labels(self.name).set(1)
                log.error("consumer stopped", consumer=self.name, alarm=self.alarm)
            except _PASSING as error:
                log.warning("consumer waits", consumer=self.name, error=repr(error))
                await asyncio.sleep(wait)
                wait = min(wait * 2, 2.0)

    async def count(self) -> None:
        """Tells how many messages are parked now, until cancelled: every process of a service tells the same."""
        while True:
            try:
                async with self.store.look() as tx:
                    metrics.parked.labels(self.name).set(await inbox(tx).parked_count(self.name))
            except Unavailable:
                log.info("parked messages not counted", consumer=self.name)
            await asyncio.sleep(metrics.COUNT)

    async def _listen_to(self, subscription: Subscription) -> None:
        wait, clock, pace = self.pause, asyncio.get_running_loop().time, Pace()
        while True:
            try:
                batch = await subscription.poll(1.0)
                if batch or self._ahead:
                    began = clock()
                    await self._consume(subscription, batch)
                    if pause := pace.rest(sum(map(len, batch.values())), began, clock()):
                        await asyncio.sleep(pause)
                self._tell(subscription)
                wait = self.pause
            except Moved:
                subscription.reset()
            except BusUnavailable:
                raise
            except (Conflict, *_PASSING) as error:
                log.warning("consumer waits", consumer=self.name, error=repr(error))
                subscription.reset()
                await asyncio.sleep(wait)
                wait = min(wait * 2, 2.0)

    async def _starts(self, places: Collection[Place]) -> Mapping[Place, int]:
        """Where to go on, from the store alone; the cluster must be the one these offsets belong to."""
        cluster = await self.bus.cluster()
        async with self.store.begin() as tx:
            box = inbox(tx)
            stored, lineages = await box.positions(self.name), await box.lineages(self.name)
            if CLUSTER not in lineages:
                await box.learn(self.name, CLUSTER, cluster)
        if lineages.setdefault(CLUSTER, cluster) != cluster:
            raise Stopped(f"Kafka cluster {cluster} is not {lineages[CLUSTER]}, to which the stored offsets belong")
        self._lineages = lineages
        self._ahead = {}
        self.positions = {place: stored.get(place, Position(0, None)) for place in places}
        return {place: position.next for place, position in self.positions.items()}

    async def _consume(self, subscription: Subscription, batch: Batch) -> None:
        """A batch in one transaction; when that fails, or took so long that it was cut off, message by message."""
        if not self._one_by_one:
            try:
                self._one_by_one = True
                await self._take(batch)
                self._one_by_one = False
                return
            except (Moved, Stopped, *_PASSING):
                raise
            except Exception as error:
                log.warning("batch repeated message by message", consumer=self.name, error=repr(error))
        clock = asyncio.get_running_loop().time
        until = clock() + _PATIENCE
        for place, records in batch.items():
            for record in records:
                await self._take_one({place: [record]})
                if clock() > until:
                    subscription.reset()
                    return
        self._one_by_one = False

    async def _take_one(self, single: Batch) -> None:
        """One message, tried again; in the end it is parked. A lost race is not a try, unless it is lost for ever."""
        tries = races = 0
        while True:
            try:
                return await self._take(single)
            except (Moved, Stopped, *_PASSING):
                raise
            except (Conflict, Taken) as error:
                races += 1
                cause = repr(error)
                if races < _LOST_RACES:
                    await asyncio.sleep(0.002 * races)
                    continue
            except Exception as error:
                tries += 1
                cause = repr(error)
                metrics.failed.labels(self.name).inc()
                if tries < self.tries:
                    await asyncio.sleep(self.pause * 2 ** (tries - 1))
                    continue
            log.error("message parked", consumer=self.name, place=str(next(iter(single))), cause=cause)
            return await self._take(single, cause)

    async def _take(self, batch: Batch, cause: str | None = None) -> None:
        """Effects, offsets and marks of these messages in one transaction; with a `cause` they are parked instead."""
        reading = self._read(batch, lenient=cause is not None)
        now = asyncio.get_running_loop().time()
        if not reading.events and now < self._flush_at:
            self._ahead = reading.ahead
            return
        if cause is None and self._of_no_use(reading):
            return await self._pass_over(reading, now)
        async with self.store.begin() as tx:
            known = await inbox(tx).take(self.name, self._moves(reading), reading.newest)
            if known is None:
                raise Moved
            outcomes = await self._effects(tx, reading, known, cause)
            failpoints.hit("consumer.before_commit")
        failpoints.hit("consumer.after_commit")
        self._lineages = reading.lineages
        self._moved(reading, now)
        self._count(outcomes)

    def _of_no_use(self, reading: _Reading) -> bool:
        """Whether there are only watermarks, or events of which the listener makes nothing.

        One that fails has its tries where it would have an effect; one of a type unknown so far may have to wait behind a parked one.
        """
        if reading.lineages != self._lineages:
            return False
        try:
            return not any(
                envelope is None or not known(envelope) or self._made(reading, record, envelope)[1] for record, envelope in reading.events
            )
        except Exception:
            return False

    async def _pass_over(self, reading: _Reading, now: float) -> None:
        """Offsets and marks alone, without a transaction around them. Nothing is parked: there is nothing to be done later."""
        moves = self._moves(reading)
        failpoints.hit("consumer.before_commit")
        known = await take_alone(self.store, self.name, moves, reading.newest)
        if known is None:
            raise Moved
        failpoints.hit("consumer.after_commit")
        self._moved(reading, now)
        self._count(self._plan(reading.events, known._replace(parked=set()), None).outcomes)

    def _moves(self, reading: _Reading) -> Moves:
        return {place: (self.positions[place].next, position) for place, position in reading.ahead.items()}

    def _moved(self, reading: _Reading, now: float) -> None:
        self.positions |= reading.ahead
        self._ahead = {}
        self._flush_at = now + _IDLE

    def _made(self, reading: _Reading, record: Record, envelope: Envelope) -> tuple[Heard, list[Effect]]:
        """The event as it is heard, and what the listener makes of it."""
        at = record.place, record.offset
        if at not in reading.made:
            try:
                event = heard(envelope, record.message.value)
                reading.made[at] = event, self.listen(event)
            except Exception as error:
                reading.made[at] = error
        made = reading.made[at]
        if isinstance(made, Exception):
            raise made
        return made

    def _count(self, outcomes: Counter[str]) -> None:
        for outcome, n in outcomes.items():
            metrics.taken.labels(self.name, outcome).inc(n)

    async def _effects(self, tx: Transaction, reading: _Reading, held: Known, cause: str | None) -> Counter[str]:
        box = inbox(tx)
        for source in reading.lineages.keys() - self._lineages.keys():
            await box.learn(self.name, source, reading.lineages[source])
        if not reading.events:
            return Counter()
        plan = self._plan(reading.events, held, cause)
        for record, envelope in plan.park:
            await box.park(self.name, parked(record, envelope, cause or "behind a parked message of its stream"))
        if plan.fresh:
            began = time.time_ns()
            made = [self._made(reading, record, envelope) for record, envelope in plan.fresh]
            await self.apply(tx, made)
            for event, _ in made:
                telemetry.past(f"{self.name} takes {event.type}", event.traceparent, began)
        return plan.outcomes

    def _plan(self, events: Sequence[tuple[Record, Envelope | None]], held: Known, cause: str | None) -> _Plan:
        """Sorts messages into taken before, to be parked, unknown, and fresh. The mark has moved for every one."""
        plan, marks = _Plan(), dict(held.marks)
        for record, envelope in events:
            if envelope is None:
                plan.park.append((record, None))
                plan.outcomes["parked"] += 1
                continue
            key = envelope.source, envelope.stream
            if envelope.sequence <= marks.get(key, -1):
                plan.outcomes["repeated"] += 1
                continue
            marks[key] = envelope.sequence
            if cause is not None or key in held.parked:
                plan.park.append((record, envelope))
                plan.outcomes["parked"] += 1
            elif not known(envelope):
                plan.outcomes["unknown"] += 1
            else:
                plan.fresh.append((record, envelope))
                plan.outcomes["taken"] += 1
        return plan

    def _read(self, batch: Batch, lenient: bool) -> _Reading:
        """Opens the envelopes. A broken one raises Malformed, or is let through when `lenient`; a strange store raises Stopped."""
        reading = _Reading(dict(self._ahead), dict(self._lineages))
        for place, records in batch.items():
            watermark = reading.ahead.get(place, self.positions[place]).watermark
            for record in records:
                try:
                    envelope = read(record.message)
                except Malformed:
                    if not lenient:
                        raise
                    reading.events.append((record, None))
                    continue
                if reading.lineages.setdefault(envelope.source, envelope.lineage) != envelope.lineage:
                    raise Stopped(f"{envelope.source} speaks from store {envelope.lineage}, not {reading.lineages[envelope.source]}")
                if isinstance(envelope, Watermark):
                    watermark = max(watermark, envelope.at) if watermark else envelope.at
                else:
                    reading.events.append((record, envelope))
                    key = envelope.source, envelope.stream
                    reading.newest[key] = max(envelope.sequence, reading.newest.get(key, 0))
            reading.ahead[place] = Position(records[-1].offset + 1, watermark)
        return reading

    def _tell(self, subscription: Subscription) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._tell_at:
            self._tell_at = now + 1.0
            for place, behind in subscription.lag().items():
                metrics.lag.labels(self.name, place.topic, str(place.partition)).set(behind)
