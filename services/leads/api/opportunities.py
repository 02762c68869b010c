"""The commands of an opportunity over HTTP."""

from fastapi import APIRouter

from services.leads import known
from services.leads.api.fields import Channel, FollowUp, Word
from services.leads.api.people import colleague, referred, stored_row
from services.leads.domain import opportunity as o
from services.leads.views.opportunities import opportunity_list
from shared.handling import Done
from shared.values.ids import new_id
from shared.web.body import Body, Id, Line, Text
from shared.web.call import Call
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class NewOpportunity(Body):
    """A known customer buys again. Without a seller it is the caller's own."""

    customer_id: Id
    store_id: Id
    brand: Line
    series: Word = ""
    channel: Channel
    campaign_id: Id | None = None
    seller_id: Id | None = None


class Advance(Body):
    to: Line


class Loss(Body):
    reason: Line
    competitor: Line | None = None
    note: Text = ""


class Refusal(Body):
    reason: Line


@router.post("/opportunities", status_code=201, summary="Open an opportunity", openapi_extra=needs("opportunities.work"))
async def open_opportunity(body: NewOpportunity, call: Call) -> Done:
    """For a known customer, without a lead."""
    stores = await call.kit.store.rows(known.stores, [(body.store_id,)])
    if not stores or not call.auth.has_store(body.store_id):
        raise Problem("unknown-reference", errors=[FieldError("store_id", "unknown")])
    customer = await referred(call, known.customers, body.customer_id, "customer_id")
    if body.campaign_id:
        await referred(call, known.campaigns, body.campaign_id, "campaign_id")
    seller_id = body.seller_id or call.staff
    await colleague(call, seller_id, body.store_id, "seller_id")
    id = new_id()
    command = o.OpenOpportunity(
        opportunity_id=id,
        lead_id=None,
        person_id=body.customer_id,
        store_id=body.store_id,
        entity_id=stores[body.store_id,].entity_id,
        seller_id=seller_id,
        campaign_id=body.campaign_id,
        channel=body.channel,
        brand=body.brand,
        series=body.series,
        name=customer.name,
        phone=customer.phone,
        at=call.at,
    )
    return await call.handle("opportunity", id, command, store_id=body.store_id)


@router.post("/opportunities/{opportunity_id}/advance", summary="Move to another stage", openapi_extra=needs("opportunities.work"))
async def advance_opportunity(opportunity_id: Id, body: Advance, call: Call) -> Done:
    """Only along the allowed moves; a refusal names them."""
    command = o.AdvanceOpportunity(to=body.to, by=call.staff, manager=call.auth.may("leads.assign"), at=call.at)
    return await call.handle("opportunity", opportunity_id, command)


@router.post("/opportunities/{opportunity_id}/follow-ups", summary="Record a contact", openapi_extra=needs("opportunities.work"))
async def follow_up_opportunity(opportunity_id: Id, body: FollowUp, call: Call) -> Done:
    """What was said and what comes next."""
    row = await stored_row(call, opportunity_list, opportunity_id)
    command = o.RecordFollowUp(
        follow_up_id=new_id(),
        by=call.staff,
        manager=call.auth.may("leads.assign"),
        kind=body.kind,
        text=await call.vault.seal(row.person_id, body.text),
        doubts=tuple(body.doubts),
        plan=await call.vault.seal(row.person_id, body.plan),
        next_at=body.next_at,
        at=call.at,
    )
    return await call.handle("opportunity", opportunity_id, command)


@router.post("/opportunities/{opportunity_id}/lose", summary="Ask to close as lost", openapi_extra=needs("opportunities.work"))
async def lose(opportunity_id: Id, body: Loss, call: Call) -> Done:
    """A manager decides on the request."""
    row = await stored_row(call, opportunity_list, opportunity_id)
    command = o.RequestLoss(
        reason=body.reason,
        competitor=body.competitor,
        note=await call.vault.seal(row.person_id, body.note),
        by=call.staff,
        manager=call.auth.may("leads.assign"),
        at=call.at,
    )
    return await call.handle("opportunity", opportunity_id, command)


@router.post("/opportunities/{opportunity_id}/approve-loss", summary="Approve a lost-deal request", openapi_extra=needs("leads.assign"))
async def approve_loss(opportunity_id: Id, call: Call) -> Done:
    """By somebody else than who asked."""
    return await call.handle("opportunity", opportunity_id, o.ApproveLoss(by=call.staff, at=call.at))


@router.post("/opportunities/{opportunity_id}/refuse-loss", summary="Refuse a lost-deal request", openapi_extra=needs("leads.assign"))
async def refuse_loss(opportunity_id: Id, body: Refusal, call: Call) -> Done:
    """The opportunity stays open."""
    return await call.handle("opportunity", opportunity_id, o.RefuseLoss(by=call.staff, reason=body.reason, at=call.at))
