"""Orders over HTTP on PostgreSQL: a car from the quote to its keys, and every way it may end before."""

from io import BytesIO
from typing import Any

from pypdf import PdfReader

from services.orders.tests import hearing
from services.orders.tests.hearing import BLUE, CUSTOMER, OPPORTUNITY, OTHER_STORE, RED, STORE, TRIM
from services.orders.tests.running import Running
from shared.contracts import orders as public
from shared.testing.hearing import an_id
from shared.values.money import Money

PRICE = Money(18_980_000)


def cny(amount: str) -> dict[str, str]:
    """An amount as it crosses the API."""
    return {"amount": amount, "currency": "CNY"}


def offer(**more: Any) -> dict[str, Any]:
    """The body of an offer."""
    beside = [
        {"kind": "insurance", "text": "首年", "amount": cny("4800.50")},
        {"kind": "plates", "text": "上牌", "amount": cny("500.00")},
    ]
    options = [{"text": "珍珠白", "amount": cny("3000.00")}]
    return {"trim_id": TRIM, "options": options, "discount": cny("13000.00"), "beside": beside, "invoice_on": "2026-03-02"} | more


def new_quote(**more: Any) -> dict[str, Any]:
    """The body of a quote."""
    return offer(store_id=STORE, customer_id=CUSTOMER, opportunity_id=OPPORTUNITY) | more


def new_order(**more: Any) -> dict[str, Any]:
    """The body of an order for the red car."""
    return {
        "store_id": STORE,
        "customer_id": CUSTOMER,
        "opportunity_id": OPPORTUNITY,
        "trim_id": TRIM,
        "vin": RED,
        "price": cny("189800.00"),
        "down_payment": cny("60000.00"),
        "deliver_on": "2026-04-01",
    } | more


async def placed(orders: Running, **more: Any) -> str:
    """A submitted order."""
    answer = await orders.post("/orders", new_order(**more))
    assert answer.status == 201, answer.body
    order_id = str(answer.json["id"])
    assert (await orders.post(f"/orders/{order_id}/submit")).status == 200
    return order_id


async def approved(orders: Running, **more: Any) -> str:
    """An approved order whose car was asked for."""
    order_id = await placed(orders, **more)
    answer = await orders.post(f"/orders/{order_id}/approve", by="zhao")
    assert answer.status == 200, answer.body
    return order_id


async def signed(orders: Running) -> str:
    """An order whose car is reserved and whose contract is signed."""
    order_id = await approved(orders)
    await orders.hear(hearing.reserved(orders.last(public.VehicleRequested)))
    answer = await orders.post(f"/orders/{order_id}/sign", {"signer": "林悦", "earnest": cny("20000.00")})
    assert answer.status == 200, answer.body
    return order_id


async def seen(orders: Running, order_id: str, by: str = "li") -> dict[str, Any]:
    """The order as its seller sees it."""
    made: dict[str, Any] = (await orders.get(f"/orders/{order_id}", by)).json
    return made


def text_of(pdf: bytes) -> str:
    """What a PDF says."""
    return "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


# --- quotes ------------------------------------------------------------------------------------------------------


async def test_a_quote_is_reckoned_here_revised_and_printed(orders: Running) -> None:
    answer = await orders.post("/quotes", new_quote())
    assert answer.status == 201, answer.body
    quote_id = answer.json["id"]
    assert answer.headers["location"] == f"/api/v1/quotes/{quote_id}"
    quote = (await orders.get(f"/quotes/{quote_id}")).json
    assert quote["number"].startswith("QT-BJ1-")
    assert (quote["price"], quote["total"]) == (cny("189800.00"), cny("203498.73"))
    assert quote["revisions"][0]["reckoning"]["tax"]["relief"] == cny("8398.23")
    revised = await orders.post(f"/quotes/{quote_id}/revise", offer(discount=cny("15000.00")), match='"1"')
    assert revised.status == 200, revised.body
    assert revised.headers["etag"] == '"2"'
    said = await orders.post(f"/quotes/{quote_id}/feedback", {"liked": True, "text": "价格可以"})
    assert said.status == 200, said.body
    quote = (await orders.get(f"/quotes/{quote_id}")).json
    assert (quote["revision"], quote["price"], len(quote["revisions"])) == (2, cny("187800.00"), 2)
    assert quote["feedback"][0]["text"] == "价格可以"
    pdf = await orders.get(f"/quotes/{quote_id}/quote.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert "林悦" in text_of(pdf.body)
    assert "187,800.00" not in text_of(pdf.body)
    assert orders.last(public.QuoteIssued).revision == 2


async def test_an_expired_quote_is_not_ordered_and_a_quote_only_once(orders: Running) -> None:
    quote_id = (await orders.post("/quotes", new_quote())).json["id"]
    other = await orders.post("/orders", new_order(quote_id=quote_id, price=cny("189800.01")))
    assert (other.status, other.problem) == (409, "price-changed")
    foreign = await orders.post("/orders", new_order(quote_id=an_id(99)))
    assert (foreign.status, list(foreign.errors)) == (422, ["quote_id"])
    order_id = await placed(orders, quote_id=quote_id)
    order = await seen(orders, order_id)
    assert (order["list_price"], order["options"]) == (cny("202800.00"), ["珍珠白"])
    again = await orders.post("/orders", new_order(quote_id=quote_id))
    assert (again.status, again.problem) == (409, "quote-already-ordered")
    assert (await orders.get(f"/quotes/{quote_id}")).json["stage"] == "ordered"
    assert (await orders.post(f"/orders/{order_id}/cancel", {"reason": "other brand"})).status == 200
    assert (await orders.get(f"/quotes/{quote_id}")).json["stage"] == "open"
    late = (await orders.post("/quotes", new_quote())).json["id"]
    await orders.late()
    assert (await orders.get(f"/quotes/{late}")).json["stage"] == "expired"
    expired = await orders.post("/orders", new_order(quote_id=late))
    assert (expired.status, expired.problem) == (409, "quote-expired")


# --- the usual way -----------------------------------------------------------------------------------------------


async def test_one_car_from_the_desk_to_its_keys(orders: Running) -> None:
    order_id = await signed(orders)
    asked = orders.last(public.VehicleRequested)
    assert (asked.order_id, asked.vin, asked.store_id, asked.seller_id) == (order_id, RED, STORE, hearing.LI)
    contract = orders.last(public.ContractSigned)
    assert (contract.price, contract.earnest_agreed) == (PRICE, Money(2_000_000))
    await orders.hear(hearing.paid(order_id, Money(2_000_000), Money(2_000_000)))
    early = await orders.post(f"/orders/{order_id}/deliver")
    assert (early.status, early.problem) == (409, "illegal-transition")
    for word in ("arrived", "balance", "invoice", "open: keys"):
        assert word in early.json["detail"]
    await orders.hear(hearing.arrived(order_id), hearing.paid(order_id, PRICE, Money(0), receipt=2), hearing.invoiced(order_id, PRICE))
    order = await seen(orders, order_id)
    assert (order["car_at"], order["paid"], order["earnest"]) == (STORE, cny("189800.00"), cny("20000.00"))
    for item in order["open_items"]:
        assert (await orders.post(f"/orders/{order_id}/checklist", {"item": item})).status == 200
    answer = await orders.post(f"/orders/{order_id}/deliver")
    assert answer.status == 200, answer.body
    assert answer.headers["forecourt-seen"].startswith(f"orders/order-{order_id}@")
    delivered = orders.last(public.OrderDelivered)
    assert (delivered.stay_id, delivered.campaign_id, delivered.channel) == (hearing.STAY, hearing.CAMPAIGN, "website")
    order = await seen(orders, order_id)
    assert (order["stage"], order["open_items"], order["signer"]) == ("delivered", [], "林悦")
    steps = (await orders.get(f"/orders/{order_id}/fulfilment")).json
    assert (steps["phase"], [step["what"] for step in steps["steps"]]) == ("delivered", ["asked", "held"])


async def test_order_numbers_have_no_gap(orders: Running) -> None:
    first = await orders.post("/orders", new_order(), key="one")
    assert (await orders.post("/orders", new_order(), key="one")).json == first.json
    assert (await orders.post("/orders", new_order(customer_id=an_id(99)))).status == 422
    assert (await orders.post("/orders", new_order(down_payment=cny("189800.01")))).problem == "down-payment-too-high"
    await orders.post("/orders", new_order())
    listed = (await orders.get("/orders")).json["items"]
    assert [order["number"][-4:] for order in listed] == ["-002", "-001"]
    assert len({order["number"][:-4] for order in listed}) == 1


# --- approval ----------------------------------------------------------------------------------------------------


async def test_approval_needs_another_person_and_enough_authority(orders: Running) -> None:
    order_id = await placed(orders)
    own = await orders.post(f"/orders/{order_id}/approve", by="li")
    assert (own.status, own.problem) == (403, "forbidden")
    theirs = await orders.post("/orders", new_order(vin=BLUE), by="zhao")
    mine = f"/orders/{theirs.json['id']}"
    await orders.post(f"{mine}/submit", by="zhao")
    same = await orders.post(f"{mine}/approve", by="zhao")
    assert (same.status, same.problem) == (403, "four-eyes")
    cheap = await placed(orders, price=cny("187000.00"))
    beyond = await orders.post(f"/orders/{cheap}/approve", by="zhao")
    assert beyond.problem == "above-authority"
    assert "regional-manager" in beyond.json["detail"]
    await orders.hear(hearing.han_authority)
    assert (await orders.post(f"/orders/{cheap}/approve", by="zhao")).status == 200
    poor = await placed(orders, down_payment=cny("37959.99"))
    assert (await orders.post(f"/orders/{poor}/approve", by="zhao")).problem == "down-payment-too-low"


async def test_an_administrator_enacts_rules_that_orders_keep_to(orders: Running) -> None:
    rules = {
        "valid_from": "2026-01-01",
        "source": "board decision 7",
        "minimum_down_permille": 400,
        "earnest_limit_permille": 100,
        "quote_days": 3,
        "checklist": ["keys"],
    }
    assert (await orders.post("/sales-rules", rules)).problem == "forbidden"
    assert (await orders.post("/sales-rules", rules, by="admin")).status == 201
    tax = {
        "valid_from": "2026-01-02",
        "source": "test",
        "rate_permille": 0,
        "relief_permille": 0,
        "relief_cap": cny("0.00"),
        "relieved": [],
    }
    assert (await orders.post("/tax-rules", tax, by="admin")).status == 201
    book = (await orders.get("/sales-rules")).json
    assert (book["sales"][-1]["source"], book["tax"][-1]["relief_cap"]) == ("board decision 7", cny("0.00"))
    order_id = await placed(orders)
    assert (await seen(orders, order_id))["checklist"] == ["keys"]
    assert (await orders.post(f"/orders/{order_id}/approve", by="zhao")).problem == "down-payment-too-low"
    quote_id = (await orders.post("/quotes", new_quote())).json["id"]
    assert (await orders.get(f"/quotes/{quote_id}")).json["total"] == cny("195100.50")


# --- cars lost, changed, cancelled -------------------------------------------------------------------------------


async def test_two_want_the_same_car_and_one_wins(orders: Running) -> None:
    winner, loser = await approved(orders), await approved(orders)
    asked = {event.order_id: event for event in orders.all(public.VehicleRequested)}
    await orders.hear(hearing.reserved(asked[winner]), hearing.refused(asked[loser]))
    assert (await seen(orders, winner))["vehicle"] == "held"
    assert (await seen(orders, loser))["vehicle"] == "missing"
    assert (await orders.post(f"/orders/{loser}/sign", {"signer": "x", "earnest": cny("0.00")})).problem == "vehicle-not-secured"
    assert (await orders.post(f"/orders/{loser}/reserve")).status == 200
    again = orders.last(public.VehicleRequested)
    assert (again.order_id, again.request_id != asked[loser].request_id) == (loser, True)
    await orders.hear(hearing.reserved(again))
    assert (await seen(orders, loser))["vehicle"] == "held"


async def test_a_change_is_approved_and_allocated_anew(orders: Running) -> None:
    order_id = await signed(orders)
    first = orders.last(public.VehicleRequested)
    changed = await orders.post(f"/orders/{order_id}/change", {"vin": BLUE, "price": cny("189000.00"), "reason": "blue is nicer"})
    assert changed.status == 200, changed.body
    release = orders.last(public.VehicleReleaseRequested)
    assert (release.request_id, release.vin) == (first.request_id, RED)
    order = await seen(orders, order_id)
    assert (order["stage"], order["vehicle"], order["sha256"]) == ("submitted", "none", None)
    (change,) = order["changes"]
    assert (change["old"]["price"], change["new"]["price"]) == (cny("189800.00"), cny("189000.00"))
    assert (change["old"]["vin"], change["new"]["vin"]) == (RED, BLUE)
    assert (await orders.post(f"/orders/{order_id}/approve", by="zhao")).status == 200
    assert orders.last(public.VehicleRequested).vin == BLUE


async def test_a_cancelled_order_frees_its_car_also_a_late_one(orders: Running) -> None:
    held, asked = await signed(orders), await approved(orders)
    late = orders.last(public.VehicleRequested)
    for order_id in (held, asked):
        assert (await orders.post(f"/orders/{order_id}/cancel", {"reason": "changed his mind"})).status == 200
    assert {event.order_id for event in orders.all(public.VehicleReleaseRequested)} == {held, asked}
    await orders.hear(hearing.reserved(late))
    assert [event.order_id for event in orders.all(public.VehicleReleaseRequested)].count(asked) == 2
    assert (await seen(orders, asked))["vehicle"] == "none"
    await orders.hear(hearing.refunded(held, Money(0)))
    assert (await seen(orders, held))["paid"] == cny("0.00")


async def test_only_a_manager_keeps_the_earnest_money(orders: Running) -> None:
    order_id = await signed(orders)
    await orders.hear(hearing.paid(order_id, Money(2_000_000), Money(2_000_000)))
    body = {"reason": "breach", "forfeit": True}
    assert (await orders.post(f"/orders/{order_id}/cancel", body)).problem == "forbidden"
    assert (await orders.post(f"/orders/{order_id}/cancel", body, by="zhao")).status == 200
    assert orders.last(public.OrderCancelled).forfeit


async def test_the_reservation_of_an_order_expires(orders: Running) -> None:
    order_id = await approved(orders)
    request = orders.last(public.VehicleRequested)
    await orders.hear(hearing.reserved(request), hearing.released(request.request_id, order_id))
    assert (await seen(orders, order_id))["vehicle"] == "missing"


# --- bad input and other stores ----------------------------------------------------------------------------------


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"store_id": OTHER_STORE}, "store_id"),
    ({"customer_id": an_id(99)}, "customer_id"),
    ({"opportunity_id": an_id(99)}, "opportunity_id"),
    ({"trim_id": an_id(99), "vin": None}, "trim_id"),
    ({"vin": "LFV2A2150N3000009"}, "vin"),
    ({"price": cny("0.00")}, "price"),
    ({"price": cny("-1.00")}, "price"),
    ({"price": {"amount": "1e5", "currency": "CNY"}}, "price"),
    ({"vin": "LFV2A2150N300000O"}, "vin"),
    ({"seller_id": an_id(99)}, "seller_id"),
]


async def test_a_bad_field_is_named(orders: Running) -> None:
    for wrong, field in WRONG:
        answer = await orders.post("/orders", new_order(**wrong))
        assert (answer.status, list(answer.errors)) == (422, [field])


async def test_another_store_s_order_is_not_found(orders: Running) -> None:
    order_id = await placed(orders)
    assert (await orders.get("/orders", "sun")).json["items"] == []
    reads = [f"/orders/{order_id}", f"/orders/{order_id}/contract.pdf", f"/orders/{order_id}/fulfilment"]
    assert {(await orders.get(path, "sun")).status for path in reads} == {404}
    commands: list[tuple[str, Any]] = [("approve", None), ("cancel", {"reason": "x"}), ("submit", None), ("change", {"reason": "x"})]
    assert {(await orders.post(f"/orders/{order_id}/{verb}", body, by="sun")).status for verb, body in commands} == {404}
    assert (await orders.get("/orders", "owner")).json["items"][0]["order_id"] == order_id
    assert (await orders.get("/orders", "clerk")).problem == "forbidden"


async def test_commands_need_a_key_and_the_version_they_saw(orders: Running) -> None:
    bearer = {"authorization": "Bearer li"}
    assert (await orders.client.post("/api/v1/orders", new_order(), bearer)).problem == "idempotency-key-missing"
    order_id = await placed(orders)
    assert (await orders.client.post(f"/api/v1/orders/{order_id}/submit", None, bearer)).status == 428
    assert (await orders.post(f"/orders/{order_id}/cancel", {"reason": "x"}, match='"1"')).status == 412
    assert (await orders.get(f"/orders/{order_id}")).headers["etag"] == '"2"'


async def test_another_currency_than_the_store_s_is_refused(orders: Running) -> None:
    dollars = {"amount": "30000.00", "currency": "USD"}
    assert (await orders.post("/orders", new_order(price=dollars, down_payment=dollars))).problem == "currency-mismatch"
    assert (await orders.post("/quotes", new_quote(discount=dollars))).problem == "currency-mismatch"
