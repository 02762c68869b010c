"""Up to when everything has been heard: the lowest watermark of all partitions. A figure as of then, or earlier, never changes."""

from datetime import datetime

from shared.web.call import Call

_WATERMARK = """
with heard as (
    select topic, count(*) as partitions, min(watermark) as watermark, bool_or(watermark is null) as silent
    from offsets where consumer = 'reporting' and split_part(topic, '.', -1) = any(%s) group by topic
)
select case when count(*) = %s and min(partitions) = max(partitions) and not bool_or(silent) then min(watermark) end as complete_to
from heard
"""
_PARKED = "select min(parked_at) as parked_at from parked where consumer = 'reporting'"


async def complete_to(call: Call) -> datetime | None:
    """None while a partition of a topic has told nothing yet, or a message waits for an operator. All topics have as many partitions."""
    parked = await call.one(_PARKED)
    if parked and parked["parked_at"]:
        return None
    topics = sorted(call.kit.topics)
    row = await call.one(_WATERMARK, [topics, len(topics)])
    return row["complete_to"] if row else None
