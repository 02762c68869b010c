"""What waits to be written on the audit trail is written in pieces, in order, and never without an end."""

from typing import Any

import pytest

from services.gateway.audit import AT_ONCE, MOST, Audit, AuditRow, audit
from shared.store.memory import MemoryStore
from shared.store.protocol import Commit, Unavailable
from shared.values.clock import utc_now


class Away(MemoryStore):
    """A store that answers some times, then no more; `sizes` are the rows of each statement."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.answers = answers
        self.sizes: list[int] = []

    async def append(self, commit: Commit) -> None:
        self.sizes.append(len(commit.puts[audit]))
        if len(self.sizes) > self.answers:
            raise Unavailable
        await super().append(commit)


def row(number: int) -> AuditRow:
    return AuditRow(audit_id=f"{number:06}", at=utc_now(), staff_id="", session_id="", address="", method="GET", path="/", status=200)


async def written(store: MemoryStore) -> list[Any]:
    return sorted(one.audit_id for one in await store.scan(audit))


async def test_a_backlog_is_written_in_pieces_and_what_is_not_written_stays_in_order() -> None:
    store = Away(answers=2)
    trail = Audit(store)  # type: ignore[arg-type]
    for number in range(3 * AT_ONCE + 1):
        trail.add(row(number))
    await trail._flush()
    assert store.sizes == [AT_ONCE, AT_ONCE, AT_ONCE]
    assert await written(store) == [f"{number:06}" for number in range(2 * AT_ONCE)]
    store.answers = 100
    await trail._flush()
    assert store.sizes[3:] == [AT_ONCE, 1]
    assert await written(store) == [f"{number:06}" for number in range(3 * AT_ONCE + 1)]


@pytest.mark.parametrize("many", [MOST - 1, MOST])
async def test_it_says_when_no_more_may_come_in(many: int) -> None:
    trail = Audit(Away(answers=0))  # type: ignore[arg-type]
    for number in range(many):
        trail.add(row(number))
    assert trail.full == (many >= MOST)
