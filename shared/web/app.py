"""A service's HTTP side: its routes under /api/v1, every error as a problem, health and metrics beside them."""

from time import perf_counter
from typing import Any, Protocol

import psycopg
import structlog
from fastapi import FastAPI
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.decider import Rejected
from shared.deciding import NotFound, VersionConflict
from shared.events.privacy import VaultUnavailable
from shared.handling import InFlight, KeyReused
from shared.ops import metrics, telemetry
from shared.ops.health import PATIENCE, Health
from shared.service import Service
from shared.store.pool import Readers
from shared.store.protocol import Store, Unavailable
from shared.web import problems
from shared.web.auth import Authenticator, Verifier
from shared.web.call import Handles, Kit
from shared.web.done import etag
from shared.web.incoming import Disconnected, Incoming
from shared.web.json import encode
from shared.web.openapi import bare, published
from shared.web.paths import Paths
from shared.web.problems import FieldError, Problem
from shared.web.route import PREFIX, CommandRoute
from shared.web.seen import StoreMarks

log = structlog.get_logger()
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_DOWN = (Unavailable, VaultUnavailable, PoolTimeout, PoolClosed, TooManyRequests, psycopg.OperationalError, psycopg.InterfaceError)


class Runtime(Protocol):
    """What runs a service, as far as its routes need it."""

    @property
    def handler(self) -> Handles:
        """Decides commands."""
        ...

    @property
    def store(self) -> Store:
        """Keeps events and claims."""
        ...

    @property
    def reader(self) -> Readers:
        """Role reader."""
        ...

    @property
    def vault(self) -> Any:
        """Seals and opens personal fields, where the service may."""
        ...

    @property
    def settings(self) -> Any:
        """With `internal_public_key` and `cursor_secret`."""
        ...


def create_app(
    service: Service,
    runtime: Runtime,
    *,
    authenticator: Authenticator | None = None,
    health: Health | None = None,
) -> FastAPI:
    """The application of a service: its commands decided by `runtime`, its callers known by the gateway's token unless told otherwise."""
    app = bare(service)
    paths = Paths[CommandRoute]()
    for router in service.routers:
        for route in router.routes:
            if not isinstance(route, CommandRoute):
                raise TypeError(f"{route} of {service.context} is no CommandRoute.")
            paths.add(route.verb, PREFIX + route.path, route)
            for method in (route.verb, "HEAD") if route.verb == "GET" else (route.verb,):
                metrics.expect(method, PREFIX + route.path)
    metrics.expect("", "")
    kit = Kit(
        handler=runtime.handler,
        store=runtime.store,
        reader=runtime.reader,
        guarded=frozenset(table.sql_name for table in service.all_tables() if table.store),
        vault=runtime.vault,
        authenticator=authenticator or Verifier(runtime.settings.internal_public_key),
        topics=service.topics,
        marks=StoreMarks(runtime.store, service.context),
        health=health or Health(),
        cursor_secret=runtime.settings.cursor_secret,
        settings=runtime.settings,
    )
    kit.health.probe("database", lambda: _ask(runtime.reader))
    app.state.runtime = runtime
    app.middleware_stack = Edge(app, kit, paths, service.context)
    return app


class Edge:
    """Where every request of a service arrives, and every answer leaves."""

    def __init__(self, app: FastAPI, kit: Kit, paths: Paths[CommandRoute], context: str) -> None:
        self.app = app
        self.context = context
        self.kit = kit
        self.paths = paths
        self.pages = {"/livez": self._alive, "/readyz": self._ready, "/metrics": self._metrics, "/openapi.json": self._openapi}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app.router(scope, receive, send)
            return
        started = perf_counter()
        request = Incoming(scope, receive)
        with telemetry.span(request.method, request.headers.get("traceparent")) as trace:
            try:
                response = await self._answer(request)
            except Disconnected:
                return
            except Exception as error:
                response = problems.response(self._problem(error, request), trace_id=trace.trace_id, accept_language=request.language)
            metrics.request(request.method if request.template else "", request.template, response.status_code, perf_counter() - started)
            response.headers["X-Content-Type-Options"] = "nosniff"
            await response(scope, receive, send)

    async def _answer(self, request: Incoming) -> Response:
        request.check_head()
        method = "GET" if request.method == "HEAD" else request.method
        if page := self.pages.get(request.path):
            if method != "GET":
                raise Problem("method-not-allowed", headers={"Allow": "GET, HEAD"})
            return await page()
        found = self.paths.find(method, request.path)
        if found is None:
            if method not in _METHODS:
                raise Problem("method-not-allowed", headers={"Allow": ", ".join(_METHODS)})
            raise Problem("not-found")
        route = found.methods.get(method)
        if route is None:
            allowed = [*found.methods, *(["HEAD"] if "GET" in found.methods else [])]
            raise Problem("method-not-allowed", headers={"Allow": ", ".join(sorted(allowed))})
        request.params = found.params
        request.template = PREFIX + route.path
        return await route.respond(request, self.kit)

    def _problem(self, error: Exception, request: Incoming) -> Problem:
        """What an exception is to the person who asked."""
        match error:
            case Problem():
                if error.kind.status in (401, 403):
                    log.info("refused", problem=error.slug, method=request.method, route=request.template)
                return error
            case Rejected():
                return Problem(error.problem, error.reason)
            case NotFound():
                return Problem("not-found")
            case VersionConflict():
                return Problem("version-conflict", headers={"ETag": etag(error.actual)})
            case KeyReused():
                return Problem("idempotency-key-reused")
            case InFlight():
                return Problem("request-in-flight", headers={"Retry-After": "1"})
            case HTTPException():
                slug = {401: "unauthenticated", 403: "forbidden", 404: "not-found", 405: "method-not-allowed"}.get(
                    error.status_code, "bad-request"
                )
                return Problem(slug, headers=error.headers)
        if isinstance(error, _DOWN):
            log.warning("unavailable", route=request.template, exc_info=error)
            return Problem("unavailable", headers={"Retry-After": "2"})
        log.error("unhandled", method=request.method, route=request.template, exc_info=error)
        return Problem("internal")

    async def _alive(self) -> Response:
        return _json({"status": "alive"})

    async def _ready(self) -> Response:
        checks = await self.kit.health.ready()
        if not all(checks.values()):
            down = [FieldError(name, "is down") for name, good in checks.items() if not good]
            raise Problem("not-ready", errors=down, headers={"Retry-After": "1"})
        return _json({"status": "ready", "checks": checks})

    async def _metrics(self) -> Response:
        return Response(metrics.render(), media_type=metrics.MEDIA_TYPE)

    async def _openapi(self) -> Response:
        return _json(published(self.context) or self.app.openapi())


class Inside:
    """How a process is, for operators alone: on a port of its own, where there is no other or it is the public's."""

    pages = ("/livez", "/readyz", "/metrics")

    def __init__(self, edge: ASGIApp) -> None:
        self.edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        answer = self.edge if scope.get("path") in self.pages else Response(status_code=404)
        await answer(scope, receive, send)


def _json(value: Any) -> Response:
    return Response(encode(value), headers={"Cache-Control": "no-store"}, media_type="application/json")


async def _ask(pool: Readers) -> None:
    async with pool.anyhow(PATIENCE) as conn:
        await conn.execute("select 1")
