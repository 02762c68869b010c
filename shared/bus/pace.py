"""Rests after small batches: messages that come together cost a fraction of what each costs alone."""

SMALL = 100
"""Messages below which a batch is small; a larger one says that more are waiting."""
TIMES = 3.0
LONGEST = 0.05
AT_ONCE = 0.001
"""Seconds within which a batch was there already when it was asked for."""


class Pace:
    """Of one who takes batch after batch."""

    def __init__(self) -> None:
        self._before = 0.0
        self._until = -1.0
        self._rested = False

    def rest(self, many: int, began: float, ended: float) -> float:
        """Seconds to wait for company after a batch of so many messages.

        None after one that had to be waited for: there is little to do, and the next message would wait for nothing. None after one
        that came together during a rest either, for only the next tells whether more is waiting still. Else it follows the work:
        hardly any where a batch takes a millisecond, more on a machine that has too much to do. One slow batch among quick ones is
        a slow disk, and the message after it is not to wait for that too.
        """
        if many == 0:
            return 0.0
        behind, rested = began - self._until < AT_ONCE, self._rested
        took = ended - began
        lasting, self._before = min(took, self._before), took
        pause = min(LONGEST, TIMES * lasting) if behind and not rested and many < SMALL else 0.0
        self._until, self._rested = ended + pause, pause > 0
        return pause
