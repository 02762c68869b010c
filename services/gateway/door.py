"""The one door: limits, login, rights, audit; then the identity service itself, or the service that owns the path."""

from collections.abc import Coroutine
from pathlib import Path
from time import perf_counter
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.audit import Audit, AuditRow
from services.gateway.first_user import first_user
from services.gateway.limiter import Limiter
from services.gateway.merged import Merged
from services.gateway.people import People, Person
from services.gateway.proxy import Proxy
from services.gateway.routes import owner
from services.gateway.stream import EventStream
from services.gateway.tokens import Tokens
from shared.ops import metrics, telemetry
from shared.runtime import Runtime
from shared.store.protocol import Unavailable
from shared.values.clock import utc_now
from shared.values.ids import new_id
from shared.web.auth import bearer
from shared.web.incoming import Disconnected, Incoming
from shared.web.openapi import published
from shared.web.problems import Problem, response

log = structlog.get_logger()

BODY = 1_048_576
XML = ("application/xml", "text/xml", "application/x-adf+xml")
MEDIA = ("application/json", "application/x-www-form-urlencoded", *XML)
OPEN_PATHS = frozenset({"/api/v1/auth/token", "/api/v1/auth/jwks.json"})
UNCHANGED = frozenset({"/api/v1/auth/password", "/api/v1/auth/me"})
"""What one may call before the first password is changed."""
CONSOLE = Path(__file__).parent.parent.parent / "console"
SECURITY = [
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


DOOR = "door"
"""The route of what is answered before a request has found its way; a request passed on counts under its context."""


class Door:
    """An ASGI application around the identity service's own."""

    def __init__(self, inner: ASGIApp, running: Runtime) -> None:
        settings = running.settings
        assert settings.access_private_key
        assert settings.internal_private_key
        self.inner = inner
        self.tokens = Tokens(settings.access_private_key, settings.internal_private_key)
        self.people = People(running.store)
        self.proxy = Proxy(settings.services)
        self.merged = Merged(self.proxy)
        self.limiter = Limiter(settings.redis_url)
        self.audit = Audit(running.store)
        self.events = EventStream(settings.kafka, settings.topic_prefix)
        self.console = StaticFiles(directory=CONSOLE, html=True, check_dir=False)
        metrics.expect("", DOOR)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path in ("/livez", "/readyz"):
            await self.inner(scope, receive, send)
            return
        incoming, started, began = Incoming(scope, receive), _Started(send), perf_counter()
        with telemetry.span(incoming.method, incoming.headers.get("traceparent")) as trace:
            try:
                incoming.check_head()
                if path.startswith("/api/"):
                    await self._api(incoming, trace.traceparent, receive, started)
                elif path in ("/metrics", "/docs", "/openapi.json"):
                    raise Problem("not-found")
                elif incoming.method in ("GET", "HEAD"):
                    await self._page(scope, receive, started)
                else:
                    raise Problem("method-not-allowed", headers={"Allow": "GET, HEAD"})
            except Disconnected:
                return
            except Exception as error:
                problem = error if isinstance(error, Problem) else _problem(error)
                metrics.request("", DOOR, problem.kind.status, perf_counter() - began)
                if not started.started:
                    await response(problem, trace_id=trace.trace_id, accept_language=incoming.language)(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SECURITY, (b"cache-control", b"no-cache")]
            await send(message)

        path: str = scope["path"]
        if "//" in path or ".." in path:  # a folder answers with a redirect, and its address would be anyone's to write
            raise Problem("not-found")
        try:
            await self.console(scope, receive, with_headers)
        except HTTPException:
            raise Problem("not-found") from None

    async def _api(self, incoming: Incoming, trace: str, receive: Receive, send: "_Started") -> None:
        if self.audit.full:
            raise Problem("unavailable", headers={"Retry-After": "5"})
        path, address = incoming.path, _address(incoming.scope)
        known = self.tokens.known(incoming.headers)
        await self.limiter.enter(("address", address), *([("person", known.staff_id)] if known else []))
        context = owner(path)
        if context is None:
            raise Problem("not-found")
        if path in OPEN_PATHS:
            await self.inner(_with_headers(incoming.scope, {"traceparent": trace}), receive, send)
            self._record(incoming, None, address, send.status)
            return
        person = await self.people.person(known or self.tokens.verify(bearer(incoming.headers)))
        if known is None:
            await self.limiter.enter(("person", person.staff_id))
        if person.must_change and path not in UNCHANGED:
            raise Problem("password-change-required")
        token = self.tokens.internal(person.staff_id, person.roles, person.permissions, person.stores)
        extra = {"authorization": f"Bearer {token}", "traceparent": trace, "forecourt-session": person.session_id}
        try:
            await self._answer(context, incoming, person, extra, receive, send)
        finally:
            self._record(incoming, person, address, send.status)

    async def _answer(
        self, context: str, incoming: Incoming, person: Person, extra: dict[str, str], receive: Receive, send: "_Started"
    ) -> None:
        path = incoming.path
        if path == "/api/v1/events":
            await self._events(incoming, person, receive, send)
        elif path == "/api/v1/openapi.json":
            await self._document(incoming, extra, receive, send)
        elif context == "gateway":
            await self.inner(_with_headers(incoming.scope, extra), receive, send)
            if incoming.method != "GET":
                self.people.forget(person.staff_id)
        else:
            body = await incoming.body(MEDIA, BODY)
            raw: bytes = incoming.scope["raw_path"]
            query: bytes = incoming.scope["query_string"]
            target = (raw + (b"?" + query if query else b"")).decode("ascii")
            began = perf_counter()
            status = await self.proxy.forward(context, incoming.method, target, incoming.headers, body, extra, send)
            metrics.request("", context, status, perf_counter() - began)

    async def _events(self, incoming: Incoming, person: Person, receive: Receive, send: "_Started") -> None:
        if incoming.method != "GET":
            raise Problem("method-not-allowed", headers={"Allow": "GET"})
        if "events.read" not in person.permissions:
            raise Problem("forbidden")
        access = self.tokens.verify(bearer(incoming.headers))
        await self.events.serve(lambda: self.people.person(access), incoming.headers.get("last-event-id", ""), receive, send)

    async def _document(self, incoming: Incoming, extra: dict[str, str], receive: Receive, send: "_Started") -> None:
        if incoming.method != "GET":
            raise Problem("method-not-allowed", headers={"Allow": "GET"})
        merged = await self.merged.document(published("gateway") or {}, extra)
        await JSONResponse(merged, headers={"Cache-Control": "no-cache"})(incoming.scope, receive, send)

    def _record(self, incoming: Incoming, person: Person | None, address: str, status: int) -> None:
        self.audit.add(
            AuditRow(
                audit_id=new_id(),
                at=utc_now(),
                staff_id=person.staff_id if person else "",
                session_id=person.session_id if person else "",
                address=address,
                method=incoming.method,
                path=incoming.path[:300],
                status=status,
            )
        )


class _Started:
    """Knows whether, and with which status, an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False
        self.status = 0

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
        await self._send(message)


def _problem(error: Exception) -> Problem:
    """A store that does not answer is 503; anything else was not foreseen."""
    if isinstance(error, Unavailable):
        return Problem("unavailable", headers={"Retry-After": "2"})
    log.error("unhandled at the door", exc_info=error)
    return Problem("internal")


def front(app: ASGIApp, running: Runtime) -> tuple[ASGIApp, list[Coroutine[Any, Any, None]]]:
    """The door in front of the identity service, and what runs beside it."""
    door = Door(app, running)
    return door, [door.audit.run(), first_user(running)]


def _address(scope: Scope) -> str:
    """The peer itself: forwarding headers are anyone's to write."""
    client = scope.get("client")
    return client[0] if client else "unknown"


def _with_headers(scope: Scope, extra: dict[str, str]) -> Scope:
    """The scope with these headers set, whatever the client sent under their names."""
    names = {name.encode() for name in extra}
    kept = [(name, value) for name, value in scope["headers"] if name not in names]
    return {**scope, "headers": kept + [(name.encode(), value.encode()) for name, value in extra.items()]}
