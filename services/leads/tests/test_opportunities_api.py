"""Opportunities and test drives over HTTP, on a real database."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.leads.tests.showroom import CAR, LI, NORTH, SOUTH, SOUTHERNER, WANG, ZHAO, Showroom, delivered, opportunity, received
from shared.contracts import customers
from shared.values.ids import new_id


@pytest.mark.touches("LEA-11")
async def test_an_opportunity_goes_its_way_and_an_order_wins_it(showroom: Showroom) -> None:
    id, seller = await opportunity(showroom)
    refused = await showroom.command(seller, f"/opportunities/{id}/advance", {"to": "won"})
    assert (refused.status, refused.problem) == (409, "illegal-transition")
    assert "needs, presentation" in refused.json["detail"]
    for stage in ("needs", "test-drive", "quote", "negotiation"):
        assert (await showroom.command(seller, f"/opportunities/{id}/advance", {"to": stage})).status == 200
    assert (await showroom.command(seller, f"/opportunities/{id}/follow-ups", {"kind": "visit", "text": "shook hands"})).status == 200
    await showroom.hear(delivered(id, "order-1"), delivered(id, "order-1"), delivered("unknown", "order-2"))
    row = await showroom.read(seller, f"/opportunities/{id}")
    assert (row["stage"], row["order_id"], row["name"]) == ("won", "order-1", "Lin Yue")
    assert [spell["stage"] for spell in row["dwell"]] == ["first-contact", "needs", "test-drive", "quote", "negotiation", "won"]
    assert all(spell["until"] for spell in row["dwell"][:-1])
    told = (await showroom.read(seller, f"/opportunities/{id}/timeline"))["items"]
    assert [entry["what"] for entry in told][:4] == ["captured", "assigned", "converted", "opened"]
    assert [entry["what"] for entry in told][-2:] == ["follow-up", "won"]
    assert (await showroom.read(SOUTHERNER, "/opportunities"))["items"] == []
    assert (await showroom.by(SOUTHERNER).get(f"/api/v1/opportunities/{id}")).status == 404


async def test_a_loss_needs_a_second_pair_of_eyes(showroom: Showroom) -> None:
    id, seller = await opportunity(showroom)
    loss = {"reason": "price", "competitor": "Toyota", "note": "50 less there"}
    assert (await showroom.command(seller, f"/opportunities/{id}/lose", loss)).status == 200
    assert (await showroom.command(seller, f"/opportunities/{id}/approve-loss")).status == 403
    assert (await showroom.command(ZHAO, f"/opportunities/{id}/refuse-loss", {"reason": "offer a loan"})).status == 200
    assert (await showroom.command(ZHAO, f"/opportunities/{id}/lose", loss)).status == 200
    own = await showroom.command(ZHAO, f"/opportunities/{id}/approve-loss")
    assert (own.status, own.problem) == (403, "four-eyes")
    assert "leads.OpportunityLost.v1" not in await showroom.published()


async def test_a_known_customer_opens_an_opportunity_without_a_lead(showroom: Showroom) -> None:
    customer = customers.CustomerRegistered(customer_id=new_id(), number="C-1", store_id=NORTH, kind="person", name="", phone="", email="")
    body = {"customer_id": customer.customer_id, "store_id": NORTH, "brand": "Audi", "channel": "referral"}
    assert (await showroom.create(LI, "/opportunities", body)).problem == "unknown-reference"
    await showroom.hear(customer)
    made = await showroom.create(LI, "/opportunities", body)
    assert made.status == 201
    assert made.headers["location"] == f"/api/v1/opportunities/{made.json['id']}"
    assert (await showroom.read(LI, f"/opportunities/{made.json['id']}"))["seller_id"] == LI
    assert (await showroom.create(SOUTHERNER, "/opportunities", {**body, "store_id": SOUTH})).problem == "unknown-reference"


@pytest.mark.touches("LEA-16")
async def test_no_car_and_no_person_is_booked_twice_even_at_the_same_instant(showroom: Showroom) -> None:
    id, seller = await opportunity(showroom)
    start = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)

    def booking(vin: str = CAR, specialist: str = LI, after: float = 0) -> dict[str, Any]:
        begin = start + timedelta(hours=after)
        return {
            "opportunity_id": id,
            "vin": vin,
            "specialist_id": specialist,
            "starts_at": begin.isoformat(),
            "ends_at": (begin + timedelta(hours=1)).isoformat(),
            "licence_valid_until": "2099-01-01",
        }

    assert (await showroom.create(seller, "/test-drives", booking())).problem == "unknown-reference"
    other = "LFV2A2150N3000002"
    await showroom.hear(received(), received(other), received("LFV2A2150N3000003", SOUTH))
    answers = await asyncio.gather(*(showroom.create(seller, "/test-drives", booking()) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    assert {answer.problem for answer in answers if answer.status == 409} == {"slot-taken"}
    assert (await showroom.create(seller, "/test-drives", booking(vin=other))).problem == "slot-taken"
    assert (await showroom.create(seller, "/test-drives", booking(specialist=WANG))).problem == "slot-taken"
    assert (await showroom.create(seller, "/test-drives", booking(after=1))).status == 201
    assert (await showroom.create(seller, "/test-drives", booking(vin="LFV2A2150N3000003", after=5))).problem == "unknown-reference"
    assert (await showroom.create(seller, "/test-drives", booking(specialist=SOUTHERNER, after=5))).problem == "unknown-reference"
    (drive_id,) = [answer.json["id"] for answer in answers if answer.status == 201]
    assert (await showroom.command(seller, f"/test-drives/{drive_id}/cancel", {"reason": "rain"})).status == 200
    again = await showroom.create(seller, "/test-drives", booking())
    assert again.status == 201
    finish = {"kilometres": 12, "rating": 5, "feedback": "quiet"}
    assert (await showroom.command(LI, f"/test-drives/{again.json['id']}/finish", finish)).status == 200
    row = await showroom.read(LI, f"/test-drives/{again.json['id']}")
    assert (row["status"], row["kilometres"], row["feedback"], row["licence_valid_until"]) == ("finished", 12, "quiet", "2099-01-01")
    assert len((await showroom.read(LI, f"/test-drives?vin={CAR}&status=booked"))["items"]) == 1
