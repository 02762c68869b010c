"""Starts servers and services, restarts what dies, and stops all of it at one Ctrl-C."""

import asyncio
import contextlib
import fcntl
import gc
import importlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from deploy.local import kafka, postgres, redis
from deploy.local.child import Child
from deploy.local.plan import DATABASES, PREFIX, SERVICES, VAULT, Plan
from deploy.local.process import Problem, Server, check_disk, check_port
from deploy.local.secrets import kept
from deploy.local.setup import set_up_databases, set_up_topics

READY_WITHIN = 60
DEMO_WITHIN = 300
GRACE = 6
"""Seconds a service has to finish what it accepted; then the servers have SERVER_GRACE. Together below ten."""
SERVER_GRACE = 3
CALM = 30
"""Seconds of life after which a restart counts as the first again."""
VAULT_NAME = "The vault"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOGINS = ("owner", "manager", "sales", "stock", "finance", "service", "admin")


def say(text: str) -> None:
    """A line of progress."""
    print(text, flush=True)


class Supervisor:
    """One installation while it runs. `up` returns when it is told to stop."""

    def __init__(self, plan: Plan, *, demo: bool = False) -> None:
        self.plan = plan
        self.marker = plan.folder / "demo"
        self.demo = demo
        self.began = time.monotonic()
        self.servers: list[Server] = []
        self.children: list[Child] = []
        self.job: Child | None = None

    def up(self) -> None:
        """Starts everything, watches it, stops it at SIGINT, SIGTERM or SIGHUP. Raises Problem."""
        with only_one(self.plan.folder):
            for number in SIGNALS:
                if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                    signal.signal(number, signal.default_int_handler)
            try:
                self._start()
                self._watch()
            except KeyboardInterrupt:
                say("\nStopping …")
            finally:
                for number in SIGNALS:
                    signal.signal(number, signal.SIG_IGN)
                self._stop()
        say("Stopped; the data stays in " + str(self.plan.folder))

    def _start(self) -> None:
        self._check()
        secrets = self._secrets()
        self._start_servers(secrets)
        services = self._import()
        self._set_up(secrets)
        self._migrate(services, secrets)
        self._start_services(services, secrets)
        if self.demo:
            self._load(secrets["demo_password"])
        self._greet(secrets)

    def _check(self) -> None:
        plan = self.plan
        check_disk(plan.folder)
        base = "choose others with BASE_PORT, as in `make demo BASE_PORT=9000`"
        check_port(plan.gateway, "the gateway", "choose another, as in `make demo PORT=8081`")
        inner = (
            (plan.postgres, "PostgreSQL"),
            (plan.vault, VAULT_NAME),
            (plan.kafka, "Kafka"),
            (plan.kafka + 1, "Kafka"),
            (plan.redis, "Redis"),
        )
        for port, owner in inner:
            check_port(port, owner, base)
        for service in SERVICES[:-1]:
            check_port(plan.port(service), service, base)

    def _secrets(self) -> dict[str, str]:
        own = (self.plan.folder / "postgres").exists() and not self.marker.exists()
        if self.demo and own:
            raise Problem(f"{self.plan.folder} holds data of `make up`: run `make reset` first, or `make demo FORECOURT_VAR=var-demo`.")
        chosen = os.environ.get("DEMO_PASSWORD", "") if self.demo else ""
        if chosen and len(chosen) < 8:
            raise Problem("DEMO_PASSWORD needs at least 8 characters.")
        if self.demo and not self.marker.exists():
            self.marker.write_text("loading\n")
        secrets = kept(self.plan.folder / "secrets.json", {"demo_password": chosen} if chosen else {})
        if chosen and chosen != secrets["demo_password"]:
            raise Problem("The demo data was made with another DEMO_PASSWORD: leave it out, or run `make reset` first.")
        return secrets

    def _start_servers(self, secrets: dict[str, str]) -> None:
        plan = self.plan
        for name in ("postgres", VAULT, "kafka", "redis", "setup", "demo", *SERVICES):
            with contextlib.suppress(FileNotFoundError):
                plan.log(name).rename(plan.log(f"{name}.old"))
        plan.log("setup").parent.mkdir(exist_ok=True)
        if not plan.cache.joinpath("kafka").exists():
            say("Fetching Kafka from Maven Central …")
        self.servers += self._brokers()
        self.servers.append(redis.start(plan.folder / "redis", plan.redis, secrets["redis_password"], plan.log("redis")))
        options = {"max_connections": str(plan.connections)}
        password = secrets["postgres_password"]
        self.servers.append(postgres.start(plan.folder / "postgres", plan.postgres, password, plan.log("postgres"), options=options))
        self.servers.append(start_vault(plan, secrets))

    def _brokers(self) -> list[Server]:
        plan = self.plan
        return [kafka.start(plan.folder / "kafka", plan.kafka, plan.cache / "kafka", plan.log("kafka"))]

    def _import(self) -> dict[str, Any]:
        """The services as declared in their app.py, imported once for all children."""
        found = {name: importlib.import_module(f"services.{name}.app").service for name in SERVICES}
        gc.collect()
        gc.freeze()
        return found

    def _set_up(self, secrets: dict[str, str]) -> None:
        *brokers, cache, database, vault = self.servers
        passwords = {f"{name}_{role}": secrets[f"{name}_{role}_password"] for name in DATABASES for role in ("writer", "reader")}
        for server, names in ((database, SERVICES), (vault, (VAULT,))):
            server.wait()
            self._ready(server)
            set_up_databases(server.url, names, passwords)
        postgres.take_over(database.url, vault.url, VAULT)
        for server in (cache, *brokers):
            server.wait()
            self._ready(server)
        asyncio.run(set_up_topics(brokers[0].url, SERVICES, PREFIX, len(brokers)))

    def _migrate(self, services: dict[str, Any], secrets: dict[str, str]) -> None:
        for name, service in services.items():
            environment = self.plan.environment(name, secrets, demo=self.marker.exists())
            self._run(f"The migration of {name}", "setup", partial(migrate, service), environment, READY_WITHIN)

    def _run(self, name: str, log: str, main: Callable[[], None], environment: dict[str, str], seconds: float) -> None:
        self.job = Child(name=name, main=main, log=self.plan.log(log), environment=environment)
        self.job.start()
        self.job.finish(seconds)
        self.job = None

    def _start_services(self, services: dict[str, Any], secrets: dict[str, str]) -> None:
        for name, service in services.items():
            environment = self.plan.environment(name, secrets, demo=self.marker.exists())
            for child in self._processes(name, service, environment):
                self.children.append(child)
                child.start()
        until = time.monotonic() + READY_WITHIN
        for child in self.children:
            while child.port and not child.answers():
                if not child.running or time.monotonic() > until:
                    child.finish(0)
                    raise Problem(f"{child.name} ended while starting: see {child.log}.")
                time.sleep(0.05)
            self._ready(child)

    def _processes(self, name: str, service: Any, environment: dict[str, str]) -> list[Child]:
        """What runs of a service: one process for everything."""
        return [Child(name=name, main=partial(run, service), log=self.plan.log(name), environment=environment, port=self.plan.port(name))]

    def _ready(self, member: Server | Child) -> None:
        say(f"  {time.monotonic() - self.began:5.1f} s  {member.name} is ready on {member.port}")

    def _load(self, password: str) -> None:
        if self.marker.read_text().strip() == "loaded":
            return
        say("Loading the demo group …")
        self._run("Loading the demo group", "demo", partial(load, self.plan.url, password), {}, DEMO_WITHIN)
        self.marker.write_text("loaded\n")

    def _greet(self, secrets: dict[str, str]) -> None:
        say(f"\nForecourt is ready after {time.monotonic() - self.began:.0f} s: {self.plan.url}")
        if self.marker.exists():
            say(f"Log in as {', '.join(LOGINS[:-1])} or {LOGINS[-1]}, password {secrets['demo_password']}")
            say("The other stores have their own, such as manager.sh and stock.sh in Shanghai, manager.hz and stock.hz in Hangzhou.")
        else:
            say(f"The first login is admin, password {secrets['admin_password']} until it is changed.")
        say(f"Logs are in {self.plan.folder / 'logs'}. Ctrl-C stops everything.")

    @property
    def _members(self) -> list[Server | Child]:
        return [*self.servers, *self.children]

    def _watch(self) -> None:
        """Restarts what died: at once the first time, then after 1, 2, 4 … at most 15 seconds."""
        now = time.monotonic()
        started = {id(member): now for member in self._members}
        tries = dict.fromkeys(started, 0)
        due: dict[int, float] = {}
        while True:
            now = time.monotonic()
            for member in self._members:
                key = id(member)
                if member.running:
                    continue
                if key not in due:
                    tries[key] = 0 if now - started[key] > CALM else tries[key] + 1
                    wait = min(15.0, 2.0 ** (tries[key] - 1)) if tries[key] else 0.0
                    due[key] = now + wait
                    say(f"{member.name} died and is started again in {wait:.0f} s; see {member.log}")
                if now >= due[key]:
                    del due[key]
                    started[key] = now
                    member.start()
            time.sleep(0.2)

    def _stop(self) -> None:
        services = [*self.children, *([self.job] if self.job else [])]
        groups: list[tuple[Sequence[Server | Child], int]] = [(services, GRACE), (self.servers, SERVER_GRACE)]
        for group, seconds in groups:
            until = time.monotonic() + seconds
            for member in group:
                member.ask_to_stop()
            for member in group:
                member.stop(max(0.0, until - time.monotonic()))


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds the folder's lock, whose file names this process. Raises Problem when another supervisor runs there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "supervisor.pid").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise Problem(f"Forecourt already runs here (process {lock.read().strip()}): `make down` stops it.") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def start_vault(plan: Plan, secrets: Mapping[str, str]) -> Server:
    """Starts the vault's own PostgreSQL. Raises Problem."""
    folder, password = plan.folder / VAULT, secrets["vault_postgres_password"]
    options = {**postgres.SMALL, "max_connections": str(plan.connections // 2)}
    return postgres.start(folder, plan.vault, password, plan.log(VAULT), name=VAULT_NAME, options=options)


def migrate(service: Any) -> None:
    """Brings one service's schema up to date, as its environment says."""
    from shared import runtime
    from shared.ops.settings import Settings

    asyncio.run(runtime.migrate(service, Settings()))  # type: ignore[call-arg]


def run(service: Any) -> None:
    """Serves and works for one service until SIGTERM, as its environment says."""
    run_parts(service, ("serve", "work"))


def run_parts(service: Any, parts: Sequence[str]) -> None:
    """Serves, works, or both."""
    import uvloop

    from shared import runtime
    from shared.ops.settings import Settings

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(runtime.run_service(service, Settings(), parts))  # type: ignore[call-arg]


def load(url: str, password: str) -> None:
    """Makes the demo group through the gateway."""
    demo = importlib.import_module("deploy.demo")
    asyncio.run(demo.load(url, password))
