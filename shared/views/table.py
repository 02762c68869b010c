"""A view's table, declared beside the view: a frozen dataclass gives the columns, name and version give the table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cached_property
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from shared.events.envelope import Recorded

_TYPES: dict[Any, str] = {str: "text", int: "bigint", bool: "boolean", float: "double precision", datetime: "timestamptz", date: "date"}


def _column_type(hint: Any) -> str:
    """The PostgreSQL type of a row's field; containers and nested messages are jsonb."""
    if get_origin(hint) is UnionType:
        (hint,) = (arm for arm in get_args(hint) if arm is not NoneType)
    return _TYPES.get(hint, "jsonb")


@dataclass(frozen=True, eq=False)
class Table[R]:
    """`key` are the columns that name a row; `store` is the column row-level security compares (None: every store reads it)."""

    name: str
    version: int
    row: type[R]
    key: tuple[str, ...]
    store: str | None = "store_id"
    indexes: tuple[str, ...] = ()
    """The bracket of each `create index`, such as `store_id, placed_at desc`."""
    also: str = ""
    """Further DDL, `{table}` standing for the table's name."""

    @property
    def sql_name(self) -> str:
        """The versioned name in the database; a changed shape is a new table."""
        return f"{self.name}_{self.version}"

    @cached_property
    def columns(self) -> dict[str, str]:
        """Column name to PostgreSQL type, in the row's order."""
        hints = get_type_hints(self.row)
        return {field.name: _column_type(hints[field.name]) for field in fields(self.row)}  # type: ignore[arg-type]

    def key_of(self, row: R) -> tuple[Any, ...]:
        """The values of the key columns."""
        return tuple([getattr(row, column) for column in self.key])


@dataclass(frozen=True, eq=False)
class Fold[R, E]:
    """An inline view with one row per stream: a second fold of the stream, so it is exact at once and rebuilt by replay."""

    table: Table[R]
    apply: Callable[[R | None, Recorded[E]], R | None]


@dataclass(frozen=True, eq=False)
class Rows[R, E]:
    """An inline view that only ever adds rows, keyed within the stream: ledger lines, timeline entries."""

    table: Table[R]
    apply: Callable[[Recorded[E]], Sequence[R]]


@dataclass(frozen=True)
class Put[R]:
    """A consumer writes this row, whole."""

    table: Table[R]
    row: R


@dataclass(frozen=True)
class Change[R]:
    """A consumer changes a row in the light of what it was (None: there was none; None back: drop it)."""

    table: Table[R]
    key: tuple[Any, ...]
    apply: Callable[[R | None], R | None]


@dataclass(frozen=True)
class Drop[R]:
    """A consumer drops this row."""

    table: Table[R]
    key: tuple[Any, ...]
