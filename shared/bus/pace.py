"""Rests after small batches: messages that come together cost a fraction of what each costs alone."""

SMALL = 100
"""Messages below which a batch is small; a larger one says that more are waiting."""
TIMES = 3.0
LONGEST = 0.05


def rest(many: int, took: float) -> float:
    """Seconds to wait for company after a batch of so many messages that took so many seconds.

    It follows the work: hardly any where a batch takes a millisecond, more on a machine that has too much to do.
    """
    return min(LONGEST, TIMES * took) if 0 < many < SMALL else 0.0
