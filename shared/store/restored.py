"""Stores brought back to an earlier moment: everybody must notice that what was told after it never happened."""

from collections.abc import Mapping

import psycopg


def begin_anew(databases: Mapping[str, str]) -> None:
    """Gives each context's store a new lineage, by URLs of those brought back together to one moment.

    Their consumers know each other's new lineages: what a topic still holds of the lost time comes from a store nobody knows and stops
    whoever hears it. Offsets and cluster belong to Kafka as it was. What was on its way to somebody is in no table any more, so that each
    relay is asked to tell the whole store again; marks stay, and it counts once.
    """
    lineages: dict[str, str] = {}
    for context, url in databases.items():
        with psycopg.connect(url) as connection:
            row = connection.execute("update store set lineage = gen_random_uuid() returning lineage::text").fetchone()
            assert row is not None
            lineages[context] = row[0]
            connection.execute("delete from offsets")
            connection.execute("delete from leases")
            connection.execute("delete from republications where done_at is null")  # begun in a Kafka that is gone
            connection.execute("insert into republications default values")
    for consumer, url in databases.items():
        with psycopg.connect(url) as connection:
            connection.execute("delete from lineages")
            rows = [(consumer, context, lineage) for context, lineage in lineages.items()]
            connection.cursor().executemany("insert into lineages (consumer, source, lineage) values (%s, %s, %s)", rows)
