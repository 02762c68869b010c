"""What an operator asks of one service beside running it."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import psycopg

from shared.ops.settings import Settings
from shared.service import Service
from shared.views.history import history, rebuildable
from shared.views.rebuild import CannotRebuild, Outcome, drop, rebuild


def add_commands(commands: Any) -> None:
    """Adds the operator's commands to a service's own."""
    one = commands.add_parser("rebuild", help="make views anew from their history, beside the live ones")
    one.add_argument("views", nargs="*", metavar="view", help="names without version; none: all")
    one.add_argument("--drop-old", action="store_true", help="drop tables of older versions, once nothing that runs uses them")


async def carry_out(service: Service, settings: Settings, asked: argparse.Namespace) -> int:
    """Carries out one command; the exit code: 0 all is well, 1 something is wrong, 2 it cannot be done."""
    try:
        return await rebuild_views(service, settings, asked.views, drop_old=asked.drop_old)
    except (CannotRebuild, psycopg.OperationalError) as error:
        print(str(error).strip(), file=sys.stderr)
        return 2


async def rebuild_views(service: Service, settings: Settings, names: Sequence[str] = (), *, drop_old: bool = False) -> int:
    """Rebuilds these views, or all that can be; 1 when a row of a live table was wrong. Raises CannotRebuild."""
    known = rebuildable(service)
    every = {table.name: table for table in service.all_tables()}
    if unknown := [name for name in names if name not in every]:
        raise CannotRebuild(f"{service.context} has no view {', '.join(unknown)}. It has: {', '.join(sorted(known)) or 'none'}.")
    wrong = 0
    for name in names or sorted(known):
        outcome = await rebuild(settings.writer_url, settings.reader_role, every[name], history(service, every[name]))
        wrong += outcome.wrong
        print("\n".join(_told(outcome)))
        if drop_old and outcome.left:
            await drop(settings.writer_url, outcome.left)
            print(f"  dropped {', '.join(outcome.left)}")
    return 1 if wrong else 0


def _told(outcome: Outcome) -> list[str]:
    """An outcome in lines."""
    pause = f"writers paused {outcome.pause * 1000:.0f} ms at most" if outcome.tries else "built beside, nobody wrote to it"
    lines = [f"{outcome.view}: {outcome.rows} rows in {outcome.seconds:.1f} s, {pause}"]
    if outcome.wrong:
        lines.append(f"  {outcome.wrong} rows were not what the history says, and are now:")
        lines += [f"    {row}" for row in outcome.shown]
    if outcome.left:
        lines.append(f"  older versions are still there: {', '.join(outcome.left)} (--drop-old, once nothing uses them)")
    return lines


async def build_missing(service: Service, settings: Settings) -> None:
    """Builds views that have no table yet while there is a history: a new version, before the first process writes to it."""
    async with await psycopg.AsyncConnection.connect(settings.writer_url, autocommit=True) as conn:
        there = {row[0] for row in await (await conn.execute("select relname from pg_class where relkind = 'r'")).fetchall()}
        source = service.log.table.sql_name if service.log else "events"
        begun = source in there and await (await conn.execute(f"select 1 from {source} limit 1".encode())).fetchone()
    if begun:
        for table in rebuildable(service).values():
            if table.sql_name not in there:
                await rebuild(settings.writer_url, settings.reader_role, table, history(service, table))
