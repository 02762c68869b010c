"""What is written down outside the database every hour: how many events there were, and a digest over their hashes. Each line seals those before."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import structlog

from shared.bus import metrics
from shared.store.protocol import SECTION, Store, Unavailable

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
LOOK = 15.0
"""Seconds between two looks at the clock."""


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """One line: the events from bound to bound. `head` is sha256 of the head before and the rest of this line."""

    at: datetime
    context: str
    lineage: str
    since: int
    until: int
    events: int
    digest: str
    head: str = ""

    def sealed(self, before: str) -> "Anchor":
        """With its head, after a line whose head is `before`."""
        rest = {**asdict(self), "head": before}
        return replace(self, head=sha256(msgspec.json.encode(rest)).hexdigest())


def read(file: Path) -> list[Anchor]:
    """All lines, none when the file is not there. ValueError when one is no anchor."""
    if not file.exists():
        return []
    try:
        return [msgspec.json.decode(line, type=Anchor) for line in file.read_bytes().splitlines()]
    except msgspec.DecodeError as error:
        raise ValueError(f"{file} has a line that is not as it was written: {error}") from error


def broken(anchors: Sequence[Anchor]) -> list[str]:
    """The first line that does not follow from the one before it."""
    head, until = "", 0
    for number, anchor in enumerate(anchors, 1):
        if anchor.sealed(head).head != anchor.head or anchor.since != until:
            return [f"line {number} of the anchors is not as it was written, or one before it is gone"]
        head, until = anchor.head, anchor.until
    return []


class Anchors:
    """Writes the lines of one service: its relay does, which is alone."""

    def __init__(self, store: Store, context: str, folder: Path, leading: Callable[[], bool]) -> None:
        self.store = store
        self.context = context
        self.file = place(folder, context)
        self.leading = leading
        metrics.anchored.labels(context)

    async def run(self) -> None:
        """Until cancelled: once an hour while this process leads. What stands in the way is told, and tried again."""
        while True:
            await asyncio.sleep(LOOK)
            try:
                if self.leading():
                    await self.write(EVERY)
            except (OSError, ValueError, Unavailable) as error:
                log.error("anchor not written", context=self.context, error=repr(error))

    async def write(self, every: timedelta = timedelta(0)) -> Anchor | None:
        """Writes lines up to now when the last is older than `every`; the last of them. OSError or ValueError when the file cannot be used."""
        lines = await asyncio.to_thread(read, self.file)
        last = lines[-1] if lines else None
        now = datetime.now(UTC)
        if last is not None:
            metrics.anchored.labels(self.context).set(last.at.timestamp())
            if now - last.at < every:
                return None
        while True:
            since = last.until if last else 0
            section = await self.store.section(since)
            anchor = Anchor(at=now, context=self.context, lineage=self.store.lineage, since=since, **section._asdict())
            last = anchor.sealed(last.head if last else "")
            await asyncio.to_thread(_append, self.file, last)
            metrics.anchored.labels(self.context).set(now.timestamp())
            if section.events < SECTION // 2:  # a section ends before the transaction that would be too much for it
                return last


def place(folder: Path, context: str) -> Path:
    """The file of a service."""
    return folder / f"{context}.jsonl"


def _append(file: Path, anchor: Anchor) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as lines:
        lines.write(msgspec.json.encode(anchor) + b"\n")
        lines.flush()
        os.fsync(lines.fileno())
