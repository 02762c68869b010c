"""Quotes and orders through the gateway: exact to the cent, numbered without gaps, approved by two, undone as a whole."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from shared.testing.platform import Person
from tests.acceptance.databases import Databases
from tests.acceptance.refusals import assert_refused
from tests.acceptance.shop import CHECKLIST, Shop, at_once, cny, did, every, minor, serial, until

CENT = Decimal("0.01")
HOUSE_TAX = Decimal("0.10")


def text_of(pdf: bytes) -> str:
    """All text of a PDF without its blanks."""
    assert pdf.startswith(b"%PDF-")
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def tax_due(price: str, electric: bool) -> str:
    """Purchase tax of an invoice of 2026 by the law, computed here: 10 % of the price without VAT; of an electric car half, at most 15,000 less."""
    net = (Decimal(price) / Decimal("1.13")).quantize(CENT, ROUND_HALF_UP)
    full = (net * HOUSE_TAX).quantize(CENT, ROUND_HALF_UP)
    relief = min((full / 2).quantize(CENT, ROUND_HALF_UP), Decimal("15000.00")) if electric else Decimal(0)
    return str(full - relief)


@pytest.mark.feature("ORD-01")
@pytest.mark.parametrize("guide", ["189800.00", "99999.99", "452000.03", "113.01", "400000.37"])
@pytest.mark.parametrize("powertrain", ["petrol", "electric"])
def test_a_quotes_taxes_and_total_are_exact_to_the_cent(shop: Shop, guide: str, powertrain: str) -> None:
    trim, customer = shop.trim(guide, powertrain=powertrain), shop.customer("Zhao Min")
    beside = [
        {"kind": "insurance", "text": "Full cover", "amount": cny("5213.37")},
        {"kind": "plates", "text": "Plates", "amount": cny("500.00")},
    ]
    option = {"text": "Pearl white", "amount": cny("0.33")}
    body = {
        "store_id": shop.values["south"],
        "customer_id": customer,
        "trim_id": trim,
        "discount": cny("13.31"),
        "invoice_on": "2026-11-30",
    }
    trade = {"text": "Lavida 2016", "amount": cny("50.01")}
    quote = did(shop.sales, "/quotes", {**body, "options": [option], "beside": beside, "trade_in": trade})
    car = Decimal(guide) + Decimal("0.33") - Decimal("13.31")
    tax = Decimal(tax_due(str(car), powertrain == "electric"))
    total = car + tax + Decimal("5213.37") + Decimal("500.00") - Decimal("50.01")
    row = shop.sales.get(f"/quotes/{quote}").json()
    assert (row["price"], row["total"]) == (cny(str(car)), cny(str(total)))
    assert row["revisions"][0]["reckoning"]["tax"]["due"] == cny(str(tax))
    paper = text_of(shop.sales.get(f"/quotes/{quote}/quote.pdf").content)
    assert f"{total:,}" in paper
    assert "ZhaoMin" in paper


@pytest.mark.touches("ORD-01")
def test_a_quote_has_versions_a_finance_plan_feedback_and_an_end(shop: Shop, databases: Databases) -> None:
    trim, customer = shop.trim("113000.00"), shop.customer()
    body = {"trim_id": trim, "discount": cny("0.00"), "invoice_on": "2026-11-30"}
    quote = did(shop.sales, "/quotes", {**body, "store_id": shop.values["south"], "customer_id": customer})
    plan = {"product": "Bank 36", "down_payment": cny("43000.00"), "loan": cny("80000.00"), "months": 36, "instalment": cny("2380.11")}
    assert_refused(
        shop.sales.post(f"/quotes/{quote}/revise", {**body, "finance": {**plan, "loan": cny("1.00")}}), 422, "finance-plan-mismatch"
    )
    shop.sales.did(f"/quotes/{quote}/revise", {**body, "finance": plan})
    shop.sales.did(f"/quotes/{quote}/feedback", {"liked": False, "text": "Still too dear"})
    row = shop.sales.get(f"/quotes/{quote}").json()
    assert [revision["revision"] for revision in row["revisions"]] == [1, 2]
    assert row["feedback"][0]["text"] == "Still too dear"
    assert databases.hasten("orders", f"quote-{quote}", "expiry") == 1
    shop.sales.eventually(f"/quotes/{quote}", stage="expired")
    order = {"store_id": shop.values["south"], "customer_id": customer, "quote_id": quote, "trim_id": trim, "down_payment": cny("43000.00")}
    assert_refused(shop.sales.post("/orders", {**order, "price": cny("113000.00")}), 409, "quote-expired")
    shop.sales.did(f"/quotes/{quote}/revise", {**body, "discount": cny("1000.00")})
    did(shop.sales, "/orders", {**order, "price": cny("112000.00")})
    assert_refused(shop.sales.post("/orders", {**order, "price": cny("112000.00")}), 409, "quote-already-ordered")


@pytest.mark.feature("ORD-02")
def test_numbers_have_no_gap_per_store_and_day_whatever_is_refused_or_at_once(shop: Shop) -> None:
    """Sixty at once, from a quote and directly, a third of them refused, two stores: every number once, none missing."""
    trim = shop.trim()
    stores = {"south": (shop.sales, shop.customer()), "north": (shop.north_sales, "")}
    north = {"store_id": shop.values["north"], "kind": "person", "name": "Bai", "phone": f"1392{serial():07}"}
    stores["north"] = (shop.north_sales, did(shop.north_sales, "/customers", north))
    for name, (who, customer) in stores.items():
        did(who, "/orders", order_of(shop, name, customer, trim))
    quoted = {"store_id": shop.values["south"], "customer_id": stores["south"][1], "trim_id": trim, "discount": cny("0.00")}
    quote = did(shop.sales, "/quotes", quoted)

    def ask(n: int) -> int:
        name = ("south", "north")[n % 2]
        who, customer = stores[name]
        body = order_of(shop, name, customer, trim)
        if n % 3 == 0:
            body |= {"down_payment": cny("999999.00")}
        elif n % 10 == 4:
            body |= {"quote_id": quote}
        answer = who.post("/orders", body)
        assert answer.status_code in (201, 409, 422), answer.text
        return answer.status_code

    before = {name: len(numbers(shop, name)) for name in stores}
    statuses = map_at_once(60, ask)
    assert statuses.count(201) > 30
    assert statuses.count(409) >= 20
    for name in stores:
        found = numbers(shop, name)
        assert found == list(range(1, len(found) + 1))
    assert sum(len(numbers(shop, name)) - before[name] for name in stores) == statuses.count(201)
    _a_cancelled_order_keeps_its_number(shop, trim, stores["south"][1])


def map_at_once(times: int, ask: Callable[[int], int]) -> list[int]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(20) as pool:
        return list(pool.map(ask, range(times)))


def order_of(shop: Shop, store: str, customer: str, trim: str) -> dict[str, object]:
    price = {"price": cny("189800.00"), "down_payment": cny("60000.00")}
    return {"store_id": shop.values[store], "customer_id": customer, "trim_id": trim, **price}


def numbers(shop: Shop, store: str) -> list[int]:
    """Today's running numbers of a store's orders, in order."""
    code = f"{store[0].upper()}{shop.group.number:02}"
    today = f"{datetime.now(UTC).astimezone(ZoneInfo('Asia/Shanghai')):%Y%m%d}"
    who = shop.manager if store == "south" else shop.north_manager
    rows = [row["number"] for row in every(who, "/orders", store_id=shop.values[store])]
    return sorted(int(number.rpartition("-")[2]) for number in rows if number.startswith(f"SO-{code}-{today}-"))


def _a_cancelled_order_keeps_its_number(shop: Shop, trim: str, customer: str) -> None:
    order = did(shop.sales, "/orders", order_of(shop, "south", customer, trim))
    number = shop.sales.get(f"/orders/{order}").json()["number"]
    shop.sales.did(f"/orders/{order}/cancel", {"reason": "Changed his mind"})
    after = did(shop.sales, "/orders", order_of(shop, "south", customer, trim))
    assert int(shop.sales.get(f"/orders/{after}").json()["number"][-3:]) == int(number[-3:]) + 1
    assert shop.sales.get(f"/orders/{order}").json()["number"] == number


@pytest.mark.feature("ORD-03")
def test_approval_follows_rules_that_are_data_and_a_refusal_says_why(shop: Shop, everybody: Person) -> None:
    """Down payment, discount authority per role and series, configuration, four eyes, the next level; and rules enacted anew."""
    from tests.acceptance.conftest import hired

    chief = shop.people.get("area") or hired(shop.group, "area", shop.values["south"], "regional-manager")
    series = f"S{serial()}"
    trim = shop.trim("200000.00", series=series)
    vin = shop.car(trim)

    def submitted(price: str, down: str, **more: object) -> str:
        order = shop.order(trim, vin, price, **{"down_payment": cny(down), **more})
        shop.sales.did(f"/orders/{order}/submit")
        return order

    low = shop.manager.post(f"/orders/{submitted('200000.00', '39999.99')}/approve")
    assert_refused(low, 409, "down-payment-too-low")
    assert "20 %" in low.json()["detail"]
    generous = submitted("190000.00", "60000.00")
    above = shop.manager.post(f"/orders/{generous}/approve")
    assert_refused(above, 403, "above-authority")
    assert "5 %" in above.json()["detail"]
    assert "regional-manager" in above.json()["detail"]
    chief.did(f"/orders/{generous}/approve")
    assert shop.sales.get(f"/orders/{generous}").json()["approved_by"] == shop.values["area"]
    shop.admin.did("/authorities", {"role": "sales-manager", "series": series, "discount_permille": 60})
    second = submitted("188000.00", "60000.00")
    until(lambda: shop.manager.post(f"/orders/{second}/approve").status_code == 200)
    bare = did(shop.sales, "/orders", order_of(shop, "south", shop.customer(), shop.trim()))
    shop.sales.did(f"/orders/{bare}/submit")
    assert_refused(shop.manager.post(f"/orders/{bare}/approve"), 409, "no-vehicle")
    strange = {"store_id": shop.values["south"], "customer_id": shop.customer(), "trim_id": shop.trim(), "vin": vin}
    assert_refused(shop.sales.post("/orders", {**strange, "price": cny("1.00"), "down_payment": cny("1.00")}), 422, "unknown-reference")
    mine = did(everybody, "/orders", order_of(shop, "south", shop.customer(), trim) | {"vin": vin})
    everybody.did(f"/orders/{mine}/submit")
    assert_refused(everybody.post(f"/orders/{mine}/approve"), 403, "four-eyes")
    _a_stricter_rule_is_enacted(shop, submitted)


def _a_stricter_rule_is_enacted(shop: Shop, submitted: Callable[..., str]) -> None:
    """Rules are data: an administrator enacts another minimum from today on, with its source, and takes it back."""
    now = shop.sales.get("/sales-rules").json()["sales"]
    known = {name: now[-1][name] for name in ("earnest_limit_permille", "quote_days", "checklist")}
    rule = {**known, "valid_from": shop.values["today"], "minimum_down_permille": 300, "source": f"Board decision {serial()}"}
    shop.admin.did("/sales-rules", rule)
    try:
        order = submitted("200000.00", "59999.99")
        assert_refused(shop.manager.post(f"/orders/{order}/approve"), 409, "down-payment-too-low")
        assert shop.sales.get("/sales-rules").json()["sales"][-1]["source"] == rule["source"]
    finally:
        shop.admin.did("/sales-rules", {**rule, "minimum_down_permille": 200, "source": f"Board decision {serial()}"})
    shop.manager.did(f"/orders/{submitted('200000.00', '40000.00')}/approve")


@pytest.mark.feature("ORD-04")
def test_a_signed_contract_is_kept_with_its_hash_and_tampering_shows(shop: Shop, databases: Databases) -> None:
    trim = shop.trim()
    vin = shop.car(trim)
    order = shop.signed(trim, vin, "186000.00")
    row = shop.sales.get(f"/orders/{order}").json()
    assert len(row["sha256"]) == len(sha256().hexdigest())
    first = shop.sales.get(f"/orders/{order}/contract.pdf")
    assert first.headers["content-type"] == "application/pdf"
    paper = text_of(first.content)
    for part in (row["number"], vin, "186,000.00", "20,000.00", "LinYue", row["sha256"][:16]):
        assert part in paper, part
    shop.customer("Somebody Else")
    assert text_of(shop.sales.get(f"/orders/{order}/contract.pdf").content) == paper, "printed the same ever after"
    other = shop.signed(trim, shop.car(trim), "185000.00")
    for column in ("document", "sha256"):
        kept = databases.rows("orders", f"select {column} as kept from order_book_1 where order_id = %s", order)[0]["kept"]
        foreign = databases.rows("orders", f"select {column} as kept from order_book_1 where order_id = %s", other)[0]["kept"]
        databases.rows("orders", f"update order_book_1 set {column} = %s where order_id = %s", foreign, order)
        assert shop.sales.get(f"/orders/{order}/contract.pdf").status_code in (409, 410), column
        databases.rows("orders", f"update order_book_1 set {column} = %s where order_id = %s", kept, order)
    assert shop.sales.get(f"/orders/{order}/contract.pdf").status_code == 200


@pytest.mark.touches("ORD-05")
@pytest.mark.touches("ORD-08")
def test_an_order_says_where_it_stands(shop: Shop) -> None:
    trim = shop.trim()
    vin = shop.car(trim)
    order = shop.order(trim, vin)
    stages = [stage(shop, order)]
    shop.sales.did(f"/orders/{order}/submit")
    stages.append(stage(shop, order))
    shop.manager.did(f"/orders/{order}/approve")
    shop.sales.eventually(f"/orders/{order}", vehicle="held")
    stages.append(stage(shop, order))
    shop.sales.did(f"/orders/{order}/sign", {"signer": "Lin Yue", "earnest": cny("0.00")})
    stages.append(stage(shop, order))
    assert stages == ["placed", "submitted", "approved", "signed"]
    steps = shop.sales.get(f"/orders/{order}/fulfilment").json()["steps"]
    assert [step["what"] for step in steps] == ["asked", "held"]
    assert shop.sales.get(f"/orders/{order}").json()["open_items"] == list(CHECKLIST)


def stage(shop: Shop, order: str) -> str:
    return str(shop.sales.get(f"/orders/{order}").json()["stage"])


@pytest.mark.feature("ORD-07")
@pytest.mark.parametrize(
    "at", ["placed", "submitted", "approved", "approved at once", "signed", "earnest", "paid", "reversed", "invoiced", "in transit"]
)
def test_an_order_cancelled_at_any_step_leaves_nothing_behind(shop: Shop, at: str) -> None:
    """The car free for the next, every yuan back, the invoice red, the quote open again, the order's ledger at zero on every account."""
    trim = shop.trim()
    vin = shop.car(trim, "north" if at == "in transit" else "south")
    order = _brought_to(shop, at, trim, vin)
    if at == "reversed":
        _reverse(shop, order)
    shop.sales.did(f"/orders/{order}/cancel", {"reason": "The loan was refused"})
    assert_refused(shop.sales.post(f"/orders/{order}/submit"), 409, "illegal-transition")
    shop.accountant.eventually(f"/accounts/{order}", stage="cancelled")
    assert len(every(shop.accountant, "/invoices", needs_red=True, order_id=order)) == (at == "invoiced")
    if at == "invoiced":
        _reverse(shop, order)
        assert every(shop.accountant, "/invoices", needs_red=True, order_id=order) == []
    if minor(shop.accountant.get(f"/accounts/{order}").json()["paid"]):
        did(shop.accountant, f"/refunds/{order}/approve")
    until(lambda: set(_balances(shop, order).values()) <= {0})
    account = shop.accountant.get(f"/accounts/{order}").json()
    assert (account["due"], account["paid"]) == (cny("0.00"), cny("0.00"))
    if at == "in transit":
        transfer = shop.stock.get("/transfers", vin=vin).json()["items"][0]["transfer_id"]
        shop.stock.did(f"/transfers/{transfer}/receive", {"vin": vin, "transport": cny("0.00")})
    until(lambda: shop.stock.get(f"/vehicles/{vin}").json()["status"] == "in-stock")
    again = shop.approved(trim, vin)
    assert shop.stock.get(f"/vehicles/{vin}").json()["reserved_for"] == again


def _reverse(shop: Shop, order: str) -> None:
    """The red invoice, known to the order, too."""
    shop.accountant.did(f"/invoices/{every(shop.accountant, '/invoices', order_id=order)[0]['invoice_id']}/reverse")
    until(lambda: shop.sales.get(f"/orders/{order}").json()["invoice_number"] is None)


def _brought_to(shop: Shop, at: str, trim: str, vin: str) -> str:
    """An order at that step."""
    order = shop.order(trim, vin)
    if at == "placed":
        return order
    shop.sales.did(f"/orders/{order}/submit")
    if at == "submitted":
        return order
    shop.manager.did(f"/orders/{order}/approve")
    if at == "approved at once":
        return order
    shop.sales.eventually(f"/orders/{order}", vehicle="held")
    if at == "in transit":
        transfer = shop.stock.did("/transfers", {"vin": vin, "to_store": shop.values["south"], "order_id": order})
        shop.north_manager.did(f"/transfers/{transfer}/approve")
        shop.north_stock.did(f"/transfers/{transfer}/dispatch", {"carrier": "Swift"})
        shop.stock.eventually(f"/transfers/{transfer}", status="dispatched")
        return order
    if at == "approved":
        return order
    shop.sales.did(f"/orders/{order}/sign", {"signer": "Lin Yue", "earnest": cny("20000.00")})
    shop.cashier.eventually(f"/accounts/{order}", stage="contract")
    if at in ("earnest", "paid", "reversed", "invoiced"):
        shop.pay(order, "20000.00", "earnest")
    if at in ("paid", "reversed", "invoiced"):
        shop.pay(order, "169800.00")
    if at in ("reversed", "invoiced"):
        did(shop.accountant, "/invoices", {"order_id": order})
        until(lambda: shop.sales.get(f"/orders/{order}").json()["invoice_number"])
    return order


def _balances(shop: Shop, order: str) -> dict[str, int]:
    """What an order has left on each account of the ledger."""
    sums: dict[str, int] = {}
    for entry in every(shop.owner, "/ledger/entries", order_id=order):
        for line in entry["lines"]:
            sums[line["account"]] = sums.get(line["account"], 0) + minor(line["amount"])
    return sums


@pytest.mark.feature("ORD-09")
def test_nothing_is_delivered_with_an_open_item_a_balance_or_a_paper_missing(shop: Shop) -> None:
    """Each obstacle alone stops it and is named; without any it is delivered."""
    trim = shop.trim()
    vin = shop.car(trim, "north", certificate="pledged")
    order = shop.signed(trim, vin)

    def obstacles() -> str:
        answer = shop.sales.post(f"/orders/{order}/deliver")
        assert_refused(answer, 409, "illegal-transition")
        return str(answer.json()["detail"])

    everything = obstacles()
    for part in (
        "not arrived",
        "certificate is pledged",
        "balance is unpaid",
        "invoice is missing",
        *(f"open: {item}" for item in CHECKLIST),
    ):
        assert part in everything, part
    transfer = shop.stock.did("/transfers", {"vin": vin, "to_store": shop.values["south"], "order_id": order})
    shop.north_manager.did(f"/transfers/{transfer}/approve")
    shop.north_stock.did(f"/transfers/{transfer}/dispatch", {"carrier": "Swift"})
    shop.stock.eventually(f"/transfers/{transfer}", status="dispatched")
    shop.stock.did(f"/transfers/{transfer}/receive", {"vin": vin, "transport": cny("500.00")})
    until(lambda: "not arrived" not in obstacles())
    shop.pay(order, "189799.99")
    until(lambda: shop.sales.get(f"/orders/{order}").json()["paid"] == cny("189799.99"))
    assert "balance is unpaid" in obstacles()
    shop.pay(order, "0.01")
    until(lambda: "unpaid" not in obstacles())
    did(shop.accountant, "/invoices", {"order_id": order})
    until(lambda: "invoice is missing" not in obstacles())
    shop.stock.did(f"/vehicles/{vin}/certificate", {"status": "redeemed"})
    until(lambda: "certificate is" not in obstacles())
    for item in CHECKLIST:
        assert f"open: {item}" in obstacles()
        shop.sales.did(f"/orders/{order}/checklist", {"item": item})
    shop.sales.did(f"/orders/{order}/checklist", {"item": "keys", "passed": False})
    assert obstacles().endswith("Not to be delivered yet: open: keys.")
    shop.sales.did(f"/orders/{order}/checklist", {"item": "keys"})
    answers = at_once(5, lambda _: shop.sales.post(f"/orders/{order}/deliver"))
    assert sorted(answer.status_code for answer in answers)[0] == 200
    shop.accountant.eventually(f"/accounts/{order}", stage="delivered")
    assert len([entry for entry in every(shop.owner, "/ledger/entries", order_id=order) if entry["event"] == "SaleRecognised"]) == 1


@pytest.mark.touches("ORD-08")
def test_two_orders_for_one_car_and_one_has_it(shop: Shop) -> None:
    trim = shop.trim()
    vin, other = shop.car(trim), shop.car(trim)
    orders = [shop.order(trim, vin) for _ in range(2)]
    for order in orders:
        shop.sales.did(f"/orders/{order}/submit")
    at_once(2, lambda n: shop.manager.post(f"/orders/{orders[n]}/approve"))

    def settled() -> list[str] | None:
        found = [str(shop.sales.get(f"/orders/{order}").json()["vehicle"]) for order in orders]
        return found if sorted(found) == ["held", "missing"] else None

    loser = orders[until(settled).index("missing")]
    assert_refused(shop.sales.post(f"/orders/{loser}/sign", {"signer": "Lin", "earnest": cny("0.00")}), 409, "vehicle-not-secured")
    shop.sales.did(f"/orders/{loser}/change", {"vin": other, "reason": "The other one was taken"})
    assert stage(shop, loser) == "submitted", "approved again, for another car"
    shop.manager.did(f"/orders/{loser}/approve")
    shop.sales.eventually(f"/orders/{loser}", vehicle="held", vin=other)
