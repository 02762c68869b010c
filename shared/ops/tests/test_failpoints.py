"""A failpoint kills the process it is named in, at the hit it names, and nothing else."""

import os
import signal
import subprocess
import sys

import pytest

SCRIPT = """
from shared.ops import failpoints
for n in range(3):
    failpoints.hit("relay.after")
    failpoints.hit("relay.after_publish")
    print(n, flush=True)
"""


@pytest.mark.parametrize(
    "named, printed, ends",
    [
        ("", "012", 0),
        ("relay.after_publish", "", -signal.SIGKILL),
        ("relay.after_publish:3", "01", -signal.SIGKILL),
        ("relay.after_publish:9", "012", 0),
        ("relay.after_publish_later", "012", 0),
    ],
)
def test_a_process_dies_where_it_is_told(named: str, printed: str, ends: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | {"FORECOURT_FAILPOINT": named}, capture_output=True, text=True, check=False
    )
    assert (done.stdout.replace("\n", ""), done.returncode) == (printed, ends)
