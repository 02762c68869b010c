"""What a service is made of. Its app.py declares one; the runtime gives it PostgreSQL, Kafka and HTTP."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter

from shared.bus.heard import Effect, Heard, Listen
from shared.contracts.schema import published
from shared.deciding import Aggregate
from shared.events.registry import Registry
from shared.following import Prepare
from shared.views.table import Table

published()  # a type that no module has named yet would be taken for one nobody knows


def hear_nothing(heard: Heard) -> list[Effect]:
    """A service that listens to nobody."""
    return []


@dataclass(frozen=True)
class Log:
    """A table in which a service keeps what it heard, with the `xid` that wrote each row, and how a row is heard again."""

    table: Table[Any]
    again: Callable[[Any], Heard]


@dataclass(frozen=True, kw_only=True)
class Service:
    """One bounded context. `topics` are the contexts it hears, its own included where a process or view needs it."""

    context: str
    stored: Registry
    aggregates: tuple[Aggregate[Any, Any, Any], ...] = ()
    tables: tuple[Table[Any], ...] = ()
    """Reference and reporting tables written by `listen`; tables of inline views come with their aggregate."""
    topics: tuple[str, ...] = ()
    listen: Listen = hear_nothing
    log: Log | None = None
    """From which its tables are rebuilt, where it keeps one."""
    also_heard: frozenset[str] = frozenset()
    """Names of inline views to which `listen` adds rows: the service's own events alone do not make them."""
    prepare: Mapping[type, Prepare] = field(default_factory=dict)
    routers: tuple[APIRouter, ...] = ()
    vault: bool = False
    """Whether it may open personal fields: leads, customers, orders, finance, aftersales and gateway only."""
    front: Callable[[Any, Any], tuple[Any, list[Coroutine[Any, Any, None]]]] | None = None
    """The gateway's door: from application and runtime to the ASGI application in front of it, and what runs beside."""

    def all_tables(self) -> list[Table[Any]]:
        """Every view table of the service, once."""
        inline = (view.table for aggregate in self.aggregates for view in aggregate.views)
        return list(dict.fromkeys((*self.tables, *inline)))
