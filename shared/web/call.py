"""One request of one person: who asks, what he saw, and what this service can do for him."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import PoolTimeout

from shared.decider import Rejected
from shared.deciding import NotFound, Order
from shared.events.envelope import Meta
from shared.handling import Done, Number, Request
from shared.ops import metrics, telemetry
from shared.ops.health import Health
from shared.store.pool import Connection, Readers
from shared.store.protocol import Key, Reads, Unavailable
from shared.values.clock import utc_now
from shared.web.auth import Auth, Authenticator
from shared.web.incoming import Incoming
from shared.web.problems import FieldError, Problem
from shared.web.seen import Marks

_NAMES = re.compile(r"\w+")


class Handles(Protocol):
    """What decides commands."""

    async def handle(self, request: Request) -> Done:
        """One command. Raises Rejected, NotFound, VersionConflict, KeyReused, InFlight or Unavailable."""
        ...


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What the routes of a service work with."""

    handler: Handles
    store: Reads
    reader: Readers
    guarded: frozenset[str]
    """Names of the tables whose rows are a store's."""
    vault: Any
    """Seals and opens personal fields (shared.events.privacy.Vault); None in a service that may not."""
    authenticator: Authenticator
    topics: Collection[str]
    """The contexts this service hears."""
    marks: Marks
    health: Health
    cursor_secret: str
    settings: Any = None
    """What the service was told at its start; the gateway's routes need its keys."""


class Call:
    """What a route is given. One per request."""

    def __init__(self, kit: Kit, request: Incoming, auth: Auth, *, creates: bool, status: int) -> None:
        self.kit = kit
        self.request = request
        self.auth = auth
        self.at: datetime = utc_now()
        self.key: str | None = None
        """The Idempotency-Key."""
        self.expected: int | None = None
        """The version of If-Match; None when missing or `*`."""
        self.body_hash = ""
        self._creates = creates
        self._status = status

    @property
    def staff(self) -> str:
        """The id of who asks."""
        return self.auth.subject

    @property
    def vault(self) -> Any:
        """Seals personal fields on the way in, opens them on the way out."""
        return self.kit.vault

    async def handle(
        self,
        category: str,
        id: str,
        command: object | Callable[[int], object],
        *,
        number: Number | None = None,
        store_id: str | None = None,
        new: bool | None = None,
    ) -> Done:
        """Decides a command for stream `<category>-<id>`; with `number`, `command` is a function of it.

        `store_id` is the store a new stream belongs to. `new` says whether the stream may be new; by default on routes that answer 201.
        """
        if store_id is not None and not self.auth.has_store(store_id):
            raise Problem("unknown-reference", errors=[FieldError("store_id", "unknown")])
        request = Request(
            order=Order(
                stream=f"{category}-{id}",
                meta=self.meta(store_id),
                expected=self.expected,
                stores=None if self.auth.all_stores else self.auth.stores,
                must_exist=not (self._creates if new is None else new),
                new=self._creates and new is None,
            ),
            command=command,
            key=Key(subject=self.auth.subject, route=f"{self.request.method} {self.request.path}", key=self.key) if self.key else None,
            body_hash=self.body_hash,
            status=self._status,
            number=number,
        )
        try:
            done = await self.kit.handler.handle(request)
        except Rejected as no:
            metrics.command(self.request.template, no.problem)
            raise
        metrics.command(self.request.template, "repeated" if done.repeated else "done")
        return done

    def meta(self, store_id: str | None = None) -> Meta:
        """What surrounds the events of this request."""
        trace = telemetry.trace_id() or ""
        return Meta(actor=self.auth.subject, store_id=store_id, correlation_id=trace, traceparent=telemetry.traceparent())

    async def holder(self, kind: str, key: str) -> str | None:
        """The stream that holds a claimed key, or None."""
        return await self.kit.store.holder(kind, key)

    async def rows(self, sql: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a view, of the caller's stores only. Raises Unavailable when the database does not answer."""
        stores = "*" if self.auth.all_stores else ",".join(sorted(self.auth.stores))
        with _answering():
            async with self.kit.reader.showing(stores) as conn:
                return await _rows(conn, sql, params)

    async def everybodys(self, sql: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """Rows of views that belong to no store, whatever stores a connection shows. Raises Unavailable, and ValueError for a store's rows."""
        if self.kit.guarded & set(_NAMES.findall(sql.lower())):
            raise ValueError(f"Not everybody's: {sql}")
        with _answering():
            async with self.kit.reader.anyhow() as conn:
                return await _rows(conn, sql, params)

    async def one(self, sql: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> dict[str, Any] | None:
        """The first row, or None."""
        rows = await self.rows(sql, params)
        return rows[0] if rows else None

    async def need(self, sql: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> dict[str, Any]:
        """The row; 404 when it is not there or another store's."""
        row = await self.one(sql, params)
        if row is None:
            raise NotFound
        return row


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        raise Unavailable from error


async def _rows(conn: Connection, sql: str, params: Mapping[str, Any] | Sequence[Any] | None) -> list[dict[str, Any]]:
    cursor = conn.cursor(row_factory=dict_row)
    return await (await cursor.execute(cast(Any, sql), params)).fetchall()
