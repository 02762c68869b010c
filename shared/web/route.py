"""A route of a service: FastAPI documents it from its signature, the kit answers it. Half the cost of FastAPI's own way, and strict."""

import hashlib
import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Body as BodyField
from fastapi import Header
from fastapi import Path as PathField
from fastapi import Query as QueryField
from fastapi.routing import APIRoute
from starlette.responses import Response

from shared.handling import Done
from shared.web import done, json, seen
from shared.web.auth import ANYONE, Auth
from shared.web.call import Call, Kit
from shared.web.incoming import Incoming
from shared.web.paging import LIMIT, MOST
from shared.web.plan import Plan
from shared.web.problems import Problem
from shared.web.shape import Shape

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_VERSION = re.compile(r'"([0-9]{1,9})"')
PREFIX = "/api/v1"
_NEEDS = "x-needs"


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a request must bring. `key` and `match` are told by the route (201: key; a path with parameters: If-Match) unless given."""

    permissions: tuple[str, ...] = ()
    public: bool = False
    key: bool | None = None
    match: bool | None = None
    location: str | None = None
    produces: str = "application/json"


def needs(
    *permissions: str,
    key: bool | None = None,
    match: bool | None = None,
    location: str | None = None,
    produces: str = "application/json",
) -> dict[str, Any]:
    """For `openapi_extra`: any one of these permissions (none: whoever is logged in).

    `location` is the template of a created thing's address when it is not the route's path plus id, such as `/orders/{id}`.
    """
    return {_NEEDS: Needs(permissions=permissions, key=key, match=match, location=location, produces=produces)}


def public(*, produces: str = "application/json") -> dict[str, Any]:
    """For `openapi_extra`: whoever asks, logged in or not."""
    return {_NEEDS: Needs(public=True, produces=produces, key=False, match=False)}


DONE = Shape(name="Done", also={"id": str, "version": int})
"""What a command answers with."""


class CommandRoute(APIRoute):
    """Commands and reads alike. The endpoint's parameters are those of Plan; it answers Done, a dict, a list, None or a Response."""

    def __init__(self, path: str, endpoint: Callable[..., Awaitable[Any]], **options: Any) -> None:
        extra = dict(options.pop("openapi_extra", None) or {})
        needed = extra.pop(_NEEDS, None)
        if not isinstance(needed, Needs):
            raise TypeError(f"{path}: say openapi_extra=needs(…) or public().")
        self.needed: Needs = needed
        self.answer = endpoint
        self.plan = Plan(path, endpoint)
        (self.verb,) = {method.upper() for method in options.get("methods") or ["GET"]}
        self.success: int = options.get("status_code") or 200
        self.changes = self.verb in _CHANGING
        self.creates = self.changes and self.success == 201
        self.wants_key = self.creates if needed.key is None else needed.key
        self.wants_match = self.changes and not self.creates and "{" in path if needed.match is None else needed.match
        shape = options.pop("response_model", None)
        self.shape: Shape | None = shape if isinstance(shape, Shape) else DONE if self.plan.returns is Done else None
        """The form of its answer; None where it is no JSON, and in a route that does not say."""
        super().__init__(path, _documented(self), **options, response_model=None, openapi_extra=extra)
        self._document()

    async def respond(self, request: Incoming, kit: Kit) -> Response:
        """Answers a request. Raises Problem and whatever a handler refuses with."""
        _refuse_accept(request.headers.get("accept", "*/*"), self.needed.produces)
        auth = ANYONE if self.needed.public else await kit.authenticator.authenticate(request.headers)
        if self.needed.permissions and not auth.may(*self.needed.permissions):
            raise Problem("forbidden")
        plan = self.plan
        arguments = plan.from_path(request) if plan.path else {}
        arguments |= plan.from_query(request)
        call = self._call(request, kit, auth)
        if self.changes:
            body, raw = await plan.from_body(request)
            arguments |= body
            call.body_hash = hashlib.sha256(raw).hexdigest()
        if plan.call:
            arguments[plan.call] = call
        as_of = None
        if (header := request.headers.get("forecourt-seen")) and not self.needed.public:
            as_of = await seen.wait(seen.marks(header, kit.topics), kit.marks, command=self.changes)
        response = self._response(await self.answer(**arguments), request)
        if as_of:
            response.headers["Forecourt-As-Of"] = as_of
        return response

    def _call(self, request: Incoming, kit: Kit, auth: Auth) -> Call:
        """The call with its key and the version it expects."""
        call = Call(kit, request, auth, creates=self.creates, status=self.success)
        key = request.headers.get("idempotency-key")
        if key and not _KEY.fullmatch(key):
            raise Problem("idempotency-key-invalid")
        if not key and self.wants_key:
            raise Problem("idempotency-key-missing")
        call.key = key or None if self.needed.key is not False else None
        match = request.headers.get("if-match")
        if match is None and self.wants_match:
            raise Problem("version-required")
        if match is not None and match != "*":
            version = _VERSION.fullmatch(match)
            if version is None:
                raise Problem("bad-header", 'If-Match must be "<version>" or *.')
            call.expected = int(version[1]) if not self.creates and self.needed.match is not False else None
        return call

    def _response(self, result: Any, request: Incoming) -> Response:
        match result:
            case Done():
                return done.answer(result, self.success, self._location(result, request))
            case Response():
                result.headers.setdefault("Cache-Control", "no-store")
                return result
            case None:
                return Response(status_code=204)
        headers = {"Cache-Control": "no-store"}
        if isinstance(result, dict) and isinstance(version := result.get("version"), int):
            headers["ETag"] = done.etag(version)
        return Response(json.encode(result), self.success, headers, "application/json")

    def _location(self, result: Done, request: Incoming) -> str | None:
        if not self.creates:
            return None
        if self.needed.location:
            return PREFIX + self.needed.location.format(id=result.id)
        return f"{request.path}/{result.id}"

    def _document(self) -> None:
        """What the signature does not tell: who may, and the body that is no JSON."""
        extra: dict[str, Any] = self.openapi_extra if self.openapi_extra is not None else {}
        if self.needed.public:
            extra["security"] = []
        else:
            extra["x-permission"] = list(self.needed.permissions)
        if self.plan.raw is not None:
            schema = {"type": "string", "examples": [self.plan.raw.example]}
            content = {media_type: {"schema": schema} for media_type in self.plan.raw.media_types}
            extra["requestBody"] = {"required": True, "content": content}
        self.openapi_extra = extra


def _documented(route: CommandRoute) -> Callable[..., Any]:
    """What FastAPI reads in the endpoint's place: the same name and text, a signature with headers and without the call."""

    async def endpoint(**arguments: Any) -> None:
        raise TypeError("A CommandRoute is answered by an app that create_app made.")

    endpoint.__name__ = route.answer.__name__
    endpoint.__doc__ = route.answer.__doc__
    endpoint.__module__ = route.answer.__module__
    endpoint.__signature__ = inspect.Signature(list(_parameters(route)))  # type: ignore[attr-defined]
    return endpoint


def _parameters(route: CommandRoute) -> Iterator[inspect.Parameter]:
    plan = route.plan

    def parameter(name: str, hint: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)

    for each in plan.path:
        yield parameter(each.name, Annotated[each.hint, PathField()])
    for each in plan.query.values():
        yield parameter(each.name, Annotated[each.hint, QueryField()], each.default)
    if plan.paging:
        yield parameter("cursor", Annotated[str | None, QueryField(description="The next_cursor of the page before.")], None)
        yield parameter("limit", Annotated[int, QueryField(ge=1, le=MOST)], LIMIT)
        yield parameter("sort", Annotated[str | None, QueryField()], None)
    if plan.body is not None and plan.raw is None:
        yield parameter("body", Annotated[plan.body.annotation, BodyField()], plan.body.default)
    if not route.needed.public:
        heard = Header(alias="Forecourt-Seen", description="What the caller has seen elsewhere and wants seen here.")
        yield parameter("forecourt_seen", Annotated[str | None, heard], None)
    if route.changes and not route.needed.public:
        required = inspect.Parameter.empty
        key = Header(alias="Idempotency-Key", max_length=255, examples=["7f9c2ba4-order-1"])
        match = Header(alias="If-Match", examples=['"3"'])
        yield parameter(
            "idempotency_key", Annotated[str, key] if route.wants_key else Annotated[str | None, key], required if route.wants_key else None
        )
        if not route.creates:
            yield parameter(
                "if_match",
                Annotated[str, match] if route.wants_match else Annotated[str | None, match],
                required if route.wants_match else None,
            )


def _refuse_accept(accept: str, produced: str) -> None:
    """406 when `Accept` has no place for what the route produces."""
    if "*/*" in accept and "q=0" not in accept:
        return
    wanted = (produced, produced.partition("/")[0] + "/*", "*/*")
    for part in accept.split(","):
        name, _, parameters = part.partition(";")
        if name.strip().lower() in wanted and not re.search(r"q\s*=\s*0(\.0*)?\s*(;|$)", parameters):
            return
    raise Problem("not-acceptable")
