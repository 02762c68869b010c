"""What the vault needs done: keys whose retention is over are destroyed in time, and all keys move to a new master when one is given."""

import asyncio

import structlog

from shared.bus import metrics
from shared.events.privacy import Vault, VaultUnavailable

log = structlog.get_logger(__name__)

TURN = 30.0
"""Seconds between two looks. Every process that may open the vault looks: it does not matter who is first."""


async def tend(vault: Vault, turn: float = TURN) -> None:
    """Destroys expired keys every `turn` seconds until cancelled, and tells whether the vault's log is kept.

    While the vault is away nothing is lost: they stay expired.
    """
    while True:
        try:
            if n := await vault.drop_expired():
                log.info("expired keys destroyed", n=n)
            metrics.archive_failing.labels("vault").set(await vault.archive_fails())
        except VaultUnavailable:
            log.warning("expired keys wait")
        await asyncio.sleep(turn)


async def rewrap(vault: Vault) -> tuple[int, int]:
    """Wraps every key with the current master, a few at a time beside what runs: how many, and how many could not be (0 when all is well).

    Raises VaultUnavailable; it may be called again.
    """
    done = 0
    while n := await vault.rewrap():
        done += n
    return done, await vault.behind()
