"""A history to measure with: deals by real commands, as many as are wanted."""

import asyncio

from deploy.bench.model import Change, place, request
from shared.handling import Handler
from shared.values.clock import utc_now
from shared.values.ids import new_id

EVENTS = 4
"""Events of one deal: it is placed, then changed."""
CALLERS = 64


async def make(handler: Handler, deals: int) -> None:
    """So many deals, each placed and changed once."""
    left = iter(range(deals))

    async def call() -> None:
        for _ in left:
            order_id = new_id()
            await handler.handle(request(order_id, place(order_id), new=True))
            await handler.handle(request(order_id, Change(at=utc_now()), new=False))

    await asyncio.gather(*(call() for _ in range(CALLERS)))
