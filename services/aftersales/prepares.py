"""Finds the slot for a proposed maintenance in the transaction that books it; a slot lost to somebody else is looked for again."""

from collections.abc import Mapping
from datetime import timedelta

from services.aftersales.domain.appointment import ProposeMaintenance
from services.aftersales.domain.slots import Slot, minutes_of, offered
from services.aftersales.known import stores_known
from services.aftersales.workshop import busy_on, workshop
from shared.decider import replace
from shared.following import Prepare, Preparing
from shared.values.clock import local_day, utc_now

DAYS = 30
"""How many days from the one it is due on are looked at."""


async def first_free(command: ProposeMaintenance, tx: Preparing) -> ProposeMaintenance:
    """The proposal with the first free slot from its due day on, or without one."""
    return replace(command, slot=await find(command, tx), at=utc_now())


async def find(command: ProposeMaintenance, tx: Preparing) -> Slot | None:
    """The first free slot; None while the store, its bays or its technicians are not known, or all are taken."""
    store = (await tx.rows(stores_known, [(command.store_id,)])).get((command.store_id,))
    if store is None:
        return None
    shop = await workshop(tx, store)
    if not shop.bays or not shop.technicians:
        return None
    now = utc_now()
    day = local_day(max(command.not_before, now), store.timezone)
    for n in range(DAYS):
        that_day = day + timedelta(days=n)
        busy = await busy_on(tx, that_day)
        for slot in offered(that_day, shop.hours, minutes_of(command.services), shop.bays, shop.technicians, busy, now):
            return slot
    return None


prepares: Mapping[type, Prepare] = {ProposeMaintenance: first_free}
