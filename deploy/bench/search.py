"""First pages: a customer search among a million, the stock list of a hundred thousand cars on hand, and Tryton's list of 200.

The views are filled in bulk (`filled.py`), in the shape the services write: rows by their deciders and folds, tokens and blind indexes
by the vault's own functions. Twenty thousand persons have keys of their own, and a hundred thousand cars more have been sold before.
"""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlencode

from deploy.bench import filled
from deploy.bench.load import asking, get
from deploy.bench.measure import Contenders, Goal, times
from deploy.bench.peers import tryton
from deploy.bench.place import Place
from deploy.bench.services import internal, running
from deploy.local.plan import VAULT
from deploy.local.setup import at
from services.gateway.domain.roles import permissions
from shared.events.privacy import Masters
from shared.values.ids import new_id

CLIENTS = 4
SEARCH, STOCK, LIST = "ours, customers", "ours, stock list", "Tryton, 50 of 200 customers"


def _p99(name: str) -> Goal:
    return Goal(text=f"{name}: p99 ms, the worst turn's", value=lambda r: max(r[name].p99), most=100)


GOALS = (_p99(SEARCH), _p99(STOCK), times(SEARCH, LIST, 12), times(STOCK, LIST, 12))

type Query = Callable[[int], dict[str, object]]
"""What is looked for, given the number of a customer or car."""


def customer_searches(sellers: list[str]) -> list[Query]:
    """The newest, all or a seller's; who calls from this number or one that ends so; who has this address."""
    return [
        lambda n: {},
        lambda n: {"seller_id": sellers[n % len(sellers)]},
        lambda n: {"phone": filled.phone(n).removeprefix("+86")},
        lambda n: {"phone_last4": filled.phone(n)[-4:]},
        lambda n: {"email": filled.email(n)},
    ]


def stock_searches(stores: list[str], trims: list[str]) -> list[Query]:
    """What has been here longest, of all or in a store; a model, a trim, what is reserved."""
    return [
        lambda n: {},
        lambda n: {"store_id": stores[n % len(stores)]},
        lambda n: {"brand": filled.BRANDS[n % 3], "series": filled.SERIES[n % 4]},
        lambda n: {"trim_id": trims[n % len(trims)]},
        lambda n: {"status": "reserved"},
    ]


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """Four clients each: half of them a store's manager, half the group's owner, who sees every store."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(running(place, ("customers", "inventory")))
        stores, trims = [new_id() for _ in range(filled.STORES)], [new_id() for _ in range(500)]
        sellers = [new_id() for _ in range(filled.STORES * filled.SELLERS)]
        superuser = place.servers.postgres
        vault = filled.Bulk(at(superuser, VAULT), Masters.parse(ours.secrets["vault_master_key"], ours.secrets["index_key"]))
        await filled.customers(at(superuser, "customers"), vault, stores, sellers)
        await vault.write()
        await filled.cars(at(superuser, "inventory"), stores, trims)
        roles = [("sales-manager", [stores[0]]), ("group-owner", ["*"])] * (CLIENTS // 2)
        rights = [{"roles": [role], "permissions": sorted(permissions((role,))), "stores": whose} for role, whose in roles]
        known = [f"Bearer {internal(ours.secrets, new_id(), right)}" for right in rights]

        def page(path: str, queries: list[Query], many: int, caller: int) -> bytes:
            number = random.randrange(many // filled.STORES) * filled.STORES  # of the manager's store
            asked = urlencode({"limit": 50, **random.choice(queries)(number)})
            return get(f"/api/v1/{path}?{asked}", authorization=known[caller])

        customers, cars = customer_searches(sellers), stock_searches(stores, trims)
        made: Contenders = {
            SEARCH: asking(
                ours.plan.port("customers"), CLIENTS, lambda caller: page("customers", customers, filled.CUSTOMERS, caller), 200
            ),
            STOCK: asking(ours.plan.port("inventory"), CLIENTS, lambda caller: page("vehicles", cars, filled.ON_HAND, caller), 200),
        }
        with place.perhaps(LIST):
            peer = await stack.enter_async_context(tryton.running(place, superuser))
            made[LIST] = peer.contender(CLIENTS, tryton.Client.list)
        yield made
