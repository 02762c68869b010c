"""Money through the gateway: taken once, paid by two, always balanced, invoiced once."""

import re
from decimal import Decimal

import pytest

from shared.values.ids import new_id
from tests.acceptance.databases import Databases
from tests.acceptance.refusals import assert_refused
from tests.acceptance.shop import Shop, at_once, cny, did, every, minor, serial, until
from tests.acceptance.test_orders import text_of

METHODS = ("cash", "card", "transfer", "wechat", "alipay", "loan")


def opened(shop: Shop) -> str:
    """An order that finance has heard of."""
    trim = shop.trim()
    order = shop.order(trim, shop.car(trim))
    shop.cashier.eventually(f"/accounts/{order}", stage="open")
    return order


@pytest.mark.feature("FIN-01")
def test_money_is_taken_once_with_a_numbered_voucher_however_often_it_is_sent(shop: Shop) -> None:
    """Each method and kind; a retried payment is one payment; vouchers are gapless and print."""
    order = opened(shop)
    kinds = ("prepayment", "earnest", "down-payment", "balance", "balance", "prepayment")
    receipts = []
    for method, kind in zip(METHODS, kinds, strict=True):
        body = {"order_id": order, "kind": kind, "method": method, "amount": cny("1000.00")}
        key = new_id()
        answers = at_once(10, lambda _, body=body, key=key: shop.cashier.post("/receipts", body, idempotency_key=key))  # type: ignore[misc]
        made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        assert len(made) == 1
        assert shop.cashier.post("/receipts", body, idempotency_key=key).json()["id"] in made
        receipts.append(made.pop())
    account = shop.cashier.get(f"/accounts/{order}").json()
    assert (account["paid"], account["due"]) == (cny("6000.00"), cny("183800.00"))
    rows = every(shop.cashier, "/receipts", order_id=order)
    assert {row["receipt_id"] for row in rows} == set(receipts)
    assert {row["method"] for row in rows} == set(METHODS)
    numbers = [row["number"] for row in every(shop.cashier, "/receipts", store_id=shop.values["south"])]
    days: dict[str, list[int]] = {}
    for number in numbers:
        found = re.fullmatch(r"(RV-[A-Z0-9]+-\d{8})-(\d{3,})", number)
        assert found, number
        days.setdefault(found[1], []).append(int(found[2]))
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in days.values())
    paper = text_of(shop.cashier.get(f"/receipts/{receipts[0]}/receipt.pdf").content)
    row = next(row for row in rows if row["receipt_id"] == receipts[0])
    for part in (row["number"], "1,000.00", "LinYue", "壹仟元整"):
        assert part in paper, part
    _a_refund_needs_two(shop, order)


def _a_refund_needs_two(shop: Shop, order: str) -> None:
    refund = shop.cashier.did("/refunds", {"order_id": order, "amount": cny("500.00"), "method": "cash", "reason": "Paid too much"})
    assert_refused(shop.cashier.post(f"/refunds/{refund}/approve"), 403, "four-eyes")
    at_once(5, lambda _: shop.accountant.post(f"/refunds/{refund}/approve"))
    account = shop.cashier.get(f"/accounts/{order}").json()
    assert (account["paid"], account["refunded"]) == (cny("5500.00"), cny("500.00"))
    assert_refused(
        shop.cashier.post("/refunds", {"order_id": order, "amount": cny("5500.01"), "method": "cash", "reason": "All"}),
        409,
        "refund-beyond-paid",
    )


@pytest.mark.feature("FIN-02")
def test_a_supplier_is_paid_once_by_two_people(shop: Shop) -> None:
    """What a received car costs is owed; a voucher asks, another person approves; twenty copies pay once."""
    cost = f"12{serial() % 10_000:04}.78"
    shop.car(shop.trim(), cost=cost, input_vat=cny("16049.38"))
    owed = cny(str(Decimal(cost) + Decimal("16049.38")))
    payables = until(lambda: [row["payable_id"] for row in every(shop.accountant, "/payables", status="open") if row["amount"] == owed])
    assert len(payables) == 1
    asked = at_once(10, lambda n: (shop.cashier, shop.accountant)[n % 2].post("/payments", {"payable_id": payables[0]}))
    granted = [(n, answer.json()["id"]) for n, answer in enumerate(asked) if answer.status_code == 201]
    assert len(granted) == 1
    requester, approver = ((shop.cashier, shop.accountant), (shop.accountant, shop.cashier))[granted[0][0] % 2]
    payment = granted[0][1]
    assert_refused(requester.post(f"/payments/{payment}/approve"), 403, "four-eyes")
    before = _bank(shop)
    approver.did(f"/payments/{payment}/decline")
    payment = requester.did("/payments", {"payable_id": payables[0]})
    answers = at_once(20, lambda _: approver.post(f"/payments/{payment}/approve"))
    assert {answer.status_code for answer in answers} <= {200, 409}
    row = shop.accountant.get(f"/payments/{payment}").json()
    assert row["status"] == "paid"
    assert row["requested_by"] != row["approved_by"]
    assert re.fullmatch(r"PV-[A-Z0-9]+-\d{8}-\d{3,}", row["number"])
    assert _bank(shop) == before - minor(owed)
    again = shop.cashier.post("/payments", {"payable_id": payables[0]})
    assert_refused(again, 409, "already-paid")


def _bank(shop: Shop) -> int:
    rows = shop.owner.get("/ledger/trial-balance", store_id=shop.values["south"]).json()["items"]
    return sum(minor(row["balance"]) for row in rows if row["account"] == "1002")


@pytest.mark.touches("FIN-03")
def test_the_trial_balance_is_zero_also_after_a_kill_in_the_middle(shop: Shop, databases: Databases) -> None:
    order = opened(shop)
    body = {"order_id": order, "kind": "prepayment", "method": "cash", "amount": cny("10.00")}
    keys = [new_id() for _ in range(40)]
    for n, key in enumerate(keys):
        if n == 20:
            shop.group.platform.kill("finance")
        shop.cashier.post("/receipts", body, idempotency_key=key)
    until(lambda: shop.cashier.get(f"/accounts/{order}").status_code == 200, 40)
    for key in keys:
        until(lambda key=key: shop.cashier.post("/receipts", body, idempotency_key=key).status_code == 201)  # type: ignore[misc]
    assert shop.cashier.get(f"/accounts/{order}").json()["paid"] == cny("400.00")
    for total in shop.owner.get("/ledger/trial-balance").json()["totals"]:
        assert total["balance"]["amount"] == "0.00"
        assert total["debit"] == total["credit"]
    uneven = databases.rows("finance", "select entry_id from ledger_1 group by entry_id, currency having sum(amount) <> 0")
    assert uneven == []


@pytest.mark.touches("FIN-05")
def test_an_invoice_is_issued_once_never_edited_and_taken_back_by_a_red_one(shop: Shop) -> None:
    trim = shop.trim()
    order = shop.signed(trim, shop.car(trim))
    answers = at_once(10, lambda n: (shop.cashier, shop.accountant)[n % 2].post("/invoices", {"order_id": order}))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    invoice = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    row = shop.accountant.get(f"/invoices/{invoice}").json()
    assert (row["gross"], row["net"], row["vat"]) == (cny("189800.00"), cny("167964.60"), cny("21835.40"))
    for method in ("PUT", "PATCH", "DELETE"):
        assert_refused(shop.accountant.http.request(method, f"/invoices/{invoice}", headers={"if-match": "*"}), 405, "method-not-allowed")
    shop.accountant.did(f"/invoices/{invoice}/reverse")
    red = shop.accountant.get(f"/invoices/{invoice}").json()
    assert red["reversed_by"].startswith("RI-")
    assert (red["gross"], red["number"]) == (row["gross"], row["number"])
    second = did(shop.accountant, "/invoices", {"order_id": order})
    assert second != invoice
    assert len(every(shop.accountant, "/invoices", order_id=order)) == 2
