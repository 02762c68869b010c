"""Rests after small batches: messages that come together cost a fraction of what each costs alone."""

SMALL = 100
"""Messages below which a batch is small; a larger one says that more are waiting."""
TIMES = 3.0
LONGEST = 0.05


class Pace:
    """Of one who takes batch after batch."""

    def __init__(self) -> None:
        self._before = 0.0

    def rest(self, many: int, took: float) -> float:
        """Seconds to wait for company after a batch of so many messages that took so many seconds.

        It follows the work: hardly any where a batch takes a millisecond, more on a machine that has too much to do. One slow batch
        among quick ones is a slow disk, and the message after it is not to wait for that too.
        """
        lasting, self._before = min(took, self._before), took
        return min(LONGEST, TIMES * lasting) if 0 < many < SMALL else 0.0
