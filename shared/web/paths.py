"""Which route a path belongs to: static segments before parameters."""

from collections.abc import Iterator
from typing import NamedTuple


class Found[R](NamedTuple):
    """The routes of a path by method, and the values of its parameters."""

    methods: dict[str, R]
    params: dict[str, str]


class _Node[R]:
    __slots__ = ("children", "methods", "names", "other")

    def __init__(self) -> None:
        self.children: dict[str, _Node[R]] = {}
        self.other: _Node[R] | None = None
        self.methods: dict[str, R] = {}
        self.names: dict[str, tuple[str, ...]] = {}


class Paths[R]:
    """Routes by template, such as `/orders/{order_id}/approve`."""

    def __init__(self) -> None:
        self._root = _Node[R]()
        self._templates: list[tuple[str, str]] = []

    def add(self, method: str, template: str, route: R) -> None:
        """Adds a route. ValueError when the place is taken."""
        node, names = self._root, []
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment.strip("{}"))
                node.other = node.other or _Node()
                node = node.other
            else:
                node = node.children.setdefault(segment, _Node())
        if method in node.methods:
            raise ValueError(f"{method} {template} is there twice.")
        node.methods[method] = route
        node.names[method] = tuple(names)
        self._templates.append((method, template))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._templates)

    def find(self, method: str, path: str) -> Found[R] | None:
        """The routes at a path; None when it is nobody's. Without a route for `method` the parameters are empty."""
        segments = path[1:].split("/")
        values: list[str] = []
        node = _walk(self._root, segments, 0, values)
        if node is None:
            return None
        return Found(node.methods, dict(zip(node.names.get(method, ()), values, strict=False)))


def _walk[R](node: _Node[R], segments: list[str], at: int, values: list[str]) -> _Node[R] | None:
    if at == len(segments):
        return node if node.methods else None
    if (child := node.children.get(segments[at])) and (found := _walk(child, segments, at + 1, values)):
        return found
    if node.other is None or not segments[at]:
        return None
    values.append(segments[at])
    if found := _walk(node.other, segments, at + 1, values):
        return found
    values.pop()
    return None
