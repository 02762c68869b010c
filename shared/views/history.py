"""What views are rebuilt from: a service's own events, or the log of what it has heard."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from shared.bus.heard import Heard, Listen
from shared.deciding import Aggregate
from shared.events.envelope import Meta, Recorded
from shared.events.registry import Registry
from shared.service import Service
from shared.views.rebuild import CannotRebuild, History, Made
from shared.views.table import Change, Fold, Put, Rows, Table

_meta = msgspec.json.Decoder(Meta)
_stream = itemgetter(0)


class OwnEvents:
    """The events of a service, folded by the inline views that fill one table."""

    table = "events"
    order = "version"
    columns = "stream, version, id, type, type_version, data, meta, occurred_at"

    def __init__(self, table: Table[Any], stored: Registry, aggregates: Sequence[Aggregate[Any, Any, Any]]) -> None:
        self._stored = stored
        self._views = {each.category: [view for view in each.views if view.table == table] for each in aggregates}
        filled = [category for category, views in self._views.items() if views]
        self.parts = tuple(f"stream > '{category}-' and stream < '{category}.'" for category in filled)

    def fold(self, rows: Sequence[tuple[Any, ...]], made: Made) -> None:
        """Every view over every stream."""
        for stream, history in groupby(rows, _stream):
            events = list(self._recorded(history))
            for view in self._views[stream.partition("-")[0]]:
                _fold(view, events, made)

    def _recorded(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Recorded[Any]]:
        told, about = b"", None
        for stream, version, id, type, type_version, data, meta, occurred_at in rows:
            if meta != told or about is None:  # the events of one command have the same
                told, about = meta, _meta.decode(meta)
            event = self._stored.decode(type, type_version, data)
            yield Recorded(id=id, stream=stream, version=version, event=event, occurred_at=occurred_at, meta=about)


def _fold(view: Fold[Any, Any] | Rows[Any, Any], events: Sequence[Recorded[Any]], made: Made) -> None:
    table = view.table
    if isinstance(view, Rows):
        for recorded in events:
            for line in view.apply(recorded):
                made.put(table.key_of(line), line)
        return
    row: Any = None
    for recorded in events:
        old, row = row, view.apply(row, recorded)
        if row is not old and row is not None:
            made.keys.add(table.key_of(row))
    if row is not None:
        made.put(table.key_of(row), row)


class HeardEvents:
    """The log of heard events, listened to once more. A row that is changed must follow from one stream alone."""

    order = "sequence"
    parts: tuple[str, ...] = ("true",)

    def __init__(self, table: Table[Any], kept: Table[Any], again: Callable[[Any], Heard], listen: Listen) -> None:
        self.table = kept.sql_name
        self.columns = ", ".join(["stream", *kept.columns])
        self._view = table
        self._kept = kept
        self._again = again
        self._listen = listen

    def fold(self, rows: Sequence[tuple[Any, ...]], made: Made) -> None:
        """What each event puts into the view."""
        for _, *values in rows:
            heard = self._again(self._kept.row(**dict(zip(self._kept.columns, values, strict=True))))
            for effect in self._listen(heard):
                match effect:
                    case Put(table=self._view, row=row):
                        made.put(self._view.key_of(row), row)
                    case Change(table=self._view, key=key, apply=apply):
                        if (changed := apply(made.rows.get(key))) is not None:
                            made.put(key, changed)
                        else:
                            made.rows.pop(key, None)


def rebuildable(service: Service) -> dict[str, Table[Any]]:
    """The views that this service can make anew, by name."""
    heard = [table for table in service.tables if service.log and table != service.log.table]
    inline = [view.table for aggregate in service.aggregates for view in aggregate.views]
    return {table.name: table for table in [*heard, *inline] if table.name not in service.also_heard}


def history(service: Service, table: Table[Any]) -> History:
    """What a view is made from. Raises CannotRebuild."""
    if rebuildable(service).get(table.name) != table:
        raise CannotRebuild(f"{table.name} has rows that {service.context} heard from others and keeps nowhere else.")
    if service.log:
        return HeardEvents(table, service.log.table, service.log.again, service.listen)
    return OwnEvents(table, service.stored, service.aggregates)
