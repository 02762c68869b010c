"""A command over HTTP: a bare route, one service, and the same through the gateway."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import jwt
import msgspec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deploy.bench import raw
from deploy.bench.load import asking, post
from deploy.bench.measure import Contenders, times
from deploy.bench.place import Place
from deploy.bench.services import Running, Staff, answers, running, start
from deploy.local.process import free_port
from shared.values.ids import new_id

CONNECTIONS = 64
PEOPLE = 16
BARE, USUAL = "bare FastAPI route, bytes in and out", "bare FastAPI route, model in, dict out"
DIRECT, GATEWAY = "ours, one service", "ours, through the gateway"
GOALS = (times(DIRECT, BARE, 0.7), times(DIRECT, USUAL, 0.7), times(GATEWAY, DIRECT, 0.6))
PATH = "/api/v1/trims"


def trim() -> bytes:
    """A trim nobody has listed."""
    about = {"brand": "Aurora", "series": "A5", "model_year": 2026, "name": new_id(), "powertrain": "petrol"}
    return msgspec.json.encode({**about, "guide_price": {"amount": "189800.00", "currency": "CNY"}})


def internal(running: Running, subject: str) -> str:
    """A token as the gateway gives it to services."""
    now = int(time.time())
    rights = {"roles": ["stock-clerk"], "permissions": ["catalogue.write", "inventory.read"], "stores": ["*"]}
    claims = {"iss": "forecourt", "aud": "internal", "sub": subject, "iat": now, "nbf": now, "exp": now + 3600, "jti": new_id()}
    return jwt.encode({**claims, **rights}, load_pem_private_key(running.secrets["internal_private_key"].encode(), None), "EdDSA")  # type: ignore[arg-type]


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """One process each; every request has a token and a key of its own."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(running(place, ("inventory", "gateway")))
        port = free_port()
        url, _ = await place.servers.fresh_database("bare")
        log = place.servers.folder / "bare.log"
        bare = start("deploy.bench.bare", {**os.environ, "BARE_URL": url, "BARE_PORT": str(port)}, log)
        stack.callback(bare.wait, 10)
        stack.callback(bare.terminate)
        place.beside.append(bare.pid)
        await answers(port, log)
        inside = [internal(ours, f"0192f3a4-0000-7000-8000-{number:012}") for number in range(PEOPLE)]
        outside = await Staff(ours).tokens(PEOPLE, "stock-clerk")

        def request(tokens: list[str], caller: int) -> bytes:
            return post(PATH, trim(), authorization=f"Bearer {tokens[caller % PEOPLE]}", idempotency_key=new_id())

        plan = ours.plan
        yield {
            BARE: asking(port, CONNECTIONS, lambda _: post("/bare", raw.payload()), 201),
            USUAL: asking(port, CONNECTIONS, lambda _: post("/usual", trim()), 201),
            DIRECT: asking(plan.port("inventory"), CONNECTIONS, lambda caller: request(inside, caller), 201),
            GATEWAY: asking(plan.gateway, CONNECTIONS, lambda caller: request(outside, caller), 201),
        }
