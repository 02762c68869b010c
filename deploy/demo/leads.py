"""The demo group's demand: leads over all channels, contacted, disqualified, converted and moved through the stages."""

import asyncio
from itertools import count
from typing import Any

from deploy.demo import names
from deploy.demo.client import Person, eventually
from deploy.demo.group import Group, yuan
from deploy.demo.people import STORES
from deploy.demo.plan import STAGES, Plan, Prospect

UNTOUCHED = ("assigned",)
WAITING = ("new", "queued")
ENDED = ("converted", "disqualified")
PATHS: dict[str, tuple[str, ...]] = {
    "needs": ("needs",),
    "presentation": ("presentation",),
    "test-drive": ("test-drive",),
    "quote": ("quote",),
    "negotiation": ("quote", "negotiation"),
}
"""The moves from the first contact to each stage."""

type Row = dict[str, Any]


async def capture(group: Group, plan: Plan) -> dict[str, Row]:
    """Every prospect's lead by telephone number, each with an owner. Raises Refused."""
    owner = await group.door.person("owner")
    known = await _leads(owner, plan)

    async def one(prospect: Prospect) -> None:
        if prospect.phone not in known:
            seller = await group.of("sales-consultant", prospect.store)
            await seller.do("leads", _lead(group, prospect), key=f"lead {prospect.phone}")

    await asyncio.gather(*(one(prospect) for prospect in plan.prospects))
    tries = count()

    async def look() -> dict[str, Row]:
        found, number = await _leads(owner, plan), next(tries)
        for prospect in plan.prospects:
            if found[prospect.phone]["status"] == "queued":
                await _assign(group, prospect, found[prospect.phone], number)
        return found

    return await eventually(look, lambda found: all(lead["status"] not in WAITING for lead in found.values()))


async def _leads(owner: Person, plan: Plan) -> dict[str, Row]:
    ours = {f"+86{prospect.phone}": prospect.phone for prospect in plan.prospects}
    return {ours[lead["phone"]]: lead for lead in await owner.every("leads") if lead["phone"] in ours}


async def _assign(group: Group, prospect: Prospect, lead: Row, number: int) -> None:
    """By the rule again: it was captured before its service had heard who works today."""
    manager = await group.of("sales-manager", prospect.store)
    await manager.do(f"leads/{lead['lead_id']}/assign", {}, key=f"assign {prospect.phone} {number}")


def _lead(group: Group, prospect: Prospect) -> Row:
    body: Row = {
        "store_id": group.stores[prospect.store],
        "brand": prospect.brand,
        "series": prospect.series,
        "channel": prospect.channel,
        "source": f"demo/{prospect.phone}",
        "consent": "privacy-2026-01",
        "name": prospect.name,
        "phone": prospect.phone,
        "intent": prospect.intent,
        "within_days": prospect.within_days,
        "comments": prospect.comments,
    }
    if prospect.budget:
        body["budget"] = yuan(prospect.budget)
    if prospect.channel in ("campaign", "auto-show") and prospect.store == STORES[0].code:
        body["campaign_id"] = group.campaign
    return body


async def work(group: Group, plan: Plan, leads: dict[str, Row]) -> None:
    """Contacts, disqualifies and converts as far as each lead comes. Raises Refused."""

    async def one(number: int, prospect: Prospect) -> None:
        lead = leads[prospect.phone]
        if prospect.outcome in UNTOUCHED or lead["status"] in ENDED:
            return
        seller = await group.by_id(lead["seller_id"])
        at = f"leads/{lead['lead_id']}"
        if lead["status"] == "assigned":
            await seller.do(f"{at}/follow-ups", _contact(group, number), key=f"contact {prospect.phone}")
        if prospect.outcome == "disqualified":
            body = {"reason": names.LOST_FOR[number % len(names.LOST_FOR)]}
            await seller.do(f"{at}/disqualify", body, key=f"disqualify {prospect.phone}")
        elif prospect.outcome != "contacted":
            await seller.do(f"{at}/convert", key=f"convert {prospect.phone}")

    await asyncio.gather(*(one(number, prospect) for number, prospect in enumerate(plan.prospects)))


def _contact(group: Group, number: int) -> Row:
    """What was said, and when to talk again."""
    body: Row = {"kind": ("phone", "wechat", "visit")[number % 3], "text": names.SAID[number % len(names.SAID)]}
    body |= {"doubts": [names.DOUBTS[number % len(names.DOUBTS)]], "plan": names.PLANS[number % len(names.PLANS)]}
    return body | {"next_at": group.at(1 + number % 6, 9 + number % 11, number % 4 * 15)}


async def advance(group: Group, plan: Plan) -> dict[str, Row]:
    """Moves opportunities through their stages; all of them by telephone number. Raises Refused."""
    owner = await group.door.person("owner")
    wanted = [prospect for prospect in plan.prospects if prospect.car or prospect.outcome in STAGES]

    async def look() -> dict[str, Row]:
        return {row["phone"]: row for row in await owner.every("opportunities")}

    found = await eventually(look, lambda found: all(f"+86{prospect.phone}" in found for prospect in wanted))
    opportunities = {prospect.phone: found[f"+86{prospect.phone}"] for prospect in wanted}

    async def one(prospect: Prospect) -> None:
        row = opportunities[prospect.phone]
        if row["stage"] not in STAGES:
            return
        path = PATHS.get("negotiation" if prospect.car else prospect.outcome, ())
        seller = await group.by_id(row["seller_id"])
        for stage in path[path.index(row["stage"]) + 1 if row["stage"] in path else 0 :]:
            await seller.do(f"opportunities/{row['opportunity_id']}/advance", {"to": stage}, key=f"{stage} {prospect.phone}")

    await asyncio.gather(*(one(prospect) for prospect in wanted))
    return opportunities


async def book_drives(group: Group, plan: Plan, opportunities: dict[str, Row]) -> None:
    """Test drives of the coming days, one after the other with each store's demo car. Raises Refused."""
    owner = await group.door.person("owner")
    booked = {drive["opportunity_id"] for drive in await owner.every("test-drives")}
    demo = {car.store: car.vin for car in plan.cars if car.category == "demo"}
    number = 0
    for prospect in plan.prospects:
        row = opportunities.get(prospect.phone)
        if prospect.outcome != "test-drive" or row is None:
            continue
        number += 1
        if row["opportunity_id"] in booked:
            continue
        seller = await group.by_id(row["seller_id"])
        body = {"opportunity_id": row["opportunity_id"], "vin": demo[prospect.store], "specialist_id": row["seller_id"]}
        body |= {"starts_at": group.at(1 + number, 10), "ends_at": group.at(1 + number, 11), "licence_valid_until": "2031-06-30"}
        await seller.do("test-drives", body, key=f"drive {prospect.phone}")
