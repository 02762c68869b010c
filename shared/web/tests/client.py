"""Talks ASGI to an app, byte for byte: also what no HTTP library would send."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message

type Headers = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The slug of a problem, whose form is checked."""
        made = self.json
        assert self.headers["content-type"] == "application/problem+json"
        assert made["status"] == self.status
        assert made["title"]
        assert made["instance"].startswith("/traces/")
        return str(made["type"].removeprefix("/problems/"))

    @property
    def errors(self) -> dict[str, str]:
        """Reason by field."""
        return {error["field"]: error["reason"] for error in self.json.get("errors", [])}


class Client:
    """Requests of one caller; `headers` are sent with each."""

    def __init__(self, app: ASGIApp, headers: Headers | None = None) -> None:
        self.app = app
        self.headers = {"host": "forecourt.test", **(headers or {})}

    async def get(self, path: str, headers: Headers | None = None) -> Answer:
        """GET."""
        return await self.send("GET", path, headers=headers)

    async def post(self, path: str, body: Any = None, headers: Headers | None = None) -> Answer:
        """POST of a body: bytes as they are, anything else as JSON."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json", **(headers or {})} if raw else headers
        return await self.send("POST", path, [raw], sent)

    async def send(
        self,
        method: str,
        target: str,
        chunks: Sequence[bytes] = (b"",),
        headers: Headers | None = None,
        more_headers: Sequence[tuple[str, str]] = (),
        pause: float = 0,
    ) -> Answer:
        """Any request; a None-like header value ("") leaves that header out; `pause` seconds before each chunk."""
        path, _, query = target.partition("?")
        merged = {**self.headers, **(headers or {})}
        pairs = [(name, value) for name, value in merged.items() if value] + list(more_headers)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "surrogatepass"),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
            "client": ("127.0.0.1", 50000),
            "server": ("forecourt.test", 80),
        }
        waiting = [{"type": "http.request", "body": chunk, "more_body": i < len(chunks) - 1} for i, chunk in enumerate(chunks)]
        sent: list[Message] = []

        async def receive() -> Message:
            await asyncio.sleep(pause)
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        answered = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:]))
