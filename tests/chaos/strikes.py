"""What is done to the platform, drawn by lot from a seed: kills, stops, freezes, broken wires, and Kafka away for a while."""

import asyncio
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp
import psutil
import psycopg

from deploy.local.plan import PREFIX, SERVICES
from deploy.local.process import listens
from deploy.local.supervisor import GRACE
from shared.testing.platform import Platform
from tests.chaos.links import Fault, Links
from tests.chaos.plant import Works
from tests.faults.record import Answer, Deed, Record

KINDS = ("gateway", "serve", "work", "kafka", "postgres", "redis", "vault")
STOPPED = ("gateway", "serve", "work")
"""Who is told to stop as well as killed: whatever a deployment restarts."""
SEALED = re.compile(r"/(leads|customers|complaints|orders/[^/]+/sign)")
"""Commands of the stories that need the vault."""
WIRES = ("postgres/", "postgres/", "kafka/", "redis", "vault/", "http/")
FAULTS: tuple[Fault, ...] = ("delay", "cut", "half-open", "throttle")
FROZEN = 3.0
"""Seconds a process stands still, or a wire is broken."""
SOON = 0.1
COMES_BACK = 40.0
OVER = 3.5
"""Seconds after which nobody is refused for the strike before."""
WELL = 2.0
"""Seconds without a refusal after which the strikes before are over."""
LEFT, BEHIND = 5.0, 3.5
"""Rows an outbox has, and seconds a consumer is behind, on any quiet day: watermarks come every other second, and are stored within one."""
SERVICE, DATABASE = 5.0, 10.0
"""Goals: seconds from a kill to a service that is ready, and to the first command that PostgreSQL, or the vault, lets through."""
LEAVES = 25.0
"""Seconds in which who works has gone: two clients say goodbye to a Kafka that may be away, at most ten seconds each."""
LONG = 60.0
"""Seconds without Kafka that tell of backlogs; a shorter absence tells how fast everybody reconnects."""
RELAY, CONSUMER = 10.0, 4.0
"""Goals after a long one: how many times as fast as events arrive the slowest relay tells and the slowest consumer hears."""


@dataclass
class Healed:
    """How long it took after a strike; `goal` in seconds where there is one."""

    what: str
    seconds: float
    goal: float | None = None


@dataclass
class Outage:
    """Kafka was away: what commands were answered meanwhile, and how the backlog went down."""

    seconds: float = 0.0
    answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """How often by status, problem and path: nothing may be here."""
    relay: float = 0.0
    consumer: float = 0.0
    slowest: str = ""

    @property
    def judged(self) -> bool:
        """Whether it was long enough to tell how fast a backlog goes down."""
        return self.seconds >= LONG

    def slow(self) -> list[str]:
        """Goals missed."""
        found = [("relay told", self.relay, RELAY), (f"consumer, {self.slowest}, heard", self.consumer, CONSUMER)]
        return [
            f"the slowest {who} {n:.1f} × as fast as events arrived, goal {goal:.0f} ×"
            for who, n, goal in found
            if self.judged and n < goal
        ]


@dataclass
class Saboteur:
    """Strikes only at children of this platform's own supervisor."""

    platform: Platform
    plan: Works
    links: Links
    record: Record
    dice: random.Random
    healed: list[Healed] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    outage: Outage = field(default_factory=Outage)
    needless: Counter[str] = field(default_factory=Counter)
    """Refusals while the vault was away of what does not need it, by status, problem and path: nothing may be here."""
    _bags: dict[str, list[str]] = field(default_factory=dict)
    _connections: dict[str, "psycopg.AsyncConnection[Any]"] = field(default_factory=dict)
    _asking: dict[str, asyncio.Lock] = field(default_factory=dict)

    # --- who -----------------------------------------------------------------------------------------------------

    def process(self, name: str) -> psutil.Process:
        """The process of that name. AssertionError when it is none of the supervisor's children."""
        ports = {"postgres": self.plan.postgres, "redis": self.plan.redis, "vault": self.plan.vault} | {
            f"kafka{n + 1}": port for n, port in enumerate(self.plan.brokers)
        }
        family = self.platform.processes()
        if name in ports:
            mine = (one for one in family if any(c.status == psutil.CONN_LISTEN and c.laddr.port == ports[name] for c in _sockets(one)))
        else:
            pid = int(self.plan.pid(name).read_text())
            mine = (one for one in family if one.pid == pid)
        found = next(mine, None)
        assert found is not None, f"{name} does not run"
        return found

    async def victim(self, name: str) -> psutil.Process:
        """The same, once it runs again."""
        until = time.monotonic() + COMES_BACK
        while True:
            try:
                return await asyncio.to_thread(self.process, name)
            except (AssertionError, psutil.NoSuchProcess):
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(SOON)

    def draw(self, kind: str) -> str:
        """A process of the kind; all of them before one comes twice."""
        if not self._bags.get(kind):
            contexts = [context for context in SERVICES if context != "gateway"]
            several = range(1, self.plan.scale + 1)
            of = {
                "gateway": [f"gateway-serve-{n}" for n in several],
                "serve": [f"{context}-serve-{n}" for context in contexts for n in several],
                "work": [f"{context}-work-{n}" for context in SERVICES for n in several],
                "kafka": [f"kafka{n}" for n in range(1, max(2, len(self.plan.brokers)))],
            }.get(kind, [kind])
            self._bags[kind] = self.dice.sample(of, len(of))
        return self._bags[kind].pop()

    # --- strikes -------------------------------------------------------------------------------------------------

    def schedule(self, kills: int) -> list[Callable[[], Awaitable[None]]]:
        """Every kind of process killed equally often, and between two kills a broken wire, a freeze or a stop."""
        kinds: list[str] = []
        while len(kinds) < kills:
            kinds += self.dice.sample(KINDS, len(KINDS))
        strikes: list[Callable[[], Awaitable[None]]] = []
        faults: list[Fault] = []
        for n, kind in enumerate(kinds[:kills]):
            strikes.append(self._at(self.kill, self.draw(kind)))
            if n % 3 == 0:
                faults = faults or self.dice.sample(FAULTS, len(FAULTS))
                wire = self.dice.choice(self.links.named(self.dice.choice(WIRES)))
                strikes.append(self._at(self.break_wire, wire, faults.pop()))
            elif n % 3 == 1:
                strikes.append(self._at(self.freeze, self.draw(self.dice.choice(KINDS))))
            else:  # not who has just been killed: the supervisor lets who ends again and again wait
                strikes.append(partial(self.tell_to_stop, self.draw(self.dice.choice([other for other in STOPPED if other != kind]))))
        return strikes

    def _at(self, strike: Callable[..., Awaitable[None]], name: str, *more: Any) -> Callable[[], Awaitable[None]]:
        """A strike at this; at the vault as `beside_the_vault` has it."""
        found = partial(strike, name, *more)
        return partial(self.beside_the_vault, found) if name.partition("/")[0] == "vault" else found

    async def kill(self, name: str) -> None:
        """kill -9, and how long until it is there again."""
        victim = await self.victim(name)
        victim.kill()
        died = time.monotonic()
        self.struck.append(f"kill -9 {name}")
        if name in ("postgres", "vault"):
            sealed = name == "vault"
            await self._until(lambda: self._accepted(died, sealed=sealed))
            asked = self._asked(died, sealed=sealed)
            goal: float | None = None if asked is None else DATABASE
            died = died if asked is None or asked < died + DATABASE else asked
        elif name.startswith("kafka") or name == "redis":
            port = self.plan.redis if name == "redis" else self.plan.brokers[int(name[5:]) - 1]
            await self._until(lambda: asyncio.to_thread(lambda: not victim.is_running() and listens(port)))
            goal = None
        else:
            goal = await self._succeeded(name)
        self.healed.append(Healed(f"{_kind(name)} killed", time.monotonic() - died, goal))

    async def tell_to_stop(self, name: str) -> None:
        """SIGTERM, as a deployment does it: how long until it has gone by itself, and then until it is there again."""
        victim = await self.victim(name)
        victim.terminate()
        told = time.monotonic()
        self.struck.append(f"SIGTERM {name}")
        await self._until(lambda: asyncio.to_thread(lambda: not victim.is_running()))
        gone = time.monotonic()
        self.healed.append(Healed(f"{_kind(name)} told to stop", gone - told, LEAVES if "-work-" in name else GRACE))
        goal = await self._succeeded(name)
        self.healed.append(Healed(f"{_kind(name)} back after a stop", time.monotonic() - gone, goal))

    async def _succeeded(self, name: str) -> float | None:
        """Returns when another process does what this one of a service did; the goal for that."""
        if "-work-" in name:
            await self._led(name.partition("-")[0])
            return None
        await self._ready(name)
        return SERVICE

    async def freeze(self, name: str) -> None:
        """SIGSTOP for a while, then SIGCONT. PostgreSQL stands still with all its children."""
        victim = await self.victim(name)
        with _standing([victim, *victim.children(recursive=True)]):
            self.struck.append(f"SIGSTOP {name}")
            await asyncio.sleep(FROZEN)

    async def break_wire(self, name: str, fault: Fault) -> None:
        """A wire has a fault for a while."""
        self.struck.append(f"{fault} {name}")
        with self.links.broken([name], fault):
            await asyncio.sleep(FROZEN)

    async def beside_the_vault(self, strike: Callable[[], Awaitable[None]]) -> None:
        """Strikes the vault once all is well, so that only that can be why a command is refused, which none may be that can do without."""
        well, began = await self._all_is_well(), time.monotonic()
        await strike()
        if well:
            self.needless += self._refused(self._tried(began, sealed=False))

    # --- Kafka away ----------------------------------------------------------------------------------------------

    async def take_kafka_away(self, seconds: float) -> None:
        """Once all is well nobody reaches Kafka, so that only that can be why a command is refused; then, how fast what waited is told and heard."""
        await self._all_is_well()
        began = time.monotonic()
        self.struck.append(f"Kafka away for {seconds:.0f} s")
        with self.links.broken(self.links.named("kafka/"), "cut"):
            await asyncio.sleep(seconds)
            tried = self._tried(began, sealed=True)
        back = time.monotonic()
        contexts = [context for context in SERVICES if context != "gateway"]
        until = back + COMES_BACK + seconds
        relays = [self._goes_down(context, _WAITING, LEFT, until) for context in contexts]
        consumers = [self._goes_down(context, _BEHIND, BEHIND, until) for context in contexts]
        both = await asyncio.gather(*relays, *consumers)
        drains, hears = both[: len(contexts)], both[len(contexts) :]
        self.outage = Outage(
            seconds=back - began,
            answered=len(tried),
            refused=self._refused(tried),
            relay=min((back - began + took) / took for took in drains),
            consumer=min((back - began + took) / took for took in hears),
            slowest=max(zip(hears, contexts, strict=True))[1],
        )
        self.healed.append(Healed("Kafka back to all told and heard", time.monotonic() - back))

    async def _goes_down(self, context: str, sql: str, usual: float, until: float) -> float:
        """Seconds from the moment a number begins to go down until it is as usual, or the time is over."""
        began, most = time.monotonic(), 0.0
        while time.monotonic() < until:
            now = await self._number(context, sql)
            if now is not None and now <= usual:
                break
            if now is None or now >= most:
                began, most = time.monotonic(), now or most
            await asyncio.sleep(SOON)
        return max(time.monotonic() - began, SOON)

    def _tried(self, since: float, *, sealed: bool) -> list[tuple[Deed, Answer]]:
        """The answered tries that began since then; without `sealed` only those of commands that do without the vault."""
        tried = ((deed, answer) for deed in self.record for answer in deed.answers if answer.at - answer.took > since)
        return [(deed, answer) for deed, answer in tried if sealed or not SEALED.fullmatch(deed.path)]

    def _refused(self, tried: Collection[tuple[Deed, Answer]]) -> Counter[str]:
        """Which of them are refusals."""
        return Counter(f"{answer.status} {answer.problem} to {deed.path}" for deed, answer in tried if answer.status not in (200, 201, 409))

    async def _all_is_well(self) -> bool:
        """Waits until the strike before is over; whether it is.

        Who was under way may be told two seconds later that the vault is away, and then nobody asks the vault for another second.
        """
        await asyncio.sleep(OVER)
        return await self._until(self._well)

    async def _well(self) -> bool:
        """Whether the last answers came soon and are no refusals."""
        since = time.monotonic() - WELL
        answers = self.record.answers(since)
        return bool(answers) and all(answer.status in (200, 201, 409) and answer.took < WELL for answer in answers)

    def late(self) -> list[str]:
        """What came back later than its goal, commands refused for want of Kafka, or of a vault they do not need, and a slow backlog."""
        found = [f"{one.what}: {one.seconds:.1f} s, goal {one.goal} s" for one in self.healed if one.goal and one.seconds > one.goal]
        found += [f"{n} × refused while Kafka was away: {what}" for what, n in self.outage.refused.items()]
        found += [f"{n} × refused while the vault was away: {what}" for what, n in self.needless.items()]
        return found + self.outage.slow()

    # --- looking -------------------------------------------------------------------------------------------------

    async def _number(self, context: str, sql: str) -> float | None:
        """What a service's database answers; None when it does not."""
        async with self._asking.setdefault(context, asyncio.Lock()):
            try:
                if context not in self._connections:
                    url = self.plan.database(context, "writer", self.platform.secrets)
                    made = await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=2)
                    self._connections[context] = made
                async with asyncio.timeout(2):
                    found = await (await self._connections[context].execute(sql.encode())).fetchone()
            except (psycopg.OperationalError, TimeoutError):
                self._connections.pop(context, None)
                return None
        return float(found[0] or 0) if found else 0.0

    async def _led(self, context: str) -> None:
        """Returns when a relay leads that lives: the lease is longer than just after the kill, whoever of several had it then."""
        until = time.monotonic() + COMES_BACK
        dead = None
        while time.monotonic() < until:
            now = await self._number(context, _LED_UNTIL)
            if now is not None and dead is not None and now > dead:
                return
            dead = now if dead is None else dead
            await asyncio.sleep(SOON)

    async def _accepted(self, since: float, *, sealed: bool) -> bool:
        """Whether a command begun since then was accepted; with `sealed` one that needs the vault."""
        later = (deed for deed in self.record if deed.done and deed.done.at - deed.done.took > since)
        return any(not sealed or SEALED.fullmatch(deed.path) for deed in later)

    def _asked(self, since: float, *, sealed: bool) -> float | None:
        """When the first who was answered since then asked; with `sealed` who needs the vault. After a long absence of Kafka old stories come first."""
        tried = (answer.at - answer.took for deed, answer in self._tried(since, sealed=True) if not sealed or SEALED.fullmatch(deed.path))
        return min(tried, default=None)

    async def _until(self, true: Callable[[], Awaitable[bool]]) -> bool:
        """Waits for it, not for ever; whether it came."""
        until = time.monotonic() + COMES_BACK
        while not (came := await true()) and time.monotonic() < until:
            await asyncio.sleep(SOON)
        return came

    async def _ready(self, name: str) -> None:
        context, _, n = name.split("-")
        url = f"http://127.0.0.1:{self.plan.ports(context)[int(n) - 1]}/readyz"
        until = time.monotonic() + COMES_BACK
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
            while time.monotonic() < until:
                with suppress(aiohttp.ClientError, TimeoutError, OSError):
                    async with http.get(url) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(SOON)


_WAITING = "select count(*) from outbox"
_LED_UNTIL = "select extract(epoch from max(expires_at)) from leases where name = 'relay'"
_BEHIND = f"select extract(epoch from clock_timestamp() - min(watermark)) from offsets where topic like '{PREFIX}.%'"


def _kind(name: str) -> str:
    context, part, *_ = [*name.split("-"), ""]
    if not part:
        return {"postgres": "PostgreSQL", "redis": "Redis", "vault": "the vault"}.get(name, "Kafka")
    return "gateway" if (context, part) == ("gateway", "serve") else {"serve": "service", "work": "relay and consumer"}[part]


def _sockets(process: psutil.Process) -> list[Any]:
    try:
        return list(process.net_connections("tcp"))
    except psutil.NoSuchProcess:
        return []


@contextmanager
def _standing(processes: list[psutil.Process]) -> Iterator[None]:
    """They stand still for as long as the block lasts."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
