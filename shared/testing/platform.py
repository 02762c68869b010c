"""The whole platform for a test: the local supervisor with all nine services and real servers, in a folder of its own."""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any
from uuid import uuid4

import httpx2
import psutil

from deploy.local.process import free_port
from shared.testing.documented import check

ROOT = Path(__file__).parents[2]
READY_WITHIN = 120
PASSWORD = "Correct-Horse-7"  # noqa: S105


class Platform:
    """Started once per session; `person` logs somebody in, `kill` kills one of its processes."""

    def __init__(self, command: Sequence[str] = ("deploy.local", "up"), told: Mapping[str, str] = {}) -> None:
        """`command` is the module that runs it, with its arguments; `told` is more of its environment."""
        self.command = command
        self.told = told
        self.folder = Path(tempfile.mkdtemp(prefix="forecourt-platform-"))
        self.base = _free_base()
        self.url = f"http://127.0.0.1:{self.base + 80}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when every service answers. AssertionError with the log when that does not come about."""
        environment = {**os.environ, **self.told, **self.place}
        self.log = (self.folder / "supervisor.log").open("ab")
        command = [sys.executable, "-m", *self.command]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=self.log, stderr=self.log)
        until = time.monotonic() + READY_WITHIN
        while b"is ready after" not in (self.folder / "supervisor.log").read_bytes():
            told = (self.folder / "supervisor.log").read_text()
            assert self._process.poll() is None, told
            assert time.monotonic() < until, told
            time.sleep(0.1)

    def stop(self, keep: bool = False) -> None:
        """One Ctrl-C; nothing is left, unless the folder is kept to be looked at."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
        if not keep:
            rmtree(self.folder, ignore_errors=True)

    @property
    def place(self) -> dict[str, str]:
        """Its folder and ports, as its environment names them."""
        return {"FORECOURT_VAR": str(self.folder), "BASE_PORT": str(self.base), "PORT": str(self.base + 80)}

    @property
    def secrets(self) -> dict[str, str]:
        """What the supervisor made for this installation."""
        made: dict[str, str] = json.loads((self.folder / "secrets.json").read_text())
        return made

    @property
    def pid(self) -> int:
        """The supervisor's process."""
        assert self._process
        return self._process.pid

    def processes(self) -> list[psutil.Process]:
        """The supervisor's children."""
        assert self._process
        return psutil.Process(self._process.pid).children(recursive=True)

    def process(self, service: str) -> psutil.Process:
        """The process that listens on a service's port."""
        from deploy.local.plan import Plan

        plan = Plan.from_environment(self.place)
        port = {"postgres": plan.postgres, "vault": plan.vault, "kafka": plan.kafka, "redis": plan.redis}.get(service) or plan.port(service)
        for process in self.processes():
            if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in process.net_connections("tcp")):
                return process
        raise AssertionError(f"{service} does not listen")

    def kill(self, service: str) -> None:
        """kill -9."""
        self.process(service).kill()

    def person(self, username: str, password: str = PASSWORD) -> "Person":
        """Somebody logged in."""
        person = Person(self.url)
        person.log_in(username, password)
        return person

    def administrator(self) -> "Person":
        """The first user, whose first password is changed at the first call."""
        person = Person(self.url)
        try:
            person.log_in("admin", PASSWORD)
        except AssertionError:
            person.log_in("admin", self.secrets["admin_password"])
            answer = person.post("/auth/password", {"current": self.secrets["admin_password"], "new": PASSWORD})
            assert answer.status_code == 200, answer.text
            person.log_in("admin", PASSWORD)
        return person


class Person:
    """A client of one person: keys, versions and fresh tokens are taken care of unless a test sets them, and answers must be as documented."""

    def __init__(self, url: str) -> None:
        self.http = httpx2.Client(base_url=f"{url}/api/v1", timeout=30, event_hooks={"request": [self.renew], "response": [check]})
        self.tokens: dict[str, Any] = {}
        self._account = ("", "")
        self._old_at = math.inf

    @property
    def token(self) -> str:
        """An access token that is good for some minutes yet."""
        if time.monotonic() > self._old_at:
            self.log_in(*self._account)
        return str(self.tokens["access_token"])

    def renew(self, request: httpx2.Request) -> None:
        """Gives a request that carries this person's old token the new one."""
        if time.monotonic() > self._old_at and request.headers.get("authorization") == f"Bearer {self.tokens['access_token']}":
            request.headers["authorization"] = f"Bearer {self.token}"

    def log_in(self, username: str, password: str) -> None:
        """Takes a token. AssertionError when refused."""
        self._account, self._old_at = (username, password), math.inf
        answer = self.http.post("/auth/token", data={"grant_type": "password", "username": username, "password": password})
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        self._old_at = time.monotonic() + self.tokens["expires_in"] / 2
        self.http.headers["authorization"] = f"Bearer {self.tokens['access_token']}"

    def get(self, path: str, **params: Any) -> httpx2.Response:
        """A read, which waits for what this person has seen elsewhere."""
        return self.http.get(path, params=params)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """A command with a key of its own, at whatever version unless If-Match is given."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(path, json=body, headers={"idempotency-key": str(uuid4()), "if-match": "*", **named})

    def did(self, path: str, body: Any = None, **headers: str) -> str:
        """A command that is accepted; the id it answers."""
        answer = self.post(path, body, **headers)
        assert answer.status_code in (200, 201), f"{path}: {answer.status_code} {answer.text}"
        return str(answer.json()["id"])

    def eventually(self, path: str, seconds: float = 15, **expected: Any) -> dict[str, Any]:
        """Reads until the answer has these values; AssertionError with the last answer."""
        until = time.monotonic() + seconds
        while True:
            answer = self.get(path)
            if answer.status_code == 200 and all(answer.json().get(name) == value for name, value in expected.items()):
                found: dict[str, Any] = answer.json()
                return found
            assert time.monotonic() < until, f"{path} is not {expected}: {answer.status_code} {answer.text[:2000]}"
            time.sleep(0.05)


def _free_base() -> int:
    """A block of ports that nobody uses now."""
    while True:
        base = free_port() // 1000 * 1000
        taken = {connection.laddr.port for connection in psutil.net_connections("tcp") if connection.laddr}
        if 9_000 <= base <= 31_000 and not taken.intersection(range(base, base + 1000)):
            return base
