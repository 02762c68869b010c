"""After a restore a store tells everything again: what was on its way to somebody is in no table any more."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

from shared.deciding import Folded, Folder, evolve, told
from shared.store.protocol import EventRow

_HISTORY = """select stream, version, id, type, type_version, convert_from(data, 'UTF8') as data, convert_from(meta, 'UTF8') as meta,
    occurred_at, recorded_at, position from events order by stream, version"""
_ROOM = """create temporary table retold (position bigint, sequence bigint, id uuid, stream text, type text, data bytea, headers bytea,
    recorded_at timestamptz) on commit drop"""
_TELL = """insert into outbox (id, stream, sequence, type, data, headers, recorded_at)
    select id, stream, sequence, type, data, headers, recorded_at from retold order by position, sequence"""


async def tell_again(writer_url: str, folder: Folder) -> int:
    """Puts every public event of a store into its outbox once more, in the order in which they happened; how many.

    Ids are the same as ever, so whoever has taken one drops it. Only while nothing of the service runs: an event that is
    published before an earlier one of its stream would make that one count as taken.
    """
    async with await psycopg.AsyncConnection.connect(writer_url) as conn, conn.transaction():
        await conn.execute(_ROOM)
        async with await psycopg.AsyncConnection.connect(writer_url) as reading:
            cursor = reading.cursor("history", row_factory=dict_row)
            cursor.itersize = 5_000
            await cursor.execute(_HISTORY)
            into = "copy retold (position, sequence, id, stream, type, data, headers, recorded_at) from stdin"
            async with conn.cursor().copy(into) as copy:
                stream, folded = "", Folded(state=None)
                async for row in cursor:
                    position = row.pop("position")
                    if row["stream"] != stream:
                        stream, folded = row["stream"], Folded(state=folder.of(row["stream"]).decider.initial)
                    for values in _told(folder, folded, EventRow(**row)):
                        await copy.write_row((position, *values, row["recorded_at"]))
        await conn.execute("delete from outbox")
        return (await conn.execute(_TELL)).rowcount


def _told(folder: Folder, folded: Folded, row: EventRow) -> list[tuple[Any, ...]]:
    """Takes one event into the fold; what it tells."""
    aggregate, recorded = folder.of(row.stream), folder.recorded(row)
    evolve(aggregate, folded, recorded)
    public = told(aggregate, folded.state, recorded)
    return [(one.sequence, one.id, one.stream, one.type, one.data.encode(), one.headers.encode()) for one in public]
