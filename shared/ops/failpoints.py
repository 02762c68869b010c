"""Where a test may kill this process: `FORECOURT_FAILPOINT=relay.after_publish:3` dies there the third time, as kill -9 does."""

import os
import signal
from collections import Counter

_hits: Counter[str] = Counter()


def hit(name: str) -> None:
    """Kills this process when the environment names this point; `name:n` the n-th time, `name:n:stop` freezes it instead."""
    wanted = os.environ.get("FORECOURT_FAILPOINT")
    if not wanted or not wanted.startswith(name):
        return
    point, _, rest = wanted.partition(":")
    nth, _, how = rest.partition(":")
    if point != name:
        return
    _hits[name] += 1
    if _hits[name] == int(nth or 1):
        os.kill(os.getpid(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)
