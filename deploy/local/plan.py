"""What runs where on one machine: the services, their databases, ports, folders and what each is told."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local.process import Problem

SERVICES = ("leads", "customers", "marketing", "inventory", "orders", "finance", "aftersales", "reporting", "gateway")
VAULT = "vault"
DATABASES = (*SERVICES, VAULT)
PERSONAL = frozenset({"leads", "customers", "orders", "finance", "aftersales", "gateway"})
"""The contexts that may open the vault."""
PREFIX = "forecourt"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Ports and folders of one installation. `base` moves every port but the gateway's."""

    folder: Path
    cache: Path
    gateway: int = 8080
    base: int = 8000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The plan that PORT, BASE_PORT and FORECOURT_VAR ask for. Raises Problem."""
        try:
            base = int(environment.get("BASE_PORT") or 8000)
            gateway = int(environment.get("PORT") or base + 80)
        except ValueError as error:
            raise Problem("PORT and BASE_PORT must be numbers, as in `make demo PORT=8081`.") from error
        if not (1024 <= base <= 32_000 and 1 <= gateway < 32_768):
            raise Problem("PORT must be below 32768 and BASE_PORT between 1024 and 32000: ports above serve outgoing connections.")
        plan = cls(
            folder=Path(environment.get("FORECOURT_VAR") or "var").resolve(), cache=Path(".cache").resolve(), gateway=gateway, base=base
        )
        if gateway in {
            plan.postgres,
            plan.vault,
            plan.kafka,
            plan.kafka + 1,
            plan.redis,
            plan.ops,
            *(plan.port(each) for each in SERVICES[:-1]),
        }:
            raise Problem(f"PORT={gateway} is used inside: choose another.")
        return plan

    @property
    def postgres(self) -> int:
        return self.base + 432

    @property
    def vault(self) -> int:
        """The vault has a server of its own, so that no backup of the events holds a key."""
        return self.base + 433

    @property
    def connections(self) -> int:
        """How many PostgreSQL takes; the vault takes half as many."""
        return 200

    @property
    def kafka(self) -> int:
        """Clients' port; the controller takes the next."""
        return self.base + 492

    @property
    def redis(self) -> int:
        return self.base + 479

    def port(self, service: str) -> int:
        """Where a service listens."""
        return self.gateway if service == "gateway" else self.base + 101 + SERVICES.index(service)

    @property
    def ops(self) -> int:
        """Where the gateway tells operators how it is: its own port is the public's."""
        return self.base + 101 + SERVICES.index("gateway")

    @property
    def url(self) -> str:
        """What a person opens."""
        return f"http://127.0.0.1:{self.gateway}"

    def log(self, name: str) -> Path:
        """The log file of a service or server."""
        return self.folder / "logs" / f"{name}.log"

    def database(self, name: str, role: str, secrets: Mapping[str, str]) -> str:
        """The URL by which `writer` or `reader` reaches a database."""
        port = self.vault if name == VAULT else self.postgres
        return f"postgresql://{name}_{role}:{secrets[f'{name}_{role}_password']}@127.0.0.1:{port}/{name}"

    def superuser(self, secrets: Mapping[str, str], server: str = "postgres") -> str:
        """The URL by which set-up and backup reach a server: that of the events, or that of the vault."""
        port, password = (self.vault, "vault_postgres_password") if server == VAULT else (self.postgres, "postgres_password")
        return f"postgresql://postgres:{secrets[password]}@127.0.0.1:{port}/postgres"

    def environment(self, service: str, secrets: Mapping[str, str], *, demo: bool) -> dict[str, str]:
        """The FORECOURT_… variables of one service, and no secret it does not need."""
        told = {
            "host": "127.0.0.1",
            "port": str(self.port(service)),
            "writer_url": self.database(service, "writer", secrets),
            "reader_url": self.database(service, "reader", secrets),
            "kafka": f"127.0.0.1:{self.kafka}",
            "topic_prefix": PREFIX,
            "anchors": str(self.folder / "anchors"),
            "redis_url": f"redis://:{secrets['redis_password']}@127.0.0.1:{self.redis}/0",
            **{name: secrets[name] for name in ("internal_public_key", "cursor_secret", "index_key")},
        }
        if service in PERSONAL:
            told |= {"vault_url": self.database(VAULT, "writer", secrets), "vault_master_key": secrets["vault_master_key"]}
        if service == "gateway":
            told["ops_port"] = str(self.ops)
            told |= {name: secrets[name] for name in ("internal_private_key", "access_private_key", "admin_password")}
            told["services"] = json.dumps({each: f"http://127.0.0.1:{self.port(each)}" for each in SERVICES if each != service})
            if demo:
                told["admin_password"] = told["demo_password"] = secrets["demo_password"]
        return {f"FORECOURT_{name.upper()}": value for name, value in told.items()}
