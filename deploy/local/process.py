"""A server as a child process: started, waited for, stopped, killed; it never outlives its parent."""

import ctypes
import errno
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
DISK_NEEDED = 500_000_000
libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Problem(Exception):
    """Something the person at the keyboard can put right; the message says what to do."""


def die_with_parent(number: int) -> None:
    """Asks the kernel to send this process a signal when the thread that started it ends (Linux; elsewhere nothing)."""
    if libc is not None:
        libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def check_port(port: int, owner: str, remedy: str) -> None:
    """Raises Problem when something already listens on 127.0.0.1:port. `remedy` says how to choose another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise Problem(f"Port {port} for {owner} cannot be used ({error.strerror}): {remedy}.") from error
            raise Problem(f"Port {port} for {owner} is taken{_holder(port)}: stop that, or {remedy}.") from error


def _holder(port: int) -> str:
    try:
        pids = {c.pid for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr[1:2] == (port,) and c.pid}
        return "".join(f" by {psutil.Process(pid).name()} (process {pid})" for pid in pids)
    except psutil.Error:
        return ""


def check_disk(folder: Path, needed: int = DISK_NEEDED) -> None:
    """Raises Problem when the disk under `folder` has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Problem(f"The disk under {folder} is full ({free // 1_000_000} MB free, {needed // 1_000_000} MB needed): make room.")


def free_port() -> int:
    """A port nobody listens on, below the range that outgoing connections use."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@dataclass(kw_only=True)
class Server:
    """One server process. `url` is what clients need; `answers` asks it once, without waiting."""

    name: str
    url: str
    port: int
    command: Sequence[str | Path]
    answers: Callable[[], bool]
    log: Path
    folder: Path
    stop_signal: signal.Signals = signal.SIGTERM
    user: int | None = None
    """Run as this user id (root only)."""
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Starts the process; `wait` then waits until it answers. Call from a thread that lives as long as the server shall."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in self.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=os.environ | self.environment,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(self.stop_signal),
            )
        assert self.process.stdin is not None
        with self.process.stdin as pipe:
            pipe.write(self.stdin)

    def wait(self, seconds: float = 60) -> None:
        """Waits until the server answers. Raises Problem with the end of its log when it dies or stays silent."""
        until = time.monotonic() + seconds
        while not self.answers():
            if not self.running:
                raise Problem(self._why("stopped while starting"))
            if time.monotonic() > until:
                raise Problem(self._why(f"did not answer within {seconds:.0f} s"))
            time.sleep(0.03)

    def _why(self, what: str) -> str:
        said = tail(self.log)
        if "No space left on device" in said:
            return f"{self.name} {what} because the disk under {self.folder} is full: make room and start again."
        return f"{self.name} {what}. The end of {self.log}:\n{said}"

    @property
    def running(self) -> bool:
        """True while the process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self.process is not None
        return self.process.pid

    def ask_to_stop(self) -> None:
        """Sends the stop signal and returns at once."""
        if self.running and self.process:
            self.process.send_signal(self.stop_signal)

    def stop(self, seconds: float = 10) -> None:
        """Stops cleanly; what has not stopped after `seconds` is killed. A stopped server may be started again."""
        if self.process is None:
            return
        self.ask_to_stop()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill9()

    def kill9(self) -> None:
        """Kills the process and all it started, as a power cut would, and waits until they are gone."""
        if self.process is None:
            return
        try:
            family = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        self.process.kill()
        for member in family:
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait()
        while any(_lives(member) for member in family):
            time.sleep(0.005)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def listens(port: int) -> bool:
    """True when something accepts connections on 127.0.0.1:port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def ready(port: int) -> bool:
    """True when /readyz on 127.0.0.1:port says 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
