"""The platform as a saboteur sees it: its processes by service, and further ones that die where a failpoint says."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import psycopg

from deploy.local.plan import SERVICES, Plan
from deploy.local.process import free_port, listens
from deploy.local.setup import at
from shared.testing.platform import ROOT, Platform

_RUN = """
import runpy, sys
{otherwise}
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=False)
"""
AHEAD = """
import datetime
from shared.values import clock
right = clock.utc_now
clock.utc_now = lambda: right() + datetime.timedelta(seconds={seconds})
"""
"""A process whose clock is so many seconds ahead."""
SERVERS = ("postgres", "kafka", "redis")

type Measured = Callable[[str, float], None]
"""Keeps what was measured, in seconds."""


def eventually[T](found: Callable[[], T], seconds: float = 30, pause: float = 0.02) -> T:
    """Asks until the answer is true, and returns it. AssertionError with what was asked when it does not come."""
    until = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < until, f"{found} did not come true within {seconds:.0f} s"
        time.sleep(pause)
    return answer


def _gone(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class World:
    """Kills, freezes and doubles the processes of a platform."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.secrets = platform.secrets
        self.plan = Plan.from_environment(platform.place)
        self.spare_ports = {context: free_port() for context in SERVICES}

    # --- its own processes ---------------------------------------------------------------------------------------

    def process(self, name: str) -> psutil.Process:
        """The process that serves this service or server now; waits while it is being started."""

        def found() -> psutil.Process | None:
            try:
                return self.platform.process(name)
            except (AssertionError, psutil.NoSuchProcess):
                return None

        return eventually(lambda: found())  # type: ignore[return-value]

    def kill(self, name: str) -> float:
        """kill -9; the moment it was gone."""
        process = self.process(name)
        process.kill()
        eventually(lambda: _gone(process), pause=0.001)
        return time.monotonic()

    def ready(self, name: str) -> bool:
        """Whether a service says that it is ready, or a server accepts connections."""
        if name in SERVERS:
            return listens({"postgres": self.plan.postgres, "kafka": self.plan.kafka, "redis": self.plan.redis}[name])
        return answers(self.plan.port(name))

    def recovered(self, name: str, killed: float, seconds: float = 30) -> float:
        """Waits until what was killed is ready again; seconds since then."""
        eventually(lambda: self.ready(name), seconds)
        return time.monotonic() - killed

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP for as long as the block lasts; PostgreSQL stands still with all its children."""
        process = self.process(name)
        family = [process, *process.children(recursive=True)]
        for member in family:
            member.suspend()
        try:
            yield
        finally:
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.resume()

    # --- more processes ------------------------------------------------------------------------------------------

    @contextmanager
    def spare(
        self, context: str, command: str, failpoint: str = "", otherwise: str = "", **told: str
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """A second process of a service, on the port where the second door looks for it; killed at the end if it still lives.

        What it does `otherwise` than its code says is Python, run before it begins.
        """
        environment = self.plan.environment(context, self.secrets, demo=False)
        environment.pop("FORECOURT_OPS_PORT", None)
        environment |= {"FORECOURT_PORT": str(self.spare_ports[context]), "FORECOURT_FAILPOINT": failpoint, **told}
        log = self.log(context).open("ab")
        run = [sys.executable, "-c", _RUN.format(otherwise=otherwise), f"services.{context}", command]
        made = subprocess.Popen(run, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log)
        try:
            if command != "work":
                eventually(lambda: answers(self.spare_ports[context]) or made.poll() is not None)
            yield made
        finally:
            made.kill()
            made.wait()
            log.close()

    def operate(self, context: str, *asked: str, failpoint: str = "") -> "subprocess.CompletedProcess[str]":
        """What an operator types about a service, which may die at a failpoint."""
        environment = os.environ | self.platform.place | {"FORECOURT_FAILPOINT": failpoint}
        run = [sys.executable, "-m", "deploy.cli", context, *asked]
        return subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True)

    def log(self, context: str) -> Path:
        """What the spare processes of a service say."""
        return self.platform.folder / f"spare-{context}.log"

    @property
    def second_door(self) -> str:
        """The URL of a gateway that leads to spare processes."""
        return f"http://127.0.0.1:{self.spare_ports['gateway']}"

    # --- databases -----------------------------------------------------------------------------------------------

    def database(self, context: str) -> "psycopg.Connection[dict[str, Any]]":
        """A service's database as superuser: for sabotage only."""
        superuser = f"postgresql://postgres:{self.secrets['postgres_password']}@127.0.0.1:{self.plan.postgres}/postgres"
        return psycopg.connect(at(superuser, context), autocommit=True, row_factory=psycopg.rows.dict_row)


def metrics(port: int) -> list[str]:
    """The lines in which a process tells how it is."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        return str(response.read().decode()).splitlines()


def leads(context: str, port: int) -> bool:
    """Whether this process says that it relays."""
    return f'forecourt_relay_leading{{context="{context}"}} 1.0' in metrics(port)


def answers(port: int, path: str = "/readyz") -> bool:
    """Whether a service on this port says 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def ended(process: "subprocess.Popen[bytes]", seconds: float = 30) -> int:
    """The exit code of a process that dies by itself."""
    return process.wait(seconds)
