"""The drill: the platform is brought back to a named second in another folder, and goes on there; then that one is, in place."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from deploy.local.plan import SERVICES, VAULT, Plan
from shared.testing.platform import ROOT, Person, Platform
from tests.faults.record import Record
from tests.faults.workload import Desk, car, stock_value
from tests.faults.world import Measured, World, eventually
from tests.oracle import Oracle

EVENTS = """select count(*), coalesce(max(position), 0),
    md5(string_agg(md5(row(stream, version, id, type, type_version, data, meta, occurred_at, recorded_at, xid)::text), '' order by position))
    from events where position <= coalesce(%s, position)"""

type Fingerprint = dict[str, tuple[int, int, str]]
"""Per service: how many events, the last position, a hash over all of them."""


def plan_of(platform: Platform) -> Plan:
    return Plan.from_environment({"FORECOURT_VAR": str(platform.folder), "BASE_PORT": str(platform.base), "PORT": str(platform.base + 80)})


def rows(platform: Platform, database: str, sql: str, *params: Any) -> list[Any]:
    plan = plan_of(platform)
    with psycopg.connect(plan.database(database, "writer", platform.secrets), autocommit=True) as connection:
        return connection.execute(sql.encode(), params).fetchall()


def fingerprint(platform: Platform, until: Fingerprint | None = None) -> Fingerprint:
    """Of all events, or of those up to the last one of another fingerprint."""
    return {context: rows(platform, context, EVENTS, until[context][1] if until else None)[0] for context in SERVICES}


def operate(command: str, platform: Platform, backup: Path, **told: str) -> str:
    """`make backup`, `make down` or `make restore`, as an operator runs it."""
    told |= {"FORECOURT_VAR": str(platform.folder), "BASE_PORT": str(platform.base), "PORT": str(platform.base + 80), "BACKUP": str(backup)}
    run = [sys.executable, "-m", "deploy.local", command]
    done = subprocess.run(run, cwd=ROOT, env={**os.environ, **told}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def archived(platform: Platform, moment: datetime, *servers: str) -> None:
    """Waits until the servers' logs are in the archive as far as `moment`: what an operator finds a minute later."""
    if VAULT in servers:
        eventually(lambda: rows(platform, VAULT, "select at > %s from tended", moment) == [(True,)], 60, pause=0.2)
    plan, secrets = plan_of(platform), platform.secrets
    for server in servers:
        with psycopg.connect(plan.superuser(secrets, server), autocommit=True) as connection:
            piece = connection.execute("select pg_walfile_name(pg_switch_wal())").fetchone()
            assert piece
            eventually((platform.folder / f"{server}.backup" / "wal" / f"{piece[0]}.gz").exists, 60, pause=0.05)


@dataclass
class Known:
    """Customers by name, and their telephone numbers."""

    customers: dict[str, str] = field(default_factory=dict)
    phones: dict[str, str] = field(default_factory=dict)


@dataclass
class Drill:
    """What was written before and after the named second, and the platform as it came back."""

    known: Known
    to: datetime
    before: Fingerprint
    stock: int
    reports: dict[str, Any]
    restored: Platform = field(default_factory=Platform)

    def person(self, desk: Desk, login: str) -> Person:
        """Somebody of the group, logged in at the restored platform."""
        return self.restored.person(f"{login}{desk.group.number}")


def a_second() -> datetime:
    """A full second that has just passed, with nothing going on around it."""
    to = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    eventually(lambda: datetime.now(UTC) > to + timedelta(seconds=0.5))
    return to


def keep_no_log(platform: Platform) -> None:
    """The folder of the backup is about to go."""
    for server in ("postgres", VAULT):
        (platform.folder / f"{server}.backup").unlink(missing_ok=True)


def customer(desk: Desk, seller: Person, known: Known, name: str) -> None:
    number = f"1380{desk.group.number:03}{desk.number():04}"
    about = {"store_id": desk.group.values["south"], "kind": "person", "name": name, "phone": number}
    known.customers[name] = seller.did("/customers", about)
    known.phones[name] = number


def report(person: Person, as_of: datetime, **more: str) -> dict[str, Any]:
    """The funnel and the profit as they were known then."""
    found = {}
    for name in ("funnel", "profit"):
        answer = person.get(f"/reports/{name}", as_of=as_of.isoformat(), **more)
        assert answer.status_code == 200, answer.text
        found[name] = {key: value for key, value in answer.json().items() if key != "complete_to"}
    return found


@pytest.fixture(scope="module")
def drill(world: World, desk: Desk, oracle: Oracle, measured: Measured) -> Iterator[Drill]:
    """Backed up, worked on, brought back to a second before a customer was erased and another came."""
    platform, people = world.platform, desk.group.people
    known = Known()
    with TemporaryDirectory(prefix="forecourt-backup-") as place:
        backup = Path(place, "events")
        customer(desk, people["sales"], known, "Before the backup")
        began = time.monotonic()
        assert "any moment from" in operate("backup", platform, backup)
        measured("backup of the platform", time.monotonic() - began)
        record = Record()
        for name in ("After the backup", "To be erased"):
            customer(desk, people["sales"], known, name)
        desk.client(record, "stock").finish(car(desk, desk.client(record, "stock")))
        oracle.settle()
        to = a_second()
        drill = Drill(
            known=known,
            to=to,
            before=fingerprint(platform),
            stock=stock_value(desk),
            reports=report(people["owner"], to),
        )
        customer(desk, people["sales"], known, "After the second")
        desk.client(record, "stock").finish(car(desk, desk.client(record, "stock")))
        erase(platform, people["manager"], known.customers["To be erased"])
        oracle.settle()
        archived(platform, datetime.now(UTC), "postgres", VAULT)
        began = time.monotonic()
        assert "Restored to" in operate("restore", drill.restored, backup, TO=to.isoformat())
        measured("restore of the platform", time.monotonic() - began)
        keep_no_log(platform)
        try:
            began = time.monotonic()
            drill.restored.start()
            measured("restored platform ready", time.monotonic() - began)
            yield drill
        finally:
            drill.restored.stop()


def erase(platform: Platform, manager: Person, id: str) -> None:
    """A person is forgotten; returns when his key is gone."""
    manager.did(f"/customers/{id}/forget", {"confirm": manager.get(f"/customers/{id}").json()["number"]})
    eventually(lambda: keys(platform, id) == 0)


def keys(platform: Platform, id: str) -> int:
    """How many keys the vault has of a person."""
    return len(rows(platform, VAULT, "select from keys where person_id = %s", id))


def test_every_event_of_that_second_is_there_and_none_is_changed(drill: Drill) -> None:
    assert fingerprint(drill.restored, until=drill.before) == drill.before
    assert sum(count for count, _, _ in drill.before.values()) > 50


def test_what_came_later_never_was_and_who_was_there_is_readable(drill: Drill, desk: Desk) -> None:
    sales = drill.person(desk, "sales")
    for name in ("Before the backup", "After the backup"):
        assert sales.get(f"/customers/{drill.known.customers[name]}").json()["name"] == name
        assert [row["name"] for row in sales.get("/customers", phone=drill.known.phones[name]).json()["items"]] == [name]
    assert sales.get(f"/customers/{drill.known.customers['After the second']}").status_code == 404


def test_who_was_erased_after_that_second_stays_erased(drill: Drill, desk: Desk) -> None:
    """The second is before the erasure: the records know nothing of it, the vault does."""
    erased, manager = drill.known.customers["To be erased"], drill.person(desk, "manager")
    eventually(lambda: manager.get(f"/customers/{erased}").status_code == 410)
    assert manager.get("/customers", phone=drill.known.phones["To be erased"]).json()["items"] == []
    assert keys(drill.restored, erased) == 0
    assert rows(drill.restored, "customers", "select phone_index, email_index, name from customers_1 where customer_id = %s", erased) == [
        ("", "", "")
    ]


def test_the_platform_goes_on_and_everybody_hears_it(drill: Drill, desk: Desk) -> None:
    stock, accountant = drill.person(desk, "stock"), drill.person(desk, "accountant")

    def value() -> int:
        answer = accountant.get("/ledger/trial-balance", entity_id=desk.group.values["entity"])
        return sum(int(float(row["balance"]["amount"])) for row in answer.json()["items"] if row["account"] == "1405")

    assert value() == drill.stock
    about = {
        "vin": desk.vin(),
        "trim_id": desk.trim,
        "store_id": desk.group.values["south"],
        "supplier": "Goes On",
        "certificate": "with-us",
    }
    stock.did("/vehicles", {**about, "purchase": {"amount": "150000.00", "currency": "CNY"}})
    eventually(lambda: value() == drill.stock + 150_000)


def test_reports_of_that_second_are_the_same(drill: Drill, desk: Desk) -> None:
    assert report(drill.person(desk, "owner"), drill.to) == drill.reports


def test_f31_a_kafka_that_was_ahead_is_told_everything_again_and_nothing_of_the_lost_time(drill: Drill) -> None:
    """Views are what the events make of them, topics hold what the stores hold, everybody has heard all of it, once."""
    oracle = Oracle(plan_of(drill.restored), drill.restored.secrets, retold=True)
    oracle.settle()
    oracle.check(Record())
    lineages = {context: str(rows(drill.restored, context, "select lineage from store")[0][0]) for context in SERVICES}
    for context in SERVICES:
        assert dict(rows(drill.restored, context, "select source, lineage from lineages where source <> ''")) == lineages


def test_the_keys_are_in_no_backup_of_the_events(drill: Drill) -> None:
    secrets = json.loads((drill.restored.folder / "secrets.json").read_text())
    with psycopg.connect(plan_of(drill.restored).superuser(secrets)) as connection:
        assert connection.execute("select from pg_database where datname = 'vault'").fetchone() is None


# --- the same platform once more, in place -----------------------------------------------------------------------


@dataclass
class InPlace:
    """What was in the folder at the named second, and what the restore and the next backup left there."""

    known: Known
    before: Fingerprint
    vault: int
    """The inode of the vault's folder: it is the same one, or another."""
    report: str
    series: list[str]


@pytest.fixture(scope="module")
def in_place(drill: Drill, desk: Desk, measured: Measured) -> Iterator[InPlace]:
    """As docs/operations.md says: `make down`, `make restore` into the same folder, `make up`, `make backup`."""
    platform, known = drill.restored, Known()
    sales, manager, oracle = drill.person(desk, "sales"), drill.person(desk, "manager"), Oracle(plan_of(platform), platform.secrets)
    with TemporaryDirectory(prefix="forecourt-backup-") as place:
        backup = Path(place, "events")
        operate("backup", platform, backup)
        for name in ("Stays in place", "Erased in place"):
            customer(desk, sales, known, name)
        oracle.settle()
        to = a_second()
        before, vault = fingerprint(platform), (platform.folder / VAULT).stat().st_ino
        customer(desk, sales, known, "Later in place")
        erase(platform, manager, known.customers["Erased in place"])
        oracle.settle()
        archived(platform, datetime.now(UTC), "postgres")
        began = time.monotonic()
        assert "Stopped" in operate("down", platform, backup)
        platform.stop(keep=True)
        report = operate("restore", platform, backup, TO=to.isoformat())
        (platform.folder / "supervisor.log").unlink()
        platform.start()
        measured("down, restored in place and ready", time.monotonic() - began)
        try:
            operate("backup", platform, backup)
            yield InPlace(known, before, vault, report, sorted(each.name for each in backup.glob("series-*")))
        finally:
            keep_no_log(platform)


def test_in_place_every_event_of_that_second_is_there_and_proven(in_place: InPlace, drill: Drill) -> None:
    assert fingerprint(drill.restored, until=in_place.before) == in_place.before
    run = [sys.executable, "-m", "deploy.cli", "all", "verify"]
    done = subprocess.run(run, cwd=ROOT, env={**os.environ, **drill.restored.place}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_in_place_what_was_there_is_put_aside_and_the_vault_is_kept(in_place: InPlace, drill: Drill) -> None:
    folder = drill.restored.folder
    (suffix,) = {name.partition(".before-")[2] for each in folder.iterdir() if ".before-" in (name := each.name)}
    assert f".before-{suffix}:" in in_place.report
    aside = {each.name.removesuffix(f".before-{suffix}") for each in folder.iterdir() if each.name.endswith(suffix)}
    assert {"postgres", "postgres.backup", "kafka"} <= aside <= {"postgres", "postgres.backup", "kafka", "anchors"}
    assert (folder / f"postgres.before-{suffix}" / "PG_VERSION").exists()
    assert (folder / VAULT).stat().st_ino == in_place.vault
    assert not list(folder.glob(".restore-*"))
    assert len(in_place.series) == 2, "a new series begins"


def test_in_place_what_came_later_never_was_and_who_was_erased_stays_erased(in_place: InPlace, drill: Drill, desk: Desk) -> None:
    manager, ids = drill.person(desk, "manager"), in_place.known.customers
    eventually(lambda: manager.get(f"/customers/{ids['Erased in place']}").status_code == 410)
    assert keys(drill.restored, ids["Erased in place"]) == 0
    assert manager.get(f"/customers/{ids['Later in place']}").status_code == 404
    assert keys(drill.restored, ids["Later in place"]) == 1, "the vault is the newer one"
    assert drill.person(desk, "sales").get(f"/customers/{ids['Stays in place']}").json()["name"] == "Stays in place"


def test_in_place_too_everybody_is_told_everything_again_once(in_place: InPlace, drill: Drill) -> None:
    oracle = Oracle(plan_of(drill.restored), drill.restored.secrets, retold=True)
    oracle.settle()
    oracle.check(Record())
