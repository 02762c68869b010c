"""Some of the services, each in a process of its own as in production, on servers that are there."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deploy.bench.place import Place
from deploy.local.plan import DATABASES, PREFIX, SERVICES, Plan
from deploy.local.process import Problem, free_port, ready, tail
from deploy.local.secrets import generated, password
from deploy.local.setup import set_up_databases, set_up_topics
from shared.testing.servers import PASSWORD
from shared.values.ids import new_id

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Running:
    """Where services listen, and the secrets they share."""

    plan: Plan
    secrets: dict[str, str]
    places: dict[str, str]


@asynccontextmanager
async def running(place: Place, names: Iterable[str]) -> AsyncIterator[Running]:
    """The services by name, ready. Their CPU counts as the servers'."""
    servers, names = place.servers, tuple(names)
    secrets = generated()
    base = free_port() // 1000 * 1000
    plan = Plan(folder=servers.folder, cache=ROOT / ".cache", base=base, gateway=base + 80)
    passwords = {f"{name}_{role}": secrets[f"{name}_{role}_password"] for name in DATABASES for role in ("writer", "reader")}
    await asyncio.to_thread(set_up_databases, servers.postgres, DATABASES, passwords)
    await set_up_topics(servers.kafka, SERVICES, PREFIX)
    told = {
        **dict.fromkeys((f":{plan.postgres}/", f":{plan.vault}/"), f":{urlsplit(servers.postgres).port}/"),
        **{f"127.0.0.1:{plan.kafka}": servers.kafka, f"redis://:{secrets['redis_password']}@127.0.0.1:{plan.redis}/0": servers.redis},
    }
    processes = []
    try:
        for name in names:
            environment = plan.environment(name, secrets, demo=False)
            for ours, theirs in told.items():
                environment = {key: value.replace(ours, theirs) for key, value in environment.items()}
            await _module(f"services.{name}", "migrate", environment, servers.folder / f"{name}.log")
            processes.append(start(f"services.{name}", "run", environment, servers.folder / f"{name}.log"))
            place.beside.append(processes[-1].pid)
        for name in names:
            await answers(plan.port(name), servers.folder / f"{name}.log")
        yield Running(plan, secrets, {name: f"http://127.0.0.1:{plan.port(name)}" for name in names})
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            await asyncio.to_thread(process.wait, 10)
            place.beside.remove(process.pid)


def start(module: str, *arguments: Any) -> "subprocess.Popen[bytes]":
    """A Python module as a process; the last two arguments are its environment and its log."""
    *words, environment, log = arguments
    with Path(log).open("ab") as out:
        return subprocess.Popen([sys.executable, "-m", module, *words], cwd=ROOT, env=environment, stdout=out, stderr=out)


async def _module(module: str, word: str, environment: dict[str, str], log: Path) -> None:
    process = start(module, word, environment, log)
    if await asyncio.to_thread(process.wait, 60):
        raise Problem(f"{module} {word} failed: {tail(log)}")


async def answers(port: int, log: Path, seconds: float = 60) -> None:
    """Returns when /readyz says 200. Raises Problem with the end of the log."""
    until = time.monotonic() + seconds
    while not await asyncio.to_thread(ready, port):
        if time.monotonic() > until:
            raise Problem(f"Nothing answers on {port}: {tail(log)}")
        await asyncio.sleep(0.05)


def internal(secrets: Mapping[str, str], subject: str, rights: Mapping[str, list[str]]) -> str:
    """A token as the gateway gives it to services, for an hour: `rights` are roles, permissions and stores."""
    now = int(time.time())
    claims = {"iss": "forecourt", "aud": "internal", "sub": subject, "iat": now, "nbf": now, "exp": now + 3600, "jti": new_id()}
    return jwt.encode({**claims, **rights}, load_pem_private_key(secrets["internal_private_key"].encode(), None), "EdDSA")  # type: ignore[arg-type]


class Staff:
    """Makes logins through a gateway, as an administrator would."""

    def __init__(self, running: Running) -> None:
        self.url = f"{running.places['gateway']}/api/v1"
        self.first = running.secrets["admin_password"]

    async def tokens(self, many: int, role: str) -> list[str]:
        """The access tokens of so many people of one role, of every store."""
        async with aiohttp.ClientSession() as http:
            await self._renew(http, "admin", self.first)
            admin = await self._log_in(http, "admin", PASSWORD_OF_ALL)
            made = []
            for number in range(many):
                name, first = f"{role}.{number}.{password(4).lower()}", password(12) + "-1a"
                body = {"username": name, "name": name, "roles": [role], "store_ids": ["*"], "password": first}
                await self._post(http, "/users", body, admin)
                await self._renew(http, name, first)
                made.append(await self._log_in(http, name, PASSWORD_OF_ALL))
            return made

    async def _renew(self, http: aiohttp.ClientSession, name: str, first: str) -> None:
        token = await self._log_in(http, name, first)
        await self._post(http, "/auth/password", {"current": first, "new": PASSWORD_OF_ALL}, token)

    async def _log_in(self, http: aiohttp.ClientSession, name: str, secret: str) -> str:
        form = {"grant_type": "password", "username": name, "password": secret}
        async with http.post(f"{self.url}/auth/token", data=form) as answer:
            return str((await _checked(answer))["access_token"])

    async def _post(self, http: aiohttp.ClientSession, path: str, body: Any, token: str) -> Any:
        headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4()), "if-match": "*"}
        async with http.post(f"{self.url}{path}", json=body, headers=headers) as answer:
            return await _checked(answer)


PASSWORD_OF_ALL = f"{PASSWORD}-A1"


async def _checked(answer: aiohttp.ClientResponse) -> Any:
    told = await answer.json(content_type=None)
    if answer.status not in (200, 201):
        raise Problem(f"{answer.url.path}: {answer.status} {told}")
    return told
