"""A request as it arrives: its head checked, its body read within a limit."""

import asyncio
import re
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from shared.web.problems import FieldError, Problem

PARAMETERS = 50
BODY_WITHIN = 10.0
"""Seconds a body may take."""
_HOST = re.compile(r"([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
_PATH = re.compile(r"/[^\x00-\x20\x7f-\x9f\\]*")
_ONCE = frozenset(
    (b"host", b"authorization", b"content-type", b"content-length", b"content-encoding", b"idempotency-key", b"if-match", b"traceparent")
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Incoming:
    """One HTTP request. Raises Problem when its head is malformed."""

    __slots__ = ("headers", "language", "method", "params", "path", "receive", "scope", "template")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[str, str] = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.language = self.headers.get("accept-language", "")
        self.params: dict[str, str] = {}
        self.template = ""

    def check_head(self) -> None:
        """Raises Problem for a host or path that no honest client sends, or a header that is given twice."""
        if not _PATH.fullmatch(self.path):
            raise Problem("bad-request", "The path is malformed.")
        if not _HOST.fullmatch(self.headers.get("host", "")):
            raise Problem("bad-request", "The Host header is malformed.")
        if "transfer-encoding" in self.headers and "content-length" in self.headers:
            raise Problem("bad-request", "A body has one length.", headers={"Connection": "close"})
        if len(self.headers) != len(self.scope["headers"]):
            names = [name for name, _ in self.scope["headers"] if name in _ONCE]
            if len(names) != len(set(names)):
                raise Problem("bad-header", "A header is given more than once.")

    def query(self) -> dict[str, str]:
        """The query's parameters. Raises Problem for one given twice, or text no field can take."""
        raw: bytes = self.scope["query_string"]
        if not raw:
            return {}
        try:
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS)
        except ValueError:
            raise Problem("validation", "The query is malformed.") from None
        values = dict(pairs)
        if len(values) != len(pairs):
            names = [name for name, _ in pairs]
            raise Problem("validation", errors=[FieldError(name, "repeated") for name in values if names.count(name) > 1])
        if wrong := [name for name, value in pairs if _CONTROL.search(value)]:
            raise Problem("validation", errors=[FieldError(name, "control-characters") for name in wrong])
        return values

    async def body(self, media_types: tuple[str, ...], limit: int) -> bytes:
        """The whole body. Raises Problem when it is longer than `limit` bytes, compressed, or of another type."""
        if self.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise Problem("unsupported-media-type", "A compressed body is not accepted.")
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:19]) > limit:
            raise Problem("body-too-large")
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(BODY_WITHIN):
                await self._chunks(chunks, limit)
        except TimeoutError:
            raise Problem("request-timeout", headers={"Connection": "close"}) from None
        raw = b"".join(chunks)
        if raw:
            self._check_media_type(media_types)
        return raw

    async def _chunks(self, chunks: list[bytes], limit: int) -> None:
        size, more = 0, True
        while more:
            message: Any = await self.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise Problem("body-too-large")
            chunks.append(chunk)
            more = message.get("more_body", False)

    def _check_media_type(self, media_types: tuple[str, ...]) -> None:
        media_type, _, parameters = self.headers.get("content-type", "").partition(";")
        if media_type.strip().lower() not in media_types:
            raise Problem("unsupported-media-type", headers={"Accept": ", ".join(media_types)})
        charset = parameters.partition("charset=")[2].strip(' "').lower()
        if charset not in ("", "utf-8", "utf8"):
            raise Problem("unsupported-media-type", "Only UTF-8 is accepted.")


class Disconnected(Exception):
    """The client went away before its body was whole: nobody is left to answer."""
