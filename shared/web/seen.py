"""Read your write: a caller shows what it has seen, and this service waits until it has heard of it too."""

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.bus.inbox import inbox
from shared.bus.seen import Seen
from shared.store.protocol import Store
from shared.values.clock import utc_now
from shared.web.problems import Problem

WAIT = 2.0
"""Seconds a request waits for its mark."""
LONGEST = 30
"""Seconds after which who was told to wait is to come back at the latest."""
FRESH = 1.0
"""Seconds for which a look at the watermarks is good: while Kafka is away everybody asks."""
MARKS = 8
_MARK = re.compile(r"([a-z]{1,40})/([A-Za-z0-9_.-]{1,200})@([0-9]{1,18})")


@dataclass(frozen=True)
class Mark:
    """The last public event of a stream that the caller knows of."""

    source: str
    stream: str
    sequence: int


class Marks(Protocol):
    """What this service has heard."""

    async def reached(self, mark: Mark, seconds: float) -> bool:
        """Waits until the event of `mark` has been taken; False after `seconds`."""
        ...

    async def as_of(self, source: str) -> datetime | None:
        """Up to when everything of `source` has been taken; None when that is not known."""
        ...


class StoreMarks:
    """What a consumer has stored in the transactions of its effects."""

    def __init__(self, store: Store, consumer: str) -> None:
        self.store = store
        self.consumer = consumer
        self._seen = Seen(store, consumer)
        self._looks: dict[str, tuple[float, datetime | None]] = {}

    async def reached(self, mark: Mark, seconds: float) -> bool:
        """Waits until the event of `mark` has been taken; False after `seconds`."""
        return await self._seen.reached(mark.source, mark.stream, mark.sequence, seconds)

    async def as_of(self, source: str) -> datetime | None:
        """The lowest watermark of the source's partitions, as of a moment ago; None when one has none yet."""
        now = asyncio.get_running_loop().time()
        at, moment = self._looks.get(source, (-FRESH, None))
        if now - at >= FRESH:
            moment = await self._look(source)
            self._looks[source] = now, moment
        return moment

    async def _look(self, source: str) -> datetime | None:
        async with self.store.look() as tx:
            positions = await inbox(tx).positions(self.consumer)
        moments = [position.watermark for place, position in positions.items() if place.topic.endswith(f".{source}")]
        known = [moment for moment in moments if moment is not None]
        return min(known) if known and len(known) == len(moments) else None


def marks(header: str, topics: Collection[str]) -> list[Mark]:
    """The marks of a `Forecourt-Seen` header that concern the topics this service hears. Raises Problem for a malformed one."""
    parts = header.split(",")
    found = [_MARK.fullmatch(part.strip()) for part in parts]
    if len(parts) > MARKS or not all(found):
        raise Problem("bad-header", "Forecourt-Seen must look like context/stream@sequence.")
    return [Mark(match[1], match[2], int(match[3])) for match in found if match and match[1] in topics]


async def wait(wanted: list[Mark], heard: Marks, *, command: bool) -> str | None:
    """Waits for the marks. A command that would decide on old facts is refused; a read answers with the time it is as of.

    Who is refused comes back the later, the longer nothing has been heard: else all who wait for a Kafka that is away would leave no time for others.
    """
    reached = await asyncio.gather(*(heard.reached(mark, WAIT) for mark in wanted))
    late = [mark for mark, there in zip(wanted, reached, strict=True) if not there]
    if not late:
        return None
    moments = [await heard.as_of(mark.source) for mark in late]
    known = [moment for moment in moments if moment]
    if command:
        behind = max((utc_now() - moment for moment in known), default=timedelta(0))
        raise Problem("not-yet-seen", headers={"Retry-After": str(min(LONGEST, 1 + int(behind.total_seconds() / 10)))})
    return min(known).isoformat() if len(known) == len(moments) else "unknown"
