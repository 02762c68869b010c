"""Bytes that are no HTTP, or too much of it, get a problem like everything else that is refused."""

import asyncio
from secrets import token_hex
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.web.problems import Problem, response

HEAD = 16_384
"""Bytes a request line and its headers may have together."""
_NAMES = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


class Joined:
    """A transport that writes together what is written in one go: uvicorn writes head and body apart, a system call each."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Soon."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        """After what was written."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """uvicorn's own, but for how it writes, what it says when it cannot read a request, and how much of a head it reads."""

    _head = 0
    """Bytes since the head began; None of a head is awaited while it is negative."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client."""
        super().connection_made(cast(asyncio.Transport, Joined(transport)))

    def data_received(self, data: bytes) -> None:
        """A head is refused as soon as it is too long, however slowly it comes."""
        if self._head >= 0:
            self._head += len(data)
        super().data_received(data)
        if self._head > HEAD and not self.transport.is_closing():
            self._refuse(Problem("headers-too-large"))

    def on_message_begin(self) -> None:
        """A new head."""
        self._head = max(self._head, 0)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Measures a head that may be too long."""
        if self._head > HEAD and len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD:
            raise ValueError
        self._head = -1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next bytes are of the next head."""
        super().on_message_complete()
        self._head = 0

    def send_400_response(self, msg: str) -> None:
        """Answers and closes: where the next request begins nobody knows."""
        self._refuse(Problem("headers-too-large" if self._head > HEAD else "bad-request"))

    def _refuse(self, problem: Problem) -> None:
        answer = response(problem, trace_id=token_hex(16))
        status = b"HTTP/1.1 %d %s" % (answer.status_code, _NAMES[answer.status_code])
        head = [status, *(name + b": " + value for name, value in answer.raw_headers), b"connection: close"]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()
