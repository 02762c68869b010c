"""Attacks across stores, A50 to A59: every route against each kind of stranger, every name in a body, every list."""

import base64
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from shared.testing.platform import Person
from tests.acceptance.databases import Databases
from tests.acceptance.deal import everything
from tests.acceptance.operations import GETS, LISTS, NEEDED, OPERATIONS, Operation, asked
from tests.acceptance.refusals import CANARY, assert_refused, unlike
from tests.acceptance.shop import Shop, cny, did, every, phone

GROUP_WIDE = frozenset(
    {
        "GET /trims/{trim_id}",
        "GET /trims/{trim_id}/price",
        "POST /trims/{trim_id}/prices",
        "GET /vehicles/{vin}",
        "GET /stays/{stay_id}",
        "POST /vehicles/{vin}/reserve",
        "POST /vehicles/{vin}/release",
        "GET /service-cars/{vin}",
        "POST /service-cars/{vin}/owner",
    }
)
"""The catalogue, the group's stock (without cost, A57) and the care of cars: every store's business."""
JOINT = frozenset(
    {
        "/transfers/{transfer_id}",
        "/transfers/{transfer_id}/approve",
        "/transfers/{transfer_id}/dispatch",
        "/transfers/{transfer_id}/receive",
        "/transfers/{transfer_id}/cancel",
        "/periods/{entity_id}/{month}/close",
        "/periods/{entity_id}/{month}/reopen",
    }
)
"""A transfer is both stores' business, a period that of the legal entity they share."""
OF_THE_GROUP = frozenset(
    "/auth/token /auth/password /users /legal-entities /stores /authorities /intake/adf /leads/grading-rules /trims".split()
) | {"/sales-rules", "/tax-rules"}
"""Makes what no single store owns; where a user's stores or a store's entity are named, A56 tries others'."""
OWN = ("lead", "trim", "store", "customer", "opportunity", "vin", "staff")
VALUES = ("today", "tomorrow", "tomorrow_later")
RIGHTS = frozenset({"assign_user", "reset_password", "disable_user", "enable_user"})
"""What touches somebody's rights says 403 (A56)."""
OF_ONE = tuple(one for one in OPERATIONS if one.parameters and one.name not in GROUP_WIDE and one.route.name not in RIGHTS)


class Stranger(NamedTuple):
    """Somebody with every role in another store."""

    person: Person
    staff_id: str
    store: str
    kin: bool
    """Whether his store belongs to the same legal entity."""


@pytest.fixture(scope="module", params=["foreigner", "sister"])
def stranger(shop: Shop, foreigner: Person, sister: Person, request: pytest.FixtureRequest) -> Stranger:
    """One of another legal entity, and one of the store next door."""
    if request.param == "sister":
        return Stranger(sister, shop.values["sister"], shop.values["north"], True)
    return Stranger(foreigner, shop.values["foreigner"], shop.values["elsewhere"], False)


@pytest.fixture(autouse=True)
def powerless(databases: Databases, shop: Shop, foreigner: Person, sister: Person, request: pytest.FixtureRequest) -> Iterator[None]:
    """What strangers do in a test leaves no event, unless it is about their own things."""
    strangers = [shop.values["foreigner"], shop.values["sister"]]
    before = [databases.deeds(stranger) for stranger in strangers]
    yield
    if "own" not in request.fixturenames:
        assert [databases.deeds(stranger) for stranger in strangers] == before


@pytest.mark.parametrize("one", OF_ONE, ids=lambda one: one.name)
def test_a50_a_thing_of_another_store(foreigner: Person, deal: dict[str, str], one: Operation) -> None:
    """Answered as if it did not exist: the same status, the same text."""
    assert set(one.parameters) <= deal.keys() | {"session_id", "item_id"}, f"{one.name} lacks a row"
    there, nowhere = asked(foreigner, one, **deal), asked(foreigner, one)
    assert_refused(there, 404, "not-found")
    assert_refused(nowhere, 404, "not-found")
    assert {**there.json(), "instance": ""} == {**nowhere.json(), "instance": ""}


@pytest.mark.parametrize("one", [one for one in OF_ONE if one.template not in JOINT], ids=lambda one: one.name)
def test_a50_a_thing_of_the_sister_store(sister: Person, deal: dict[str, str], one: Operation) -> None:
    """One legal entity, two stores: what is the south's does not exist for the north."""
    there, nowhere = asked(sister, one, **deal), asked(sister, one)
    assert_refused(there, 404, "not-found")
    assert {**there.json(), "instance": ""} == {**nowhere.json(), "instance": ""}


def test_a50_every_route_has_a_row(deal: dict[str, str]) -> None:
    """Whatever names a thing is tried by strangers; whatever makes one names a store or is a rule of the whole group."""
    named = {one.name for one in OF_ONE} | GROUP_WIDE | {one.name for one in OPERATIONS if one.route.name in RIGHTS}
    assert {one.name for one in OPERATIONS if one.parameters} == named
    assert {name for one in OF_ONE for name in one.parameters} <= deal.keys() | {"session_id", "item_id"}
    tried = {path for path, _, _ in attached(dict.fromkeys(deal, ""), dict.fromkeys(OWN, ""), dict.fromkeys(VALUES, "2027-03-01"))}
    makes = {one.template for one in OPERATIONS if one.method == "POST" and not one.parameters}
    assert makes - tried == OF_THE_GROUP


def test_a50_his_own_colleagues_reach_what_is_not_his(shop: Shop, everybody: Person, deal: dict[str, str]) -> None:
    """The matrix means something: the same requests of the south store find the thing."""
    reads = [one for one in OF_ONE if one.method == "GET"]
    assert {one.name: asked(everybody, one, **deal).status_code for one in reads} == {one.name: 200 for one in reads}


def test_a50_the_north_store_of_the_same_entity_is_another_store_too(shop: Shop, deal: dict[str, str]) -> None:
    for path in (
        f"/leads/{deal['lead_id']}",
        f"/customers/{deal['customer_id']}",
        f"/orders/{deal['order_id']}",
        f"/quotes/{deal['quote_id']}",
    ):
        assert_refused(shop.north_sales.get(path), 404, "not-found")
    assert_refused(shop.north_manager.post(f"/orders/{deal['order_id']}/approve"), 404, "not-found")


def test_a50_his_own_colleagues_are_never_told_that_it_is_not_there(shop: Shop, everybody: Person) -> None:
    """Else the 404 of a command would say nothing: of another such thing, as these commands may be carried out."""
    ids = everything(shop)
    commands = [one for one in OF_ONE if one.method == "POST" and set(one.parameters) <= ids.keys()]
    assert {one.name for one in OF_ONE if one.method == "POST"} - {one.name for one in commands} == {
        "POST /auth/sessions/{session_id}/end",
        "POST /work-orders/{work_order_id}/items/{item_id}/decline",
    }
    answers = {one.name: asked(everybody, one, **ids) for one in commands}
    assert {name: answer.text for name, answer in answers.items() if answer.status_code == 404 or answer.status_code >= 500} == {}


@pytest.fixture(scope="module")
def own(shop: Shop, stranger: Stranger) -> dict[str, str]:
    """What the stranger has himself, so that only one thing in a body is not his."""
    foreigner, elsewhere = stranger.person, stranger.store
    lead = {"store_id": elsewhere, "brand": "Aurora", "channel": "phone", "name": "Own", "phone": phone()}
    made = {"lead": did(foreigner, "/leads", lead), "trim": shop.trim(), "store": elsewhere}
    made["customer"] = did(foreigner, "/customers", {"store_id": elsewhere, "name": "Own", "phone": phone()})
    mine = {"customer_id": made["customer"], "store_id": elsewhere, "brand": "Aurora", "channel": "phone"}
    made["opportunity"] = did(foreigner, "/opportunities", mine)
    car = {"vin": shop.vin(), "trim_id": made["trim"], "store_id": elsewhere, "supplier": "Aurora", "certificate": "with-us"}
    did(foreigner, "/vehicles", {**car, "purchase": cny("1000.00")})
    return made | {"vin": car["vin"], "staff": stranger.staff_id}


def attached(deal: dict[str, str], own: dict[str, str], values: dict[str, str]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Path, body, and the field that names a thing of the south store."""
    south, here = deal["store_id"], own["store"]
    today, start, end = values["today"], values["tomorrow"], values["tomorrow_later"]
    plan = {"name": "Show", "kind": "show", "place": "Hall", "starts_on": today, "ends_on": today, "goal_leads": 1, "goal_orders": 1}
    plan |= {"budget": cny("10.00"), "store_id": here}
    lead = {"store_id": here, "brand": "Aurora", "channel": "phone", "name": "Lin", "phone": phone()}
    yield "/leads", {**lead, "store_id": south}, "store_id"
    yield "/leads", {**lead, "campaign_id": deal["campaign_id"]}, "campaign_id"
    yield f"/leads/{own['lead']}/assign", {"seller_id": deal["staff_id"], "reason": "Mine"}, "seller_id"
    yield f"/leads/{own['lead']}/place", {"store_id": south}, "store_id"
    yield "/intake/vendors", {"vendor": CANARY, "store_id": south}, "store_id"
    opportunity = {"customer_id": own["customer"], "store_id": here, "brand": "Aurora", "channel": "phone"}
    yield "/opportunities", {**opportunity, "customer_id": deal["customer_id"]}, "customer_id"
    yield "/opportunities", {**opportunity, "store_id": south}, "store_id"
    yield "/opportunities", {**opportunity, "campaign_id": deal["campaign_id"]}, "campaign_id"
    yield "/opportunities", {**opportunity, "seller_id": deal["staff_id"]}, "seller_id"
    drive = {
        "opportunity_id": own["opportunity"],
        "vin": own["vin"],
        "specialist_id": own["staff"],
        "starts_at": start,
        "ends_at": end,
    }
    yield "/test-drives", {**drive, "opportunity_id": deal["opportunity_id"]}, "opportunity_id"
    yield "/test-drives", {**drive, "vin": deal["demo"]}, "vin"
    yield "/test-drives", {**drive, "specialist_id": deal["staff_id"]}, "specialist_id"
    customer = {"store_id": here, "name": "Lin", "phone": phone()}
    yield "/customers", {**customer, "store_id": south}, "store_id"
    yield "/customers", {**customer, "seller_id": deal["staff_id"]}, "seller_id"
    yield f"/customers/{own['customer']}/correct", {"seller_id": deal["staff_id"]}, "seller_id"
    yield "/campaigns", {**plan, "store_id": south}, "store_id"
    yield "/campaigns", {**plan, "people": [deal["staff_id"]]}, "people"
    yield from _bought_and_sold(deal, own)
    yield from _looked_after(deal, own, start)
    shift = {"staff_id": own["staff"], "store_id": here, "starts_at": start, "ends_at": end}
    yield "/shifts", {**shift, "staff_id": deal["staff_id"]}, "staff_id"
    yield "/shifts", {**shift, "staff_id": deal["staff_id"], "store_id": south}, "store_id"


def _bought_and_sold(deal: dict[str, str], own: dict[str, str]) -> Iterator[tuple[str, dict[str, Any], str]]:
    south, here = deal["store_id"], own["store"]
    yield f"/trims/{own['trim']}/prices", {"store_id": south, "price": cny("1.00"), "valid_from": "2026-01-01", "source": "Me"}, "store_id"
    line = {"trim_id": own["trim"], "quantity": 1, "unit_price": cny("1.00")}
    yield "/purchase-orders", {"store_id": south, "supplier": "Me", "lines": [line]}, "store_id"
    arrival = {"vin": "LSVAA49J9R2999990", "trim_id": own["trim"], "supplier": "Me", "purchase": cny("1.00"), "certificate": "with-us"}
    yield "/vehicles", {**arrival, "category": "used", "vin_confirmed": True, "store_id": south}, "store_id"
    yield "/stock-levels", {"store_id": south, "trim_id": own["trim"], "threshold": 1}, "store_id"
    yield "/transfers", {"vin": deal["demo"], "to_store": south}, "to_store"
    yield "/transfers", {"vin": own["vin"], "to_store": here, "order_id": deal["order_id"]}, "order_id"
    quote = {"store_id": here, "customer_id": own["customer"], "trim_id": own["trim"], "discount": cny("0.00")}
    yield "/quotes", {**quote, "store_id": south}, "store_id"
    yield "/quotes", {**quote, "customer_id": deal["customer_id"]}, "customer_id"
    yield "/quotes", {**quote, "opportunity_id": deal["opportunity_id"]}, "opportunity_id"
    order = {"store_id": here, "customer_id": own["customer"], "trim_id": own["trim"], "price": cny("9.00"), "down_payment": cny("9.00")}
    yield "/orders", {**order, "store_id": south}, "store_id"
    yield "/orders", {**order, "customer_id": deal["customer_id"]}, "customer_id"
    yield "/orders", {**order, "quote_id": deal["quote_id"]}, "quote_id"
    yield "/orders", {**order, "opportunity_id": deal["opportunity_id"]}, "opportunity_id"
    yield "/receipts", {"order_id": deal["order_id"], "kind": "balance", "method": "cash", "amount": cny("1.00")}, "order_id"
    yield "/refunds", {"order_id": deal["order_id"], "amount": cny("1.00"), "method": "cash", "reason": "Mine"}, "order_id"
    yield "/invoices", {"order_id": deal["order_id"]}, "order_id"
    yield "/payments", {"payable_id": deal["payable_id"]}, "payable_id"
    lines = [{"account": "6602", "amount": cny("1.00")}, {"account": "1002", "amount": cny("-1.00")}]
    yield "/ledger/entries", {"store_id": south, "text": "Mine", "lines": lines}, "store_id"


def _looked_after(deal: dict[str, str], own: dict[str, str], start: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    south, here = deal["store_id"], own["store"]
    yield "/service-bays", {"store_id": south, "name": "Mine"}, "store_id"
    yield "/service-cars", {"vin": own["vin"], "customer_id": own["customer"], "store_id": south}, "store_id"
    open_then = f"{start[:10]}T03:00:00+00:00"
    booking = {"store_id": here, "vin": deal["service_vin"], "services": ["maintenance"], "starts_at": open_then}
    yield "/appointments", {**booking, "store_id": south}, "store_id"
    yield "/appointments", {**booking, "bay_id": deal["bay_id"]}, "bay_id"
    yield "/appointments", {**booking, "technician_id": deal["staff_id"]}, "technician_id"
    yield "/work-orders", {"store_id": south, "vin": deal["service_vin"], "services": ["repair"], "kilometres": 1}, "store_id"
    yield "/work-orders", {"appointment_id": deal["appointment_id"], "kilometres": 1}, "appointment_id"
    complaint = {"store_id": here, "customer_id": own["customer"], "text": "It squeaks"}
    yield "/complaints", {**complaint, "store_id": south}, "store_id"


def test_a51_a_thing_of_another_store_in_a_body(
    shop: Shop, databases: Databases, stranger: Stranger, deal: dict[str, str], own: dict[str, str]
) -> None:
    before, wrong = databases.settled_deeds(stranger.staff_id), {}
    for path, body, field in attached(deal, own, shop.values):
        answer = stranger.person.post(path, body)
        if found := unlike(answer, (422,), ("unknown-reference",)):
            wrong[f"{path} {field}"] = found
        elif not any(field in error["field"] for error in answer.json().get("errors", [])):
            wrong[f"{path} {field}"] = answer.text
    assert wrong == {}
    assert databases.deeds(stranger.staff_id) == before


def test_a59_one_foreign_name_among_many_refuses_all(shop: Shop, stranger: Stranger, deal: dict[str, str], own: dict[str, str]) -> None:
    foreigner, mine = stranger.person, stranger.staff_id
    today = shop.values["today"]
    plan = {"name": "Show", "kind": "show", "place": "Hall", "starts_on": today, "ends_on": today, "goal_leads": 1, "goal_orders": 1}
    body = {**plan, "budget": cny("10.00"), "store_id": own["store"], "people": [*[mine] * 19, deal["staff_id"]]}
    before = len(every(foreigner, "/campaigns"))
    assert_refused(foreigner.post("/campaigns", body), 422, "unknown-reference")
    assert len(every(foreigner, "/campaigns")) == before


SHARED = {
    "/vehicles": ("stay_id", "payable_id", "order_id", "staff_id"),
    "/service-cars": ("customer_id", "owner_id"),
}
"""What the group shares: where a car stands and for which order; whose car one store or another looks after."""
STORED = tuple((one, name) for one in GETS for name in ("store_id", "from_store", "to_store", "entity_id") if name in one.route.plan.query)
OPEN = frozenset({"/vehicles", "/stock-levels", "/transfers", "/periods"})
"""Lists of the group: stock without cost, and what only ever shows both stores of a transfer, or months and no figures."""


COMMON = ("store_id", "entity_id", "month", "trim_id", "vin", "demo", "service_vin")
"""Names in the deal of what is no secret: catalogue and cars are the group's, as is which stores there are."""


def souths(deal: dict[str, str], stranger: Stranger, template: str) -> dict[str, str]:
    """The ids of the south store's things that this list must not show a stranger."""
    shared = (*COMMON, *SHARED.get(template, ()), *(("transfer_id",) if stranger.kin and template == "/transfers" else ()))
    return {name: id for name, id in deal.items() if name not in shared}


@pytest.mark.parametrize(("one", "name"), STORED, ids=lambda value: value if isinstance(value, str) else value.name)
def test_a52_a_list_of_another_store(stranger: Stranger, deal: dict[str, str], one: Operation, name: str) -> None:
    """Empty or refused; of the entity that both stores belong to nothing of the other store."""
    south = deal["entity_id"] if name == "entity_id" else deal["store_id"]
    needed = NEEDED.get(one.template, {})
    answer = stranger.person.http.get(one.path(), params={name: south, **needed})
    if answer.status_code == 200 and stranger.kin and (name == "entity_id" or one.template == "/transfers"):
        places = [[row.get(place) for place in ("store_id", "from_store", "to_store")] for row in answer.json()["items"]]
        assert [place for place in places if any(place) and stranger.store not in place] == []
        assert {shown for shown, id in souths(deal, stranger, one.template).items() if id in answer.text} == set()
    elif answer.status_code == 200 and one.template not in OPEN - {"/transfers"}:
        assert answer.json()["items"] == []
    elif answer.status_code != 200:
        assert unlike(answer, (403, 404, 422), ("forbidden", "not-found", "unknown-reference")) is None, answer.text
    for all_of_them in ("*", f"{south},{south}", "null", "%"):
        assert_refused(stranger.person.http.get(one.path(), params={name: all_of_them, **needed}), 422, "validation")


@pytest.mark.parametrize(
    "one", [one for one in GETS if not one.parameters and one.template != "/appointments/slots"], ids=lambda one: one.name
)
def test_a54_no_list_shows_anything_of_another_store(stranger: Stranger, deal: dict[str, str], one: Operation) -> None:
    """Lists, reports, the audit trail: no id of the south store's things, its people or its customers is in any of them."""
    params = {"order_id": deal["order_id"]} if one.template == "/reports/events" else NEEDED.get(one.template, {})
    answer = stranger.person.http.get(one.path(), params=params)
    assert answer.status_code == 200
    assert {name for name, id in souths(deal, stranger, one.template).items() if id in answer.text} == set()


@pytest.mark.parametrize("one", [one for one in LISTS if not one.parameters], ids=lambda one: one.name)
def test_a54_no_cursor_counts_or_names_what_is_anothers(stranger: Stranger, deal: dict[str, str], one: Operation) -> None:
    """Every page but the last is full, and where it ends is something of the reader's own."""
    theirs, cursor = souths(deal, stranger, one.template).values(), None
    needed = {"order_id": deal["order_id"]} if one.template == "/reports/events" else NEEDED.get(one.template, {})
    for _ in range(30):
        answer = stranger.person.get(one.path(), **needed, limit=1, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return
        assert len(answer.json()["items"]) == 1
        read = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("latin-1")
        assert [name for name in theirs if name in read] == []


def test_a54_search_by_a_telephone_number_of_another_store(shop: Shop, stranger: Stranger) -> None:
    number = phone()
    shop.customer(phone=number)
    assert len(shop.manager.get("/customers", phone=number).json()["items"]) == 1
    assert stranger.person.get("/customers", phone=number).json()["items"] == []
    assert stranger.person.get("/customers", phone_last4=number[-4:]).json()["items"] == []
