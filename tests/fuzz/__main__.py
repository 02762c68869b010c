"""`make fuzz N=2000 SEED=1`: asks, judges every answer, prints one page; a fault or an undocumented answer fails."""

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import requests

from shared.testing.documented import operation, undocumented
from shared.testing.platform import Platform
from tests.fuzz import cases
from tests.fuzz.people import Asker, askers

SHOWN = 30


@dataclass
class Report:
    """What was answered, and what was wrong."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)
    done: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)

    def take(self, asker: Asker, label: str, request: cases.Request, answer: requests.Response, *, passing: bool = False) -> None:
        """Judges an answer; a `passing` 503 is no fault yet, but it is counted and has to be as documented."""
        self.statuses.setdefault(asker.name, Counter())[answer.status_code] += 1
        if answer.status_code < 300:
            self.done.add(label)
        elif "json" in answer.headers.get("content-type", ""):
            self.problems[answer.json().get("type", "").removeprefix("/problems/")] += 1
        for what in wrong(asker, label, answer):
            if passing and what == "fault 503":
                continue
            told = f"{request['method']} {request['url']} {request.get('params')} {request.get('json', request.get('data'))!r:.600}"
            self.faults.setdefault(f"{label}: {what}", f"as {asker.name}: {told}\n      {answer.status_code} {answer.text[:400]}")

    @property
    def total(self) -> int:
        """How many answers there were."""
        return sum(sum(counted.values()) for counted in self.statuses.values())

    def page(self, seed: int, seconds: float, operations: int) -> str:
        """The whole of it on a page."""
        lines = [
            f"{self.total} requests in {seconds:.0f} s, seed {seed}; {len(self.done)} of {operations} operations succeeded at least once"
        ]
        for name, counted in self.statuses.items():
            lines.append(f"  {name:8} " + "  ".join(f"{status}: {n}" for status, n in sorted(counted.items())))
        lines.append("  refused as " + ", ".join(f"{slug} {n}" for slug, n in self.problems.most_common(SHOWN)))
        lines.append(f"{len(self.faults)} kinds of wrong answers")
        lines += [f"  {what}\n      {how}" for what, how in list(self.faults.items())[:SHOWN]]
        return "\n".join(lines)


def wrong(asker: Asker, label: str, answer: requests.Response) -> list[str]:
    """What an answer must not be."""
    path = urlsplit(str(answer.request.url)).path
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    found = [f"fault {answer.status_code}"] if answer.status_code >= 500 else []
    if told := undocumented(str(answer.request.method), path, answer.status_code, media_type, answer.content):
        found.append(told)
    known = operation(label.partition(" ")[0], path)
    if known is not None and answer.status_code < 300:
        permissions = known.get("x-permission")
        if permissions is not None and not asker.person.tokens:
            found.append("nobody is let in")
        elif permissions and asker.permissions.isdisjoint(permissions):
            found.append("done without the permission")
        if seen := [id for id in asker.foreign if id in answer.text]:
            found.append(f"shows what is another's: {seen}")
    return found


def run(number: int, seed: int) -> int:
    """All of it; the number of kinds of wrong answers."""
    platform, report = Platform(), Report()
    try:
        platform.start()
        people, known = askers(platform)
        chance, operations = random.Random(seed), cases.operations()
        chance.shuffle(operations)
        started = time.monotonic()
        turns = cycle(people)
        for asked, share in cases.shares(number, operations):

            def ask(case: Any) -> None:
                asker, request = next(turns), cases.request_of(case, platform.url, known, chance)
                answer = asker.send(request)
                if answer.status_code == 503:
                    report.take(asker, asked.label, request, answer, passing=True)  # noqa: B023
                    time.sleep(float(answer.headers.get("retry-after", "1")))
                    answer = asker.send(request)
                report.take(asker, asked.label, request, answer)  # noqa: B023

            cases.each(asked, share, seed, ask)
        print(report.page(seed, time.monotonic() - started, len(operations)))
    finally:
        platform.stop()
    return len(report.faults)


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None)
    told = parser.parse_args()
    seed = told.seed if told.seed is not None else random.SystemRandom().randrange(1 << 31)
    sys.exit(1 if run(told.n, seed) else 0)


main()
