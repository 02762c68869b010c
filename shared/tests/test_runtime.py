"""A process with a part that has ended is no process: it ends too, to be started again."""

import asyncio

from shared.runtime import _ended


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
