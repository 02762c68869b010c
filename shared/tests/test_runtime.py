"""A process with a part that has ended is no process: it ends too, to be started again. Each can be asked how it is."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.deciding import Folder
from shared.events.registry import Registry
from shared.handling import Handler
from shared.ops.health import Health
from shared.runtime import SERVE, WORK, Runtime, _ended, _listening_on
from shared.service import Service
from shared.store.memory import MemoryStore
from shared.web.tests.example import PUBLIC, SECRET


async def test_a_part_that_was_cut_off_ends_the_process() -> None:
    stopping = asyncio.Event()
    part = asyncio.create_task(asyncio.sleep(9))
    part.add_done_callback(lambda ended: _ended(stopping, ended))
    await asyncio.sleep(0)
    part.cancel()
    await asyncio.wait_for(stopping.wait(), 5)


async def test_a_part_that_has_done_its_work_does_not() -> None:
    """A consumer that stops itself leaves the process up, so that it can be asked why."""
    stopping = asyncio.Event()
    part = asyncio.create_task(asyncio.sleep(0))
    part.add_done_callback(lambda ended: _ended(stopping, ended))
    await part
    await asyncio.sleep(0)
    assert not stopping.is_set()


@pytest.mark.parametrize(
    ("parts", "ops_port", "ports"), [((SERVE, WORK), None, [1]), ((SERVE,), 2, [2, 1]), ((WORK,), 2, [2]), ((WORK,), None, [])]
)
def test_who_only_works_is_asked_how_it_is_on_the_operators_port(parts: tuple[str, ...], ops_port: int | None, ports: list[int]) -> None:
    told = {"host": "127.0.0.1", "port": 1, "ops_port": ops_port, "internal_public_key": PUBLIC, "cursor_secret": SECRET}
    settings, service = cast(Any, SimpleNamespace(**told)), Service(context="asked", stored=Registry("asked", {}))
    store = cast(Any, MemoryStore())
    handler = Handler(store, Folder(service.stored, ()))
    running = Runtime(service=service, settings=settings, store=store, handler=handler, reader=cast(Any, None), vault=None, health=Health())
    servers, _ = _listening_on(running, settings, parts)
    assert [server.config.port for server in servers] == ports
