"""Lists, a page at a time: keyset cursors, signed, and bound to the list they were made for."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict

import msgspec

from shared.views.table import Table
from shared.web.call import Call
from shared.web.problems import FieldError, Problem

LIMIT = 50
MOST = 200
_CURSOR = re.compile(r"[A-Za-z0-9_-]{20,1500}")
_MAC = 16
_CONDITION = re.compile(r"([a-z_][a-z0-9_]*)(?: (=|<>|<|<=|>|>=|@>|&&))?")


@dataclass(frozen=True)
class Paging:
    """`cursor`, `limit` (1 to 200) and `sort` of a list's query."""

    cursor: str | None = None
    limit: int = LIMIT
    sort: str | None = None


class Page(TypedDict):
    """A page of a list; without `next_cursor` it is the last."""

    items: list[dict[str, Any]]
    next_cursor: str | None


async def page(
    call: Call,
    source: Table[Any] | str,
    paging: Paging,
    *,
    order: str | Mapping[str, str],
    where: Mapping[str, object] | None = None,
    columns: Sequence[str] | None = None,
    params: Mapping[str, Any] | None = None,
) -> Page:
    """A page of a view's table, or of a select (its `params` named, none called `p…`).

    `order` are columns that are never null and together unique, such as `placed_at desc, order_id`, or several of these by
    the name `sort` asks for, the default first. `where` compares columns (`"store_id"`, `"placed_at >="`); None is left out.
    """
    keys = _keys(_sorted(order, paging.sort))
    filters = {name: value for name, value in (where or {}).items() if value is not None}
    mark = _fingerprint(call, keys, filters)
    values: dict[str, Any] = dict(params or {})
    conditions = [_condition(name, value, values) for name, value in filters.items()]
    if paging.cursor is not None:
        conditions.append(_beyond(keys, _opened(paging.cursor, mark, call.kit.cursor_secret, len(keys)), values))
    shown = list(columns or (source.columns if isinstance(source, Table) else ()))
    wanted = list(dict.fromkeys([*shown, *(name for name, _ in keys)])) if shown else ["*"]
    origin = source.sql_name if isinstance(source, Table) else f"({source}) as listed"
    by = ", ".join(f"{name} desc" if down else name for name, down in keys)
    sql = f"select {', '.join(wanted)} from {origin} where {' and '.join(conditions) or 'true'} order by {by} limit {paging.limit + 1}"
    rows = await call.rows(sql, values)
    following = None
    if len(rows) > paging.limit:
        rows.pop()
        following = _signed(mark, [rows[-1][name] for name, _ in keys], call.kit.cursor_secret)
    items = [{name: row[name] for name in shown} for row in rows] if shown and len(wanted) > len(shown) else rows
    return {"items": items, "next_cursor": following}


def _sorted(order: str | Mapping[str, str], sort: str | None) -> str:
    """The columns to order by. Raises Problem for a sort that is not offered."""
    offered = {"": order} if isinstance(order, str) else order
    if sort is None:
        return next(iter(offered.values()))
    if sort not in offered or not sort:
        raise Problem(
            "validation", errors=[FieldError("sort", "sort", {"expected": ", ".join(name for name in offered if name) or "nothing"})]
        )
    return offered[sort]


def _keys(order: str) -> list[tuple[str, bool]]:
    """Column and whether it descends."""
    parts = [part.split() for part in order.split(",")]
    return [(part[0], part[1:] == ["desc"]) for part in parts]


def _condition(name: str, value: object, values: dict[str, Any]) -> str:
    """A comparison with a parameter of its own; a list compares with any of it."""
    match = _CONDITION.fullmatch(name)
    if match is None:
        raise ValueError(f"{name} is no condition.")
    key = f"p{len(values)}"
    values[key] = list(value) if isinstance(value, list | tuple | set | frozenset) else value
    if match[2] is None and isinstance(values[key], list):
        return f"{match[1]} = any(%({key})s)"
    return f"{match[1]} {match[2] or '='} %({key})s"


def _beyond(keys: list[tuple[str, bool]], last: list[Any], values: dict[str, Any]) -> str:
    """What comes after the last row shown."""
    names = []
    for value in last:
        names.append(f"%(p{len(values)})s")
        values[f"p{len(values)}"] = value
    if len({down for _, down in keys}) == 1:
        return f"({', '.join(name for name, _ in keys)}) {'<' if keys[0][1] else '>'} ({', '.join(names)})"
    arms = []
    for at, (name, down) in enumerate(keys):
        same = [f"{keys[i][0]} = {names[i]}" for i in range(at)]
        arms.append(" and ".join([*same, f"{name} {'<' if down else '>'} {names[at]}"]))
    return f"({' or '.join(f'({arm})' for arm in arms)})"


def _fingerprint(call: Call, keys: list[tuple[str, bool]], filters: Mapping[str, object]) -> str:
    """Names the list: a cursor serves no other route, order, filter or caller."""
    named = [call.request.template, call.request.params, call.auth.subject, keys, {k: str(v) for k, v in sorted(filters.items())}]
    return hashlib.sha256(msgspec.json.encode(named)).hexdigest()[:16]


def _signed(mark: str, last: list[Any], secret: str) -> str:
    tagged = [_tagged(value) for value in last]
    payload = msgspec.json.encode([mark, tagged])
    return base64.urlsafe_b64encode(_mac(payload, secret) + payload).rstrip(b"=").decode()


def _opened(cursor: str, mark: str, secret: str, size: int) -> list[Any]:
    """The key values of a cursor. Raises Problem when it was not made here, for this list."""
    if not _CURSOR.fullmatch(cursor):
        raise Problem("bad-cursor")
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise Problem("bad-cursor") from None
    if not hmac.compare_digest(raw[:_MAC], _mac(raw[_MAC:], secret)):
        raise Problem("bad-cursor")
    made_for, tagged = msgspec.json.decode(raw[_MAC:])
    if made_for != mark or len(tagged) != size:
        raise Problem("bad-cursor")
    return [_untagged(kind, value) for kind, value in tagged]


def _mac(payload: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"cursor:" + payload, "sha256")[:_MAC]


def _tagged(value: Any) -> tuple[str, Any]:
    match value:
        case datetime():
            return "t", value.isoformat()
        case date():
            return "d", value.isoformat()
        case str() | int() | float() | bool():
            return "v", value
        case _:
            raise TypeError(f"{type(value).__name__} does not order a list.")


def _untagged(kind: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if kind == "t" else date.fromisoformat(value) if kind == "d" else value
