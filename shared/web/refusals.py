"""Which problems an operation can answer, read from its code: its route, what its endpoint calls, and the deciders it commands."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from types import FunctionType, ModuleType, UnionType
from typing import Any, TypeAliasType, Union, get_args, get_origin, get_type_hints

from shared.decider import Claim, Decider, Rejected
from shared.deciding import NotFound
from shared.web.problems import PROBLEMS, Problem
from shared.web.route import CommandRoute

_RAISED = (Rejected, Problem)
_CLAIMED = tuple(arm for arm in get_args(Claim.__value__) if "problem" in arm.__annotations__)
_ALWAYS = ("bad-request", "bad-header", "not-acceptable", "unknown-parameter", "validation", "too-many-requests", "unavailable")
_JSON = ("malformed-json", "duplicate-key", "too-deep", "unknown-field")


def refusals(route: CommandRoute, deciders: Iterable[Decider[Any, Any, Any]]) -> list[str]:
    """The slugs of every problem the route can answer, by status and name; what only a fault leads to (500) is not among them."""
    reader = _Reader()
    reader.function(route.answer)
    for decider in deciders:
        reader.decider(decider)
    slugs = reader.slugs | set(_of_kit(route))
    return sorted(slugs, key=lambda slug: (PROBLEMS[slug].status, slug))


def _of_kit(route: CommandRoute) -> Iterator[str]:
    """What the kit and the door refuse before the endpoint is asked."""
    yield from _ALWAYS
    if not route.needed.public:
        yield from ("unauthenticated", "password-change-required")
        yield from ("forbidden",) if route.needed.permissions else ()
    if route.plan.path:
        yield "not-found"
    if route.plan.paging:
        yield "bad-cursor"
    if not route.changes:
        return
    yield from ("request-timeout", "body-too-large", "unsupported-media-type")
    if route.plan.raw is None:
        yield from _JSON
    if route.needed.public:
        return
    yield from ("not-yet-seen", "idempotency-key-invalid")
    if route.wants_key:
        yield "idempotency-key-missing"
    if route.needed.key is not False:
        yield from ("idempotency-key-reused", "request-in-flight")
    if not route.creates and route.needed.match is not False:
        yield from ("version-conflict", *(["version-required"] if route.wants_match else []))


class _Reader:
    """Walks functions of the services, following the names they use; a `match` only into cases of what was made on the way."""

    def __init__(self) -> None:
        self.slugs: set[str] = set()
        self.made: set[type] = set()
        self._kinds: frozenset[type] = frozenset()
        self._read: set[FunctionType] = set()

    def decider(self, decider: Decider[Any, Any, Any]) -> None:
        """What a decider refuses of the commands made so far, and what the claims of its events refuse."""
        commands = _arms(decider.decide, 0)
        if not commands & self.made:
            return
        self._kinds = commands
        self.function(decider.decide)
        self._kinds = _arms(decider.evolve, 1)
        self.function(decider.claims, claims=True)
        self._kinds = frozenset()

    def function(self, function: Any, *, claims: bool = False) -> None:
        """Reads a function once."""
        function = inspect.unwrap(function)
        if not isinstance(function, FunctionType) or function in self._read or not _ours(function):
            return
        self._read.add(function)
        names = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
        for statement in _body(function):
            self._node(statement, names, claims)

    def _node(self, node: ast.AST, names: dict[str, Any], claims: bool) -> None:
        match node:
            case ast.Match(subject=subject, cases=cases):
                self._node(subject, names, claims)
                for case in cases:
                    if self._may_be(case.pattern, names):
                        self._all([case.guard, *case.body], names, claims)
            case ast.Call(func=ast.Name(id="isinstance"), args=[subject, _]):
                self._node(subject, names, claims)
            case ast.FunctionDef(body=body, args=arguments) | ast.AsyncFunctionDef(body=body, args=arguments):
                self._all([*arguments.defaults, *arguments.kw_defaults, *body], names, claims)
            case ast.AnnAssign(value=value):
                self._all([value], names, claims)
            case ast.ExceptHandler(body=body):
                self._all(body, names, claims)
            case ast.Name() | ast.Attribute():
                self._name(node, names, claims)
            case ast.Constant(value=str(text)) if claims and text in PROBLEMS:
                self.slugs.add(text)
            case ast.Call(func=func, args=arguments, keywords=keywords):
                self._call(_object(func, names), arguments, keywords)
                self._all([func, *arguments, *keywords], names, claims)
            case _:
                self._all(ast.iter_child_nodes(node), names, claims)

    def _all(self, nodes: Iterable[ast.AST | None], names: dict[str, Any], claims: bool) -> None:
        for node in nodes:
            if node is not None:
                self._node(node, names, claims)

    def _call(self, called: Any, arguments: list[ast.expr], keywords: list[ast.keyword]) -> None:
        if called in _RAISED and arguments:
            self.slugs |= _texts(arguments[0])
        elif called in _CLAIMED:
            self.slugs |= {text for keyword in keywords if keyword.arg == "problem" for text in _texts(keyword.value)}

    def _name(self, node: ast.Name | ast.Attribute, names: dict[str, Any], claims: bool) -> None:
        found = _object(node, names)
        if found is NotFound:
            self.slugs.add("not-found")
        elif isinstance(found, type):
            self.made.add(found)
        elif isinstance(found, FunctionType):
            self.function(found, claims=claims)
        elif isinstance(node, ast.Attribute):
            if node.attr == "need":
                self.slugs.add("not-found")
            for kind in {value if isinstance(value, type) else type(value) for value in names.values()}:
                self.function(vars(kind).get(node.attr), claims=claims)
            self._node(node.value, names, claims)

    def _may_be(self, pattern: ast.pattern, names: dict[str, Any]) -> bool:
        """Whether a case is met by anything that was made; a case that names no kind always may be."""
        named = {_object(part.cls, names) for part in ast.walk(pattern) if isinstance(part, ast.MatchClass)} & self._kinds
        return not named or bool(named & self.made)


def _ours(function: FunctionType) -> bool:
    return function.__module__.startswith("services.") or function.__module__ == "shared.web.auth"


def _object(node: ast.AST, names: dict[str, Any]) -> Any:
    """What a name stands for in its module; None when only a run could tell."""
    match node:
        case ast.Name(id=name):
            return names.get(name)
        case ast.Attribute(value=value, attr=name) if isinstance(inner := _object(value, names), ModuleType):
            return getattr(inner, name, None)
    return None


def _texts(node: ast.expr) -> set[str]:
    """Slugs among the constants of an expression."""
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and part.value in PROBLEMS}


@cache
def _body(function: FunctionType) -> list[ast.stmt]:
    (made,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    return made.body if isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef) else [made]


@cache
def _arms(function: FunctionType, parameter: int) -> frozenset[type]:
    """The classes a parameter of `decide` or `evolve` may have."""
    hints = get_type_hints(function, vars(sys.modules[function.__module__]))
    return frozenset(_flat(list(hints.values())[parameter]))


def _flat(hint: Any) -> Iterator[type]:
    while isinstance(hint, TypeAliasType):
        hint = hint.__value__
    if get_origin(hint) in (Union, UnionType):
        for arm in get_args(hint):
            yield from _flat(arm)
    elif isinstance(hint, type):
        yield hint
