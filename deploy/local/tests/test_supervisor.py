"""The whole installation: it starts, survives deaths, finds its data again, and leaves nothing behind."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import psycopg
import pytest

from deploy.local.__main__ import down, reset, running
from deploy.local.plan import Plan
from deploy.local.process import Problem, listens
from deploy.local.secrets import kept

ROOT = Path(__file__).parents[3]


def eventually(holds: Callable[[], object], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.05)


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Installation:
    """A supervisor in a process of its own."""

    def __init__(self, folder: Path, base: int) -> None:
        self.plan = Plan(folder=folder, cache=ROOT / ".cache", gateway=base + 80, base=base)
        self.out = folder.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, command: str = "demo", **environment: str) -> None:
        script = [sys.executable, str(Path(__file__).with_name("installation.py")), str(self.plan.folder), str(self.plan.base), command]
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                script, cwd=ROOT, stdout=out, stderr=out, env=os.environ | {"PYTHONPATH": str(ROOT)} | environment
            )

    def up(self, command: str = "demo", **environment: str) -> "Installation":
        self.start(command, **environment)
        assert self.process is not None
        eventually(lambda: "Ctrl-C stops" in self.said or (self.process and self.process.poll() is not None), 60)
        assert self.process.poll() is None, self.said
        return self

    def refused(self, command: str = "demo", **environment: str) -> str:
        self.start(command, **environment)
        assert self.process is not None
        assert self.process.wait(20) == 1, self.said
        return self.said

    @property
    def said(self) -> str:
        return self.out.read_text()

    @property
    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def answer(self, port: int) -> str | None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=2) as response:
                return str(response.read().decode())
        except OSError:
            return None

    def starts(self) -> int:
        secrets = kept(self.plan.folder / "secrets.json")
        with psycopg.connect(self.plan.database("orders", "writer", secrets)) as connection:
            row = connection.execute("select count(*) from starts").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def installation(served_folder: Path) -> Iterator[Installation]:
    base = next(base for base in range(20_000, 31_000, 1_000) if not any(listens(base + n) for n in (80, 105, 432, 433, 479, 492, 493)))
    made = Installation(served_folder / "var", base)
    yield made
    if made.process and made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    eventually(lambda: running(made.plan.folder) is None)


def test_one_life(installation: Installation) -> None:
    """Start, deaths of a service and of PostgreSQL, Ctrl-C, second start, death of the supervisor, third start, down, reset."""
    plan = installation.plan
    installation.up(DEMO_PASSWORD="chosen-by-me")
    assert "Loading the demo group" in installation.said
    assert "password chosen-by-me" in installation.said
    assert stat.S_IMODE((plan.folder / "secrets.json").stat().st_mode) == 0o600
    assert installation.starts() == 1

    before = installation.answer(plan.port("orders"))
    assert before is not None
    os.kill(int(before), signal.SIGKILL)
    eventually(lambda: installation.answer(plan.port("orders")) not in (None, before))
    postmaster = next(each for each in installation.family if str(plan.folder / "postgres") in each.cmdline())
    postmaster.kill()
    eventually(lambda: installation.said.count("PostgreSQL died"))
    eventually(lambda: listens(plan.postgres))

    assert "already runs here" in Installation(plan.folder.parent / plan.folder.name, plan.base).refused()

    family = installation.family
    assert installation.process is not None
    began = time.monotonic()
    installation.process.send_signal(signal.SIGINT)
    assert installation.process.wait(15) == 0
    assert time.monotonic() - began < 10
    assert not [each for each in family if alive(each)]
    assert "another DEMO_PASSWORD" in installation.refused(DEMO_PASSWORD="another-one")

    installation.up()
    assert "Loading" not in installation.said
    assert "password chosen-by-me" in installation.said
    assert installation.starts() == 2
    family = installation.family
    assert len(family) > 5
    installation.process.kill()
    eventually(lambda: not [each for each in family if alive(each)], 15)

    installation.process.wait()
    installation.up("up")
    assert installation.starts() == 3
    assert down(plan.folder)
    assert installation.process.wait(5) == 0
    assert not down(plan.folder)
    reset(plan.folder)
    assert not plan.folder.exists()


def test_a_taken_port_is_named_with_its_holder_and_the_way_out(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", installation.plan.gateway)):
        said = installation.refused("up")
    assert f"Port {installation.plan.gateway} for the gateway is taken by" in said
    assert f"process {os.getpid()}" in said
    assert "PORT=8081" in said
    assert not (installation.plan.folder / "postgres").exists()


def test_demo_does_not_mix_with_own_data(installation: Installation) -> None:
    (installation.plan.folder / "postgres").mkdir(parents=True)
    assert "make reset" in installation.refused("demo")


def test_reset_leaves_other_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(Problem, match="left alone"):
        reset(tmp_path)
    assert (tmp_path / "holiday.jpg").exists()
