"""Passes a request on to the service that owns it: an allow-list of headers, the internal token, bounded waiting."""

import asyncio
from collections.abc import Mapping

import aiohttp
from starlette.types import Send

from shared.web.problems import Problem

TIMEOUT = aiohttp.ClientTimeout(total=20, connect=2, sock_read=15)
CONNECTIONS = 128
UP = frozenset(
    ("accept", "accept-language", "content-type", "idempotency-key", "if-match", "if-none-match", "forecourt-seen", "user-agent")
)
DOWN = frozenset(
    ("content-type", "content-disposition", "etag", "location", "cache-control", "retry-after", "forecourt-seen", "forecourt-as-of")
) | frozenset(("allow", "www-authenticate", "content-language", "link", "vary", "accept"))


class Proxy:
    """One client session for all services; a connection the service has closed is not used again."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self.services = dict(services)
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """The session, made in the running loop."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=4)
            self._session = aiohttp.ClientSession(connector=connector, timeout=TIMEOUT, auto_decompress=False)
        return self._session

    async def close(self) -> None:
        """Closes the session."""
        if self._session is not None:
            await self._session.close()

    async def forward(
        self, context: str, method: str, target: str, headers: Mapping[str, str], body: bytes, extra: Mapping[str, str], send: Send
    ) -> int:
        """Sends the service's answer on as it comes; its status. Raises Problem("unavailable") when the service does not answer."""
        up = {name: value for name, value in headers.items() if name in UP} | dict(extra)
        url = self.services[context] + target
        try:
            response = await self._request(method, url, up, body)
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise Problem("unavailable", headers={"Retry-After": "1"}) from None
        async with response:
            down = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items() if name.lower() in DOWN]
            down.append((b"x-content-type-options", b"nosniff"))
            if (length := response.headers.get("content-length")) is not None:
                down.append((b"content-length", length.encode()))
            await send({"type": "http.response.start", "status": response.status, "headers": down})
            try:
                async for chunk in response.content.iter_any():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            except (aiohttp.ClientError, TimeoutError):
                raise asyncio.CancelledError from None  # the head is sent: all that is left is to break the connection
            await send({"type": "http.response.body", "body": b""})
            return response.status

    async def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> aiohttp.ClientResponse:
        """A connection found dead is tried once more, where twice is as good as once: a read, or a command with a key."""
        again = method in ("GET", "HEAD") or "idempotency-key" in headers
        try:
            return await self.session().request(method, url, headers=headers, data=body or None, allow_redirects=False)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not again:
                raise
            return await self.session().request(method, url, headers=headers, data=body or None, allow_redirects=False)

    async def get_json(self, context: str, path: str, headers: Mapping[str, str]) -> object:
        """A JSON document of a service. Raises Problem("unavailable")."""
        try:
            async with self.session().get(self.services[context] + path, headers=headers) as response:
                response.raise_for_status()
                return await response.json()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            raise Problem("unavailable", headers={"Retry-After": "1"}) from None
