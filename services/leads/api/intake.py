"""Leads that others send, and where they belong."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from services.leads import known
from services.leads.api.fields import Region
from services.leads.capture import Draft, Person, capture, check_campaign
from services.leads.domain.grading import GradeRule, Interest
from services.leads.domain.rules import SetGrading
from services.leads.domain.vendor import MapVendor, vendor_key
from services.leads.intake import adf
from services.leads.views.settings import VendorRow, vendor_list
from shared.decider import Rejected
from shared.handling import Done
from shared.values.ids import derived_id
from shared.web.body import Body, Id, Line, PositiveAmount, Raw
from shared.web.call import Call
from shared.web.problems import FieldError, Problem, wants_chinese
from shared.web.route import CommandRoute, needs
from shared.web.shape import shape

router = APIRouter(route_class=CommandRoute)

EXAMPLE = """<?adf version="1.0"?><adf><prospect><id source="portal">4711</id><requestdate>2026-11-22T09:30:00+08:00</requestdate>
<vehicle interest="buy" status="new"><year>2026</year><make>Aurora</make><model>A5</model></vehicle>
<customer><contact><name part="full">Lin Yue</name><phone>13800138000</phone></contact></customer>
<vendor><vendorname>Aurora South</vendorname></vendor></prospect></adf>"""
Xml = Annotated[bytes, Raw("application/x-adf+xml", "application/xml", "text/xml", limit=adf.MOST_BYTES, example=EXAMPLE)]
_INTENTS = {"buy": "buy", "lease": "buy", "test-drive": "test-drive"}


class VendorSetting(Body):
    """A vendor as its documents name it, the store and campaign of its leads, and the country of its telephone numbers."""

    vendor: Line
    store_id: Id
    region: Region = "CN"
    campaign_id: Id | None = None


class Rule(Body):
    """Matches when every condition it states holds."""

    id: Line
    grade: Line
    intents: list[Line] = Field(default_factory=list, max_length=10)
    within_days: Annotated[int, Field(ge=0, le=3650, examples=[7])] | None = None
    min_budget: PositiveAmount | None = None


class GradingRules(Body):
    rules: Annotated[list[Rule], Field(min_length=1, max_length=50)]


TAKEN = {"id": str, "version": int, "store_id": str | None, "problem": shape("ProspectRefused", also={"type": str, "title": str})}
PROSPECT = shape("Prospect", also={**TAKEN, "warnings": list[str]}, maybe=TAKEN)


@router.post(
    "/intake/adf",
    status_code=201,
    summary="Send leads as ADF/XML",
    response_model=shape("Intake", also={"items": [PROSPECT]}),
    openapi_extra=needs("leads.capture"),
)
async def take_adf(body: Xml, call: Call) -> dict[str, Any]:
    """Each prospect becomes a lead, or a touch of the person's open one. A vendor without a setting: the lead waits for a store.

    One that is refused has its problem among the items and leaves the others alone; when all are, the first problem is the answer.
    """
    prospects, key = _read(body), call.key
    items: list[dict[str, Any]] = []
    refusals: list[Problem] = []
    for n, prospect in enumerate(prospects):
        call.key = f"{key}/{n}" if n else key
        try:
            item = await _take(call, prospect, f"{call.body_hash[:24]}/{n}")
        except (Problem, Rejected) as no:
            refusals.append(no if isinstance(no, Problem) else Problem(no.problem, no.reason))
            item = {"problem": _told(call, refusals[-1])}
        items.append({**item, "warnings": list(prospect.warnings)})
    if len(refusals) == len(items):
        raise refusals[0]
    return {"items": items}


async def _take(call: Call, prospect: adf.Prospect, digest: str) -> dict[str, Any]:
    setting = await _setting(call, prospect)
    done = await capture(call, _draft(prospect, setting, digest))
    return {"id": done.id, "version": done.version, "store_id": setting.store_id if setting else None}


def _told(call: Call, problem: Problem) -> dict[str, str]:
    title = problem.kind.zh if wants_chinese(call.request.language) else problem.kind.en
    return {"type": f"/problems/{problem.slug}", "title": title}


def _read(body: bytes) -> list[adf.Prospect]:
    try:
        return adf.parse(body)
    except adf.Forbidden:
        raise Problem("xml-forbidden", "An ADF document has no DTD, entity, inclusion or unusual encoding.") from None
    except adf.TooLarge:
        raise Problem("body-too-large", "No vendor's document is as large, deep or wide as this.") from None
    except adf.Malformed as error:
        raise Problem("file-invalid", str(error)) from None


async def _setting(call: Call, prospect: adf.Prospect) -> VendorRow | None:
    """The setting of the vendor, else of the provider, by any of their names."""
    names = [vendor_key(name) for name in (*prospect.vendors, prospect.provider) if name]
    found = await call.kit.store.rows(vendor_list, [(name,) for name in names])
    return next((found[name,] for name in names if (name,) in found), None)


def _draft(prospect: adf.Prospect, setting: VendorRow | None, digest: str) -> Draft:
    wanted = prospect.vehicle
    country = prospect.country if len(prospect.country) == 2 and prospect.country.isalpha() else ""
    return Draft(
        person=Person(
            name=prospect.name or "?",
            phone=prospect.phones[0] if prospect.phones else "",
            region=country or (setting.region if setting else "CN"),
            email=prospect.email,
        ),
        store_id=setting.store_id if setting else None,
        brand=wanted.make if wanted else "",
        series=wanted.model if wanted else "",
        channel="third-party",
        campaign_id=setting.campaign_id if setting else None,
        source=f"adf:{prospect.reference or digest}",
        interest=Interest(intent=_INTENTS.get(wanted.interest, "browse") if wanted else "browse", within_days=prospect.within_days),
        comments=prospect.comments,
    )


@router.post("/intake/vendors", summary="Set a vendor's store", openapi_extra=needs("rules.write", "leads.all", match=False))
async def set_vendor(body: VendorSetting, call: Call) -> Done:
    """From now on the vendor's leads go to this store. Who moves a vendor works for the store it leaves, too."""
    if not call.auth.has_store(body.store_id) or not await call.kit.store.rows(known.stores, [(body.store_id,)]):
        raise Problem("unknown-reference", errors=[FieldError("store_id", "unknown")])
    await check_campaign(call, body.campaign_id)
    before = await call.kit.store.rows(vendor_list, [(vendor_key(body.vendor),)])
    if not all(call.auth.has_store(row.store_id) for row in before.values()):
        raise Problem("not-yours", "This vendor's leads go to a store that is not yours.")
    id = str(derived_id("vendor", vendor_key(body.vendor)))
    command = MapVendor(
        vendor=body.vendor, store_id=body.store_id, region=body.region, campaign_id=body.campaign_id, by=call.staff, at=call.at
    )
    return await call.handle("vendor", id, command, new=True)


@router.post("/leads/grading-rules", summary="Set the grading rules", openapi_extra=needs("rules.write", match=False))
async def set_grading_rules(body: GradingRules, call: Call) -> Done:
    """A new version of the rules, for grades given from now on."""
    rules = tuple(
        GradeRule(id=one.id, grade=one.grade, intents=tuple(one.intents), within_days=one.within_days, min_budget=one.min_budget)
        for one in body.rules
    )
    return await call.handle("grading", "standard", SetGrading(rules=rules, by=call.staff, at=call.at), new=True)
