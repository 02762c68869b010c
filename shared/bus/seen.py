"""Read your write: waits until this service has taken what another context answered. All who wait share one look at the store."""

import asyncio
from asyncio import Future
from collections import defaultdict

from shared.bus.inbox import Key, inbox
from shared.store.protocol import Store

_POLL = 0.02
CROWD = 32
"""Of the 128 requests that a gateway has with a service at a time, those that may wait."""
AT_ONCE = 0.1


class Seen:
    """What `consumer` has taken, for any number of waiting requests: were each to ask for itself, a late relay would drown the database."""

    def __init__(self, store: Store, consumer: str) -> None:
        self.store = store
        self.consumer = consumer
        self._wanted: dict[Key, dict[Future[bool], int]] = defaultdict(dict)
        self._looking: asyncio.Task[None] | None = None

    async def reached(self, context: str, stream: str, sequence: int, timeout: float = 2.0) -> bool:
        """Whether this public event of `context` has been taken; waits up to `timeout` seconds for it. A parked one is not taken.

        Where a crowd waits already, who comes is told at once: each holds a connection that somebody else could do with.
        """
        key, there = (context, stream), asyncio.get_running_loop().create_future()
        if sum(map(len, self._wanted.values())) >= CROWD:
            timeout = min(timeout, AT_ONCE)
        self._wanted[key][there] = sequence
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait([there], timeout=timeout)
            return there.done() and there.result()
        finally:
            there.cancel()
            self._wanted[key].pop(there, None)
            if not self._wanted[key]:
                del self._wanted[key]

    async def _look(self) -> None:
        """Asks while anybody waits; whatever stands in the way is told to all."""
        while self._wanted:
            try:
                await self._ask()
            except Exception as error:
                for there in [there for waiting in self._wanted.values() for there in waiting if not there.done()]:
                    there.set_exception(error)
            await asyncio.sleep(_POLL)

    async def _ask(self) -> None:
        keys = list(self._wanted)
        async with self.store.look() as tx:
            taken = await inbox(tx).reached(self.consumer, keys)
        for key in keys:
            for there, sequence in self._wanted.get(key, {}).items():
                if sequence <= taken.get(key, -1) and not there.done():
                    there.set_result(True)
