"""Streams of a few deciders with what goes across them: claims, tallies and timers. No store, no clock: a test says what comes next."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any

from shared.decider import Count, Decider, Rejected, Release, Schedule, Take, Unschedule


@dataclass
class Streams:
    """`deciders` by category; a refusal, by a rule or by a claim, leaves nothing behind."""

    deciders: dict[str, Decider[Any, Any, Any]]
    states: dict[str, Any] = field(default_factory=dict)
    history: dict[str, list[Any]] = field(default_factory=dict)
    holders: dict[tuple[str, str], str] = field(default_factory=dict)
    tallies: Counter[tuple[str, str]] = field(default_factory=Counter)
    timers: dict[str, tuple[datetime | None, str, Any]] = field(default_factory=dict)

    def state(self, stream: str) -> Any:
        """As its events make it."""
        return self.states.get(stream, self.deciders[stream.partition("-")[0]].initial)

    def ask(self, stream: str, command: Any) -> list[Any] | None:
        """The events; None for a refusal."""
        decider = self.deciders[stream.partition("-")[0]]
        try:
            events = decider.decide(command, self.state(stream))
            self._claim(stream, [claim for event in events for claim in decider.claims(event)])
        except Rejected:
            return None
        self.states[stream] = reduce(decider.evolve, events, self.state(stream))
        self.history.setdefault(stream, []).extend(events)
        for timer in (timer for event in events for timer in decider.timers(event)):
            key = f"{stream}/{timer.key}"
            match timer:
                case Schedule(at=at, to=to, command=wanted):
                    self.timers[key] = (at, to or stream, wanted)
                case Unschedule():
                    self.timers.pop(key, None)
        assert self.states[stream] == decider.fold(self.history[stream])
        return events

    def _claim(self, stream: str, claims: list[Any]) -> None:
        gone = {claim.kind for claim in claims if isinstance(claim, Release)}
        holders = {key: by for key, by in self.holders.items() if by != stream or key[0] not in gone}
        tallies = self.tallies.copy()
        for claim in claims:
            match claim:
                case Take(kind=kind, key=key) if (kind, key) in holders:
                    raise Rejected(claim.problem, claim.reason)
                case Take(kind=kind, key=key):
                    holders[kind, key] = stream
                case Count(kind=kind, key=key, by=by, most=most):
                    tallies[kind, key] += by
                    if by > 0 and tallies[kind, key] > most:
                        raise Rejected(claim.problem, claim.reason)
        self.holders, self.tallies = holders, tallies

    def due(self, now: datetime) -> list[str]:
        """The keys of the timers that may fire."""
        return sorted(key for key, (at, _, _) in self.timers.items() if at is None or at <= now)

    def fire(self, key: str) -> list[Any] | None:
        """What a timer's command comes to; it is spent either way."""
        _, to, command = self.timers.pop(key)
        return self.ask(to, command)
