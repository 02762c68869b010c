"""Gives a service its real parts and runs it: HTTP and writers (serve), relay, consumer and timers (work), or both (run)."""

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import structlog
import uvicorn
import uvloop

from shared import operator
from shared.bus.consumer import Consumer
from shared.bus.heard import Effect, Heard
from shared.bus.kafka import KafkaBus
from shared.bus.relay import Relay
from shared.bus.republish import Republisher
from shared.deciding import Folder
from shared.events.privacy import Masters, Vault
from shared.events.upkeep import rewrap, tend
from shared.events.vault import PostgresVault
from shared.handling import Handler
from shared.ops import telemetry
from shared.ops.health import Health
from shared.ops.logging import configure_logging
from shared.ops.settings import Settings
from shared.processes.timers import Timers
from shared.service import Service
from shared.store import answers, archiver
from shared.store import migrate as schema
from shared.store.anchors import Anchors
from shared.store.pool import Pool, Readers
from shared.store.postgres import PostgresStore
from shared.web.app import Inside, create_app
from shared.web.protocol import Protocol

log = structlog.get_logger()

SERVE, WORK = "serve", "work"
FORGOTTEN = "customers.CustomerForgotten.v1"
KEYS_GONE_WITHIN = 5.0
"""Seconds after that event in which its key is destroyed; what was cached in between is let go then."""
RELAY_POLL = 0.25
"""Seconds until rows of other processes are looked for; own appends wake the relay at once."""


@dataclass
class Runtime:
    """What a running service has; its routes reach it through `app.state.runtime`."""

    service: Service
    settings: Settings
    store: PostgresStore
    handler: Handler
    reader: Readers
    vault: Vault | None
    health: Health


async def migrate(service: Service, settings: Settings) -> None:
    """Brings the service's schema, and the vault's where it may open it, up to date; a new version of a view is built from history."""
    await schema.migrate(settings.writer_url, settings.reader_role, ())
    await operator.build_missing(service, settings)
    await schema.migrate(settings.writer_url, settings.reader_role, service.all_tables())
    if service.vault:
        async with vault(settings) as keys:
            await keys.migrate()


async def rewrap_keys(settings: Settings) -> int:
    """Wraps the keys of everybody with the first master key; the exit code is 0 when no older one is needed any more."""
    async with vault(settings) as keys:
        done, left = await rewrap(keys)
    print(f"{done} keys wrapped anew; {left} are still under another master key.")
    return 1 if left else 0


def vault(settings: Settings) -> PostgresVault:
    """The vault of personal keys, to be entered. ValueError without its URL and master key."""
    if not settings.vault_url or not settings.vault_master_key:
        raise ValueError("This service keeps personal data: FORECOURT_VAULT_URL and FORECOURT_VAULT_MASTER_KEY are missing.")
    return PostgresVault(settings.vault_url, Masters.parse(settings.vault_master_key, settings.index_key))


@asynccontextmanager
async def _opened[P: Pool](pool: P) -> AsyncIterator[P]:
    """An open pool. RuntimeError when the role is a superuser."""
    async with pool:
        async with pool.connection() as conn:
            found = await (await conn.execute("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")).fetchone()
        if not found or found[0]:
            raise RuntimeError("A service never connects as a superuser or past row-level security.")
        yield pool


@asynccontextmanager
async def runtime(service: Service, settings: Settings) -> AsyncIterator[Runtime]:
    """The service with its pools and writers started."""
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(_opened(Pool(settings.writer_url, f"{service.context}-writer")))
        reader = await stack.enter_async_context(_opened(Readers(settings.reader_url, f"{service.context}-reader")))
        keys = await stack.enter_async_context(vault(settings)) if service.vault else None
        store = PostgresStore(writer)
        await store.open()
        handler = Handler(store, Folder(service.stored, service.aggregates), service.prepare)
        await handler.start()
        stack.push_async_callback(handler.stop)
        yield Runtime(service=service, settings=settings, store=store, handler=handler, reader=reader, vault=keys, health=Health())


async def run_service(service: Service, settings: Settings, parts: Collection[str] = (SERVE, WORK)) -> None:
    """Runs until SIGTERM or SIGINT: finishes what it has accepted, then returns."""
    configure_logging(settings.log_level, service.context)
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    telemetry.configure(service.context)
    bus = KafkaBus(settings.kafka, client=service.context)
    async with runtime(service, settings) as running, _closing(bus), asyncio.TaskGroup() as tasks:
        workers = [tasks.create_task(part) for part in _work(running, settings, bus)] if WORK in parts else []
        servers, beside = _listening_on(running, settings, parts)
        workers += [tasks.create_task(part) for part in beside]
        for server in servers:
            tasks.create_task(_serve(server, stopping))
        for worker in workers:
            worker.add_done_callback(partial(_ended, stopping))
        await stopping.wait()
        running.health.stopping = True
        for server in servers:
            server.should_exit = True
        for worker in workers:
            worker.cancel()


def _ended(stopping: asyncio.Event, part: asyncio.Task[None]) -> None:
    """A part that was cancelled though nobody stops this process would be missed by nobody: the process ends, to be started again."""
    if part.cancelled() and not stopping.is_set():
        log.error("a part was cut off", part=part.get_name())
        stopping.set()


@asynccontextmanager
async def _closing(bus: KafkaBus) -> AsyncIterator[None]:
    """Closes the producer when the workers are gone."""
    try:
        yield
    finally:
        await bus.close()


class Server(uvicorn.Server):
    """Signals are ours: the same stop for every part of the process."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves the handlers as they are."""
        yield


def _work(running: Runtime, settings: Settings, bus: KafkaBus) -> list[Coroutine[Any, Any, None]]:
    """Relay, timers and consumer."""
    service, prefix = running.service, settings.topic_prefix
    wake = running.handler.told.listen()
    again = Republisher(running.store, running.handler.folder)
    relay = Relay(running.store, bus, service.context, uuid4(), wake=wake, poll=RELAY_POLL, prefix=prefix, again=again)
    anchors = Anchors(running.store, service.context, settings.anchors, lambda: relay.leading)
    timers = Timers(running.store, running.handler)
    work = [relay.run(), anchors.run(), timers.run(), timers.count(), archiver.watch(running.store, service.context)]
    work.append(answers.tend(running.store, lambda: relay.leading))
    if running.vault:
        work.append(tend(running.vault))
    if service.topics:
        consumer = Consumer(service.context, running.store, bus, service.topics, _listening(running), running.handler.apply, prefix=prefix)
        running.health.flag("consumer", True)
        work += [_hear(consumer, running.health), consumer.count()]
    return work


def _listening(running: Runtime) -> Callable[[Heard], list[Effect]]:
    """What the service does with an event; when someone is forgotten, it also lets go of the keys it has at hand."""
    listen, keys = running.service.listen, running.vault
    if keys is None:
        return listen

    def heard(one: Heard) -> list[Effect]:
        if one.type == FORGOTTEN:
            keys.drop_cached()
            asyncio.get_running_loop().call_later(KEYS_GONE_WITHIN, keys.drop_cached)
        return listen(one)

    return heard


async def _hear(consumer: Consumer, health: Health) -> None:
    """A consumer that stops itself leaves the process up, and not ready."""
    try:
        await consumer.run()
    finally:
        health.flag("consumer", False)


def _listening_on(running: Runtime, settings: Settings, parts: Collection[str]) -> tuple[list[Server], list[Coroutine[Any, Any, None]]]:
    """The application, behind the service's front where it has one; how the process is, where that has a port of its own; what runs beside them."""
    servers: list[Server] = []
    beside: list[Coroutine[Any, Any, None]] = []
    if SERVE in parts or settings.ops_port:
        app = create_app(running.service, running, health=running.health)
        edge: Any = app.middleware_stack
        if settings.ops_port:
            servers.append(Server(_uvicorn(Inside(edge), settings.host, settings.ops_port)))
        if SERVE in parts:
            front, beside = running.service.front(app, running) if running.service.front else (edge, beside)
            servers.append(Server(_uvicorn(front, settings.host, settings.port)))
    return servers, beside


def _uvicorn(app: Any, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="none",
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        date_header=False,
        h11_max_incomplete_event_size=16_384,
        timeout_graceful_shutdown=5,
    )


async def _serve(server: Server, stopping: asyncio.Event) -> None:
    """Ends the process when the server cannot start (a port that is taken)."""
    try:
        await server.serve()
    finally:
        stopping.set()


def main(service: Service) -> None:
    """`python -m services.<context> run | serve | work | migrate`, and what operators do."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{service.context}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", SERVE, WORK, "migrate", *(["rewrap"] if service.vault else [])):
        commands.add_parser(name)
    operator.add_commands(commands)
    asked = parser.parse_args()
    settings = Settings()  # type: ignore[call-arg]
    if asked.command == "migrate":
        asyncio.run(migrate(service, settings))
    elif asked.command == "rewrap":
        sys.exit(asyncio.run(rewrap_keys(settings)))
    elif asked.command in ("run", SERVE, WORK):
        parts = (SERVE, WORK) if asked.command == "run" else (asked.command,)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_service(service, settings, parts))
    else:
        sys.exit(asyncio.run(operator.carry_out(service, settings, asked)))
