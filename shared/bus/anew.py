"""A consumer begins a topic anew: where it is told again from its beginning, with its marks, so that nothing counts twice."""

from collections.abc import Mapping

import psycopg

from shared.bus.consumer import CLUSTER
from shared.bus.protocol import topic_of


class CannotBegin(Exception):
    """Beginning there would leave a gap that nobody sees."""


async def begin_anew(
    writer_url: str, consumer: str, hears: tuple[str, ...], sources: Mapping[str, Mapping[int, int]], cluster: str, prefix: str
) -> None:
    """Sets the consumer's offsets in the topics of `sources` to those at which their republication began. Raises CannotBegin.

    A running consumer goes on from there; one that has stopped is to be started again.
    """
    if strange := sorted(sources.keys() - set(hears)):
        raise CannotBegin(f"{consumer} does not hear {', '.join(strange)}; it hears {', '.join(hears) or 'nobody'}.")
    async with await psycopg.AsyncConnection.connect(writer_url) as conn:
        found = await (
            await conn.execute("select lineage from lineages where consumer = %s and source = %s", [consumer, CLUSTER])
        ).fetchone()
        if found and found[0] != cluster and (left := sorted(set(hears) - sources.keys())):
            raise CannotBegin(f"Kafka is another one than before: all topics must begin anew, {', '.join(left)} too.")
        await conn.execute("delete from lineages where consumer = %s and source = any(%s)", [consumer, [CLUSTER, *sources]])
        for source, starts in sorted(sources.items()):
            topic = topic_of(source, prefix)
            await conn.execute("delete from offsets where consumer = %s and topic = %s", [consumer, topic])
            rows = [(consumer, topic, partition, start) for partition, start in sorted(starts.items())]
            await conn.cursor().executemany("insert into offsets (consumer, topic, partition, next) values (%s, %s, %s, %s)", rows)


def written(source: str, starts: Mapping[int, int]) -> str:
    """A place to begin at, as an operator passes it on: `orders=0:17,1:4`."""
    return f"{source}={','.join(f'{partition}:{start}' for partition, start in sorted(starts.items()))}"


def parsed(text: str) -> tuple[str, dict[int, int]]:
    """The place back. ValueError when it is none."""
    source, _, rest = text.partition("=")
    starts = {int(partition): int(start) for partition, _, start in (part.partition(":") for part in rest.split(","))}
    if not source or min(*starts, *starts.values()) < 0:
        raise ValueError(f"{text} is not a place such as orders=0:17,1:4.")
    return source, starts
