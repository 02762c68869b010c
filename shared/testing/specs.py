"""Given these events, when this command, then these events: the language of domain tests."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Self

import pytest

from shared.decider import Claim, Decider, Rejected, Timer


@dataclass(frozen=True)
class When[C, S, E]:
    """A command on a stream with a history; every check decides anew and evolves what was decided."""

    decider: Decider[C, S, E]
    history: tuple[E, ...]
    command: C

    def then(self, *expected: E) -> Self:
        """Exactly these events are decided."""
        assert self._decide() == list(expected)
        return self

    def then_nothing(self) -> Self:
        """It is already so."""
        return self.then()

    def rejected(self, problem: str, *words: str) -> None:
        """The rule named `problem` says no, and its reason holds these words."""
        with pytest.raises(Rejected) as refusal:
            self._decide()
        assert refusal.value.problem == problem
        for word in words:
            assert word in refusal.value.reason

    def claims(self, *expected: Claim) -> Self:
        """What the decided events claim across streams, in order."""
        assert [claim for event in self._decide() for claim in self.decider.claims(event)] == list(expected)
        return self

    def timers(self, *expected: Timer) -> Self:
        """What the decided events schedule, in order."""
        assert [timer for event in self._decide() for timer in self.decider.timers(event)] == list(expected)
        return self

    def state(self) -> S:
        """The state once the command is handled."""
        return self.decider.fold([*self.history, *self._decide()])

    def _decide(self) -> list[E]:
        before = self.decider.fold(self.history)
        events = self.decider.decide(self.command, before)
        reduce(self.decider.evolve, events, before)
        return events


@dataclass(frozen=True)
class Given[C, S, E]:
    """What happened before."""

    decider: Decider[C, S, E]
    history: tuple[E, ...]

    def when(self, command: C) -> When[C, S, E]:
        """The command of the test."""
        return When(self.decider, self.history, command)


def spec[C, S, E](decider: Decider[C, S, E]) -> Callable[..., Given[C, S, E]]:
    """`given = spec(order)`, then `given(placed).when(approve).then(approved)`."""
    return lambda *history: Given(decider, history)
