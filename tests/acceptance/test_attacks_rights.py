"""Attacks of those inside, A53 to A58: what each role may, endpoint by endpoint, and what nobody may."""

import httpx2
import pytest

from services.gateway.domain.roles import PERMISSIONS
from shared.testing.platform import Person, Platform
from shared.values.ids import new_id
from tests.acceptance.conftest import hired
from tests.acceptance.operations import OPERATIONS, Operation, asked
from tests.acceptance.refusals import assert_refused, unlike
from tests.acceptance.shop import Shop, cny, did, every, phone, serial

ROLES = {
    "sales": "sales-consultant",
    "manager": "sales-manager",
    "stock": "stock-clerk",
    "cashier": "finance",
    "service": "service-adviser",
    "marketing": "marketing",
    "regional": "regional-manager",
    "owner": "group-owner",
    "admin": "administrator",
}


@pytest.fixture(scope="module", autouse=True)
def regional(shop: Shop) -> Person:
    """The only one of these people whom no other file needs."""
    return hired(shop.group, "regional", shop.values["north"], ROLES["regional"])


def test_every_role_is_tried() -> None:
    assert set(ROLES.values()) == PERMISSIONS.keys()


@pytest.mark.feature("GTW-03")
def test_every_route_asks_who_it_is_and_what_he_may(platform: Platform, shop: Shop, regional: Person) -> None:
    """Endpoint by endpoint: nobody without a token, nobody without the permission, and nobody with it is sent away as one without."""
    stranger, wrong = Person(platform.url), {}
    for one in OPERATIONS:
        needed = one.route.needed
        if needed.public:
            continue
        if found := unlike(asked(stranger, one), (401,), ("unauthenticated",)):
            wrong[f"nobody {one.name}"] = found
        for login, role in ROLES.items():
            may = not needed.permissions or not PERMISSIONS[role].isdisjoint(needed.permissions)
            if may and one.template.startswith("/auth/"):
                continue
            answer = (
                shop.people[login].http.get(one.path(), headers={"accept": "*/*"})
                if one.method == "GET"
                else _probe(shop.people[login], one)
            )
            if not may and (found := unlike(answer, (403,), ("forbidden",))):
                wrong[f"{login} {one.name}"] = found
            elif may and answer.status_code in (401, 403) and answer.json()["type"] == "/problems/forbidden":
                wrong[f"{login} {one.name}"] = f"may, and is refused: {answer.text[:200]}"
    assert wrong == {}
    _masked(shop)
    _regional(shop, regional)


def _probe(person: Person, one: Operation) -> httpx2.Response:
    """A command that cannot succeed: its body is no JSON."""
    headers = {"idempotency-key": new_id(), "if-match": "*", "content-type": "application/json"}
    return person.http.post(one.path(), content=b"{", headers=headers)


def _masked(shop: Shop) -> None:
    """A colleague sees that a customer is there, not his number; his own seller and the manager see it."""
    number = phone()
    customer, lead = shop.customer(phone=number), shop.lead(phone=phone())
    e164, masked = f"+86{number}", f"{number[:3]}****{number[-4:]}"
    assert [shop.people[who].get(f"/customers/{customer}").json()["phone"] for who in ("sales", "manager")] == [e164] * 2
    assert masked in shop.colleague.get(f"/customers/{customer}").json()["phone"]
    row = shop.sales.eventually(f"/leads/{lead}", status="assigned")
    assert "****" in shop.colleague.get(f"/leads/{lead}").json()["phone"]
    assert "****" not in row["phone"]


def _regional(shop: Shop, regional: Person) -> None:
    """A regional manager sees the stores of his region and no other."""
    assert {row["store_id"] for row in every(regional, "/leads")} <= {shop.values["north"]}
    assert_refused(regional.get("/reports/funnel", store_id=shop.values["south"]), 403, "forbidden")
    assert regional.get("/reports/funnel", store_id=shop.values["north"]).status_code == 200


def test_a53_nobody_asks_in_anothers_name(shop: Shop, deal: dict[str, str]) -> None:
    for name in ("user", "staff_id", "as", "store", "stores", "tenant"):
        assert_refused(shop.sales.http.get("/reports/funnel", params={name: deal["staff_id"]}), 422, "unknown-parameter")


def test_a55_rights_and_owners_are_not_taken_from_a_body(shop: Shop, deal: dict[str, str]) -> None:
    lead = {"store_id": deal["store_id"], "brand": "Aurora", "channel": "phone", "name": "Lin", "phone": phone()}
    for extra in ("role", "roles", "created_by", "seller_id", "price_floor", "permissions", "id", "version"):
        assert_refused(shop.sales.post("/leads", {**lead, extra: "group-owner"}), 422, "unknown-field")


def test_a57_a_seller_sees_neither_cost_nor_margin(shop: Shop, deal: dict[str, str]) -> None:
    cost_words = ("book_cost", "purchase", "rebate", "costs", "supplier", "margin", "front_now", "150000.00")
    for path in (f"/vehicles/{deal['vin']}", f"/stays/{deal['stay_id']}", "/vehicles", f"/reports/events?vin={deal['vin']}"):
        text = shop.sales.http.get(path).text
        assert [word for word in cost_words if word in text and not (word == "purchase" and "purchase_order" in text)] == [], path
    assert "book_cost" in shop.stock.get(f"/vehicles/{deal['vin']}").json()
    assert "book_cost" not in shop.north_stock.get(f"/vehicles/{deal['vin']}").json(), "nor another store's clerk"
    for path in ("/reports/profit", "/reports/inventory-turnover", "/ledger/trial-balance", "/ledger/entries", "/ledger/cars", "/payables"):
        assert_refused(shop.sales.get(path), 403, "forbidden")
    assert_refused(shop.sales.get(f"/purchase-orders/{deal['purchase_order_id']}"), 403, "forbidden")


def test_a58_nobody_approves_what_he_asked_for(shop: Shop, everybody: Person) -> None:
    """With every role there is, still not his own discount, refund, payment, campaign, overspend, transfer or lost deal."""
    south, today, trim = shop.values["south"], shop.values["today"], shop.trim()
    vin, far = shop.car(trim), shop.car(trim, "north")
    body = {"store_id": south, "customer_id": shop.customer(), "trim_id": trim, "vin": vin}
    order = did(everybody, "/orders", {**body, "price": cny("185000.00"), "down_payment": cny("185000.00")})
    everybody.did(f"/orders/{order}/submit")
    assert_refused(everybody.post(f"/orders/{order}/approve"), 403, "four-eyes")
    everybody.eventually(f"/accounts/{order}", stage="open")
    shop.pay(order, "1000.00", "prepayment")
    refund = everybody.did("/refunds", {"order_id": order, "amount": cny("500.00"), "method": "cash", "reason": "Too much"})
    assert_refused(everybody.post(f"/refunds/{refund}/approve"), 403, "four-eyes")
    payable = every(everybody, "/payables", status="open")[0]["payable_id"]
    payment = everybody.did("/payments", {"payable_id": payable})
    assert_refused(everybody.post(f"/payments/{payment}/approve"), 403, "four-eyes")
    plan = {"store_id": south, "name": f"Show {serial()}", "kind": "show", "place": "Hall", "starts_on": today, "ends_on": today}
    campaign = everybody.did("/campaigns", {**plan, "goal_leads": 1, "goal_orders": 1, "budget": cny("10.00")})
    everybody.did(f"/campaigns/{campaign}/submit")
    assert_refused(everybody.post(f"/campaigns/{campaign}/approve"), 403, "four-eyes")
    shop.manager.did(f"/campaigns/{campaign}/approve")
    spend = did(everybody, f"/campaigns/{campaign}/spend", {"supplier": "Printer", "purpose": "Posters", "amount": cny("11.00")})
    assert_refused(everybody.post(f"/campaigns/{campaign}/spend/{spend}/approve"), 403, "four-eyes")
    transfer = everybody.did("/transfers", {"vin": far, "to_store": south})
    assert everybody.post(f"/transfers/{transfer}/approve").status_code == 403
    mine = {"customer_id": shop.customer(), "store_id": south, "brand": "Aurora", "channel": "phone"}
    lost = did(everybody, "/opportunities", mine)
    everybody.did(f"/opportunities/{lost}/lose", {"reason": "Price"})
    assert_refused(everybody.post(f"/opportunities/{lost}/approve-loss"), 403, "four-eyes")
    assert shop.accountant.get(f"/accounts/{order}").json()["refunded"] == cny("0.00")
