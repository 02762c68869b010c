"""What an operator asks of one service beside running it."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg_pool import PoolTimeout

from shared import overview
from shared.bus.anew import CannotBegin, begin_anew, parsed, written
from shared.bus.kafka import KafkaBus
from shared.bus.protocol import BusUnavailable
from shared.bus.relay import Relay
from shared.bus.republish import Republisher
from shared.deciding import Folder
from shared.ops.settings import Settings
from shared.overview import NotThere
from shared.service import Service
from shared.store import anchors
from shared.store.pool import Pool
from shared.store.postgres import PostgresStore
from shared.store.protocol import Unavailable
from shared.store.verify import verify
from shared.views.history import history, rebuildable
from shared.views.rebuild import CannotRebuild, Outcome, drop, rebuild


def add_commands(commands: Any) -> None:
    """Adds the operator's commands to a service's own."""
    one = commands.add_parser("stream", help="show the events of a stream")
    one.add_argument("name", help="such as order-0192f3a4-…")
    commands.add_parser("lag", help="show what waits to be told and to be heard")
    commands.add_parser("timers", help="show the timers that could not be handled")
    commands.add_parser("parked", help="show the messages that wait for an operator, and why")
    one = commands.add_parser("retry", help="try parked streams again, each in order and in one transaction")
    one.add_argument("source", nargs="?", help="the context that told them; none: all that is parked")
    one.add_argument("name", nargs="?", help="the stream")
    one = commands.add_parser("discard", help="give one parked message up")
    one.add_argument("event", type=UUID)
    one.add_argument("--because", required=True, metavar="reason", help="kept in the log")
    one = commands.add_parser("rebuild", help="make views anew from their history, beside the live ones")
    one.add_argument("views", nargs="*", metavar="view", help="names without version; none: all")
    one.add_argument("--drop-old", action="store_true", help="drop tables of older versions, once nothing that runs uses them")
    commands.add_parser("verify", help="prove by hashes that no event was changed or is gone")
    commands.add_parser("republish", help="tell the whole store again, by the relay; consumers drop what they have")
    one = commands.add_parser("begin-anew", help="hear topics again from where their republication began")
    one.add_argument("places", nargs="+", metavar="source=partition:offset,…", type=place)


async def carry_out(service: Service, settings: Settings, asked: argparse.Namespace) -> int:
    """Carries out one command; the exit code: 0 all is well, 1 something is wrong, 2 it cannot be done."""
    try:
        match asked.command:
            case "rebuild":
                return await rebuild_views(service, settings, asked.views, drop_old=asked.drop_old)
            case "republish":
                return await republish(service, settings)
            case "begin-anew":
                return await begin(service, settings, dict(asked.places))
            case "verify":
                return await verify_store(service, settings)
        async with a_store(service, settings) as store:
            return await _look(service, settings, store, asked)
    except (CannotRebuild, CannotBegin, NotThere, psycopg.OperationalError) as error:
        print(str(error).strip(), file=sys.stderr)
    except (Unavailable, PoolTimeout):
        print(f"{service.context}: the database does not answer", file=sys.stderr)
    except BusUnavailable:
        print(f"{service.context}: Kafka does not answer", file=sys.stderr)
    return 2


async def _look(service: Service, settings: Settings, store: PostgresStore, asked: argparse.Namespace) -> int:
    """What is asked of the store alone."""
    match asked.command:
        case "stream":
            return await overview.show_stream(store, asked.name)
        case "lag":
            async with a_bus(service, settings) as bus:
                return await overview.show_lag(service, store, bus, settings.topic_prefix)
        case "timers":
            return await overview.show_timers(service, store)
        case "parked":
            return await overview.show_parked(service, store)
        case "retry" if asked.source and not asked.name:
            raise NotThere("Name the stream too, or neither.")
        case "retry":
            return await overview.retry_parked(service, store, asked.source, asked.name)
        case "discard":
            return await overview.discard_parked(service, store, asked.event, asked.because)
        case unknown:
            raise ValueError(unknown)


@asynccontextmanager
async def a_bus(service: Service, settings: Settings) -> AsyncIterator[KafkaBus]:
    """Kafka, for a while."""
    bus = KafkaBus(settings.kafka, client=f"{service.context}-operator")
    try:
        yield bus
    finally:
        await bus.close()


async def rebuild_views(service: Service, settings: Settings, names: Sequence[str] = (), *, drop_old: bool = False) -> int:
    """Rebuilds these views, or all that can be; 1 when a row of a live table was wrong. Raises CannotRebuild."""
    known = rebuildable(service)
    every = {table.name: table for table in service.all_tables()}
    if unknown := [name for name in names if name not in every]:
        raise CannotRebuild(f"{service.context} has no view {', '.join(unknown)}. It has: {', '.join(sorted(known)) or 'none'}.")
    wrong = 0
    for name in names or sorted(known):
        outcome = await rebuild(settings.writer_url, settings.reader_role, every[name], history(service, every[name]))
        wrong += outcome.wrong
        print("\n".join(_told(outcome)))
        if drop_old and outcome.left:
            await drop(settings.writer_url, outcome.left)
            print(f"  dropped {', '.join(outcome.left)}")
    return 1 if wrong else 0


def _told(outcome: Outcome) -> list[str]:
    """An outcome in lines."""
    pause = f"writers paused {outcome.pause * 1000:.0f} ms at most" if outcome.tries else "built beside, nobody wrote to it"
    lines = [f"{outcome.view}: {outcome.rows} rows in {outcome.seconds:.1f} s, {pause}"]
    if outcome.wrong:
        lines.append(f"  {outcome.wrong} rows were not what the history says, and are now:")
        lines += [f"    {row}" for row in outcome.shown]
    if outcome.left:
        lines.append(f"  older versions are still there: {', '.join(outcome.left)} (--drop-old, once nothing uses them)")
    return lines


async def build_missing(service: Service, settings: Settings) -> None:
    """Builds views that have no table yet while there is a history: a new version, before the first process writes to it."""
    async with await psycopg.AsyncConnection.connect(settings.writer_url, autocommit=True) as conn:
        there = {row[0] for row in await (await conn.execute("select relname from pg_class where relkind = 'r'")).fetchall()}
        source = service.log.table.sql_name if service.log else "events"
        begun = source in there and await (await conn.execute(f"select 1 from {source} limit 1".encode())).fetchone()
    if begun:
        for table in rebuildable(service).values():
            if table.sql_name not in there:
                await rebuild(settings.writer_url, settings.reader_role, table, history(service, table))


@asynccontextmanager
async def a_store(service: Service, settings: Settings) -> AsyncIterator[PostgresStore]:
    """The store of a service, for a while."""
    async with Pool(settings.writer_url, f"{service.context}-operator") as pool:
        store = PostgresStore(pool)
        await store.open()
        yield store


async def verify_store(service: Service, settings: Settings) -> int:
    """Checks every stream's chain and the anchors; 1 when something is not as it was."""
    file = anchors.place(settings.anchors, service.context)
    try:
        written_down = anchors.read(file)
    except ValueError as error:
        print(f"{service.context}: {error}")
        return 1
    async with a_store(service, settings) as store:
        events, faults = await verify(store, written_down)
    last = f"anchors until {written_down[-1].at:%Y-%m-%d %H:%M:%S} UTC" if written_down else f"no anchors in {file}"
    print(f"{service.context}: {events} events, {last}: {'all is as it was' if not faults else ''}")
    print("".join(f"  {fault}\n" for fault in faults), end="")
    return 1 if faults else 0


async def republish(service: Service, settings: Settings, poll: float = 0.5) -> int:
    """Tells the whole store again: the relay that runs does it, or one of our own where none does. 1 when it was given up."""
    folder = Folder(service.stored, service.aggregates)
    async with a_store(service, settings) as store, a_bus(service, settings) as bus:
        id, told = await store.republish(), Republisher(store, folder)
        relay = asyncio.create_task(Relay(store, bus, service.context, uuid4(), prefix=settings.topic_prefix, again=told).run())
        try:
            while not (now := await store.republication(id)) or not now.done:
                await asyncio.sleep(poll)
        finally:
            relay.cancel()
            await asyncio.gather(relay, return_exceptions=True)
    if now.failed:
        print(f"Given up after {now.after or 'nothing'}: {now.failed}", file=sys.stderr)
        return 1
    print(f"Told again. Who must hear all of it begins at {written(service.context, now.starts or {})}")
    return 0


async def begin(service: Service, settings: Settings, sources: Mapping[str, Mapping[int, int]]) -> int:
    """Has this service hear topics again from these places. Raises CannotBegin or BusUnavailable."""
    async with a_bus(service, settings) as bus:
        cluster = await bus.cluster()
    await begin_anew(settings.writer_url, service.context, service.topics, sources, cluster, settings.topic_prefix)
    print(f"{service.context} hears {', '.join(sorted(sources))} again; start its processes anew if it had stopped.")
    return 0


def place(text: str) -> tuple[str, dict[int, int]]:
    """For argparse, which tells the message."""
    try:
        return parsed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a place such as orders=0:17,1:4") from error
