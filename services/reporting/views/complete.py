"""Up to when everything has been heard: the lowest watermark of all partitions. A figure as of an earlier moment never changes."""

from datetime import datetime

from shared.web.call import Call

_WATERMARK = """select case when bool_or(watermark is null) then null else min(watermark) end as complete_to
    from offsets where consumer = 'reporting'"""
_PARKED = "select min(parked_at) as parked_at from parked where consumer = 'reporting'"


async def complete_to(call: Call) -> datetime | None:
    """None while a partition has told nothing yet, or a message waits for an operator."""
    parked = await call.one(_PARKED)
    if parked and parked["parked_at"]:
        return None
    row = await call.one(_WATERMARK)
    return row["complete_to"] if row else None
