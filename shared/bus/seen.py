"""Read your write: waits until this service has taken what another context answered."""

import asyncio

from shared.bus.inbox import inbox
from shared.store.protocol import Store

_POLL = 0.02


async def seen(store: Store, consumer: str, context: str, stream: str, sequence: int, timeout: float = 2.0) -> bool:
    """Whether `consumer` has taken this public event of `context`; waits up to `timeout` seconds for it. A parked one is not taken."""
    deadline = asyncio.get_running_loop().time() + timeout
    while not await _taken(store, consumer, (context, stream), sequence):
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(_POLL)
    return True


async def _taken(store: Store, consumer: str, key: tuple[str, str], sequence: int) -> bool:
    async with store.begin() as tx:
        if (await tx.marks(consumer, [key])).get(key, -1) < sequence:
            return False
        return all(message.sequence > sequence for message in await inbox(tx).parked(consumer, key))
