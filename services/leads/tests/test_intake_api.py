"""ADF leads over HTTP, on a real database."""

from datetime import date

import pytest

from services.leads.tests.showroom import ENTITY, LI, NORTH, OWNER, SOUTH, SOUTHERNER, ZHAO, Showroom
from services.leads.tests.test_adf import LAUGHS, PLAIN
from shared.contracts import marketing
from shared.values.ids import new_id
from shared.values.money import Money
from shared.web.tests.client import Answer

XML = {"content-type": "application/x-adf+xml"}


async def sent(showroom: Showroom, body: bytes, staff: str = OWNER, media_type: str = "application/x-adf+xml") -> Answer:
    return await showroom.create(staff, "/intake/adf", body, **{"content-type": media_type})


async def mapped(showroom: Showroom, vendor: str = "Beijing  ONE") -> None:
    setting = {"vendor": vendor, "store_id": NORTH, "region": "CN"}
    assert (await showroom.by(OWNER).post("/api/v1/intake/vendors", setting)).status == 200


@pytest.mark.touches("LEA-02")
async def test_a_vendor_with_a_setting_feeds_its_store(showroom: Showroom) -> None:
    await mapped(showroom)
    answer = await sent(showroom, PLAIN.encode())
    assert answer.status == 201
    (item,) = answer.json["items"]
    assert (item["store_id"], item["warnings"]) == (NORTH, [])
    await showroom.tick()
    row = await showroom.read(ZHAO, f"/leads/{item['id']}")
    assert (row["brand"], row["series"], row["name"], row["phone"]) == ("Volkswagen", "Lavida", "Wei Zhang", "+8613800138000")
    assert (row["channel"], row["grade"], row["status"]) == ("third-party", "A", "assigned")


async def test_the_same_document_again_changes_nothing(showroom: Showroom) -> None:
    await mapped(showroom)
    first = (await sent(showroom, PLAIN.encode())).json["items"][0]
    again = (await sent(showroom, PLAIN.encode(), media_type="text/xml")).json["items"][0]
    assert again == first


async def test_a_resend_is_harmless_where_nothing_tells_who_the_person_is(showroom: Showroom) -> None:
    await mapped(showroom)
    contact = "<contact><name>John Doe</name><phone>12</phone></contact>"
    body = f"<adf><prospect><customer>{contact}</customer><vendor><vendorname>Beijing One</vendorname></vendor></prospect></adf>"
    first, again, other = [(await sent(showroom, text.encode())).json["items"][0] for text in (body, body, f"{body} ")]
    assert again == first
    assert other["id"] != first["id"]


async def test_a_vendor_without_a_setting_waits_for_a_store(showroom: Showroom) -> None:
    (item,) = (await sent(showroom, PLAIN.encode(), LI)).json["items"]
    assert item["store_id"] is None
    await showroom.tick()
    assert (await showroom.read(ZHAO, "/leads"))["items"] == []
    assert (await showroom.by(ZHAO).get(f"/api/v1/leads/{item['id']}")).status == 404
    assert (await showroom.command(ZHAO, f"/leads/{item['id']}/place", {"store_id": NORTH})).status == 404
    (row,) = (await showroom.read(OWNER, "/leads?status=unplaced"))["items"]
    assert row["lead_id"] == item["id"]
    assert (await showroom.command(OWNER, f"/leads/{item['id']}/place", {"store_id": NORTH})).status == 200
    await showroom.tick()
    row = await showroom.read(ZHAO, f"/leads/{item['id']}")
    assert row["status"] == "assigned"
    told = (await showroom.read(ZHAO, f"/leads/{item['id']}/timeline"))["items"]
    assert [entry["what"] for entry in told] == ["captured", "placed", "assigned"]
    assert (await showroom.command(row["seller_id"], f"/leads/{item['id']}/convert")).status == 200
    await showroom.tick()
    opportunity_id = (await showroom.read(ZHAO, f"/leads/{item['id']}"))["opportunity_id"]
    assert (await showroom.command(SOUTHERNER, f"/opportunities/{opportunity_id}/advance", {"to": "needs"})).status == 404
    assert (await showroom.command(ZHAO, f"/opportunities/{opportunity_id}/advance", {"to": "needs"})).status == 200
    assert len((await showroom.read(ZHAO, f"/opportunities/{opportunity_id}/timeline"))["items"]) == 6


async def test_a_setting_of_another_store_does_not_let_a_lead_into_it(showroom: Showroom) -> None:
    setting = {"vendor": "Beijing One", "store_id": SOUTH}
    assert (await showroom.by(OWNER).post("/api/v1/intake/vendors", setting)).status == 200
    assert (await sent(showroom, PLAIN.encode(), LI)).problem == "unknown-reference"
    assert (await showroom.read(OWNER, "/intake/vendors"))["items"][0]["store_id"] == SOUTH


async def test_only_who_works_for_both_stores_moves_a_vendor_between_them(showroom: Showroom) -> None:
    setting = {"vendor": "Beijing One", "store_id": SOUTH}
    foreign = await showroom.by(ZHAO).post("/api/v1/intake/vendors", setting)
    assert (foreign.problem, list(foreign.errors)) == ("unknown-reference", ["store_id"])
    assert (await showroom.by(OWNER).post("/api/v1/intake/vendors", setting)).status == 200
    taken = await showroom.by(ZHAO).post("/api/v1/intake/vendors", {"vendor": "BEIJING one", "store_id": NORTH})
    assert (taken.status, taken.problem) == (403, "not-yours")
    assert (await showroom.by(ZHAO).post("/api/v1/intake/vendors", {"vendor": "Own", "store_id": NORTH})).status == 200


async def test_a_vendors_campaign_is_one_of_the_callers(showroom: Showroom) -> None:
    there, nowhere = new_id(), new_id()
    await showroom.hear(campaign(there, SOUTH))
    for campaign_id in (there, nowhere):
        refused = await showroom.by(ZHAO).post("/api/v1/intake/vendors", {"vendor": "V", "store_id": NORTH, "campaign_id": campaign_id})
        assert (refused.problem, list(refused.errors)) == ("unknown-reference", ["campaign_id"])
    setting = {"vendor": "V", "store_id": SOUTH, "campaign_id": there}
    assert (await showroom.by(OWNER).post("/api/v1/intake/vendors", setting)).status == 200


def campaign(id: str, store_id: str) -> marketing.CampaignApproved:
    return marketing.CampaignApproved(
        campaign_id=id,
        name="Show",
        kind="show",
        store_id=store_id,
        entity_id=ENTITY,
        starts_on=date(2026, 3, 1),
        ends_on=date(2026, 3, 2),
        budget=Money(1),
    )


def prospect(n: int, vendor: str) -> str:
    return (
        f"<prospect><customer><contact><name>P{n}</name><phone>1380013800{n}</phone></contact></customer>"
        f"<vendor><vendorname>{vendor}</vendorname></vendor></prospect>"
    )


async def test_a_prospect_that_is_refused_leaves_the_others_alone(showroom: Showroom) -> None:
    await mapped(showroom, "N")
    assert (await showroom.by(OWNER).post("/api/v1/intake/vendors", {"vendor": "S", "store_id": SOUTH})).status == 200
    body = f"<adf>{prospect(1, 'S')}{prospect(2, 'N')}{prospect(3, 'S')}</adf>".encode()
    answer = await sent(showroom, body, LI)
    assert answer.status == 201
    first, second, third = answer.json["items"]
    assert (second["store_id"], "problem" in second) == (NORTH, False)
    for refused in (first, third):
        assert refused["problem"] == {"type": "/problems/unknown-reference", "title": "Something the body refers to does not exist"}
        assert refused["warnings"] == ["no request date"]
    assert len((await showroom.read(OWNER, "/leads"))["items"]) == 1
    whole = await sent(showroom, f"<adf>{prospect(1, 'S')}{prospect(3, 'S')}</adf>".encode(), LI)
    assert (whole.status, whole.problem) == (422, "unknown-reference")


async def test_each_prospect_of_a_document_is_a_lead(showroom: Showroom) -> None:
    await mapped(showroom, "V")
    body = f"<adf>{''.join(prospect(n, 'V') for n in (1, 2, 1))}</adf>".encode()
    headers = {**XML, "idempotency-key": "twice"}
    first = await showroom.by(OWNER).post("/api/v1/intake/adf", body, headers)
    again = await showroom.by(OWNER).post("/api/v1/intake/adf", body, headers)
    ids = [item["id"] for item in first.json["items"]]
    assert (len(ids), len(set(ids)), ids[0]) == (3, 2, ids[2])
    assert [item["id"] for item in again.json["items"]] == ids


HARMFUL = [
    (b'<!DOCTYPE adf [<!ENTITY x SYSTEM "file:///etc/passwd">]><adf><prospect>&x;</prospect></adf>', 422, "xml-forbidden"),
    (b'<adf xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></adf>', 422, "xml-forbidden"),
    (PLAIN.encode("utf-16"), 422, "xml-forbidden"),
    (PLAIN.replace("UTF-8", "UTF-7").encode(), 422, "xml-forbidden"),
    (LAUGHS.encode(), 422, "xml-forbidden"),
    (b"<adf " + b" ".join(b"a%d='1'" % n for n in range(1_000_000)) + b"/>", 413, "body-too-large"),
    (b"<adf>" + b"<x>" * 5_000 + b"</x>" * 5_000 + b"</adf>", 413, "body-too-large"),
    (b"<adf><prospect>", 422, "file-invalid"),
    (b"<adf/>", 422, "file-invalid"),
]


async def test_a75_a76_harmful_documents_are_refused(showroom: Showroom) -> None:
    for body, status, problem in HARMFUL:
        answer = await sent(showroom, body)
        assert (answer.status, answer.problem) == (status, problem), body[:60]
    assert (await showroom.read(OWNER, "/leads"))["items"] == []


async def test_only_xml_is_taken(showroom: Showroom) -> None:
    assert (await sent(showroom, PLAIN.encode(), media_type="application/json")).status == 415
    assert (await sent(showroom, PLAIN.encode(), media_type="application/xml")).status == 201
