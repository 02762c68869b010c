"""Requests over kept connections at the least cost: a client must not be what is measured."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from deploy.bench.measure import Contender, Took, callers
from deploy.local.process import Problem

ADDRESSES = 16
"""The callers come from as many addresses, like people: the gateway counts requests per address."""
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._data = b""
        self._wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server closed it."""
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        """A part of the answer."""
        self._data += data
        if not self._wanted and (head := self._data.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._data, 0, head + 1)
            self._wanted = head + 4 + (int(length[1]) if length else 0)
        if self._wanted and len(self._data) >= self._wanted:
            answer, self._answer = self._answer, None
            whole, self._data, self._wanted = self._data[: self._wanted], self._data[self._wanted :], 0
            if answer and not answer.done():
                answer.set_result((int(whole[9:12]), whole))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and the whole answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer


@asynccontextmanager
async def connections(port: int, many: int) -> AsyncIterator[list[Connection]]:
    """Connections to 127.0.0.1:port."""
    loop = asyncio.get_running_loop()
    made: list[Connection] = []
    try:
        for number in range(many):
            source = (f"127.0.0.{2 + number % ADDRESSES}", 0)
            made.append((await loop.create_connection(Connection, "127.0.0.1", port, local_addr=source))[1])
        yield made
    finally:
        for each in made:
            each.transport.close()


def asking(port: int, many: int, request: Callable[[int], bytes], status: int) -> Contender:
    """`many` connections, each with its next request as soon as it is answered. Raises Problem for another status than `status`."""

    async def run(seconds: float) -> Took:
        async with connections(port, many) as made:

            async def ask(caller: int) -> None:
                got, answer = await made[caller].ask(request(caller))
                if got != status:
                    raise Problem(f"{got} instead of {status}: {answer.decode()[:400]}")

            return await callers(many, seconds, ask)

    return run


def post(path: str, body: bytes, **headers: str) -> bytes:
    """The bytes of a request."""
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str, **headers: str) -> bytes:
    """The bytes of a request."""
    lines = [f"GET {path} HTTP/1.1", "host: 127.0.0.1", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()
