"""The commands of a lead over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter

from services.leads import known
from services.leads.api.fields import Channel, Facts, FollowUp, Region, Word
from services.leads.api.people import colleague, stored_row
from services.leads.capture import Draft, Person, capture
from services.leads.domain.disqualification import remine_at
from services.leads.domain.grading import STANDARD, Grading
from services.leads.domain.lead import messages as m
from services.leads.domain.sla import first_contact, second_contact
from services.leads.prepare import by_rule, candidate, hours
from services.leads.views.pipeline import lead_list
from services.leads.views.settings import grading_rules
from shared.handling import Done
from shared.values.ids import new_id
from shared.web.body import Body, Clean, EmailText, Id, Line, Text
from shared.web.call import Call
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class NewLead(Facts):
    """A person's interest. At least one of phone, email and wechat; a telephone number that does not parse is kept and flagged."""

    store_id: Id
    brand: Line
    series: Word = ""
    channel: Channel
    campaign_id: Id | None = None
    source: Annotated[str, Clean(most=200, example="site/4711")] = ""
    consent: Annotated[str, Clean(most=80, example="privacy-2026-01")] = ""
    name: Line
    phone: Annotated[str, Clean(most=30, example="138 0013 8000")] = ""
    region: Region = "CN"
    email: EmailText | None = None
    wechat: Annotated[str, Clean(most=40, example="wxid_lin")] = ""
    comments: Text = ""


class Assignment(Body):
    """To whom; without a seller the rule decides again."""

    seller_id: Id | None = None
    reason: Annotated[str, Clean(most=200, example="Knows the family")] = ""


class Place(Body):
    store_id: Id


class Disqualification(Body):
    reason: Literal["not-reached", "not-now", "no-budget", "bought-elsewhere", "wrong-data", "duplicate", "no-interest", "spam"]
    note: Text = ""
    remine: bool = True
    """Whether the lead comes back after the time its reason has."""


@router.post("/leads", status_code=201, summary="Capture a lead", openapi_extra=needs("leads.capture"))
async def capture_lead(body: NewLead, call: Call) -> Done:
    """One open lead per person, legal entity and brand: a second capture answers with the first lead, touched again."""
    if not (body.phone or body.email or body.wechat):
        raise Problem("validation", errors=[FieldError("phone", "missing")])
    draft = Draft(
        person=Person(name=body.name, phone=body.phone, region=body.region, email=body.email or "", wechat=body.wechat),
        store_id=body.store_id,
        brand=body.brand,
        series=body.series,
        channel=body.channel,
        campaign_id=body.campaign_id,
        source=body.source,
        consent=body.consent,
        interest=body.interest(),
        comments=body.comments,
    )
    return await capture(call, draft)


@router.post("/leads/{lead_id}/grade", summary="State new facts and grade again", openapi_extra=needs("leads.work"))
async def grade_lead(lead_id: Id, body: Facts, call: Call) -> Done:
    """The grade by the rules in force, for these facts."""
    rules = await call.kit.store.rows(grading_rules, [("grading",)])
    grading = next((Grading(version=row.version, rules=row.rules) for row in rules.values()), STANDARD)
    return await call.handle("lead", lead_id, m.GradeLead(interest=body.interest(), grading=grading, at=call.at))


@router.post("/leads/{lead_id}/place", summary="Give a lead of no store to one", openapi_extra=needs("leads.all", "leads.assign"))
async def place_lead(lead_id: Id, body: Place, call: Call) -> Done:
    """The store's rule assigns it next."""
    stores = await call.kit.store.rows(known.stores, [(body.store_id,)])
    if not stores or not call.auth.has_store(body.store_id):
        raise Problem("unknown-reference", errors=[FieldError("store_id", "unknown")])
    command = m.PlaceLead(store_id=body.store_id, entity_id=stores[body.store_id,].entity_id, by=call.staff, at=call.at)
    return await call.handle("lead", lead_id, command)


@router.post("/leads/{lead_id}/assign", summary="Assign a lead", openapi_extra=needs("leads.assign"))
async def assign_lead(lead_id: Id, body: Assignment, call: Call) -> Done:
    """By hand, with a reason; or by rule again, say for a lead in the queue."""
    row = await stored_row(call, lead_list, lead_id)
    if body.seller_id is None:
        return await call.handle("lead", lead_id, await by_rule(call.kit.store, row, call.at, {}))
    if not body.reason:
        raise Problem("validation", errors=[FieldError("reason", "missing")])
    one = await colleague(call, body.seller_id, row.store_id, "seller_id")
    store = (await call.kit.store.rows(known.stores, [(row.store_id,)])).get((row.store_id,))
    shifts = await call.kit.store.scan(known.shifts, store_id=row.store_id)
    loads = await call.kit.store.tallies("capacity", [one.staff_id])
    seller = candidate(one, shifts, call.at, store.timezone if store else "UTC", loads[one.staff_id], 0)
    deadline = first_contact(call.at, hours(store))
    return await call.handle("lead", lead_id, m.AssignLead(seller=seller, by=call.staff, reason=body.reason, deadline=deadline, at=call.at))


@router.post("/leads/{lead_id}/follow-ups", summary="Record a contact", openapi_extra=needs("leads.work"))
async def follow_up_lead(lead_id: Id, body: FollowUp, call: Call) -> Done:
    """The first one is the first contact of the SLA clock."""
    row = await stored_row(call, lead_list, lead_id)
    command = m.RecordFollowUp(
        follow_up_id=new_id(),
        by=call.staff,
        manager=call.auth.may("leads.assign"),
        kind=body.kind,
        text=await call.vault.seal(row.person_id, body.text),
        doubts=tuple(body.doubts),
        plan=await call.vault.seal(row.person_id, body.plan),
        next_at=body.next_at,
        second=second_contact(call.at),
        at=call.at,
    )
    return await call.handle("lead", lead_id, command)


@router.post("/leads/{lead_id}/convert", summary="Convert a lead to an opportunity", openapi_extra=needs("leads.work"))
async def convert_lead(lead_id: Id, call: Call) -> Done:
    """The opportunity opens a moment later; the lead then names it."""
    command = m.ConvertLead(opportunity_id=new_id(), by=call.staff, manager=call.auth.may("leads.assign"), at=call.at)
    return await call.handle("lead", lead_id, command)


@router.post("/leads/{lead_id}/disqualify", summary="Disqualify a lead", openapi_extra=needs("leads.work"))
async def disqualify_lead(lead_id: Id, body: Disqualification, call: Call) -> Done:
    """With its reason; some reasons bring the lead back after a time."""
    row = await stored_row(call, lead_list, lead_id)
    command = m.DisqualifyLead(
        reason=body.reason,
        note=await call.vault.seal(row.person_id, body.note),
        remine_at=remine_at(body.reason, call.at) if body.remine else None,
        by=call.staff,
        manager=call.auth.may("leads.assign"),
        at=call.at,
    )
    return await call.handle("lead", lead_id, command)
