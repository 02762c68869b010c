"""A command over HTTP: a bare route, one service, and the same through the gateway."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from deploy.bench import raw
from deploy.bench.load import asking, post
from deploy.bench.measure import Contenders, times
from deploy.bench.place import Place
from deploy.bench.services import Staff, answers, internal, running, start
from deploy.local.process import free_port
from shared.values.ids import new_id

CONNECTIONS = 64
PEOPLE = 16
BARE, USUAL = "bare FastAPI route, bytes in and out", "bare FastAPI route, model in, dict out"
DIRECT, GATEWAY = "ours, one service", "ours, through the gateway"
GOALS = (times(DIRECT, BARE, 0.7), times(DIRECT, USUAL, 0.7), times(GATEWAY, DIRECT, 0.6))
PATH = "/api/v1/trims"
RIGHTS = {"roles": ["stock-clerk"], "permissions": ["catalogue.write", "inventory.read"], "stores": ["*"]}


def trim() -> bytes:
    """A trim nobody has listed."""
    about = {"brand": "Aurora", "series": "A5", "model_year": 2026, "name": new_id(), "powertrain": "petrol"}
    return msgspec.json.encode({**about, "guide_price": {"amount": "189800.00", "currency": "CNY"}})


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
        inside = [internal(ours.secrets, f"0192f3a4-0000-7000-8000-{number:012}", RIGHTS) for number in range(PEOPLE)]
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
