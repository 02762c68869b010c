"""Real PostgreSQL, Kafka and Redis for tests: each started when first asked for, all gone when the session ends."""

import asyncio
import os
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from shutil import rmtree

import psutil
import psycopg
from psycopg import sql

from deploy.local import kafka, postgres, redis
from deploy.local.process import Problem, Server, free_port
from deploy.local.setup import at, create_database, grant, prepare, set_up_role, set_up_topics

PASSWORD = "known-to-tests-only"  # noqa: S105
TEMPLATE = "forecourt_template"
FORGETFUL = {"fsync": "off", "full_page_writes": "off"}
"""Nothing of a test has to outlive this machine, only the server's processes."""
type FreshDatabase = Callable[[str], Awaitable[tuple[str, str]]]
type FreshTopics = Callable[..., Awaitable[str]]
CACHE = Path(__file__).parents[2] / ".cache" / "kafka"


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder for a server that runs as `nobody`.

    Not below pytest's own: whichever session starts next closes that to everybody else.
    """
    with tempfile.TemporaryDirectory(prefix="forecourt-open-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


class Servers:
    """The servers of one test session: those FORECOURT_TEST_POSTGRES, _KAFKA and _REDIS name, else its own in a temporary folder.

    FORECOURT_TEST_POSTGRES is a superuser's URL. `durable` has its own PostgreSQL wait for the disk, as in production.
    Use from the main thread: a server ends with the thread that started it.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ, *, durable: bool = False) -> None:
        self._given = environment
        self._options = {} if durable else FORGETFUL
        self._own: list[Server] = []
        self._databases: list[str] = []

    @property
    def pids(self) -> list[int]:
        """The processes of the session's own servers."""
        return [server.pid for server in self._own]

    @cached_property
    def folder(self) -> Path:
        """Where the session's own servers keep their data."""
        place = Path(tempfile.gettempdir())
        for old in place.glob("forecourt-test-*"):
            if not psutil.pid_exists(int(old.name.split("-")[2])):
                rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"forecourt-test-{os.getpid()}-", dir=place))

    @cached_property
    def postgres(self) -> str:
        """The superuser's URL, for making databases only."""
        url = self._given.get("FORECOURT_TEST_POSTGRES")
        url = url or self._start(lambda port: postgres.start(self.folder / "postgres", port, PASSWORD, options=self._options))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("select pg_advisory_lock(hashtext(%s))", (TEMPLATE,))
            if not connection.execute("select 1 from pg_database where datname = %s", (TEMPLATE,)).fetchone():
                connection.execute(f"create database {TEMPLATE}")
                with psycopg.connect(at(url, TEMPLATE), autocommit=True) as inside:
                    prepare(inside)
        return url

    @cached_property
    def kafka(self) -> str:
        """Bootstrap servers, host:port."""
        return self._given.get("FORECOURT_TEST_KAFKA") or self._start(lambda port: kafka.start(self.folder / "kafka", port, CACHE))

    @cached_property
    def redis(self) -> str:
        """The URL of an empty Redis."""
        return self._given.get("FORECOURT_TEST_REDIS") or self._start(lambda port: redis.start(self.folder / "redis", port, PASSWORD))

    def _start(self, launch: Callable[[int], Server]) -> str:
        """Starts a server on a free port; another session may have taken it in between, then on another."""
        for tries in range(5):
            server = launch(free_port())
            self._own.append(server)
            try:
                server.wait()
            except Problem:
                if tries == 4:
                    raise
                server.stop()
            else:
                break
        return server.url

    async def fresh_database(self, name: str) -> tuple[str, str]:
        """A new, empty database set up as in production; the URLs of `<name>_writer` and `<name>_reader`."""
        database = f"{name}_{uuid.uuid4().hex[:12]}"
        await asyncio.to_thread(self._create, self.postgres, name, database)
        self._databases.append(database)
        writer, reader = (self._as(f"{name}_{role}", database) for role in ("writer", "reader"))
        return writer, reader

    def _create(self, superuser: str, name: str, database: str) -> None:
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("select pg_advisory_lock(hashtext(%s))", (TEMPLATE,))
            for role in (f"{name}_writer", f"{name}_reader"):
                set_up_role(connection, role, PASSWORD)
            create_database(connection, database, name, TEMPLATE)
            grant(connection, database, name)

    def _as(self, role: str, database: str) -> str:
        host = self.postgres.rsplit("@", 1)[1].split("/")[0]
        return f"postgresql://{role}:{PASSWORD}@{host}/{database}"

    async def drop_databases(self) -> None:
        """Drops the databases made so far, whoever is still connected."""
        if self._databases:
            dropped, self._databases = self._databases, []
            await asyncio.to_thread(self._drop, self.postgres, dropped)

    def _drop(self, superuser: str, databases: list[str]) -> None:
        with psycopg.connect(superuser, autocommit=True) as connection:
            for database in databases:
                connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))

    async def fresh_topics(self, *contexts: str) -> str:
        """Makes `<prefix>.<context>` for each context; returns the new prefix."""
        prefix = f"test-{uuid.uuid4().hex[:12]}"
        await set_up_topics(self.kafka, contexts, prefix)
        return prefix

    def stop(self) -> None:
        """Stops the session's own servers and deletes their data."""
        for server in self._own:
            server.ask_to_stop()
        for server in self._own:
            server.stop()
        if "folder" in self.__dict__:
            rmtree(self.folder, ignore_errors=True)
