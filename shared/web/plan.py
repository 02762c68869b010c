"""What a route's signature asks for, read once: parameters of path and query, the body, paging and the call."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from shared.deciding import NotFound
from shared.web import json
from shared.web.body import Raw
from shared.web.call import Call
from shared.web.incoming import Incoming
from shared.web.paging import LIMIT, MOST, Paging
from shared.web.problems import FieldError, Problem, invalid

BODY_LIMIT = 1 << 20
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_PARAMETER = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Parameter:
    """A value in a path or query."""

    name: str
    hint: Any
    default: Any
    adapter: TypeAdapter[Any]
    kind: type

    def read(self, text: str) -> Any:
        """The value. Raises pydantic's ValidationError, or Problem."""
        if self.kind is int:
            if not _INTEGER.fullmatch(text):
                raise Problem("validation", errors=[FieldError(self.name, "int_parsing")])
            return self.adapter.validate_python(int(text))
        if self.kind is bool:
            if text not in ("true", "false"):
                raise Problem("validation", errors=[FieldError(self.name, "bool_parsing")])
            return text == "true"
        return self.adapter.validate_python(text)


class Plan:
    """How the arguments of an endpoint are made."""

    def __init__(self, path: str, endpoint: Callable[..., Any]) -> None:
        signature = inspect.signature(endpoint, eval_str=True)
        in_path = _PARAMETER.findall(path)
        self.path: list[Parameter] = []
        self.query: dict[str, Parameter] = {}
        self.call = self.paging = ""
        self.body: inspect.Parameter | None = None
        self.raw: Raw | None = None
        for parameter in signature.parameters.values():
            if parameter.annotation is Call:
                self.call = parameter.name
            elif parameter.annotation is Paging:
                self.paging = parameter.name
            elif parameter.name in in_path:
                self.path.append(_parameter(parameter))
            elif parameter.name == "body":
                self.body = parameter
            else:
                self.query[parameter.name] = _parameter(parameter)
        if missing := set(in_path) - {parameter.name for parameter in self.path}:
            raise TypeError(f"{endpoint.__name__} does not take {missing}.")
        if self.body is not None:
            self.raw = next((mark for mark in getattr(self.body.annotation, "__metadata__", ()) if isinstance(mark, Raw)), None)
            self._adapter = TypeAdapter[Any](self.body.annotation)
        self.returns = signature.return_annotation

    def from_path(self, request: Incoming) -> dict[str, Any]:
        """The path's parameters. What cannot be the name of anything is not found."""
        try:
            return {parameter.name: parameter.read(request.params[parameter.name]) for parameter in self.path}
        except (ValidationError, Problem):
            raise NotFound from None

    def from_query(self, request: Incoming) -> dict[str, Any]:
        """The query's parameters. Raises Problem for one that is unknown, missing or not valid."""
        given = request.query()
        made: dict[str, Any] = {}
        if self.paging:
            made[self.paging] = _paging(given)
        if unknown := given.keys() - self.query.keys():
            raise Problem("unknown-parameter", errors=[FieldError(name, "unknown-parameter") for name in sorted(unknown)])
        for name, parameter in self.query.items():
            if name in given:
                try:
                    made[name] = parameter.read(given[name])
                except ValidationError as error:
                    raise invalid([{**found, "loc": (name,)} for found in error.errors(include_input=False)]) from None
            elif parameter.default is inspect.Parameter.empty:
                raise Problem("validation", errors=[FieldError(name, "missing")])
        return made

    async def from_body(self, request: Incoming) -> tuple[dict[str, Any], bytes]:
        """The body as the endpoint wants it, and its bytes."""
        if self.raw is not None:
            raw = await request.body(self.raw.media_types, self.raw.limit)
            if not raw:
                raise Problem("validation", errors=[FieldError("", "missing")])
            return {"body": raw}, raw
        raw = await request.body(("application/json",), BODY_LIMIT)
        if self.body is None:
            if raw and json.parse(raw) not in ({}, None):
                raise Problem("unknown-field", "This request takes no body.")
            return {}, raw
        if not raw:
            if self.body.default is inspect.Parameter.empty:
                raise Problem("validation", errors=[FieldError("", "missing")])
            return {}, raw
        json.parse(raw)
        try:
            return {"body": self._adapter.validate_json(raw)}, raw
        except ValidationError as error:
            raise invalid(error.errors(include_url=False, include_input=False)) from None


def kind(hint: Any) -> type:
    """The plain type behind Annotated and Optional."""
    while (origin := get_origin(hint)) is not None:
        if origin is Annotated:
            hint = get_args(hint)[0]
        elif origin in (Union, UnionType):
            (hint,) = (arm for arm in get_args(hint) if arm is not NoneType)
        else:
            break
    return hint if isinstance(hint, type) else object


def _parameter(parameter: inspect.Parameter) -> Parameter:
    hint = parameter.annotation
    if hint in (str, str | None):
        raise TypeError(f"{parameter.name}: bare str lets anything in; say Line, Text, Id or Literal.")
    return Parameter(parameter.name, hint, parameter.default, TypeAdapter(hint), kind(hint))


def _paging(given: dict[str, str]) -> Paging:
    limit = given.pop("limit", str(LIMIT))
    if not _INTEGER.fullmatch(limit) or not 1 <= int(limit) <= MOST:
        code, context = (
            ("less_than_equal", {"le": MOST}) if _INTEGER.fullmatch(limit) and int(limit) > 1 else ("greater_than_equal", {"ge": 1})
        )
        raise Problem("validation", errors=[FieldError("limit", code, context)])
    return Paging(given.pop("cursor", None), int(limit), given.pop("sort", None))
