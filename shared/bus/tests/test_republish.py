"""A whole store told again: same ids, every stream from its beginning, whatever is new meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from shared import operator
from shared.bus.anew import CannotBegin, begin_anew, parsed, written
from shared.bus.cloudevents import Envelope, Watermark, heard, read
from shared.bus.consumer import Consumer
from shared.bus.heard import Effect, Heard
from shared.bus.kafka import KafkaBus
from shared.bus.memory import MemoryBus
from shared.bus.protocol import BusUnavailable, Record, topic_of
from shared.bus.relay import Relay
from shared.bus.republish import Republisher
from shared.bus.tests.support import Shelf, holder, opened, shelf, shelves, until
from shared.deciding import Folder, Order
from shared.events.registry import Registry
from shared.handling import Handler, Request
from shared.ops.settings import Settings
from shared.service import Service
from shared.store.memory import MemoryStore
from shared.store.migrate import migrate
from shared.store.protocol import Republication, Store
from shared.testing import tills
from shared.testing.servers import Servers
from shared.testing.tasks import at_work
from shared.testing.tills import OpenTill, PutIn
from shared.values.ids import new_id
from shared.views.table import Change

TOPIC = topic_of("testing")


class Shop:
    """Tills, their relay, and what came out."""

    def __init__(self, store: Store, bus: MemoryBus) -> None:
        self.store = store
        self.bus = bus
        self.handler = Handler(store, Folder(tills.stored, [tills.aggregate]))
        self.amounts: dict[str, int] = {}

    def relay(self, n: int = 1) -> Relay:
        return Relay(self.store, self.bus, "testing", holder(n), batch=7, poll=0.001, again=Republisher(self.store, self.handler.folder))

    async def till(self) -> str:
        id = new_id()
        await self.do(id, OpenTill(name=id))
        self.amounts[id] = 0
        return id

    async def put_in(self, id: str) -> None:
        self.amounts[id] += 1
        await self.do(id, PutIn(amount=self.amounts[id]))

    async def do(self, id: str, command: Any) -> None:
        await self.handler.handle(Request(order=Order(stream=f"till-{id}", meta=tills.meta), command=command))

    def records(self, starts: dict[int, int] | None = None) -> list[tuple[Envelope, Record]]:
        """Public events from these offsets on."""
        found = [(read(record.message), record) for record in self.bus.records(TOPIC)]
        after = [(e, r) for e, r in found if starts is None or r.offset >= starts[r.place.partition]]
        return [(envelope, record) for envelope, record in after if isinstance(envelope, Envelope)]

    def heard(self, starts: dict[int, int]) -> dict[str, list[int]]:
        """What somebody takes who has no marks and begins there."""
        marks: dict[str, int] = {}
        made: dict[str, list[int]] = {}
        for envelope, record in self.records(starts):
            if envelope.sequence > marks.get(envelope.stream, -1):
                marks[envelope.stream] = envelope.sequence
                event = heard(envelope, record.message.value).event
                made.setdefault(envelope.stream.removeprefix("till-"), []).append(event.amount)
        return made


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop(MemoryStore(), MemoryBus())
    await made.handler.start()
    yield made
    await made.handler.stop()


async def test_what_is_told_again_is_what_was_told(shop: Shop) -> None:
    for id in [await shop.till() for _ in range(3)]:
        await shop.put_in(id)
        await shop.put_in(id)
    relay = shop.relay()
    await relay.take_lease()
    await relay.publish_once()
    first = {envelope.id: record.message for envelope, record in shop.records()}
    assert len(first) == 6
    request = await shop.store.republish()
    await relay.take_lease()
    while relay.again and relay.again.open:
        await relay.publish_once()
    again = {e.id: r.message for e, r in shop.records()[:]}
    assert len(shop.records()) == 12 and again.keys() == first.keys()
    for event, message in again.items():
        before, after = dict(first[event].headers), dict(message.headers)
        assert message.value == first[event].value and message.key == first[event].key
        assert {name for name in before if before[name] != after[name]} <= {"ce_recordedtime"}
    now = await shop.store.republication(request)
    assert now and now.done and now.starts is not None
    assert shop.heard(now.starts) == {id: [1, 2] for id in shop.amounts}


@pytest.mark.parametrize("seed", range(20))
async def test_nobody_hears_a_streams_end_before_its_beginning(shop: Shop, seed: int) -> None:
    """Commands go on, relays die and Kafka fails; who begins where it began hears every stream whole and in order."""
    dice = random.Random(seed)
    ids = [await shop.till() for _ in range(40)]
    for _ in range(80):
        await shop.put_in(dice.choice(ids))
    relay = shop.relay()
    await relay.take_lease()
    while await shop.store.waiting(1):
        await relay.publish_once()
    request = await shop.store.republish()
    n = 1
    while not ((now := await shop.store.republication(request)) and now.done):
        for _ in range(dice.randrange(4)):
            await shop.put_in(dice.choice(ids))
        if dice.random() < 0.2:
            ids.append(await shop.till())
        if dice.random() < 0.2:
            n += 1
            await shop.store.lead("relay", relay.holder, 0)
            relay = shop.relay(n)
        await asyncio.sleep(0)
        await relay.take_lease()
        if dice.random() < 0.3:
            shop.bus.cut_after = dice.randrange(7)
        try:
            await relay.publish_once()
        except BusUnavailable:
            continue
    shop.bus.cut_after = None
    while await shop.store.waiting(1):
        await relay.publish_once()
    assert now.starts is not None
    assert shop.heard(now.starts) == {id: list(range(1, n + 1)) for id, n in shop.amounts.items() if n}


async def test_a_successor_sends_nothing_before_it_knows_what_is_being_told_again(shop: Shop) -> None:
    """It would send the end of a stream whose beginning nobody has told since, and whoever began anew would take that for all of it."""
    id = await shop.till()
    await shop.put_in(id)
    first, successor = shop.relay(), shop.relay(2)
    await first.take_lease()
    await first.publish_once()
    await shop.store.republished(Republication(id=await shop.store.republish(), starts={0: 0}))
    await shop.put_in(id)
    await shop.store.lead("relay", first.holder, 0)
    sent, asked, answered = len(shop.records()), asyncio.Event(), asyncio.Event()
    assert successor.again
    look = successor.again.look

    async def slow() -> None:
        asked.set()
        await answered.wait()
        await look()

    successor.again.look = slow  # type: ignore[method-assign]
    taking = asyncio.create_task(successor.take_lease())
    await asked.wait()
    await successor.publish_once()
    assert len(shop.records()) == sent
    answered.set()
    assert await taking
    await successor.publish_once()
    assert [heard(envelope, record.message.value).event.amount for envelope, record in shop.records()[sent:]][:2] == [1, 2]


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.bus.republish.STREAMS", 3)


async def test_no_watermark_says_that_all_was_told_while_it_is_not(shop: Shop) -> None:
    for _ in range(5):
        await shop.put_in(await shop.till())
    await shop.store.republish()
    relay = shop.relay()
    await relay.take_lease()
    await relay.publish_once()
    await relay.mark_time()
    assert not any(isinstance(read(record.message), Watermark) for record in shop.bus.records(TOPIC))
    while relay.again and relay.again.open:
        await relay.publish_once()
    await relay.mark_time()
    assert any(isinstance(read(record.message), Watermark) for record in shop.bus.records(TOPIC))


async def test_a_store_that_cannot_be_read_is_given_up_and_the_relay_goes_on(shop: Shop) -> None:
    id = await shop.till()
    await shop.put_in(id)
    broken = Relay(
        shop.store, shop.bus, "testing", holder(1), again=Republisher(shop.store, Folder(Registry("testing", {}), [tills.aggregate]))
    )
    request = await shop.store.republish()
    await broken.take_lease()
    await broken.publish_once()
    now = await shop.store.republication(request)
    assert now and now.done and "TillOpened" in (now.failed or "")
    assert not await shop.store.waiting(1)
    assert len(shop.records()) == 1


async def test_what_another_relay_has_finished_meanwhile_is_no_error(shop: Shop) -> None:
    await shop.put_in(await shop.till())
    again = Republisher(shop.store, Folder(tills.stored, [tills.aggregate]))
    id = await shop.store.republish()
    await again.look()

    async def ends() -> dict[int, int]:
        await shop.store.republished(Republication(id=id, done=True))
        await again.look()
        return {0: 0}

    assert [row.type async for told in again.next([], ends) for row in told] == ["testing.TillFilled.v1"]
    assert again.open is None


def test_a_place_to_begin_is_written_and_read() -> None:
    assert parsed(written("orders", {1: 4, 0: 17})) == ("orders", {0: 17, 1: 4})
    for text in ("orders", "=0:1", "orders=1", "orders=0:-1", "orders=x:1"):
        with pytest.raises(ValueError, match=r".*"):
            parsed(text)


class Ear:
    """Keeps, per till, the amounts it heard."""

    def __call__(self, heard: Heard) -> list[Effect]:
        return [
            Change(shelves, (heard.stream,), lambda old: Shelf(heard.stream, [*(old.numbers if old else []), heard.event.amount])),
        ]


async def test_lost_kafka_gives_an_old_and_a_new_consumer_everything_once(servers: Servers, capsys: pytest.CaptureFixture[str]) -> None:
    """Topics made anew stand for another Kafka: what was published and not heard is gone. On real servers."""
    lost, prefix = await servers.fresh_topics("testing"), await servers.fresh_topics("testing")
    theirs, ours, news = [await servers.fresh_database(name) for name in ("testing", "stock", "fresh")]
    for url, tables in ((theirs, [tills.tills]), (ours, [shelves]), (news, [shelves])):
        await migrate(url[0], urlsplit(url[1]).username or "", tables)
    service = Service(context="testing", stored=tills.stored, aggregates=(tills.aggregate,))
    bus = KafkaBus(servers.kafka)
    async with opened(theirs[0]) as store, opened(ours[0]) as old, opened(news[0]) as new:
        shop = Shop(store, MemoryBus())
        await shop.handler.start()
        ids = [await shop.till() for _ in range(5)]

        async def hearing(name: str, at: Store, prefix: str) -> Consumer:
            handler = Handler(at, Folder(Registry(name, {}), ()))
            return Consumer(name, at, bus, ["testing"], Ear(), handler.apply, prefix=prefix)

        async def run(*parts: Any, met: Any) -> None:
            async with at_work(*(part.run() for part in parts)):
                await until(met)

        async def sent() -> bool:
            return not await store.waiting(1)

        async def whole(at: Store) -> bool:
            return [await shelf(at, f"till-{id}") for id in ids] == [list(range(1, shop.amounts[id] + 1)) for id in ids]

        for id in ids:
            await shop.put_in(id)
        relay = Relay(store, bus, "testing", uuid4(), prefix=lost)
        await run(relay, await hearing("stock", old, lost), met=lambda: whole(old))
        for id in ids:
            await shop.put_in(id)
        await run(Relay(store, bus, "testing", uuid4(), prefix=lost), met=sent)
        assert not await whole(old)

        settings = Settings.model_construct(writer_url=theirs[0], reader_url=theirs[1], kafka=servers.kafka, topic_prefix=prefix)
        telling = asyncio.create_task(operator.republish(service, settings, poll=0.05))
        for id in ids:
            await shop.put_in(id)
        assert await telling == 0
        source, starts = parsed(capsys.readouterr().out.split()[-1])
        for name, url in (("stock", ours), ("fresh", news)):
            await begin_anew(url[0], name, ("testing",), {source: starts}, await bus.cluster(), prefix)
        relays = Relay(store, bus, "testing", uuid4(), prefix=prefix)
        await run(relays, await hearing("stock", old, prefix), met=lambda: whole(old))
        await run(await hearing("fresh", new, prefix), met=lambda: whole(new))
        await shop.handler.stop()
    await bus.close()


async def test_a_consumer_does_not_begin_where_it_would_miss_something(servers: Servers) -> None:
    writer, reader = await servers.fresh_database("stock")
    await migrate(writer, urlsplit(reader).username or "", [])
    async with opened(writer) as store:
        async with store.begin() as tx:
            await tx.conn.execute(
                "insert into lineages values ('stock', '', 'old Kafka'), ('stock', 'orders', 'a'), ('stock', 'leads', 'b')"
            )
            await tx.conn.execute(
                "insert into offsets values ('stock', 'x.orders', 0, 50), ('stock', 'x.orders', 9, 50), ('stock', 'x.leads', 0, 7)"
            )
        hears = ("orders", "leads")
        with pytest.raises(CannotBegin, match="does not hear sales"):
            await begin_anew(writer, "stock", hears, {"sales": {0: 1}}, "old Kafka", "x")
        with pytest.raises(CannotBegin, match="leads too"):
            await begin_anew(writer, "stock", hears, {"orders": {0: 1}}, "new Kafka", "x")
        await begin_anew(writer, "stock", hears, {"orders": {0: 12, 1: 0}}, "old Kafka", "x")
        async with store.begin() as tx:
            offsets = await (await tx.conn.execute("select topic, partition, next from offsets order by 1, 2")).fetchall()
            lineages = await (await tx.conn.execute("select source, lineage from lineages")).fetchall()
        assert offsets == [("x.leads", 0, 7), ("x.orders", 0, 12), ("x.orders", 1, 0)]
        assert lineages == [("leads", "b")]
        await begin_anew(writer, "stock", hears, {"orders": {0: 0}, "leads": {0: 0}}, "new Kafka", "x")
