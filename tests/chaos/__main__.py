"""`make chaos`: prints one page; exit code 1 when anything acknowledged was lost, doubled, reordered or miscounted, or came back too late."""

import asyncio
import os
import random
import sys
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from shared.testing.group import make_group
from shared.testing.platform import PASSWORD, Platform
from tests.chaos.crowd import Crowd, Pace, Story, Unexpected, Walk
from tests.chaos.judge import Judge
from tests.chaos.links import Links
from tests.chaos.page import page
from tests.chaos.plant import Works
from tests.chaos.stories import Shop
from tests.chaos.strikes import Saboteur
from tests.faults.record import Record
from tests.faults.workload import Desk, furnish

RENEWED = 300.0
"""Seconds after which everybody logs in again."""
TRIED_AGAIN = 10.0
WARM_UP = 5.0
FINISHES_WITHIN = 90.0


@dataclass
class Wanted:
    """What was asked for, by environment."""

    seconds: float = field(default_factory=lambda: float(os.environ.get("SECONDS") or 60))
    kills: int = field(default_factory=lambda: int(os.environ.get("KILLS") or 12))
    rate: float = field(default_factory=lambda: float(os.environ.get("RATE") or (25 if int(os.environ.get("SCALE") or 1) == 1 else 20)))
    scale: int = field(default_factory=lambda: int(os.environ.get("SCALE") or 1))
    away: float = field(default_factory=lambda: float(os.environ.get("AWAY") or 0))
    """Seconds without Kafka; a twelfth of all, where nothing is said."""
    seed: int = field(default_factory=lambda: int(os.environ.get("SEED") or random.randrange(1_000_000)))

    def __post_init__(self) -> None:
        self.away = self.away or self.seconds / 12


@dataclass
class Run:
    """One run, and what came of it."""

    wanted: Wanted
    platform: Platform
    plan: Works
    links: Links
    record: Record = field(default_factory=Record)
    wrong: list[str] = field(default_factory=list)
    stories: int = 0
    began: float = 0.0
    lasted: float = 0.0
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __post_init__(self) -> None:
        dice = random.Random(self.wanted.seed)
        self.saboteur = Saboteur(self.platform, self.plan, self.links, self.record, dice)
        self.desk = Desk(make_group(self.platform))
        furnish(self.desk)
        group = self.desk.group
        self.shop = Shop(group.values, group.number, self.desk.trim, iter(self.desk.vin, ""))
        self.crowd = Crowd(self.record, self.plan.doors, Pace(self.wanted.rate), self.wanted.seed, self.wanted.away)

    async def go(self) -> None:
        """Everybody works and everything breaks until the time is over; then all finish what they began."""
        self._admit()
        stories: set[asyncio.Task[None]] = set()
        weights, choices = zip(*self.shop.stories(), strict=True)

        def begin() -> None:
            (story,) = self.crowd.dice.choices(choices, weights)
            stories.add(asyncio.create_task(self._tell(story)))

        began = self.began = time.monotonic()
        async with self.crowd:
            pacing = asyncio.create_task(self.crowd.pace.run(begin))
            renewing = asyncio.create_task(self._renew())
            await self._strike(began)
            await asyncio.sleep(max(0.0, began + self.wanted.seconds - time.monotonic()))
            self.crowd.pace.closed = True
            self.lasted = time.monotonic() - began
            await asyncio.to_thread(self._spend)
            _, late = await asyncio.wait(stories, timeout=FINISHES_WITHIN)
            self.wrong += [f"{len(late)} stories were not finished"] if late else []
            self.stories = len(stories)
            for task in (pacing, renewing, *late):
                task.cancel()
            await asyncio.gather(pacing, renewing, *late, return_exceptions=True)

    async def _tell(self, story: Story) -> None:
        try:
            await story(Walk(self.crowd))
        except Unexpected as wrong:
            self.wrong.append(str(wrong))

    async def _strike(self, began: float) -> None:
        """One strike after the other, evenly spread; Kafka is away in the middle."""
        strikes = self.saboteur.schedule(self.wanted.kills)
        away = self.wanted.away
        slot = (self.wanted.seconds - WARM_UP - 2 * away) / max(1, len(strikes))
        due = began + WARM_UP
        for n, strike in enumerate(strikes):
            if n == len(strikes) // 2:
                await self.saboteur.take_kafka_away(away)
                due = time.monotonic() + 1.0
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            try:
                await strike()
            except AssertionError as error:
                self.wrong.append(f"a strike failed: {error}")
            due = max(due + slot, time.monotonic() + 0.3)

    def _spend(self) -> None:
        """Seconds of CPU that each kind of living process has used so far; what was killed has taken its share with it."""
        names = {file.read_text(): file.name for file in self.plan.pid("").iterdir()}
        for process in self.platform.processes():
            with suppress(psutil.NoSuchProcess):
                name, used = names.get(str(process.pid), process.name()), process.cpu_times()
                kind = "gateway" if name.startswith("gateway-serve") else next((part for part in ("serve", "work") if part in name), name)
                self.spent[kind] += used.user + used.system
        own = psutil.Process().cpu_times()
        self.spent["people and wires"] = own.user + own.system

    def _admit(self) -> None:
        for login, person in self.desk.group.people.items():
            if login != "admin":
                self.crowd.staff[login] = (self.desk.group.values[login], person.tokens["access_token"])

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWED)
            await asyncio.gather(*(self._log_in(login) for login in self.desk.group.people if login != "admin"))

    async def _log_in(self, login: str) -> None:
        """Tries until it works, not so often that it would count as guessing."""
        name = f"{login.replace('_', '.')}{self.desk.group.number}"
        while True:
            with suppress(Exception):
                await asyncio.to_thread(self.desk.group.people[login].log_in, name, PASSWORD)
                return self._admit()
            await asyncio.sleep(TRIED_AGAIN)


def main() -> int:
    """Starts, breaks, judges, prints."""
    wanted = Wanted()
    print(
        f"Chaos with SEED={wanted.seed}: {wanted.seconds:.0f} s, {wanted.kills} kills, {wanted.rate:.0f} commands/s, scale {wanted.scale}",
        flush=True,
    )
    platform = Platform(("tests.chaos.plant",), {"SCALE": str(wanted.scale)})
    plan = Works.at(platform.place, wanted.scale)
    kept = False
    try:
        with Links(plan.ways()) as links:
            platform.start()
            run = Run(wanted, platform, plan, links)
            judge = Judge(run.record, plan, platform.secrets)
            asyncio.run(run.go())
            run.wrong += judge.verdict()
            run.wrong += run.saboteur.late()
            kept = bool(run.wrong)
            (platform.folder / "wrong.txt").write_text("\n".join(run.wrong))
            print(page(run, judge))
    finally:
        platform.stop(keep=kept)
    return 1 if kept else 0


if __name__ == "__main__":
    sys.exit(main())
