"""The audit trail: who called what, when, with which answer. Written in small batches, kept append-only."""

import asyncio
from datetime import datetime

import structlog

from shared.decider import message
from shared.store.postgres import PostgresStore
from shared.store.protocol import Commit
from shared.views.table import Table

log = structlog.get_logger()

PAUSE = 0.1
MOST = 50_000
"""Rows kept waiting while PostgreSQL is away; beyond, everything is refused rather than unrecorded."""
AT_ONCE = 1_000
"""Rows of one statement: all that waited would be longer than a statement may take, and wait for ever."""


@message
class AuditRow:
    audit_id: str
    at: datetime
    staff_id: str
    session_id: str
    address: str
    method: str
    path: str
    status: int


audit = Table("audit", 1, AuditRow, key=("audit_id",), store=None, indexes=("staff_id, at", "at"))


class Audit:
    """Collects rows and appends them every tenth of a second."""

    def __init__(self, store: PostgresStore) -> None:
        self.store = store
        self._rows: list[AuditRow] = []

    @property
    def full(self) -> bool:
        """Whether so much is waiting that nothing more may be let in."""
        return len(self._rows) >= MOST

    def add(self, row: AuditRow) -> None:
        """A row for the next batch."""
        self._rows.append(row)

    async def run(self) -> None:
        """Until cancelled; then writes what is left."""
        try:
            while True:
                await asyncio.sleep(PAUSE)
                await self._flush()
        finally:
            await self._flush()

    async def _flush(self) -> None:
        while rows := self._rows[:AT_ONCE]:
            try:
                await self.store.append(Commit(puts={audit: {(row.audit_id,): row for row in rows}}))
            except Exception as error:
                log.warning("audit rows wait", rows=len(self._rows), error=type(error).__name__)
                return
            del self._rows[: len(rows)]
