"""The wires between services and servers: a TCP proxy that can be slow, cut, deaf or narrow."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Literal, cast

import uvloop

type Fault = Literal["delay", "cut", "half-open", "throttle"]

DELAY = 0.15
"""Seconds every piece of data is late."""
NARROW = 64 * 1024
"""Bytes a second that pass in each direction of a connection."""
OPENS_WITHIN = 2.0


class Link:
    """One listening port that leads to one of several others, each new connection to the next that is open."""

    def __init__(self, name: str, port: int, targets: list[int]) -> None:
        self.name = name
        self.port = port
        self.targets = targets
        self.fault: Fault | None = None
        self.ends: set[End] = set()
        self._turn = count()

    async def open(self) -> None:
        """Listens."""
        await asyncio.get_running_loop().create_server(lambda: End(self), "127.0.0.1", self.port)

    async def reach(self, end: "End") -> "End | None":
        """Connects on behalf of whoever came; None when nobody answers."""
        turn = next(self._turn)
        loop = asyncio.get_running_loop()
        for n in range(len(self.targets)):
            port = self.targets[(turn + n) % len(self.targets)]
            try:
                async with asyncio.timeout(OPENS_WITHIN):
                    _, made = await loop.create_connection(lambda: End(self, end), "127.0.0.1", port)
                    return made
            except (OSError, TimeoutError):
                continue
        return None

    def cut(self) -> None:
        """Breaks every connection."""
        for end in list(self.ends):
            end.abort()


class End(asyncio.Protocol):
    """One end of a connection through the link; what it receives goes to its other end."""

    transport: asyncio.Transport

    def __init__(self, link: Link, other: "End | None" = None) -> None:
        self.link = link
        self.other = other
        self._early: list[bytes] = []
        self._free_at = 0.0
        self.lost = False
        """Something sent here was swallowed: the connection cannot go on when the fault ends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Whoever comes in is connected further, unless the link is cut."""
        self.transport = cast(asyncio.Transport, transport)
        if self.link.fault == "cut":
            self.transport.abort()
            return
        self.link.ends.add(self)
        if self.other is None:
            self._reaching = asyncio.get_running_loop().create_task(self._reach())

    async def _reach(self) -> None:
        self.other = await self.link.reach(self)
        if self.other is None or self.transport.is_closing():
            self.abort()
            return
        for data in self._early:
            self.other.pass_on(data)

    def data_received(self, data: bytes) -> None:
        """Passed on, as the link lets it."""
        if self.other is None:
            self._early.append(data)
        else:
            self.other.pass_on(data)

    def pass_on(self, data: bytes) -> None:
        """Writes now, or when the link's fault lets it; a half-open connection takes everything and gives nothing."""
        loop, fault = asyncio.get_running_loop(), self.link.fault
        if fault == "half-open":
            self.lost = True
            return
        wait = {"delay": DELAY, "throttle": len(data) / NARROW}.get(fault or "", 0.0)
        now = loop.time()
        self._free_at = max(self._free_at, now) + wait if fault == "throttle" else max(self._free_at, now + wait)
        if self._free_at <= now:
            self._write(data)
        else:
            loop.call_at(self._free_at, self._write, data)

    def _write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        """The other end ends too."""
        self.link.ends.discard(self)
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.close()

    def abort(self) -> None:
        """Ends both sides at once."""
        self.transport.abort()
        if self.other is not None:
            self.other.transport.abort()


class Links(threading.Thread):
    """All links of a platform, in a thread of their own: whoever asks the platform something slowly does not slow it down."""

    def __init__(self, ways: dict[str, tuple[int, list[int]]]) -> None:
        super().__init__(name="links", daemon=True)
        self.links = {name: Link(name, port, targets) for name, (port, targets) in ways.items()}
        self._open = threading.Event()
        self._loop = uvloop.new_event_loop()

    def run(self) -> None:
        """The thread's life."""
        asyncio.set_event_loop(self._loop)
        for link in self.links.values():
            self._loop.run_until_complete(link.open())
        self._open.set()
        self._loop.run_forever()

    def __enter__(self) -> "Links":
        self.start()
        assert self._open.wait(10), "the links' ports are taken"
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.join(5)

    def named(self, beginning: str) -> list[str]:
        """The links whose name begins so."""
        return [name for name in self.links if name.startswith(beginning)]

    @contextmanager
    def broken(self, names: list[str], fault: Fault) -> Iterator[None]:
        """These links have a fault for as long as the block lasts."""
        self._do(lambda: self._set(names, fault))
        try:
            yield
        finally:
            self._do(lambda: self._set(names, None))

    def _set(self, names: list[str], fault: Fault | None) -> None:
        for link in (self.links[name] for name in names):
            link.fault = fault
            if fault == "cut":
                link.cut()
            elif fault is None:
                for end in [end for end in link.ends if end.lost]:
                    end.abort()

    def _do(self, what: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(what)
