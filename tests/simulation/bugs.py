"""Bugs that systems like this one have had, put back one by one: the simulation must find each of them."""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.orders.processes import fulfilment
from shared.bus.consumer import Consumer, Moved
from shared.bus.inbox import Key as Source
from shared.bus.inbox import Known, inbox
from shared.bus.protocol import Batch
from shared.decider import Rejected
from shared.handling import Done, Handler
from shared.store.protocol import OutboxRow
from shared.testing.overlapping import OverlappingStore, OverlappingTransaction
from tests.simulation.process import Kit
from tests.simulation.world import KIT

GAP = timedelta(seconds=0.5)


class PositionCursor(OverlappingStore):
    """The relay goes on from the last position it saw; a lower one that commits later is never seen."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.cursor = 0

    async def waiting(self, limit: int, but: Collection[int] = ()) -> Sequence[OutboxRow]:
        return [row for row in await super().waiting(limit + self.cursor, but) if row.position > self.cursor][:limit]

    async def sent(self, positions: Sequence[int], lease: str, epoch: int) -> bool:
        done = await super().sent(positions, lease, epoch)
        self.cursor = max(self.cursor, *positions) if done else self.cursor
        return done


class GapTimeout(PositionCursor):
    """The same, but it waits half a second at a gap before it takes it for a rollback."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.gaps: dict[int, datetime] = {}

    async def waiting(self, limit: int, but: Collection[int] = ()) -> Sequence[OutboxRow]:
        found: list[OutboxRow] = []
        wanted = self.cursor + 1
        for row in await super().waiting(limit, but):
            if row.position > wanted and self.now() - self.gaps.setdefault(wanted, self.now()) < GAP:
                break
            found.append(row)
            wanted = row.position + 1
        return found


class RangeDeleted(OverlappingStore):
    """The relay deletes from the first position it published to the last; what committed in between goes with them."""

    async def sent(self, positions: Sequence[int], lease: str, epoch: int) -> bool:
        return await super().sent(range(min(positions), max(positions) + 1), lease, epoch)


class Unfenced(OverlappingStore):
    """Who led once deletes as if he led still."""

    async def sent(self, positions: Sequence[int], lease: str, epoch: int) -> bool:
        return await super().sent(positions, lease, self.epoch(lease) or epoch)


class AckedBeforeCommit(Consumer):
    """The offset is stored first, the effect after it."""

    async def _take(self, batch: Batch, cause: str | None = None) -> None:
        reading = self._read(batch, lenient=True)
        async with self.store.begin() as tx:
            moves = {place: (self.positions[place].next, position) for place, position in reading.ahead.items()}
            if await inbox(tx).take(self.name, moves, {}) is None:
                raise Moved
        self.positions |= reading.ahead
        await super()._take(batch, cause)


class NoMarks(Consumer):
    """Offsets alone: what the relay sends twice counts twice."""

    def _plan(self, events: Any, held: Known, cause: str | None) -> Any:
        return super()._plan(events, Known({}, held.parked), cause)


class RefusesOnCache(Handler):
    """A refusal is answered from the state at hand, which another process may have changed."""

    def _guess(self, batch: Any, waiting: Any, won: list[tuple[Any, Done]]) -> bool:
        try:
            batch.decide(waiting.request.order, waiting.request.command)
        except Rejected as no:
            waiting.future.set_exception(no)
            return True
        return super()._guess(batch, waiting, won)


class _Parking(OverlappingTransaction):
    async def parked_keys(self, consumer: str, keys: Collection[Source]) -> set[Source]:
        await self._look()
        return {key for key in keys if ("parked", consumer, *key) in self._parked}


class ParkingRace(OverlappingStore):
    """Consumer and operator look at the mark of a parked key without holding it."""

    transaction = _Parking


def keeps_cancelled(request: fulfilment.Request, state: fulfilment.Fulfilment) -> bool:
    """An order that is cancelled does not give its car back."""
    return state.phase != "cancelled" and RELEASES(request, state)


RELEASES = fulfilment.to_be_released

BROKEN = re.compile("a part ended with|: retry of ")
"""What no bug here does: a process that dies of an error no longer fits the platform it is put into, and finds nothing."""


@dataclass(frozen=True)
class Bug:
    """Parts with the bug in them, and whether a complaint is what this bug leads to, and not just anything."""

    kit: Kit
    shows: Callable[[str], object]


def says(words: str) -> Callable[[str], object]:
    """A complaint with these words."""
    return re.compile(words).search


def order(done: str, fault: Callable[[list[int], list[int]], bool]) -> Callable[[str], object]:
    """A complaint about a stream that was `done` otherwise than it happened."""
    pattern = re.compile(rf" {done} as (\[.*]), happened as (\[.*])$")
    return lambda complaint: (found := pattern.search(complaint)) and fault(json.loads(found[1]), json.loads(found[2]))


def skipped(came: list[int], happened: list[int]) -> bool:
    """One is missing, and one after it came: it was passed over, not just late."""
    return any(n not in came and n < max(came, default=0) for n in happened)


def doubled(came: list[int], happened: list[int]) -> bool:
    """All came, and one of them more than once."""
    return set(came) == set(happened) and len(came) > len(happened)


UNSENT = says(r"^not settled: .*\w+: unsent ")
BUGS: dict[str, Bug] = {
    "position cursor": Bug(replace(KIT, store=PositionCursor), UNSENT),
    "gap time-out": Bug(replace(KIT, store=GapTimeout), UNSENT),
    "position range deleted": Bug(replace(KIT, store=RangeDeleted), order("published", skipped)),
    "acknowledged before commit": Bug(replace(KIT, consumer=AckedBeforeCommit), order("heard", skipped)),
    "no sequence mark": Bug(replace(KIT, consumer=NoMarks), order("heard", doubled)),
    "unfenced leader": Bug(replace(KIT, store=Unfenced), says("outbox rows deleted by who no longer leads")),
    "refusal on cached state": Bug(replace(KIT, handler=RefusesOnCache), says("refused with .*, which was at no time true")),
    "missing compensation": Bug(
        replace(KIT, instead=(("services.orders.processes.fulfilment.to_be_released", keeps_cancelled),)),
        says(r"is held for \w+, which does not want it"),
    ),
    "parking race": Bug(replace(KIT, store=ParkingRace), says(r"^not settled: .*parked \S+: behind a parked message of its stream")),
}
