"""Whether the process lives, and whether it can do its work now."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE = 2.0
"""Seconds a probe may take."""

type Probe = Callable[[], Awaitable[object]]


class Health:
    """Probes are asked each time (the database); flags are told (relay, consumer)."""

    def __init__(self) -> None:
        self._probes: dict[str, Probe] = {}
        self._flags: dict[str, bool] = {}
        self.stopping = False
        """Set at SIGTERM: not ready any more, while the requests under way are finished."""

    def probe(self, name: str, ask: Probe) -> None:
        """`ask` is good when it returns within two seconds anything but False."""
        self._probes[name] = ask

    def flag(self, name: str, good: bool) -> None:
        """A part of this process tells how it is."""
        self._flags[name] = good

    async def ready(self) -> dict[str, bool]:
        """Every probe and flag by name; ready when all are good."""
        answers = await asyncio.gather(*(_asked(ask) for ask in self._probes.values()))
        return {"running": not self.stopping, **dict(zip(self._probes, answers, strict=True)), **self._flags}


async def _asked(ask: Probe) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await ask() is not False
    except Exception:
        return False
