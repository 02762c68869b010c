"""Kept connections to one service, each with one request at a time; the least that a proxy needs of an HTTP client."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import cast

import httptools

CONNECT = 2.0
"""Seconds until a service must have let us in."""
READ = 15.0
"""Seconds it may take until it says more."""
KEPT = 4.0
"""Seconds an idle connection is kept: less than the services keep it."""
CONNECTIONS = 128
BUFFERED = 1 << 20
"""Bytes of an answer that may wait for a slow reader."""


class Lost(Exception):
    """The service does not answer, or broke off."""

    why = "lost"


class Late(Lost):
    """It took too long."""

    why = "late"


class Full(Late):
    """All places were taken for as long as one waits for a connection."""

    why = "full"


WHYS = tuple(each.why for each in (Lost, Late, Full))


class Connection(asyncio.Protocol):
    """One connection. After `ask`, `status` and `headers` are the answer's, and `chunks` gives its body."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.since = 0.0
        """When it became idle."""
        self._parser = httptools.HttpResponseParser(self)
        self._chunks: deque[bytes] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._headless = self._whole = self._stays = self._lost = self._late = False

    # --- what asyncio and the parser call ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The service closed it."""
        self._lost = True
        self._wake()

    def data_received(self, data: bytes) -> None:
        """Part of an answer; anything unasked-for ends the connection."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()
        if sum(map(len, self._chunks)) > BUFFERED:
            self._transport.pause_reading()
        self._wake()

    def on_message_begin(self) -> None:
        """An answer begins: the only one, or nobody knows whose the next would be."""
        if self.status:
            raise Lost

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.status = self._parser.get_status_code()
        self._stays = self._parser.should_keep_alive() and not self._headless
        self._whole = self._headless

    def on_body(self, body: bytes) -> None:
        """Part of the body."""
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        self._whole = True

    # --- what the proxy calls ------------------------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return not self._lost and not self._transport.is_closing()

    @property
    def done(self) -> bool:
        """Whether the answer has come whole, has been read, and another may follow it."""
        return self._whole and self._stays and not self._chunks

    def close(self) -> None:
        """Ends the connection, whatever is under way."""
        self._lost = True
        self._transport.close()

    async def ask(self, request: bytes, *, head: bool = False) -> None:
        """Sends a request; returns when the head of the answer is there. `head`: a body is announced but does not come."""
        self.status, self.headers, self._headless, self._whole = 0, [], head, False
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request)
        while not self.status:
            await self._more()

    async def chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        """The body as it comes, and whether more may come. Raises Lost when it breaks off."""
        while True:
            if self._chunks:
                chunk = b"".join(self._chunks)
                self._chunks.clear()
                self._transport.resume_reading()
                yield chunk, not self._whole
            elif self._whole:
                return
            else:
                await self._more()

    async def _more(self) -> None:
        if self._lost:
            raise Late if self._late else Lost
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        overdue = loop.call_later(READ, self._give_up)
        try:
            await self._waiting
        finally:
            overdue.cancel()

    def _give_up(self) -> None:
        self._late = True
        self.close()
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Upstream:
    """The connections to one service at `host`:`port`."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._idle: deque[Connection] = deque()
        self._places = asyncio.Semaphore(CONNECTIONS)

    async def ask(self, request: bytes, *, head: bool = False, again: bool = False) -> Connection:
        """A connection whose answer has begun, to be given back. Raises Lost.

        `again`: what was not answered is sent once more, on a new connection.
        """
        await self._enter()
        try:
            try:
                return await self._answering(self._kept() or await self._connected(), request, head)
            except Lost as lost:
                if not again or isinstance(lost, Late):
                    raise
                return await self._answering(await self._connected(), request, head)
        except BaseException:
            self._places.release()
            raise

    def give_back(self, connection: Connection) -> None:
        """Keeps the connection for another request where its answer has come whole."""
        self._places.release()
        if connection.done and connection.usable:
            connection.since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.close()

    async def _enter(self) -> None:
        """Waits for one of the places, not longer than for a connection."""
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(CONNECT):
                await self._places.acquire()
        except TimeoutError:
            raise Full from None

    async def _answering(self, connection: Connection, request: bytes, head: bool) -> Connection:
        try:
            await connection.ask(request, head=head)
        except BaseException:
            connection.close()
            raise
        return connection

    def _kept(self) -> Connection | None:
        """The connection used last, if it is still good; older ones are ended."""
        now = asyncio.get_running_loop().time()
        while self._idle and (not self._idle[0].usable or now - self._idle[0].since > KEPT):
            self._idle.popleft().close()
        while self._idle:
            if (connection := self._idle.pop()).usable:
                return connection
        return None

    async def _connected(self) -> Connection:
        try:
            async with asyncio.timeout(CONNECT):
                return (await asyncio.get_running_loop().create_connection(Connection, self.host, self.port))[1]
        except TimeoutError:
            raise Late from None
        except OSError:
            raise Lost from None

    def close(self) -> None:
        """Ends what is idle."""
        while self._idle:
            self._idle.pop().close()
