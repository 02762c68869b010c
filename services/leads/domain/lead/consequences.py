"""What a lead's events claim across streams, and what they let happen later."""

from collections.abc import Iterable
from datetime import datetime

from services.leads.domain.lead import messages as m
from services.leads.domain.opportunity import OpenOpportunity
from shared.decider import Claim, Count, Release, Schedule, Take, Timer, Unschedule

NO_ENTITY = "-"
UNLIMITED = 2_000_000_000


def open_lead_key(entity_id: str | None, brand: str, identity: str) -> str:
    """The claim's key: one open lead per legal entity, brand and person."""
    return f"{entity_id or NO_ENTITY}/{brand.casefold()}/{identity}"


def claims(event: m.Event) -> list[Claim]:
    """One open lead per person, entity and brand; no seller beyond his capacity."""
    match event:
        case (
            m.LeadCaptured(entity_id=entity, brand=brand, identity=identity)
            | m.LeadRemined(entity_id=entity, brand=brand, identity=identity)
        ):
            return _take(entity, brand, identity)
        case m.LeadPlaced(entity_id=entity, brand=brand, identity=identity):
            return [Release(kind="open-lead"), *_take(entity, brand, identity)]
        case m.LeadAssigned(seller_id=seller, previous_seller=previous, capacity=capacity):
            return [*_count(previous, -1, 0), *_count(seller, 1, capacity), _given(seller)]
        case m.LeadConverted(seller_id=seller) | m.LeadDisqualified(seller_id=seller):
            return [Release(kind="open-lead"), *_count(seller, -1, 0)]
        case _:
            return []


def _take(entity_id: str | None, brand: str, identity: str | None) -> list[Claim]:
    if identity is None:
        return []
    key = open_lead_key(entity_id, brand, identity)
    return [Take(kind="open-lead", key=key, problem="duplicate-lead", reason="This person has an open lead of this brand already.")]


def _count(seller: str | None, by: int, most: int) -> list[Claim]:
    if seller is None:
        return []
    return [
        Count(
            kind="capacity", key=seller, by=by, most=most, problem="seller-at-capacity", reason="This seller holds as many leads as he may."
        )
    ]


def _given(seller: str) -> Claim:
    """Counts what a seller was ever given, so that equals take turns."""
    return Count(
        kind="assigned", key=seller, by=1, most=UNLIMITED, problem="seller-at-capacity", reason="This seller was given too many leads."
    )


def timers(event: m.Event) -> list[Timer]:
    """What an event lets happen later."""
    match event:
        case m.LeadCaptured(lead_id=lead, store_id=store, captured_at=at):
            return [_route(lead, at, None)] if store else []
        case m.LeadPlaced(lead_id=lead, placed_at=at) | m.LeadRemined(lead_id=lead, remined_at=at):
            return [_route(lead, at, None)]
        case m.LeadQueued(lead_id=lead, retry_at=retry_at):
            return [_route(lead, retry_at, retry_at)] if retry_at else []
        case m.LeadAssigned(deadline=deadline):
            return [Unschedule(key="route"), *_watch("first", deadline)]
        case m.LeadContacted(second=second):
            return [*_unwatch("first"), *_watch("second", second)]
        case m.FollowUpRecorded(contact=contact, next_at=next_at):
            return [*(_unwatch("second") if contact == 2 else []), _next(next_at)]
        case m.LeadConverted():
            return [*_stop(), _open_opportunity(event)]
        case m.LeadDisqualified(remine_at=remine_at):
            remine = [Schedule(key="remine", command=m.RemineLead(at=remine_at), at=remine_at)] if remine_at else []
            return [*_stop(), *remine]
        case _:
            return []


def _route(lead_id: str, at: datetime, when: datetime | None) -> Timer:
    return Schedule(key="route", command=m.RouteLead(lead_id=lead_id, at=at), at=when)


def _next(next_at: datetime | None) -> Timer:
    if next_at is None:
        return Unschedule(key="next")
    return Schedule(key="next", command=m.RemindFollowUp(next_at=next_at, at=next_at), at=next_at)


def _watch(contact: str, deadline: m.Deadline) -> Iterable[Timer]:
    remind_at, due_at = deadline.remind_at, deadline.due_at
    remind = m.RemindContact(contact=contact, due_at=due_at, at=remind_at)
    escalate = m.EscalateContact(contact=contact, due_at=due_at, at=due_at)
    yield Schedule(key=f"{contact}/remind", command=remind, at=remind_at)
    yield Schedule(key=f"{contact}/escalate", command=escalate, at=due_at)


def _unwatch(contact: str) -> list[Timer]:
    return [Unschedule(key=f"{contact}/remind"), Unschedule(key=f"{contact}/escalate")]


def _stop() -> list[Timer]:
    keys = Unschedule(key="route"), Unschedule(key="next")
    return [*keys, *_unwatch("first"), *_unwatch("second")]


def _open_opportunity(event: m.LeadConverted) -> Schedule:
    command = OpenOpportunity(
        opportunity_id=event.opportunity_id,
        lead_id=event.lead_id,
        person_id=event.person_id,
        store_id=event.store_id,
        entity_id=event.entity_id,
        seller_id=event.seller_id,
        campaign_id=event.campaign_id,
        channel=event.channel,
        brand=event.brand,
        series=event.series,
        name=event.name,
        phone=event.phone,
        at=event.converted_at,
    )
    return Schedule(key="open", command=command, to=f"opportunity-{event.opportunity_id}")
