"""A service as a forked child of the supervisor, which has imported everything once: nine start in the time of one."""

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.process import Problem, die_with_parent, ready, tail


@dataclass(kw_only=True)
class Child:
    """One forked process that runs `main` and writes to `log`. Where it has a `port`, it answers /readyz there."""

    name: str
    main: Callable[[], None]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    pid: int = field(default=0, init=False)
    code: int | None = field(default=None, init=False)
    """Exit code once it has ended."""

    def start(self) -> None:
        """Forks. Call from the main thread: the child ends when that thread does."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
        parent, self.code = os.getpid(), None
        self.pid = os.fork()
        if self.pid == 0:
            self._become(parent)

    def _become(self, parent: int) -> None:
        code = 1
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            die_with_parent(signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(0)
            self._redirect()
            os.environ.update(self.environment)
            self.main()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _redirect(self) -> None:
        log = os.open(self.log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, target)

    @property
    def running(self) -> bool:
        """True while the process lives."""
        if self.pid and self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return bool(self.pid) and self.code is None

    def answers(self) -> bool:
        """True when /readyz says 200."""
        assert self.port is not None
        return ready(self.port)

    def finish(self, seconds: float) -> None:
        """Waits for a child that does one job. Raises Problem when it fails or takes longer than `seconds`."""
        until = time.monotonic() + seconds
        while self.running:
            if time.monotonic() > until:
                self.stop(0)
                raise Problem(f"{self.name} was not done within {seconds:.0f} s. The end of {self.log}:\n{tail(self.log)}")
            time.sleep(0.02)
        if self.code:
            raise Problem(f"{self.name} failed. The end of {self.log}:\n{tail(self.log)}")

    def ask_to_stop(self) -> None:
        """Sends SIGTERM and returns at once."""
        if self.running:
            os.kill(self.pid, signal.SIGTERM)

    def stop(self, seconds: float = 5) -> None:
        """SIGTERM, and SIGKILL for what still runs after `seconds`."""
        self.ask_to_stop()
        until = time.monotonic() + seconds
        while self.running and time.monotonic() < until:
            time.sleep(0.02)
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
            while self.running:
                time.sleep(0.01)
