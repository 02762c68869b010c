"""Rests after small batches: messages that come together cost a fraction of what each costs alone."""

SMALL = 100
"""Messages below which a batch is small; a larger one says that more are waiting."""
TIMES = 3.0
LONGEST = 0.05
OFTEN = 1 / 3
"""The part of its time that one who takes every message alone would be at work, from which on he rests."""
_KEPT = 0.9
"""What a batch before counts beside the one after it."""
_APART = 1.0
"""Seconds between two batches at most, as far as they count."""


class Pace:
    """Of one who takes batch after batch."""

    def __init__(self) -> None:
        self._before = 0.0
        self._work = self._time = 0.0
        self._ended = -_APART

    def rest(self, many: int, began: float, ended: float) -> float:
        """Seconds to wait for company after a batch of so many messages.

        None where there is little to do: it would save little, and the next message would wait. Else it follows the work: hardly any
        where a batch takes a millisecond, more on a machine that has too much to do. One slow batch among quick ones is a slow disk,
        and the message after it is not to wait for that too.
        """
        if many == 0:
            return 0.0
        took = ended - began
        self._work = self._work * _KEPT + many * took
        self._time = self._time * _KEPT + min(ended - self._ended, _APART)
        self._ended = ended
        lasting, self._before = min(took, self._before), took
        if many >= SMALL or self._work < OFTEN * self._time:
            return 0.0
        return min(LONGEST, TIMES * lasting)
