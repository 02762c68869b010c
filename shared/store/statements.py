"""The SQL of an append: one statement whose parameters are JSON arrays, composed of the parts a commit has."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from shared.decider import Count, Release, Take, TakeSlot
from shared.store.protocol import Commit
from shared.views.table import Table

_json = msgspec.json.Encoder()

EVENTS = """insert into events (stream, version, id, type, type_version, data, meta, occurred_at, hash)
    select stream, version, id, type, type_version, convert_to(data, 'UTF8'), convert_to(meta, 'UTF8'), occurred_at, decode(hash, 'hex')
    from json_to_recordset(%s::json) as x(stream text, version integer, id uuid, type text, type_version smallint,
        data text, meta text, occurred_at timestamptz, hash text)"""
OUTBOX = """insert into outbox (id, stream, sequence, type, data, headers)
    select id, stream, sequence, type, convert_to(data, 'UTF8'), convert_to(headers, 'UTF8')
    from json_to_recordset(%s::json) as x(id uuid, stream text, sequence bigint, type text, data text, headers text)"""
ANSWERS = """insert into idempotency (subject, route, key, body_hash, status, stream, version, seen)
    select * from json_to_recordset(%s::json) as x(subject text, route text, key text, body_hash text, status smallint,
        stream text, version integer, seen text)"""
TAKES = "insert into claims (kind, key, stream) select * from json_to_recordset(%s::json) as x(kind text, key text, stream text)"
SLOTS = """insert into slots (kind, key, during, stream) select kind, key, tstzrange(start, "end"), stream
    from json_to_recordset(%s::json) as x(kind text, key text, start timestamptz, "end" timestamptz, stream text)"""
TALLIES = """insert into tallies (kind, key, n, most) select kind, key, greatest(by, 0), most
    from json_to_recordset(%s::json) as x(kind text, key text, by integer, most integer)
    on conflict (kind, key) do update set n = greatest(tallies.n + (select sum(y.by) from json_to_recordset(%s::json) as
        y(kind text, key text, by integer) where y.kind = tallies.kind and y.key = tallies.key), 0),
        most = greatest(excluded.most, case when excluded.n > 0 then 0 else tallies.n end)"""
TIMERS = """insert into timers (key, due_at, stream, type, data, meta)
    select key, due_at, stream, type, convert_to(data, 'UTF8'), convert_to(meta, 'UTF8')
    from json_to_recordset(%s::json) as x(key text, due_at timestamptz, stream text, type text, data text, meta text)
    on conflict (key) do update set due_at = excluded.due_at, stream = excluded.stream, type = excluded.type,
        data = excluded.data, meta = excluded.meta, tries = 0, cause = ''"""
REFUSALS = """insert into refusals (consumer, cause, stream, command, problem, reason)
    select * from json_to_recordset(%s::json) as x(consumer text, cause text, stream text, command text, problem text, reason text)"""

RELEASES = """with r as (select * from json_to_recordset(%s::json) as x(kind text, stream text)),
    c as (delete from claims using r where claims.stream = r.stream and claims.kind = r.kind)
    delete from slots using r where slots.stream = r.stream and slots.kind = r.kind"""
UNSCHEDULE = "delete from timers where key in (select json_array_elements_text(%s::json))"


@cache
def upsert(table: Table[Any]) -> str:
    """Writes whole rows of a view, from one JSON array; `claims.*`-like names cannot clash, columns are the row's fields."""
    columns = ", ".join(table.columns)
    shape = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
    rest = [name for name in table.columns if name not in table.key]
    update = f"update set {', '.join(f'{name} = excluded.{name}' for name in rest)}" if rest else "nothing"
    return (
        f"insert into {table.sql_name} ({columns}) select {columns} from json_to_recordset(%s::json) as x({shape}) "
        f"on conflict ({', '.join(table.key)}) do {update}"
    )


@cache
def drop(table: Table[Any]) -> str:
    """Drops rows of a view by key, from one JSON array of keys."""
    shape = ", ".join(f"{name} {table.columns[name]}" for name in table.key)
    match = " and ".join(f"{table.sql_name}.{name} = x.{name}" for name in table.key)
    return f"delete from {table.sql_name} using json_to_recordset(%s::json) as x({shape}) where {match}"


@dataclass(frozen=True)
class Statement:
    """SQL and its parameters."""

    sql: str
    params: list[str]


def text(value: Any) -> str:
    """A parameter: JSON text."""
    return _json.encode(value).decode()


def before(commit: Commit) -> list[Statement]:
    """What has to be gone before the append inserts: released claims, timers that fired or are called off."""
    released = sorted({(stream, claim.kind) for stream, claim in commit.claims if isinstance(claim, Release)})
    made = []
    if released:
        made.append(Statement(RELEASES, [text([{"kind": kind, "stream": stream} for stream, kind in released])]))
    if commit.unscheduled:
        made.append(Statement(UNSCHEDULE, [text(sorted(commit.unscheduled))]))
    return made


def append(commit: Commit) -> Statement | None:
    """The append as one statement; rows of each table are sorted by one key, else two processes deadlock."""
    parts: list[tuple[str, list[str]]] = []

    def part(sql: str, rows: list[Any], order: Callable[[Any], Any]) -> None:
        if rows:
            parts.append((sql, [text(sorted(rows, key=order))]))

    part(ANSWERS, [_answer(a) for a in commit.answers], lambda r: (r["subject"], r["route"], r["key"]))
    part(EVENTS, commit.events, lambda r: (r.stream, r.version))
    part(OUTBOX, commit.outbox, lambda r: (r.stream, r.sequence))
    part(TAKES, [_take(s, c) for s, c in commit.claims if isinstance(c, Take)], lambda r: (r["kind"], r["key"]))
    part(SLOTS, [_slot(s, c) for s, c in commit.claims if isinstance(c, TakeSlot)], lambda r: (r["kind"], r["key"], r["start"]))
    tallies = text(_tallies(commit))
    if tallies != "[]":
        parts.append((TALLIES, [tallies, tallies]))
    part(TIMERS, list({row.key: row for row in commit.timers}.values()), lambda r: r.key)
    part(REFUSALS, commit.refusals, lambda r: (r.stream, r.cause))
    for table, rows in sorted(commit.puts.items(), key=lambda item: item[0].sql_name):
        part(upsert(table), [row for row in rows.values() if row is not None], table.key_of)
        gone = [dict(zip(table.key, key, strict=True)) for key, row in rows.items() if row is None]
        part(drop(table), gone, lambda r: list(r.values()))
    if not parts:
        return None
    *ahead, (last, last_params) = parts
    with_parts = ", ".join(f"p{i} as ({sql})" for i, (sql, _) in enumerate(ahead))
    return Statement(f"with {with_parts} {last}" if ahead else last, [p for _, params in ahead for p in params] + last_params)


def _answer(answer: Any) -> dict[str, Any]:
    key = answer.key
    return {
        "subject": key.subject,
        "route": key.route,
        "key": key.key,
        "body_hash": answer.body_hash,
        "status": answer.status,
        "stream": answer.stream,
        "version": answer.version,
        "seen": answer.seen,
    }


def _take(stream: str, claim: Take) -> dict[str, Any]:
    return {"kind": claim.kind, "key": claim.key, "stream": stream}


def _slot(stream: str, claim: TakeSlot) -> dict[str, Any]:
    return {"kind": claim.kind, "key": claim.key, "start": claim.start, "end": claim.end, "stream": stream}


def _tallies(commit: Commit) -> list[dict[str, Any]]:
    """One row per tally: a statement may touch a row once."""
    made: dict[tuple[str, str], dict[str, Any]] = {}
    for _, claim in commit.claims:
        if isinstance(claim, Count):
            row = made.setdefault((claim.kind, claim.key), {"kind": claim.kind, "key": claim.key, "by": 0, "most": 0})
            row["by"] += claim.by
            row["most"] = max(row["most"], claim.most if claim.by > 0 else 0)
    return [made[key] for key in sorted(made)]
