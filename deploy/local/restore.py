"""Brings the databases back to a named second, in place or in another folder; what was forgotten since then stays forgotten."""

import os
import shlex
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from deploy.local import postgres
from deploy.local.backup import Base, copy_secret
from deploy.local.plan import SERVICES, VAULT, Plan
from deploy.local.process import Problem, Server, check_disk, free_port, tail
from deploy.local.secrets import kept
from deploy.local.setup import at
from shared.store.restored import begin_anew

REPLAYED_WITHIN = 4 * 3600
NOT_REACHED = "recovery ended before configured recovery target was reached"


def read_moment(text: str) -> datetime:
    """A second as TO= names it. Raises Problem."""
    try:
        to = datetime.fromisoformat(text)
        if to.tzinfo is None:
            raise ValueError
    except ValueError as error:
        raise Problem("TO is a moment with its offset, as in `make restore TO=2026-11-22T12:00:00Z`.") from error
    if to > datetime.now(UTC):
        raise Problem(f"{text} has not come yet.")
    return to


def restore(plan: Plan, events: Path, keys: Path, to: datetime) -> str:
    """Brings an installation that does not run back to `to`. Says what was done and what is left to do. Raises Problem.

    A vault that is there stays as it is: it knows every key and who was forgotten since. One that is lost comes from its backup, as late as
    that goes. Kafka holds nothing that is not in a database and begins anew. What is replaced is put aside, not deleted.
    """
    base = _base(events, to)
    folder, aside = plan.folder, f".before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "secrets.json").exists():
        copy_secret(_there(keys / "secrets.json"), folder / "secrets.json")
    secrets = kept(folder / "secrets.json")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as made:
        Path(made).chmod(0o711)
        known = None if (folder / VAULT).exists() else _vault(Path(made, VAULT), keys, secrets["vault_postgres_password"])
        if known and known < to:
            raise Problem(
                f"The backup of the vault ends at {known:%Y-%m-%dT%H:%M:%SZ}: nothing later can be restored, for it would lack keys."
            )
        _events(Path(made, "postgres"), base, secrets["postgres_password"], to)
        for name in ("postgres", "postgres.backup", "kafka", "anchors"):
            if (folder / name).exists(follow_symlinks=False):
                (folder / name).rename(folder / f"{name}{aside}")
        for each in Path(made).iterdir():
            if each.is_dir():
                each.rename(folder / each.name)
    return (
        f"Restored to {to:%Y-%m-%dT%H:%M:%S%z}. `make up` goes on from there; then run `make backup`, for a new series begins.\n"
        f"What was there before is in {folder} under names ending in {aside}: delete it when all is well."
    )


def _there(path: Path) -> Path:
    if not path.exists():
        raise Problem(f"{path} is missing: BACKUP_KEYS= names the folder with the backup of the vault and the secrets.")
    return path


def _base(place: Path, to: datetime) -> Base:
    """The newest base backup that was finished by then. Raises Problem."""
    bases = Base.all(place)
    fit = [base for base in bases if base.since <= to]
    if not fit:
        first = f"its first moment is {bases[0].since:%Y-%m-%dT%H:%M:%SZ}" if bases else "it has no base backup"
        raise Problem(f"{place} cannot bring that moment back: {first}.")
    return fit[-1]


def _vault(folder: Path, keys: Path, password: str) -> datetime:
    """The vault as late as its backup goes; the moment up to which it knows everything."""
    with replayed(folder, _base(keys, datetime.now(UTC)), password, {}) as server, psycopg.connect(at(server.url, VAULT)) as connection:
        row: tuple[datetime] | None = connection.execute("select at from tended").fetchone()
    if row is None:
        raise Problem("This backup of the vault was made before its first upkeep.")
    return row[0]


def _events(folder: Path, base: Base, password: str, to: datetime) -> None:
    """Every service's database as of `to`, each a store of a new lineage."""
    target = {"recovery_target_time": to.isoformat(), "recovery_target_action": "promote"}
    with replayed(folder, base, password, target) as server:
        begin_anew({context: at(server.url, context) for context in SERVICES})


@contextmanager
def replayed(folder: Path, base: Base, password: str, target: Mapping[str, str]) -> Iterator[Server]:
    """A server on data made from a base backup and the log after it, for as long as the block lasts. Raises Problem."""
    unpack(base, folder)
    pieces = shlex.quote(str(base.wal)).replace("%", "%%")
    options = {
        "restore_command": f"test -e {pieces}/%f.gz && gzip -dc {pieces}/%f.gz > %p",
        "recovery_target_timeline": "current",
        "archive_mode": "off",
        **target,
    }
    server = postgres.start(folder, free_port(), password, options=options)
    try:
        server.wait(REPLAYED_WITHIN)
        _until_reached(server)
        yield server
    except Problem:
        if NOT_REACHED in tail(server.log, 40):
            raise Problem(f"The log in {base.wal} ends before that moment: choose an earlier one.") from None
        raise
    finally:
        server.stop(60)


def _until_reached(server: Server) -> None:
    """Waits until all that is wanted is there and may be written to. Raises Problem."""
    until = time.monotonic() + REPLAYED_WITHIN
    while time.monotonic() < until and server.running:
        with suppress(psycopg.OperationalError), psycopg.connect(server.url) as connection:
            if connection.execute("select not pg_is_in_recovery()").fetchone() == (True,):
                return
        time.sleep(0.1)
    raise Problem(f"PostgreSQL did not reach that moment. The end of its log:\n{tail(server.log)}")


def unpack(base: Base, folder: Path) -> None:
    """A base backup as a data folder that will replay its log. Raises Problem."""
    packed = sum(each.stat().st_size for each in base.folder.iterdir())
    check_disk(folder.parent, 10 * packed)
    folder.mkdir(mode=0o700)
    for name, inside in (("base.tar.gz", folder), ("pg_wal.tar.gz", folder / "pg_wal")):
        with tarfile.open(base.folder / name) as tar:
            tar.extractall(inside, filter="data")
    (folder / "recovery.signal").touch()
    user = postgres.unprivileged(folder)
    if user is not None:
        for path, names, files in os.walk(folder):
            for each in (path, *(os.path.join(path, name) for name in (*names, *files))):
                os.chown(each, user, user)
