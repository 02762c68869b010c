"""A base backup and the log after it bring back any second; old copies go, and no folder is mistaken for another."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from deploy.local import postgres
from deploy.local.__main__ import places
from deploy.local.backup import STAMP, Base, back_up, prune, take
from deploy.local.plan import Plan
from deploy.local.process import Problem, Server, free_port
from deploy.local.restore import read_moment, replayed, restore
from deploy.local.secrets import kept
from deploy.local.setup import at
from shared.store import archiver
from shared.testing.servers import open_folder


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def database(folder: Path) -> Iterator[Server]:
    server = postgres.start(folder / "var" / "postgres", free_port(), "abc", options=postgres.SMALL)
    server.wait()
    with psycopg.connect(server.url) as connection:
        connection.execute("create table written (n int)")
    yield server
    server.stop()


def write(server: Server, n: int) -> datetime:
    """Writes a row; the database's time just after it, in full seconds."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("insert into written values (%s)", (n,))
        time.sleep(1.0 - time.time() % 1.0)
        row = connection.execute("select date_trunc('second', clock_timestamp())").fetchone()
    assert row
    moment: datetime = row[0]
    return moment


def archived(server: Server, base: Base) -> None:
    """Waits until all that is written is in the archive."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute("select pg_walfile_name(pg_switch_wal())").fetchone()
    assert row
    until = time.monotonic() + 20
    while not (base.wal / f"{row[0]}.gz").exists():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture(scope="module")
def written(database: Server, folder: Path) -> tuple[Base, list[datetime]]:
    """A backup between the first and the second of three rows, and the seconds after each."""
    place = folder / "backup"
    place.mkdir()
    first = write(database, 1)
    base = take(folder / "var" / "postgres", database.url, place, 60)
    moments = [first, write(database, 2), write(database, 3)]
    archived(database, base)
    return base, moments


def rows(folder: Path, base: Base, to: datetime) -> list[int]:
    target = {"recovery_target_time": to.isoformat(), "recovery_target_action": "promote", **postgres.SMALL}
    with replayed(folder, base, "abc", target) as server, psycopg.connect(server.url) as connection:
        return [n for (n,) in connection.execute("select n from written order by n")]


def test_the_rows_of_a_named_second_come_back_and_no_later_one(written: tuple[Base, list[datetime]], folder: Path) -> None:
    base, moments = written
    assert rows(folder / "restored", base, moments[1]) == [1, 2]


def test_a_second_after_the_end_of_the_log_is_refused(written: tuple[Base, list[datetime]], folder: Path) -> None:
    base, moments = written
    with pytest.raises(Problem, match="ends before that moment"):
        rows(folder / "beyond", base, moments[2] + timedelta(hours=1))


def test_a_restored_server_does_not_write_into_the_archive_it_came_from(written: tuple[Base, list[datetime]], folder: Path) -> None:
    base, moments = written
    before = sorted(base.wal.iterdir())
    rows(folder / "apart", base, moments[1])
    assert sorted(base.wal.iterdir()) == before
    assert not postgres.link_of(folder / "apart").exists()


def archive_fails(server: Server) -> bool:
    with psycopg.connect(server.url) as connection:
        return connection.execute(archiver.FAILS).fetchone() == (True,)


def test_a_log_that_cannot_be_kept_waits_in_the_database(database: Server, written: tuple[Base, list[datetime]]) -> None:
    base, _ = written
    away = base.wal.with_name("away")
    base.wal.rename(away)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("insert into written values (4)")
        row = connection.execute("select pg_walfile_name(pg_switch_wal())").fetchone()
        until = time.monotonic() + 20
        while not archive_fails(database):
            assert time.monotonic() < until
            time.sleep(0.05)
    away.rename(base.wal)
    assert row
    until = time.monotonic() + 90
    while not (base.wal / f"{row[0]}.gz").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    until = time.monotonic() + 20
    while archive_fails(database):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_log_whose_way_to_the_archive_is_closed_waits_too(tmp_path: Path) -> None:
    with open_folder() as made:
        data, piece = made / "var" / "postgres", made / "000000010000000000000001"
        data.mkdir(parents=True)
        (data / "PG_VERSION").touch()
        piece.write_bytes(b"log")
        user = postgres.unprivileged(data)
        command = postgres.archive_command(data).replace("%p", str(piece)).replace("%f", piece.name)

        def code() -> int:
            return subprocess.run(["/bin/sh", "-c", command], user=user, check=False).returncode

        assert code() == 0, "without an archive there is nothing to keep"
        postgres.link_of(data).symlink_to(tmp_path)
        (made / "var").chmod(0o600)
        assert code() != 0
        (made / "var").chmod(0o755)
        assert code() != 0, "nor was this place let in"


def test_the_next_base_backup_goes_on_in_the_series_and_another_place_begins_one(
    database: Server, written: tuple[Base, list[datetime]], folder: Path
) -> None:
    data, place, other = folder / "var" / "postgres", folder / "backup", folder / "other"
    time.sleep(1)
    second = take(data, database.url, place, 60)
    assert second.folder.parent == written[0].folder.parent
    assert [base.folder for base in Base.all(place)] == [written[0].folder, second.folder]
    assert second.first > written[0].first
    other.mkdir()
    elsewhere = take(data, database.url, other, 60)
    assert postgres.link_of(data).resolve() == elsewhere.folder.parent
    write(database, 5)
    archived(database, elsewhere)


def test_a_damaged_base_backup_is_noticed(written: tuple[Base, list[datetime]], folder: Path) -> None:
    damaged = folder / "damaged"
    shutil.copytree(written[0].folder, damaged)
    postgres.verify(damaged)
    (damaged / "base.tar.gz").write_bytes((damaged / "base.tar.gz").read_bytes()[:-100_000])
    with pytest.raises(Problem, match="pg_verifybackup failed"):
        postgres.verify(damaged)


# --- folders -----------------------------------------------------------------------------------------------------


def series(place: Path, name: str, *days_ago: int) -> Path:
    """A series with base backups so many days old, and a piece of log for each day since the first."""
    made = place / f"series-{name}"
    (made / "wal").mkdir(parents=True)
    for days in days_ago:
        base = made / (datetime.now(UTC) - timedelta(days=days)).strftime(STAMP)
        base.mkdir()
        (base / "backup_manifest").write_text(json.dumps({"WAL-Ranges": [{"Timeline": 1, "Start-LSN": f"0/{100 - days:02X}000028"}]}))
    for days in range(max(days_ago), -1, -1):
        (made / "wal" / f"0000000100000000{100 - days:08X}.gz").touch()
    (made / "wal" / "00000002.history.gz").touch()
    return made


def ages(place: Path) -> list[int]:
    return [(datetime.now(UTC) - base.since).days for base in Base.all(place)]


def test_old_base_backups_go_with_the_log_only_they_needed(tmp_path: Path) -> None:
    made = series(tmp_path, "one", 12, 9, 6, 1)
    prune(tmp_path, tmp_path / "postgres", datetime.now(UTC) - timedelta(days=7), reach=False)
    assert ages(tmp_path) == [6, 1]
    left = sorted(each.name for each in (made / "wal").iterdir())
    assert left == [*(f"0000000100000000{100 - days:08X}.gz" for days in range(6, -1, -1)), "00000002.history.gz"]


def test_the_first_moment_to_be_kept_can_still_be_restored(tmp_path: Path) -> None:
    series(tmp_path, "one", 12, 9, 6, 1)
    prune(tmp_path, tmp_path / "postgres", datetime.now(UTC) - timedelta(days=7), reach=True)
    assert ages(tmp_path) == [9, 6, 1]


def test_a_series_that_ended_goes_whole_and_the_last_base_backup_never(tmp_path: Path) -> None:
    series(tmp_path, "one", 40, 39)
    series(tmp_path, "two", 20)
    prune(tmp_path, tmp_path / "postgres", datetime.now(UTC) - timedelta(days=7), reach=False)
    assert [each.name for each in tmp_path.iterdir()] == ["series-two"]
    assert ages(tmp_path) == [20]


@pytest.mark.parametrize("keys", ["/backup", "/backup/keys", "/"])
def test_the_keys_are_never_kept_with_the_events(keys: str) -> None:
    with pytest.raises(Problem, match="kept apart"):
        places({"BACKUP": "/backup", "BACKUP_KEYS": keys})


def test_the_keys_have_a_folder_beside_the_events() -> None:
    assert places({"BACKUP": "/backup"}) == (Path("/backup"), Path("/backup-keys"))


def test_the_keys_of_another_installation_are_not_written_over(tmp_path: Path) -> None:
    for name in ("keys", "var"):
        (tmp_path / name).mkdir()
        kept(tmp_path / name / "secrets.json")
    before = (tmp_path / "keys" / "secrets.json").read_bytes()
    with pytest.raises(Problem, match="another installation"):
        back_up(Plan(folder=tmp_path / "var", cache=tmp_path), tmp_path / "events", tmp_path / "keys")
    assert (tmp_path / "keys" / "secrets.json").read_bytes() == before


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-22T12:00:00", "2999-01-01T00:00:00Z"])
def test_a_moment_has_its_offset_and_has_been(text: str) -> None:
    with pytest.raises(Problem, match=r"TO is a moment|has not come"):
        read_moment(text)


def test_before_the_first_base_backup_nothing_comes_back(tmp_path: Path) -> None:
    series(tmp_path / "backup", "one", 3)
    plan = Plan(folder=tmp_path / "var", cache=tmp_path)
    with pytest.raises(Problem, match="its first moment is"):
        restore(plan, tmp_path / "backup", tmp_path / "keys", datetime.now(UTC) - timedelta(days=4))
    assert not plan.folder.exists()


@pytest.mark.parametrize(("tended", "why"), [("- interval '1 hour'", "The backup of the vault ends at"), (None, "before its first upkeep")])
def test_a_vault_older_than_the_events_is_refused_and_nothing_is_moved(
    database: Server, folder: Path, tended: str | None, why: str
) -> None:
    """The keys of the last hour would be missing: who came then could never be read again."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("drop database if exists vault with (force)")
        connection.execute("create database vault")
    with psycopg.connect(at(database.url, "vault"), autocommit=True) as connection:
        connection.execute("create table tended (at timestamptz)")
        if tended:
            connection.execute(f"insert into tended values (now() {tended})".encode())
    with tempfile.TemporaryDirectory(dir=folder) as made:
        Path(made).chmod(0o755)
        events, keys, var = (Path(made, name) for name in ("backup", "keys", "var"))
        series(events, "one", 3)
        for place in (keys, var):
            place.mkdir()
        take(folder / "var" / "postgres", database.url, keys, 60)
        time.sleep(1)  # it can be used from the next full second on
        kept(keys / "secrets.json", {"vault_postgres_password": "abc"})
        for name in ("postgres", "kafka", "anchors"):
            (var / name).mkdir()
            (var / name / "kept").touch()
        with pytest.raises(Problem, match=why):
            restore(Plan(folder=var, cache=Path(made)), events, keys, datetime.now(UTC) - timedelta(minutes=1))
        left = sorted(str(each.relative_to(var)) for each in var.rglob("*"))
        assert left == ["anchors", "anchors/kept", "kafka", "kafka/kept", "postgres", "postgres/kept", "secrets.json"]
