"""Copies of the databases from which any second can be had back: the events in one folder, the vault and the secrets in another."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from deploy.local import postgres
from deploy.local.plan import VAULT, Plan
from deploy.local.process import Problem, check_disk
from deploy.local.secrets import kept

STAMP = "%Y%m%dT%H%M%SZ"
EVENTS_KEPT = timedelta(days=30)
KEYS_KEPT = timedelta(days=7)
"""A key that was destroyed must not come back: no copy of the vault is older."""
EVENTS_EVERY = 60
"""Seconds after which what was written is in the archive at the latest, as long as anything is written."""
KEYS_EVERY = 30

ABOUT_EVENTS = """\
A backup of Forecourt's events: a folder per unbroken series, in it a folder per base backup (by the time from which on it can be
used, UTC) and `wal`, the database's log since. No key of a person is in here: names and numbers stay unreadable without the folder
of the keys, {keys}.

    make restore BACKUP={events} TO=2026-11-22T12:00:00Z
"""
ABOUT_KEYS = """\
A backup of Forecourt's vault, which holds the keys of personal data, and secrets.json: with the master key, the index key and the
passwords in it whoever has the backup of the events reads everything. Keep this folder apart from the other, let few people read
it, and keep no copy of it for more than seven days: an erased person could be read in an older one.
"""


@dataclass(frozen=True)
class Base:
    """A base backup; any moment from `since` on can be restored from it and the log in `wal` beside it."""

    folder: Path
    since: datetime

    @classmethod
    def all(cls, place: Path) -> list[Self]:
        """Those in `place`, the oldest first."""
        found = [cls(folder, since) for folder in place.glob("*/*") if (since := moment(folder.name))]
        return sorted(found, key=lambda base: base.since)

    @property
    def wal(self) -> Path:
        """The log, in pieces."""
        return self.folder.parent / "wal"

    @property
    def first(self) -> str:
        """The piece of the log it begins with, without the eight digits of the timeline."""
        manifest = json.loads((self.folder / "backup_manifest").read_text())
        high, low = (int(part, 16) for part in manifest["WAL-Ranges"][0]["Start-LSN"].split("/"))
        return f"{high:08X}{low >> 24:08X}"


def moment(name: str) -> datetime | None:
    """The time in a folder's name, or None."""
    try:
        return datetime.strptime(name, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def back_up(plan: Plan, events: Path, keys: Path) -> str:
    """Base backups of both servers of a running installation; from now on their logs are kept, too. Says what was done. Raises Problem."""
    if not (plan.folder / "secrets.json").exists():
        raise Problem(f"There is nothing to back up in {plan.folder}.")
    secrets = kept(plan.folder / "secrets.json")
    there = keys / "secrets.json"
    if there.exists() and json.loads(there.read_text())["postgres_password"] != secrets["postgres_password"]:
        raise Problem(f"{keys} holds the keys of another installation, and they would be lost: choose other folders.")
    for place, text in ((events, ABOUT_EVENTS), (keys, ABOUT_KEYS)):
        place.mkdir(parents=True, exist_ok=True)
        (place / "README").write_text(text.format(events=events, keys=keys))
    keys.chmod(0o711)
    copy_secret(plan.folder / "secrets.json", there)
    # The vault comes second, so that it is never older than the events.
    done = [
        take(plan.folder / "postgres", plan.superuser(secrets), events, EVENTS_EVERY),
        take(plan.folder / VAULT, plan.superuser(secrets, VAULT), keys, KEYS_EVERY),
    ]
    prune(events, plan.folder / "postgres", datetime.now(UTC) - EVENTS_KEPT, reach=True)
    prune(keys, plan.folder / VAULT, datetime.now(UTC) - KEYS_KEPT, reach=False)
    size = sum(each.stat().st_size for base in done for each in base.folder.iterdir())
    return f"Backed up {size / 1e6:.0f} MB: any moment from {done[0].since:%Y-%m-%dT%H:%M:%SZ} on can be restored."


def copy_secret(source: Path, target: Path) -> None:
    """Copies a file that only its owner may read."""
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_bytes(source.read_bytes())
    part.replace(target)


def take(folder: Path, url: str, place: Path, every: int) -> Base:
    """A base backup of the server whose data is in `folder`. Its log is kept from now on. Raises Problem."""
    check_disk(place)
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise Problem("Forecourt does not run here: start it with `make up` first.") from error
    with connection:
        series = _series(folder, place)
        connection.execute(sql.SQL("alter system set archive_timeout = {}").format(sql.Literal(f"{every}s")))
        connection.execute("select pg_reload_conf()")
        part = series / "part"
        shutil.rmtree(part, ignore_errors=True)
        postgres.run("pg_basebackup", url, "-D", part, "-Ft", "--compress=gzip:1", "-X", "stream", "-c", "fast")
        postgres.verify(part)
        now = connection.execute("select ceil(extract(epoch from clock_timestamp()))::bigint").fetchone()
        assert now
    base = Base(series / datetime.fromtimestamp(now[0], UTC).strftime(STAMP), datetime.fromtimestamp(now[0], UTC))
    part.rename(base.folder)
    return base


def _series(folder: Path, place: Path) -> Path:
    """Where this server's log goes: as before, or into a new series when it went elsewhere or nowhere."""
    link = postgres.link_of(folder)
    if link.exists() and link.resolve().parent == place:
        return link.resolve()
    series = place / datetime.now(UTC).strftime(f"series-{STAMP}")
    series.mkdir()
    (series / "wal").mkdir(mode=0o700)
    if (user := postgres.unprivileged(series / "wal")) is not None:
        shutil.chown(series / "wal", user, user)
    link.unlink(missing_ok=True)
    link.symlink_to(series)
    return series


def prune(place: Path, folder: Path, before: datetime, *, reach: bool) -> None:
    """Deletes base backups from `before` that time, and the log they needed. `reach`: that moment itself can still be restored."""
    bases = Base.all(place)
    old = [base for base in bases[:-1] if base.since < before]
    for base in old[:-1] if reach else old:
        shutil.rmtree(base.folder)
    current = postgres.link_of(folder).resolve()
    for series in place.glob("series-*"):
        left = [base for base in Base.all(place) if base.folder.parent == series]
        if left:
            for piece in _before(series / "wal", left[0].first):
                piece.unlink()
        elif series != current:
            shutil.rmtree(series)


def _before(wal: Path, first: str) -> Iterator[Path]:
    """Pieces of the log that no base backup needs any more; what says how timelines follow each other stays."""
    return (piece for piece in wal.iterdir() if len(piece.name.split(".")[0]) == 24 and piece.name[8:24] < first)
