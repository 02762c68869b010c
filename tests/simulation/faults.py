"""How bad a day is: rates of what can go wrong, drawn from the seed, so that runs differ in kind and not only in luck."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Chances per crossing of a line between a process and a server; seconds of the mean delay."""

    slow: float
    delay: float
    held: float
    """A transaction stays open for a while before it commits."""
    acknowledged_late: float
    """Kafka takes its time to answer a publish."""
    crash: float
    freeze: float
    failure: float
    """Whatever crosses gets no answer."""
    kafka: float
    """Of a publish only a first part arrives."""
    late: float
    """A publish that the producer gave up arrives all the same, later; and one that was acknowledged arrives again."""
    answer: float
    """The client does not get the answer and asks again."""
    poison: float
    leisure: float
    """How long people take; in a hurry they all come at once."""
    leap: bool
    """The clock of every machine leaps a day ahead once."""


def faults(dice: Random) -> Faults:
    """The weather of one run."""
    return Faults(
        slow=dice.choice((0.05, 0.1, 0.3)),
        delay=dice.choice((0.01, 0.05, 0.2)),
        held=dice.choice((0.02, 0.1, 0.5)),
        acknowledged_late=dice.choice((0.05, 0.2, 0.6)),
        crash=dice.choice((0.0, 0.001, 0.004)),
        freeze=dice.choice((0.0, 0.001, 0.004)),
        failure=dice.choice((0.0, 0.005, 0.02)),
        kafka=dice.choice((0.0, 0.02, 0.1)),
        late=dice.choice((0.0, 0.05, 0.2)),
        answer=dice.choice((0.0, 0.1)),
        poison=dice.choice((0.0, 0.1, 0.25)),
        leisure=dice.choice((0.0, 0.1, 1.0)),
        leap=dice.random() < 0.2,
    )
