"""A platform made to be broken: serving and working apart, every wire to a server or a service through a link, several of everything if asked.

SCALE=2 python -m tests.chaos.plant
"""

import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from deploy.local import kafka
from deploy.local.child import Child
from deploy.local.plan import PERSONAL, SERVICES, Plan
from deploy.local.process import Problem, Server
from deploy.local.supervisor import Supervisor, run_parts, say

BROKERS = 3


@dataclass(frozen=True, kw_only=True)
class Works(Plan):
    """`scale` processes of each kind per service; from two on, three brokers of which the last is down."""

    scale: int = 1

    @classmethod
    def at(cls, place: Mapping[str, str], scale: int) -> "Works":
        """The plan of this folder and these ports. Raises Problem."""
        plan = Plan.from_environment(place)
        return cls(folder=plan.folder, cache=plan.cache, gateway=plan.gateway, base=plan.base, scale=scale)

    def ports(self, service: str) -> list[int]:
        """Where the processes of a service listen."""
        return [self.port(service), *(self.base + 200 + 20 * n + SERVICES.index(service) for n in range(self.scale - 1))]

    @property
    def connections(self) -> int:
        """As many more as there are more processes."""
        return super().connections * self.scale

    @property
    def doors(self) -> list[str]:
        """The URLs of the gateways."""
        return [f"http://127.0.0.1:{port}" for port in self.ports("gateway")]

    @property
    def front(self) -> str:
        """A URL that leads to each gateway in turn, where there are several."""
        return f"http://127.0.0.1:{self.ways()['http/gateway'][0]}"

    @property
    def brokers(self) -> list[int]:
        """The ports of Kafka."""
        return [self.kafka + 2 * n for n in range(BROKERS if self.scale > 1 else 1)]

    def ways(self) -> dict[str, tuple[int, list[int]]]:
        """Every link by name: where it listens and where it leads."""
        ways = {f"postgres/{name}": (self.base + 600 + n, [self.postgres]) for n, name in enumerate(SERVICES)}
        ways |= {f"vault/{name}": (self.base + 650 + n, [self.vault]) for n, name in enumerate(SERVICES) if name in PERSONAL}
        ways |= {f"kafka/{n + 1}": (self.base + 620 + n, [port]) for n, port in enumerate(self.brokers)}
        ways["redis"] = (self.base + 630, [self.redis])
        inside = {f"http/{name}": (self.base + 640 + n, self.ports(name)) for n, name in enumerate(SERVICES)}
        return ways | {name: way for name, way in inside.items() if self.scale > 1 or name != "http/gateway"}

    def environment(self, service: str, secrets: Mapping[str, str], *, demo: bool) -> dict[str, str]:
        """What a service is told: to go by its links."""
        told, ways = super().environment(service, secrets, demo=demo), self.ways()
        servers = {self.postgres: f"postgres/{service}", self.vault: f"vault/{service}", self.redis: "redis"}
        for name, value in told.items():
            for port, way in servers.items():
                value = value.replace(f":{port}/", f":{ways[way][0]}/") if way in ways else value
            for context in SERVICES if name == "FORECOURT_SERVICES" else ():
                if context != "gateway":
                    value = value.replace(f':{self.port(context)}"', f':{ways[f"http/{context}"][0]}"')
            told[name] = value
        told["FORECOURT_KAFKA"] = ",".join(f"127.0.0.1:{ways[f'kafka/{n + 1}'][0]}" for n in range(len(self.brokers)))
        return told

    def pid(self, name: str) -> Path:
        """The file that names a process."""
        return self.folder / "pids" / name


class Plant(Supervisor):
    """Watches over it as over any other installation."""

    plan: Works

    def _brokers(self) -> list[Server]:
        plan, cluster = self.plan, kafka.cluster_id(uuid.uuid4())
        controllers = [port + 1 for port in plan.brokers]
        made = []
        for n, port in enumerate(plan.brokers, start=1):
            node = kafka.Node(number=n, controllers=controllers, advertised=plan.ways()[f"kafka/{n}"][0], cluster=cluster)
            made.append(kafka.start(plan.folder / f"kafka{n}", port, plan.cache / "kafka", plan.log(f"kafka{n}"), node))
        return made

    def _processes(self, name: str, service: Any, environment: dict[str, str]) -> list[Child]:
        self.plan.pid("").mkdir(exist_ok=True)
        made = []
        for n, port in enumerate(self.plan.ports(name), start=1):
            for part in ("serve", "work"):
                told = environment | {"FORECOURT_PORT": str(port)}
                if (part, n) != ("serve", 1):
                    told.pop("FORECOURT_OPS_PORT", None)
                process = f"{name}-{part}-{n}"
                main = partial(named, self.plan.pid(process), partial(run_parts, service, (part,)))
                serves = port if part == "serve" else None
                made.append(Child(name=process, main=main, log=self.plan.log(process), environment=told, port=serves))
        return made

    def _greet(self, secrets: dict[str, str]) -> None:
        """Before the first person comes, the last of several brokers goes."""
        if len(self.plan.brokers) > 1:
            lost = self.servers.pop(len(self.plan.brokers) - 1)
            lost.kill9()
            say(f"The broker on {lost.port} is down.")
        super()._greet(secrets)


def named(file: Path, main: partial[None]) -> None:
    """Runs a process that says which one it is."""
    file.write_text(str(os.getpid()))
    main()


if __name__ == "__main__":
    try:
        Plant(Works.at(os.environ, int(os.environ.get("SCALE") or 1))).up()
    except Problem as problem:
        sys.exit(str(problem))
