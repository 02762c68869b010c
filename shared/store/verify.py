"""Proves that nothing was changed: the chain of each stream, and the sections of the store against what was written down outside."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from shared.events.chain import link
from shared.store.anchors import Anchor, broken
from shared.store.protocol import Kept, Store

STREAMS = 500
"""Streams read at a time."""
FAULTS = 20
"""More are not looked for."""


async def verify(store: Store, anchors: Sequence[Anchor] = ()) -> tuple[int, list[str]]:
    """How many events there are, and what is wrong: the first bad row of each broken stream, and sections with something gone or changed."""
    events, after, faults = 0, "", broken(anchors)
    while len(faults) < FAULTS and (rows := await store.kept(after, STREAMS)):
        for stream, history in groupby(rows, attrgetter("stream")):
            after = stream
            chain = list(history)
            events += len(chain)
            if fault := first_fault(chain):
                faults.append(fault)
    for anchor in anchors:
        now = await store.section(anchor.since, anchor.until)
        if (now.events, now.digest) != (anchor.events, anchor.digest):
            what = f"{anchor.events - now.events} are gone" if now.events < anchor.events else f"{now.events} there are, changed"
            faults.append(f"of {anchor.events} events written down at {anchor.at:%Y-%m-%d %H:%M:%S} UTC in store {anchor.lineage}, {what}")
    return events, faults


def first_fault(chain: Sequence[Kept]) -> str | None:
    """What is wrong with the first bad row of a stream; None when its chain is whole."""
    before = b""
    for expected, row in enumerate(chain, 1):
        if row.version != expected:
            return f"{row.stream}@{expected} is missing"
        if link(before, *row[:-3], meta=row.meta, data=row.data) != row.hash:
            return f"{row.stream}@{row.version} is not what was stored"
        before = row.hash
    return None
