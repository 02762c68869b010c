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
"""Rows kept waiting while PostgreSQL is away; beyond, commands are refused rather than unrecorded."""


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
        """Whether so much is waiting that nothing more should be let in."""
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
        rows, self._rows = self._rows, []
        if not rows:
            return
        try:
            await self.store.append(Commit(puts={audit: {(row.audit_id,): row for row in rows}}))
        except Exception as error:
            self._rows = rows + self._rows
            log.warning("audit rows wait", rows=len(self._rows), error=type(error).__name__)
