"""Makes databases, roles and topics, once and again without harm. The only code that connects as PostgreSQL's superuser."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import psycopg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError
from psycopg import sql

PARTITIONS = 6
RETENTION = timedelta(days=30)

# Row-level security lets a GIN index of blind-index arrays be used only when these cannot leak a row.
PREPARE = """
create extension if not exists btree_gist;
create extension if not exists pg_trgm;
alter function pg_catalog.arraycontains(anyarray, anyarray) leakproof;
alter function pg_catalog.arrayoverlap(anyarray, anyarray) leakproof;
"""


def at(url: str, database: str) -> str:
    """The same server's URL for another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def set_up_databases(superuser: str, names: Iterable[str], passwords: Mapping[str, str]) -> None:
    """Per name a database with `<name>_writer`, who owns it, and `<name>_reader`; `passwords` are by role."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        there = {row[0] for row in connection.execute("select datname from pg_database")}
        for name in names:
            for role in ("writer", "reader"):
                set_up_role(connection, f"{name}_{role}", passwords[f"{name}_{role}"])
            if name not in there:
                create_database(connection, name, name)
            with psycopg.connect(at(superuser, name), autocommit=True) as inside:
                prepare(inside)
            grant(connection, name, name)


def set_up_role(connection: "psycopg.Connection[tuple[object, ...]]", role: str, password: str) -> None:
    """A login that is no superuser and bypasses nothing. A writer also sees how long other sessions' transactions run."""
    known = connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
    verb = sql.SQL("alter" if known else "create")
    kind = sql.SQL("role {} login nosuperuser nocreatedb nocreaterole nobypassrls noreplication password {}")
    connection.execute(verb + sql.SQL(" ") + kind.format(sql.Identifier(role), sql.Literal(password)))
    if role.endswith("_writer"):
        connection.execute(sql.SQL("grant pg_read_all_stats to {}").format(sql.Identifier(role)))


def create_database(connection: "psycopg.Connection[tuple[object, ...]]", database: str, owner: str, template: str = "template1") -> None:
    """A database that `<owner>_writer` owns, and with it its schema."""
    statement = sql.SQL("create database {} owner {} template {}")
    connection.execute(statement.format(sql.Identifier(database), sql.Identifier(f"{owner}_writer"), sql.Identifier(template)))


def grant(connection: "psycopg.Connection[tuple[object, ...]]", database: str, owner: str) -> None:
    """Lets in its two roles and nobody else. The reader may read what the writer grants it, table by table."""
    name, reader = sql.Identifier(database), sql.Identifier(f"{owner}_reader")
    connection.execute(sql.SQL("revoke all on database {} from public").format(name))
    connection.execute(sql.SQL("grant connect on database {} to {}").format(name, reader))


def prepare(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """What a database needs of its superuser before the writer's migrations run in it."""
    connection.execute(PREPARE)


async def set_up_topics(kafka: str, contexts: Iterable[str], prefix: str, copies: int = 1) -> None:
    """Per context the topic `<prefix>.<context>`, kept by so many brokers; one that exists stays as it is."""
    kept = {"cleanup.policy": "delete", "retention.ms": str(RETENTION // timedelta(milliseconds=1))}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        wanted = [f"{prefix}.{context}" for context in contexts]
        new = [NewTopic(name, PARTITIONS, copies, topic_configs=kept) for name in wanted if name not in there]
        if new:
            answer = await admin.create_topics(new)
            for topic, code, *_ in answer.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise RuntimeError(f"Kafka refused topic {topic}: error {code}")
    finally:
        await admin.close()
