"""Runs a peer's loop in its own process; it says at the end what it did and what CPU that took."""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.bench.measure import Took

HERE = Path(__file__).parent


class Failed(Exception):
    """A peer's process ended without an answer."""


async def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None, folder: Path = HERE) -> Took:
    """What the process printed in its last line: operations, seconds, latencies, cpu."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=folder,
        env=os.environ | (environment or {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    if process.returncode:
        raise Failed(complained.decode()[-600:])
    return Took(**json.loads(said.decode().strip().splitlines()[-1]))
