"""`python -m deploy.local up | demo | down | reset | backup | restore | logs | fetch | lock`; the Makefile says what each does."""

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from deploy.local.plan import Plan
from deploy.local.process import Problem

STOPS_WITHIN = 20


def main() -> int:
    """Runs one command; 1 and a message when the person must do something first."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local")
    parser.add_argument("command", choices=["up", "demo", "down", "reset", "backup", "restore", "logs", "fetch", "lock"])
    command = parser.parse_args().command
    try:
        plan = Plan.from_environment()
        if command in ("up", "demo"):
            from deploy.local.supervisor import Supervisor

            Supervisor(plan, demo=command == "demo").up()
        elif command == "down":
            print("Stopped." if down(plan.folder) else "Forecourt does not run here.")
        elif command == "reset":
            reset(plan.folder)
        elif command == "backup":
            back_up(plan)
        elif command == "restore":
            restore(plan)
        elif command == "logs":
            logs(plan.folder)
        else:
            jars(command, plan.cache)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def running(folder: Path) -> int | None:
    """Process id of the supervisor of this folder, or None."""
    try:
        with (folder / "supervisor.pid").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or 0) or None
    except FileNotFoundError:
        return None
    return None


def down(folder: Path) -> bool:
    """Stops the supervisor of this folder and waits until it is gone; False when none runs. Raises Problem."""
    pid = running(folder)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        print("The supervisor is gone already; waiting for its last services …")
    until = time.monotonic() + STOPS_WITHIN
    while running(folder) is not None:
        if time.monotonic() > until:
            raise Problem(f"Process {pid} does not stop: `kill -9 {pid}` ends it and all it started.")
        time.sleep(0.05)
    return True


def reset(folder: Path) -> None:
    """Stops what runs and deletes the data folder. Raises Problem when the folder is not one of ours."""
    if not folder.exists():
        print("There is nothing to delete.")
        return
    if not (folder / "supervisor.pid").exists():
        raise Problem(f"{folder} was not made by `make up` or `make demo`: it is left alone.")
    down(folder)
    shutil.rmtree(folder)
    print(f"Deleted {folder} with all its data.")


def places(environment: Mapping[str, str] = os.environ) -> tuple[Path, Path]:
    """The folders that BACKUP and BACKUP_KEYS name: of the events, and of the vault and the secrets. Raises Problem when one is in the other."""
    events = Path(environment.get("BACKUP") or "backup").resolve()
    keys = Path(environment.get("BACKUP_KEYS") or f"{events}-keys").resolve()
    if events == keys or events in keys.parents or keys in events.parents:
        raise Problem("The keys are kept apart from the events: BACKUP_KEYS must not be BACKUP, nor in it, nor around it.")
    return events, keys


def back_up(plan: Plan) -> None:
    """Backs up what runs. Raises Problem."""
    from deploy.local import backup

    events, keys = places()
    print(backup.back_up(plan, events, keys))
    print(f"The events are in {events}, the vault and the secrets in {keys}: bring both to other machines, never to the same.")


def restore(plan: Plan) -> None:
    """Brings the databases back to the moment that TO names. Raises Problem."""
    from deploy.local import restore

    to = restore.read_moment(os.environ.get("TO", ""))
    if running(plan.folder) is not None:
        raise Problem(f"Forecourt runs in {plan.folder}: `make down` stops it, or choose another folder with FORECOURT_VAR.")
    print(restore.restore(plan, *places(), to))


def logs(folder: Path) -> None:
    """Shows the logs of servers and services as they grow, until Ctrl-C. Raises Problem when there are none."""
    files = sorted((folder / "logs").glob("*.log"))
    if not files:
        raise Problem("There are no logs yet: `make up` or `make demo` writes them.")
    subprocess.call(["tail", "-n", "20", "-F", *map(str, files)])  # noqa: S607


def jars(command: str, cache: Path) -> None:
    """Fetches the jars of Kafka, or pins them anew. Raises Problem."""
    from deploy.local import kafka

    if command == "lock":
        cache.mkdir(exist_ok=True)
        kafka.LOCK.write_text(kafka.resolve(cache))
    kafka.fetch(cache / "kafka")


if __name__ == "__main__":
    sys.exit(main())
