"""Takes in a person's interest: the same person twice becomes one lead with two touches, never two leads."""

from dataclasses import dataclass

from services.leads import known
from services.leads.domain.grading import STANDARD, Grading, Interest
from services.leads.domain.lead.consequences import open_lead_key
from services.leads.domain.lead.messages import CaptureLead, TouchLead
from services.leads.views.pipeline import LeadRow, lead_list
from services.leads.views.settings import grading_rules
from shared.decider import Rejected, replace
from shared.deciding import Order
from shared.handling import Done, Request
from shared.store.protocol import Key
from shared.values.ids import new_id
from shared.values.phone import normalise
from shared.web.call import Call
from shared.web.problems import FieldError, Problem

TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Person:
    """As the source wrote it; `region` (ISO 3166) tells how to read the telephone number."""

    name: str
    phone: str = ""
    region: str = "CN"
    email: str = ""
    wechat: str = ""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An interest in clear, before anything is sealed. `source` is the sender's own number of it, and makes a resend harmless."""

    person: Person
    store_id: str | None
    brand: str
    series: str
    channel: str
    campaign_id: str | None = None
    source: str = ""
    consent: str = ""
    interest: Interest
    comments: str = ""


async def capture(call: Call, draft: Draft) -> Done:
    """Touches the open lead of this person, or captures a new one. Raises Problem for a store or campaign that is not the caller's."""
    entity_id = await _entity(call, draft)
    await check_campaign(call, draft.campaign_id)
    phone = normalise(draft.person.phone, draft.person.region).e164
    identity = _identity(call, draft, phone)
    for _ in range(TRIES):
        stream = await call.holder("open-lead", open_lead_key(entity_id, draft.brand, identity)) if identity else None
        try:
            return await (_touch(call, draft, stream) if stream else _new(call, draft, entity_id, identity, phone))
        except Rejected as no:
            if no.problem not in ("duplicate-lead", "lead-closed"):  # somebody else was first: look again
                raise
    raise Problem("duplicate-lead")


async def _entity(call: Call, draft: Draft) -> str | None:
    """The legal entity of the draft's store."""
    if draft.store_id is None:
        return None
    stores = await call.kit.store.rows(known.stores, [(draft.store_id,)])
    if not stores or not call.auth.has_store(draft.store_id):
        raise Problem("unknown-reference", errors=[FieldError("store_id", "unknown")])
    return str(stores[draft.store_id,].entity_id)


async def check_campaign(call: Call, campaign_id: str | None) -> None:
    """Raises Problem for a campaign that is not known, or not of the caller's stores."""
    if campaign_id is None:
        return
    campaigns = await call.kit.store.rows(known.campaigns, [(campaign_id,)])
    if not campaigns or not call.auth.has_store(campaigns[campaign_id,].store_id):
        raise Problem("unknown-reference", errors=[FieldError("campaign_id", "unknown")])


def _identity(call: Call, draft: Draft, phone: str | None) -> str | None:
    """The blind index to match by: a telephone number that parses, else the e-mail address, else the WeChat id, else the sender's number."""
    person = draft.person
    if phone:
        return str(call.vault.index("phone", phone))
    if person.email:
        return str(call.vault.index("email", person.email.casefold()))
    if person.wechat:
        return str(call.vault.index("wechat", person.wechat.casefold()))
    return str(call.vault.index("source", draft.source)) if draft.source else None


async def _grading(call: Call) -> Grading:
    rows = await call.kit.store.rows(grading_rules, [("grading",)])
    return next((Grading(version=row.version, rules=row.rules) for row in rows.values()), STANDARD)


async def _touch(call: Call, draft: Draft, stream: str) -> Done:
    """The lead may be another store's of the same legal entity: its owner keeps it, so no store is asked for here."""
    lead_id = stream.removeprefix("lead-")
    row: LeadRow = (await call.kit.store.rows(lead_list, [(lead_id,)]))[lead_id,]
    command = TouchLead(
        channel=draft.channel,
        campaign_id=draft.campaign_id,
        source=draft.source,
        consent=draft.consent,
        interest=draft.interest,
        comments=await call.vault.seal(row.person_id, draft.comments),
        grading=await _grading(call),
        at=call.at,
    )
    key = Key(subject=call.auth.subject, route=f"{call.request.method} {call.request.path}", key=call.key) if call.key else None
    order = Order(stream=stream, meta=call.meta(row.store_id or None))
    return await call.kit.handler.handle(Request(order=order, command=command, key=key, body_hash=call.body_hash, status=201))


async def _new(call: Call, draft: Draft, entity_id: str | None, identity: str | None, phone: str | None) -> Done:
    lead_id, person = new_id(), replace(draft.person, phone=phone or draft.person.phone)
    person_id, sealed = await _sealed(call, identity, person, draft.comments)
    command = CaptureLead(
        lead_id=lead_id,
        person_id=person_id,
        store_id=draft.store_id,
        entity_id=entity_id,
        brand=draft.brand,
        series=draft.series,
        channel=draft.channel,
        campaign_id=draft.campaign_id,
        source=draft.source,
        consent=draft.consent,
        interest=draft.interest,
        identity=identity,
        phone_valid=phone is not None,
        name=sealed[0],
        phone=sealed[1],
        email=sealed[2],
        wechat=sealed[3],
        comments=sealed[4],
        grading=await _grading(call),
        at=call.at,
    )
    return await call.handle("lead", lead_id, command, store_id=draft.store_id, new=True)


async def _sealed(call: Call, identity: str | None, person: Person, comments: str) -> tuple[str, list[str]]:
    """Who it is, known from an earlier lead or new, and what he said under his key. A person once forgotten comes back as a new one."""
    texts = [person.name, person.phone, person.email, person.wechat, comments]
    earlier: list[LeadRow] = await call.kit.store.scan(lead_list, identity=identity) if identity else []
    person_id = max(earlier, key=lambda row: row.captured_at).person_id if earlier else new_id()
    try:
        return person_id, [await call.vault.seal(person_id, text) for text in texts]
    except Rejected:
        person_id = new_id()
        return person_id, [await call.vault.seal(person_id, text) for text in texts]
