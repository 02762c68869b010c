"""A history to measure with: deals by real commands, and copies of whatever a store holds, made in SQL."""

import asyncio

import psycopg

from deploy.bench.model import Change, place, request
from shared.handling import Handler
from shared.values.clock import utc_now
from shared.values.ids import new_id

EVENTS = 4
"""Events of one deal: it is placed, then changed."""
CALLERS = 64


async def make(handler: Handler, deals: int) -> None:
    """So many deals, each placed and changed once."""
    left = iter(range(deals))

    async def call() -> None:
        for _ in left:
            order_id = new_id()
            await handler.handle(request(order_id, place(order_id), new=True))
            await handler.handle(request(order_id, Change(at=utc_now()), new=False))

    await asyncio.gather(*(call() for _ in range(CALLERS)))


YEARS = 3
"""Over which copies are spread, back from now."""
TICK = 65_536
"""Milliseconds for which ids begin with the same eight digits."""
_SEED = "create temp table seed as select *, {old} as old, left({old}, 8) as head from {table}"
_COLUMNS = "select column_name, data_type from information_schema.columns where table_name = %s and column_name not in ('position', 'xid')"


def copy_rows(superuser: str, table: str, old: str, copies: int, **other: str) -> None:
    """Copies every row so many times, as if the same had happened to others before. `old` is the SQL of the id a row is about.

    `other` has the SQL of columns that nothing else follows from. The hashes of events are those of the originals.
    """
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("set synchronous_commit = off")
        columns: dict[str, str] = dict(connection.execute(_COLUMNS, [table]).fetchall())
        made = {name: other.get(name) or _copied(name, kind) for name, kind in columns.items()}
        connection.execute(_SEED.format(old=old, table=table).encode())
        names, values = ", ".join(f'"{name}"' for name in made), ", ".join(made.values())
        sql = f"""insert into {table} ({names}) select {values} from (select *, lpad(to_hex(('x' || head)::bit(32)::bigint - %(ticks)s::bigint),
            8, '0') || substr(old, 9) as new, make_interval(secs => %(ticks)s * {TICK / 1000}) as before from seed) x"""
        step = max(1, int(YEARS * 365 * 86_400_000 / TICK / max(copies, 1)))
        for number in range(copies, 0, -1):
            connection.execute(sql.encode(), {"ticks": number * step})
        connection.execute(f"vacuum analyze {table}".encode())


def _copied(name: str, kind: str) -> str:
    match kind:
        case "uuid":
            return "gen_random_uuid()"
        case "text":
            return f'replace("{name}", old, new)'
        case "bytea" if name != "hash":
            return f"convert_to(replace(convert_from(\"{name}\", 'UTF8'), old, new), 'UTF8')"
        case "timestamp with time zone":
            return f'"{name}" - before'
        case _:
            return f'"{name}"'
