"""Passes a request on to the service that owns it: an allow-list of headers, the internal token, bounded waiting."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec
from starlette.types import Send

from services.gateway.upstream import WHYS, Lost, Upstream
from shared.ops import metrics
from shared.web.problems import Problem

UP = frozenset(
    ("accept", "accept-language", "content-type", "idempotency-key", "if-match", "if-none-match", "forecourt-seen", "user-agent")
)
DOWN = frozenset(
    (b"content-type", b"content-disposition", b"etag", b"location", b"cache-control", b"retry-after", b"forecourt-seen")
) | frozenset((b"forecourt-as-of", b"allow", b"www-authenticate", b"content-language", b"link", b"vary", b"accept", b"content-length"))
NOSNIFF = (b"x-content-type-options", b"nosniff")


class Proxy:
    """The way to all services, by their http addresses."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self.services = dict(services)
        for context in self.services:
            metrics.expect("", context)
            for why in WHYS:
                metrics.unanswered.labels(context, why)
        self._upstreams: dict[str, Upstream] = {}

    async def close(self) -> None:
        """Ends idle connections."""
        for upstream in self._upstreams.values():
            upstream.close()

    async def forward(
        self, context: str, method: str, target: str, headers: Mapping[str, str], body: bytes, extra: Mapping[str, str], send: Send
    ) -> int:
        """Sends the service's answer on as it comes; its status. Raises Problem("unavailable") when the service does not answer.

        A connection found dead is tried once more, where twice is as good as once: a read, or a command with a key.
        """
        up = {name: value for name, value in headers.items() if name in UP} | dict(extra)
        upstream = self._upstream(context)
        request = written(method, target, f"{upstream.host}:{upstream.port}", up, body)
        again = method in ("GET", "HEAD") or "idempotency-key" in headers
        try:
            answer = await upstream.ask(request, head=method == "HEAD", again=again)
        except Lost as lost:
            metrics.unanswered.labels(context, lost.why).inc()
            raise unavailable() from None
        try:
            down = [(name, value) for name, value in answer.headers if name in DOWN]
            await send({"type": "http.response.start", "status": answer.status, "headers": [*down, NOSNIFF]})
            more = True
            async for chunk, more in answer.chunks():
                await send({"type": "http.response.body", "body": chunk, "more_body": more})
            if more:
                await send({"type": "http.response.body", "body": b""})
            return answer.status
        except Lost:
            raise asyncio.CancelledError from None  # the head is sent: all that is left is to break the connection
        finally:
            upstream.give_back(answer)

    async def get_json(self, context: str, path: str, headers: Mapping[str, str]) -> object:
        """A JSON document of a service. Raises Problem("unavailable")."""
        upstream = self._upstream(context)
        request = written("GET", path, f"{upstream.host}:{upstream.port}", headers, b"")
        try:
            answer = await upstream.ask(request, again=True)
            try:
                document = b"".join([chunk async for chunk, _ in answer.chunks()])
            finally:
                upstream.give_back(answer)
            if answer.status != 200:
                raise unavailable()
            return msgspec.json.decode(document)
        except (Lost, msgspec.DecodeError):
            raise unavailable() from None

    def _upstream(self, context: str) -> Upstream:
        if context not in self._upstreams:
            address = urlsplit(self.services[context])
            self._upstreams[context] = Upstream(address.hostname or "", address.port or 80)
        return self._upstreams[context]


def written(method: str, target: str, host: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A request as bytes. Raises Problem for what would break out of its line."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if body or method not in ("GET", "HEAD"):
        lines.append(f"content-length: {len(body)}")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise Problem("bad-header", "A header is malformed.")
    return f"{head}\r\n\r\n".encode("latin-1") + body


def unavailable() -> Problem:
    """The service does not answer."""
    return Problem("unavailable", headers={"Retry-After": "1"})
