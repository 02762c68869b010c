"""Gives a service its real parts and runs it: HTTP and writers (serve), relay, consumer and timers (work), or both (run)."""

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import structlog
import uvicorn
from psycopg_pool import AsyncConnectionPool

from shared.bus.consumer import Consumer
from shared.bus.kafka import KafkaBus
from shared.bus.relay import Relay
from shared.deciding import Folder
from shared.events.privacy import Vault
from shared.handling import Handler
from shared.ops.logging import configure_logging
from shared.ops.settings import Settings
from shared.processes.timers import Timers
from shared.service import Service
from shared.store import migrate as schema
from shared.store.postgres import PostgresStore
from shared.web.app import create_app

log = structlog.get_logger()

SERVE, WORK = "serve", "work"
POOL = 5
"""Connections of a pool; a service has one of role writer and one of role reader."""
STATEMENT_LIMIT = "5s"


@dataclass
class Runtime:
    """What a running service has; its routes reach it through `app.state.runtime`."""

    service: Service
    settings: Settings
    store: PostgresStore
    handler: Handler
    reader: AsyncConnectionPool[psycopg.AsyncConnection[Any]]
    vault: Vault | None
    relay: Relay | None = None
    consumer: Consumer | None = None


async def migrate(service: Service, settings: Settings) -> None:
    """Brings the service's schema, and the vault's where it may open it, up to date."""
    await schema.migrate(settings.writer_url, settings.reader_role, service.all_tables())
    if service.vault:
        async with vault(settings) as keys:
            await keys.migrate()


@asynccontextmanager
async def vault(settings: Settings) -> AsyncIterator[Vault]:
    """The vault of personal keys, opened."""
    assert settings.vault_url
    assert settings.vault_master_key
    keys = Vault(settings.vault_url, settings.vault_master_key, settings.index_key)
    await keys.open()
    try:
        yield keys
    finally:
        await keys.close()


@asynccontextmanager
async def _pool(url: str, name: str) -> AsyncIterator[AsyncConnectionPool[Any]]:
    """A pool whose statements are cut at five seconds. RuntimeError when the role is a superuser."""
    limits = (
        f"-c statement_timeout={STATEMENT_LIMIT} -c idle_in_transaction_session_timeout={STATEMENT_LIMIT} -c lock_timeout={STATEMENT_LIMIT}"
    )
    kwargs = {"autocommit": True, "options": limits, "application_name": name, "connect_timeout": 5}
    pool = AsyncConnectionPool[Any](url, min_size=1, max_size=POOL, kwargs=kwargs, open=False, timeout=5, name=name)
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
        writer = await stack.enter_async_context(_pool(settings.writer_url, f"{service.context}-writer"))
        reader = await stack.enter_async_context(_pool(settings.reader_url, f"{service.context}-reader"))
        keys = await stack.enter_async_context(vault(settings)) if service.vault else None
        store = PostgresStore(writer)
        await store.open()
        handler = Handler(store, Folder(service.stored, service.aggregates), service.prepare)
        await handler.start()
        stack.push_async_callback(handler.stop)
        yield Runtime(service=service, settings=settings, store=store, handler=handler, reader=reader, vault=keys)


async def run_service(service: Service, settings: Settings, parts: Collection[str] = (SERVE, WORK)) -> None:
    """Runs until SIGTERM or SIGINT: finishes what it has accepted, then returns."""
    configure_logging(settings.log_level, service.context)
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with runtime(service, settings) as running, asyncio.TaskGroup() as tasks:
        made = [tasks.create_task(part) for part in _work(running, settings)] if WORK in parts else []
        if SERVE in parts:
            server = uvicorn.Server(_uvicorn(running, settings))
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
            made.append(tasks.create_task(_serve(server, stopping)))
        tasks.create_task(_end(stopping, made, keep=SERVE in parts))


def _work(running: Runtime, settings: Settings) -> list[Any]:
    """Relay, timers and consumer as coroutines."""
    service = running.service
    bus = KafkaBus(settings.kafka)
    prefix = settings.topic_prefix
    running.relay = Relay(running.store, bus, f"{prefix}.{service.context}", service.context, uuid4(), running.handler.appended.listen())
    work = [running.relay.run(), Timers(running.store, running.handler).run()]
    if service.topics:
        topics = [f"{prefix}.{context}" for context in service.topics]
        running.consumer = Consumer(service.context, running.store, bus, topics, service.listen, running.handler.apply)
        work.append(running.consumer.run())
    return work


def _uvicorn(running: Runtime, settings: Settings) -> uvicorn.Config:
    app = create_app(running.service, running)
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=16_384,
        timeout_graceful_shutdown=8,
    )


async def _serve(server: uvicorn.Server, stopping: asyncio.Event) -> None:
    watcher = asyncio.create_task(_shut(server, stopping))
    await server.serve()
    stopping.set()
    await watcher


async def _shut(server: uvicorn.Server, stopping: asyncio.Event) -> None:
    await stopping.wait()
    server.should_exit = True


async def _end(stopping: asyncio.Event, made: list[asyncio.Task[Any]], keep: bool) -> None:
    """On the signal, workers are cancelled (what they had not committed is taken again); the server drains by itself."""
    await stopping.wait()
    for task in made[:-1] if keep else made:
        task.cancel()


def main(service: Service) -> None:
    """`python -m services.<context> run | serve | work | migrate`."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{service.context}")
    parser.add_argument("command", choices=["run", SERVE, WORK, "migrate"])
    command = parser.parse_args().command
    settings = Settings()  # type: ignore[call-arg]
    if command == "migrate":
        asyncio.run(migrate(service, settings))
        return
    parts = (SERVE, WORK) if command == "run" else (command,)
    with asyncio.Runner(loop_factory=_uvloop()) as runner:
        runner.run(run_service(service, settings, parts))


def _uvloop() -> Any:
    import uvloop

    return uvloop.new_event_loop
