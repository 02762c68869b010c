"""Brings a service's database up to date: numbered SQL files once each, view tables where missing."""

from collections.abc import Iterable
from importlib.resources import files
from typing import Any, cast

import psycopg

from shared.ops import failpoints
from shared.views.schema import ddl
from shared.views.table import Table


async def migrate(writer_url: str, reader: str, tables: Iterable[Table[Any]]) -> None:
    """Runs as role writer, who owns the schema. One at a time per database; each file in a transaction of its own."""
    async with await psycopg.AsyncConnection.connect(writer_url, autocommit=True) as conn:
        await conn.execute("select pg_advisory_lock(7001)")
        await conn.execute("set lock_timeout = '5s'")
        await conn.execute("create table if not exists migrations (name text primary key, at timestamptz default clock_timestamp())")
        done = {row[0] for row in await (await conn.execute("select name from migrations")).fetchall()}
        for file in sorted(files("shared.store").joinpath("sql").iterdir(), key=lambda file: file.name):
            if file.name not in done:
                async with conn.transaction():
                    await conn.execute(cast(Any, file.read_text()))
                    await conn.execute("insert into migrations (name) values (%s)", [file.name])
                    failpoints.hit("migrate.step")
        await conn.execute(cast(Any, f"grant select on claims, offsets, parked to {reader}"))
        there = {row[0] for row in await (await conn.execute("select relname from pg_class where relkind = 'r'")).fetchall()}
        for table in tables:
            if table.sql_name not in there:
                async with conn.transaction():
                    await conn.execute(cast(Any, ddl(table, conn.info.user, reader)))
                    failpoints.hit("migrate.step")
