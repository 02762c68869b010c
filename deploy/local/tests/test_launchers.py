"""Each server alone: what it kept survives a kill, and what goes wrong is said with its remedy."""

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests
from jgo.maven import Artifact, PythonResolver

from deploy.local import kafka, postgres, redis
from deploy.local.process import Problem, Server, check_port, free_port
from deploy.local.setup import at, set_up_databases


@pytest.fixture
def database(served_folder: Path) -> Iterator[Server]:
    server = postgres.start(served_folder / "postgres", free_port(), "abc")
    server.wait()
    yield server
    server.stop()


def test_a_committed_row_survives_kill_9(database: Server, served_folder: Path) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("create table kept as select 7 as n")
    database.kill9()
    assert not database.running
    again = postgres.start(served_folder / "postgres", database.port, "abc")
    again.wait()
    with psycopg.connect(again.url) as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)
    again.stop()
    assert sorted(each.name for each in served_folder.iterdir()) == ["postgres", "postgres.log"]


def test_postgres_asks_for_the_password_and_hears_this_machine_only(database: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.url.replace(":abc@", ":wrong@"))
    with psycopg.connect(database.url) as connection:
        found = connection.execute("select current_setting('listen_addresses'), current_setting('fsync')").fetchone()
        encrypted = connection.execute("select rolpassword like 'SCRAM-SHA-256%' from pg_authid where rolname = 'postgres'").fetchone()
    assert found == ("127.0.0.1", "on")
    assert encrypted == (True,)


def test_a_lock_file_of_a_dead_server_is_no_obstacle(database: Server, served_folder: Path) -> None:
    database.stop()
    lock = served_folder / "postgres" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n")
    again = postgres.start(served_folder / "postgres", database.port, "abc")
    again.wait()
    again.stop()


def test_a_server_that_dies_says_why(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = redis.start(tmp_path / "redis", taken.getsockname()[1], "abc")
        server.answers = lambda: False
        with pytest.raises(Problem, match=r"(?s)Redis stopped while starting.*redis.log.*Could not create server TCP listening socket"):
            server.wait()


def test_a_silent_server_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    server = make(tmp_path, "sleep 60")
    server.start()
    with pytest.raises(Problem, match="did not answer within 0 s"):
        server.wait(0.2)
    server.stop(1)
    assert not server.running


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    server = make(tmp_path, "echo 'write failed: No space left on device' >&2; exit 1")
    server.start()
    with pytest.raises(Problem, match="is full: make room"):
        server.wait(10)


def make(folder: Path, script: str) -> Server:
    command = ["sh", "-c", script]
    return Server(name="It", url="", port=1, command=command, answers=lambda: False, log=folder / "it.log", folder=folder)


def test_a_free_port_is_no_problem() -> None:
    check_port(free_port(), "it", "choose another")


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pins = tmp_path / "kafka.lock"
    pins.write_text(f"org.example:thing:1.0 {hashlib.sha256(b'right').hexdigest()}\n")
    monkeypatch.setattr(kafka, "LOCK", pins)
    return tmp_path / "cache"


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    def download(self: PythonResolver, artifact: Artifact) -> Path | None:
        path = artifact.cached_path
        assert path is not None
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        return path

    monkeypatch.setattr(PythonResolver, "download", download)


def test_jars_are_fetched_once_and_leave_nothing_half_done(pinned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"right")
    assert kafka.fetch(pinned) == [pinned / "thing-1.0.jar"]
    serve(monkeypatch, b"never asked for")
    assert kafka.fetch(pinned)[0].read_bytes() == b"right"
    assert [each.name for each in pinned.iterdir()] == ["thing-1.0.jar"]


def test_a_jar_that_is_not_the_pinned_one_is_refused(pinned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"wrong")
    with pytest.raises(Problem, match="is not the file"):
        kafka.fetch(pinned)
    assert list(pinned.iterdir()) == []


def test_no_network_is_said(pinned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(self: PythonResolver, artifact: Artifact) -> Path | None:
        raise requests.ConnectionError

    monkeypatch.setattr(PythonResolver, "download", download)
    with pytest.raises(Problem, match="is the network up"):
        kafka.fetch(pinned)


def test_a_database_of_an_earlier_version_moves_to_its_own_server_once(database: Server, served_folder: Path) -> None:
    own = postgres.start(served_folder / "vault", free_port(), "def", name="The vault", options=postgres.SMALL)
    own.wait()
    passwords = {"vault_writer": "w" * 32, "vault_reader": "r" * 32}
    for server in (database, own):
        set_up_databases(server.url, ("vault",), passwords)
    with psycopg.connect(at(database.url, "vault")) as connection:
        connection.execute("set role vault_writer")
        connection.execute("create table keys as select 7 as n")
    for _ in range(2):
        postgres.take_over(database.url, own.url, "vault")
        with psycopg.connect(f"postgresql://vault_writer:{'w' * 32}@127.0.0.1:{own.port}/vault") as connection:
            assert connection.execute("update keys set n = n returning n").fetchone() == (7,)
    with psycopg.connect(database.url) as connection:
        assert connection.execute("select from pg_database where datname = 'vault'").fetchone() is None
    own.stop()
