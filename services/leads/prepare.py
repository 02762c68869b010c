"""Fills an automatic assignment with the sellers of that moment, read in the transaction that decides it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from weakref import WeakKeyDictionary

from services.leads import known
from services.leads.domain.assignment import Candidate, choose
from services.leads.domain.lead.messages import AssignByRule, RouteLead
from services.leads.domain.sla import Hours, first_contact
from services.leads.views.pipeline import LeadRow, lead_list
from shared.decider import replace
from shared.following import Preparing
from shared.store.protocol import Reads
from shared.values.clock import local_day, utc_now

SELLER = "sales-consultant"

_given: WeakKeyDictionary[Preparing, Counter[str]] = WeakKeyDictionary()
"""Timers fire several at a time in one transaction: what those before have given is not written yet, but counts."""


async def route(command: RouteLead, tx: Preparing) -> AssignByRule:
    """The assignment a lead's timer asks for."""
    row: LeadRow = (await tx.rows(lead_list, [(command.lead_id,)]))[command.lead_id,]
    given = _given.setdefault(tx, Counter())
    asked = await by_rule(tx, row, utc_now(), given)
    choice = choose(asked.candidates, store_id=row.store_id, brand=row.brand, relationship=asked.relationship)
    if choice.seller_id and not row.seller_id:
        given[choice.seller_id] += 1
    return asked


async def by_rule(reads: Reads, row: LeadRow, at: datetime, given: Mapping[str, int]) -> AssignByRule:
    """Candidates, relationship, deadline and the next time somebody may be there; `given` are leads not counted yet."""
    store: known.StoreKnown | None = (await reads.rows(known.stores, [(row.store_id,)])).get((row.store_id,))
    shifts: list[known.ShiftKnown] = await reads.scan(known.shifts, store_id=row.store_id)
    found = await sellers(reads, row.store_id, shifts, at, store.timezone if store else "UTC")
    return AssignByRule(
        candidates=tuple(_after(one, given.get(one.seller_id, 0)) for one in found),
        relationship=await _relationship(reads, row),
        deadline=first_contact(at, hours(store)),
        retry_at=min((shift.starts_at for shift in shifts if shift.starts_at > at and not shift.cancelled), default=None),
        at=at,
    )


def _after(one: Candidate, given: int) -> Candidate:
    return replace(one, open_leads=one.open_leads + given, assigned=one.assigned + given)


def hours(store: known.StoreKnown | None) -> Hours:
    """A store's hours; a store not heard of yet counts as open all day."""
    if store is None:
        return Hours(opens=time(0), closes=time(0), timezone="UTC")
    return Hours(opens=time.fromisoformat(store.opens), closes=time.fromisoformat(store.closes), timezone=store.timezone)


async def sellers(reads: Reads, store_id: str, shifts: Sequence[known.ShiftKnown], at: datetime, timezone: str) -> list[Candidate]:
    """The consultants of a store with their shift, load and turn at the moment `at`."""
    everybody: list[known.StaffKnown] = await reads.scan(known.staff, enabled=True)
    there = [one for one in everybody if store_id in one.store_ids and SELLER in one.roles]
    ids = [one.staff_id for one in there]
    loads, turns = await reads.tallies("capacity", ids), await reads.tallies("assigned", ids)
    return [candidate(one, shifts, at, timezone, loads[one.staff_id], turns[one.staff_id]) for one in there]


def candidate(
    one: known.StaffKnown, shifts: Sequence[known.ShiftKnown], at: datetime, timezone: str, open_leads: int, assigned: int
) -> Candidate:
    """A consultant as the rule sees him. A store that planned no shift for the day has nobody off."""
    day = local_day(at, timezone)
    planned = any(local_day(shift.starts_at, timezone) <= day <= local_day(shift.ends_at, timezone) for shift in shifts)
    mine = [shift for shift in shifts if shift.staff_id == one.staff_id and shift.starts_at <= at < shift.ends_at]
    return Candidate(
        seller_id=one.staff_id,
        store_ids=one.store_ids,
        brands=one.brands,
        on_shift=any(not shift.cancelled for shift in mine) if planned else None,
        absent=bool(mine) and all(shift.cancelled for shift in mine),
        open_leads=open_leads,
        capacity=one.capacity,
        assigned=assigned,
    )


async def _relationship(reads: Reads, row: LeadRow) -> str | None:
    """The seller who had this person's latest lead at the same legal entity."""
    if not row.identity:
        return None
    others: list[LeadRow] = await reads.scan(lead_list, identity=row.identity)
    theirs = [one for one in others if one.entity_id == row.entity_id and one.lead_id != row.lead_id and one.seller_id]
    return max(theirs, key=lambda one: one.captured_at).seller_id if theirs else None
