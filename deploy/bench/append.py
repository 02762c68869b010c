"""Durable appends: the whole command of the kit beside one bare row, and beside what others call an append."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from deploy.bench import raw
from deploy.bench.measure import Contender, Contenders, Took, callers, times
from deploy.bench.model import Change, aggregate, deals, place, request, stored
from deploy.bench.peers import event_stores
from deploy.bench.place import Place, handling, opened
from shared.handling import Handler
from shared.values.clock import utc_now
from shared.values.ids import new_id

CALLERS = 64
COLD, WARM = "ours, cold streams", "ours, warm streams"
RAW = "raw group commit, one bare row"
DEFAULT, FUNCTION = "pyeventsourcing, default", "pyeventsourcing, db functions"
EMMETT, MESSAGE_DB = "emmett-postgresql", "message-db, 16 categories"
GOALS = (
    *(times(COLD, RAW, 0.5), times(WARM, RAW, 0.6), times(COLD, DEFAULT, 12), times(COLD, FUNCTION, 3)),
    *(times(COLD, EMMETT, 4), times(COLD, MESSAGE_DB, 1.5)),
)


def commands(handler: Handler) -> Contender:
    """Each caller places a deal, then changes it, and so on; every command has a key."""

    async def run(seconds: float) -> Took:
        last: dict[int, str] = {}

        async def operation(caller: int) -> None:
            order_id = last.pop(caller, None)
            if order_id is None:
                order_id = last[caller] = new_id()
                await handler.handle(request(order_id, place(order_id), new=True))
            else:
                await handler.handle(request(order_id, Change(at=utc_now()), new=False))

        return await callers(CALLERS, seconds, operation)

    return run


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """Ours on cold and on warm streams, the hand-written group commit, and the peers."""
    async with AsyncExitStack() as stack:
        cold = await stack.enter_async_context(opened(await place.database("cold", deals)))
        warm = await stack.enter_async_context(opened(await place.database("warm", deals)))
        group = await stack.enter_async_context(raw.group_commit((await place.servers.fresh_database("raw"))[0]))
        forgetful = await stack.enter_async_context(handling(cold, stored, aggregate, remember=False))
        mindful = await stack.enter_async_context(handling(warm, stored, aggregate))

        async def bare(seconds: float) -> Took:
            return await callers(CALLERS, seconds, lambda _: group.insert(raw.row()))

        made: Contenders = {COLD: commands(forgetful), WARM: commands(mindful), RAW: bare}
        for name, what, threads in ((DEFAULT, "append", 16), (FUNCTION, "function", 16)):
            with place.perhaps(name):
                made[name] = event_stores.eventsourcing(await place.superuser(what), what, threads)
        with place.perhaps(MESSAGE_DB):
            made[MESSAGE_DB] = await stack.enter_async_context(event_stores.message_db(await place.superuser("mdb"), 16, 16))
        with place.perhaps(EMMETT):
            made[EMMETT] = event_stores.emmett(await place.superuser("emmett"), 16)
        yield made
