"""Whole sales and orders on the whole platform, beside Tryton's on the same PostgreSQL.

Tryton is measured with eight clients, as many as it has threads: more only wait in its queue.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from deploy.bench.dealer import Dealer, dealing, whole
from deploy.bench.measure import Contenders, Goal, Prepared, Took, times
from deploy.bench.peers import tryton
from deploy.bench.place import Place
from deploy.local.plan import Plan

FEW, MANY = "ours, 8 clients", "ours, 32 clients"
FULL = "Tryton, shipment and invoice, 8 clients"
APPROVED, DEFERRED = "ours, 4 clients", "Tryton, the rest in its queue, 4 clients"
CPU = "CPU ms per sale over all processes"
SALE_GOALS = (
    *(times(FEW, FULL, 12), times(MANY, FULL, 30)),
    Goal(text=f"{CPU}, 8 clients", value=lambda r: r[FEW].server / 1000, most=70),
    Goal(text=f"{CPU}, 32 clients", value=lambda r: r[MANY].server / 1000, most=70),
)
ORDER_GOALS = (times(APPROVED, DEFERRED, 10),)


def working(dealer: Dealer, clients: int, *, whole: bool) -> Prepared:
    """Cars are received before the turn; a turn is about as long as it is asked to be, by what was sold in the one before."""
    each = 1

    async def prepare() -> None:
        await dealer.stock(clients * each)

    async def run(seconds: float) -> Took:
        nonlocal each
        took = await dealer.at_work(clients, each, whole=whole)
        each = max(1, round(each * seconds / took.seconds))
        return took

    return Prepared(prepare, run)


@asynccontextmanager
async def sales(place: Place) -> AsyncIterator[Contenders]:
    """From the quote to the last process."""
    async with AsyncExitStack() as stack:
        platform, group = await stack.enter_async_context(whole(place))
        dealer = await stack.enter_async_context(dealing(platform, group, 32))
        made: Contenders = {FEW: working(dealer, 8, whole=True), MANY: working(dealer, 32, whole=True)}
        with place.perhaps(FULL):
            superuser = Plan.from_environment(platform.place).superuser(platform.secrets)
            peer = await stack.enter_async_context(tryton.running(place, superuser))
            made[FULL] = peer.contender(8, tryton.Client.sale)
        yield made


@asynccontextmanager
async def orders(place: Place) -> AsyncIterator[Contenders]:
    """Placed and approved only."""
    async with AsyncExitStack() as stack:
        platform, group = await stack.enter_async_context(whole(place))
        dealer = await stack.enter_async_context(dealing(platform, group, 4))
        made: Contenders = {APPROVED: working(dealer, 4, whole=False)}
        with place.perhaps(DEFERRED):
            superuser = Plan.from_environment(platform.place).superuser(platform.secrets)
            peer = await stack.enter_async_context(tryton.running(place, superuser, deferred=True))
            made[DEFERRED] = peer.contender(4, tryton.Client.sale)
        yield made
