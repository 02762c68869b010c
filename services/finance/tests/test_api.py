"""Finance over HTTP on PostgreSQL: money in, money out, invoices, the books."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import psycopg
import pytest
from pypdf import PdfReader

from services.finance.tests import hearing
from services.finance.tests.hearing import CUSTOMER, ENTITY, ORDER, OTHER_STORE, STAY, STORE, VIN
from services.finance.tests.running import Running, running
from shared.testing.hearing import store_opened
from shared.testing.servers import FreshDatabase
from shared.values.clock import local_day, utc_now


@pytest.fixture
async def finance(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """The running service."""
    async with running(fresh_database) as made:
        yield made


def cny(amount: str) -> dict[str, str]:
    """An amount as it crosses the API."""
    return {"amount": amount, "currency": "CNY"}


def receipt(money: str, kind: str = "earnest", **more: Any) -> dict[str, Any]:
    """The body of a receipt."""
    return {"order_id": ORDER, "kind": kind, "method": "transfer", "amount": cny(money), **more}


async def test_one_car_from_receipt_to_profit(finance: Running) -> None:
    token = await finance.vault.seal(CUSTOMER, "林悦")
    await finance.hear(replace(hearing.customer, name=token), hearing.received, hearing.placed, hearing.signed)
    taken = await finance.post("/receipts", receipt("10000.00"))
    assert taken.status == 201, taken.body
    assert taken.headers["location"] == f"/api/v1/receipts/{taken.json['id']}"
    await finance.hear(hearing.dispatched, hearing.arrived)
    assert (await finance.post("/receipts", receipt("179800.00", "balance"))).status == 201
    invoiced = await finance.post("/invoices", {"order_id": ORDER})
    assert invoiced.status == 201, invoiced.body
    await finance.hear(hearing.delivered)
    assert await finance.balances() == {
        "1002": "189800.00",
        "2202": "-170300.00",
        "2221-input": "19500.00",
        "2221-output": "-21835.40",
        "6001": "-167964.60",
        "6401": "150800.00",
    }
    number = (await finance.get(f"/receipts/{taken.json['id']}")).json["number"]
    assert number.startswith("RV-BJ1-")
    assert number.endswith("-001")
    pdf = await finance.get(f"/receipts/{taken.json['id']}/receipt.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf.body)).pages)
    assert "林悦" in text
    assert "王敏" in text
    assert number in text
    assert (await finance.get(f"/receipts/{taken.json['id']}", "li")).status == 200
    assert (await finance.get(f"/receipts/{taken.json['id']}/receipt.pdf", "li")).problem == "forbidden"
    account = (await finance.get(f"/accounts/{ORDER}", "li")).json
    assert (account["stage"], account["due"], account["earnest"]) == ("delivered", cny("0.00"), cny("10000.00"))
    (told,) = [row for row in await finance.store.waiting(500) if "SaleRecognised" in row.type]
    assert '"cost":{"minor":15080000' in told.data


async def test_a_retried_payment_is_one_payment(finance: Running) -> None:
    await finance.hear(hearing.placed)
    copies = await asyncio.gather(*(finance.post("/receipts", receipt("5000.00"), key="same") for _ in range(5)))
    assert {copy.status for copy in copies} == {201}
    assert len({copy.json["id"] for copy in copies}) == 1
    again = await finance.post("/receipts", receipt("6000.00"), key="same")
    assert again.problem == "idempotency-key-reused"
    assert await finance.balances() == {"1002": "5000.00", "2241": "-5000.00"}


async def test_receipts_are_numbered_without_gaps(finance: Running) -> None:
    await finance.hear(hearing.placed)
    answers = await asyncio.gather(*(finance.post("/receipts", receipt("50000.00", "prepayment")) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 201, 201, 409, 409]
    numbers = [item["number"][-3:] for item in (await finance.get(f"/receipts?order_id={ORDER}")).json["items"]]
    assert sorted(numbers) == ["001", "002", "003"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
async def test_money_is_booked_on_the_day_of_its_store(finance: Running, zone: str) -> None:
    """Two ends of the world, of which it is never the same day."""
    await finance.hear(store_opened(STORE, "BJ1", ENTITY, timezone=zone), hearing.placed)
    began = local_day(utc_now(), zone)
    taken = await finance.post("/receipts", receipt("10000.00"))
    assert (await finance.post("/ledger/entries", by_hand())).status == 201
    days = {began, local_day(utc_now(), zone)}
    found = (await finance.get("/ledger/entries")).json["items"]
    assert {date.fromisoformat(entry["booked_on"]) for entry in found} <= days
    number = (await finance.get(f"/receipts/{taken.json['id']}")).json["number"]
    assert number in {f"RV-BJ1-{day:%Y%m%d}-001" for day in days}
    balance = (await finance.get(f"/ledger/trial-balance?store_id={STORE}")).json
    assert date.fromisoformat(balance["as_of"]) in days
    assert len(found) == 2 and balance["items"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (receipt("0.00"), "validation"),
        (receipt("-1.00"), "validation"),
        (receipt("1.5"), "validation"),
        (receipt("189800.01"), "overpaid"),
        (receipt("1.00", amount={"amount": "1.00", "currency": "USD"}), "currency-differs"),
        (receipt("1.00", method="barter"), "validation"),
        (receipt("1.00", order_id=STAY), "unknown-reference"),
        (receipt("1.00", paid_total="0"), "unknown-field"),
    ],
)
async def test_bad_money_is_refused(finance: Running, body: dict[str, Any], problem: str) -> None:
    await finance.hear(hearing.placed)
    assert (await finance.post("/receipts", body)).problem == problem
    assert await finance.balances() == {}


async def test_another_store_s_order_is_unknown(finance: Running) -> None:
    await finance.hear(hearing.placed)
    assert (await finance.post("/receipts", receipt("1.00"), by="sun")).problem == "unknown-reference"
    assert (await finance.get(f"/accounts/{ORDER}", "sun")).status == 404
    assert (await finance.get("/accounts", "sun")).json["items"] == []
    assert (await finance.post("/receipts", receipt("1.00"), by="li")).problem == "forbidden"


async def test_a_cancelled_order_ends_at_zero(finance: Running) -> None:
    await finance.hear(hearing.placed, hearing.signed)
    await finance.post("/receipts", receipt("10000.00"))
    await finance.hear(hearing.cancelled)
    (refund,) = (await finance.get("/refunds")).json["items"]
    assert (refund["status"], refund["amount"]) == ("requested", cny("10000.00"))
    approved = await finance.post(f"/refunds/{refund['refund_id']}/approve")
    assert approved.status == 200, approved.body
    assert await finance.balances() == {}
    (refund,) = (await finance.get("/refunds")).json["items"]
    assert refund["status"] == "paid"
    assert refund["number"].startswith("RF-BJ1-")


async def test_parallel_refunds_never_exceed_what_was_paid(finance: Running) -> None:
    await finance.hear(hearing.placed)
    await finance.post("/receipts", receipt("1000.00"))
    body = {"order_id": ORDER, "amount": cny("100.00"), "method": "transfer", "reason": "goodwill"}
    asked = await asyncio.gather(*(finance.post("/refunds", body) for _ in range(50)))
    assert sorted(answer.status for answer in asked) == [201] * 10 + [409] * 40
    first = next(answer for answer in asked if answer.status == 201)
    assert (await finance.post(f"/refunds/{first.json['id']}/approve")).problem == "four-eyes"
    assert (await finance.post(f"/refunds/{first.json['id']}/approve", by="zhao")).status == 200
    assert (await finance.post(f"/refunds/{first.json['id']}/decline", by="zhao")).status == 200
    assert await finance.balances() == {"1002": "900.00", "2241": "-900.00"}


async def test_an_invoice_needs_contract_and_car_and_is_reversed_by_a_red_one(finance: Running) -> None:
    await finance.hear(hearing.placed)
    body = {"order_id": ORDER}
    assert (await finance.post("/invoices", body)).problem == "illegal-transition"
    await finance.hear(hearing.signed)
    assert (await finance.post("/invoices", body)).problem == "car-not-acquired"
    await finance.hear(hearing.received)
    issued = await finance.post("/invoices", body)
    assert issued.status == 201, issued.body
    assert (await finance.post("/invoices", body)).problem == "already-invoiced"
    red = await finance.post(f"/invoices/{issued.json['id']}/reverse")
    assert red.status == 200, red.body
    shown = (await finance.get(f"/invoices/{issued.json['id']}", "li")).json
    assert (shown["gross"], shown["vat"]) == (cny("189800.00"), cny("21835.40"))
    assert shown["reversed_by"].startswith("RI-BJ1-")
    assert (await finance.post("/invoices", body)).status == 201


async def test_the_entitys_car_is_invoiced_also_where_the_cashier_has_no_store(finance: Running) -> None:
    assert hearing.received.store_id not in finance.people["he"].stores
    await finance.hear(hearing.placed, hearing.signed, hearing.received)
    assert (await finance.post("/invoices", {"order_id": ORDER}, by="he")).status == 201


async def test_a_supplier_is_paid_once_by_two_people(finance: Running) -> None:
    await finance.hear(hearing.received, hearing.spent)
    owed = (await finance.get("/payables")).json["items"]
    assert {item["amount"]["amount"] for item in owed} == {"169500.00", "5000.00"}
    asked = await finance.post("/payments", {"payable_id": STAY})
    assert asked.status == 201, asked.body
    approve = f"/payments/{asked.json['id']}/approve"
    assert (await finance.post(approve)).problem == "four-eyes"
    assert (await finance.post(approve, by="zhao")).status == 200
    assert (await finance.post(approve, by="zhao")).status == 200
    assert (await finance.post("/payments", {"payable_id": STAY})).problem == "already-paid"
    (voucher,) = (await finance.get("/payments")).json["items"]
    assert (voucher["status"], voucher["number"][:7]) == ("paid", "PV-BJ2-")
    assert (await finance.balances())["2202"] == "-5000.00"


def by_hand(debit: str = "300.00", credit: str = "-300.00", account: str = "6602", **more: Any) -> dict[str, Any]:
    """The body of an entry by hand."""
    lines = [{"account": account, "amount": cny(debit)}, {"account": "1002", "amount": cny(credit)}]
    return {"store_id": STORE, "text": "Rent", "lines": lines, **more}


async def test_entries_by_hand_balance_and_are_only_reversed(finance: Running) -> None:
    assert (await finance.post("/ledger/entries", by_hand(credit="-299.99"))).problem == "unbalanced"
    assert (await finance.post("/ledger/entries", by_hand(account="1405"))).problem == "control-account"
    assert (await finance.post("/ledger/entries", by_hand(account="9999"))).problem == "validation"
    assert (await finance.post("/ledger/entries", by_hand(booked_on="2099-01-01"))).problem == "in-the-future"
    assert (await finance.post("/ledger/entries", by_hand(store_id=STAY))).problem == "unknown-reference"
    posted = await finance.post("/ledger/entries", by_hand())
    assert posted.status == 201, posted.body
    shown = (await finance.get(f"/ledger/entries/{posted.json['id']}")).json
    assert [line["amount"]["amount"] for line in shown["lines"]] == ["300.00", "-300.00"]
    assert (shown["event"], shown["version"]) == ("ManualEntryPosted", 1)
    assert (await finance.client.send("DELETE", f"/api/v1/ledger/entries/{posted.json['id']}")).status == 405
    reverse = f"/ledger/entries/{posted.json['id']}/reverse"
    assert (await finance.post(reverse, {"reason": "wrong store"})).status == 200
    assert await finance.balances() == {}


async def test_entries_are_found_by_what_they_touch(finance: Running) -> None:
    await finance.hear(hearing.received, hearing.placed, hearing.signed)
    await finance.post("/receipts", receipt("10000.00"))
    by_vin = (await finance.get(f"/ledger/entries?vin={VIN}&account=1405")).json["items"]
    assert [entry["entry_id"] for entry in by_vin] == [f"car-{STAY}.1"]
    by_order = (await finance.get(f"/ledger/entries?order_id={ORDER}")).json["items"]
    assert [entry["event"] for entry in by_order] == ["ReceiptTaken"]
    first = (await finance.get("/ledger/entries?limit=1")).json
    second = (await finance.get(f"/ledger/entries?limit=1&cursor={first['next_cursor']}")).json
    assert {first["items"][0]["entry_id"], second["items"][0]["entry_id"]} == {f"car-{STAY}.1", f"account-{ORDER}.1"}
    cannot = await finance.post(f"/ledger/entries/car-{STAY}.1/reverse", {"reason": "no"})
    assert cannot.problem == "illegal-transition"


async def test_a_closed_month_takes_no_entry_and_what_is_heard_later_moves_on(finance: Running) -> None:
    assert (await finance.post("/ledger/entries", by_hand(booked_on="2026-03-31"))).status == 201
    assert (await finance.post(f"/periods/{ENTITY}/2026-03/close", by="sun")).problem == "forbidden"
    assert (await finance.post(f"/periods/{ENTITY}/2098-03/close")).problem == "period-not-over"
    closed = await finance.post(f"/periods/{ENTITY}/2026-03/close")
    assert closed.status == 200, closed.body
    assert (await finance.post("/ledger/entries", by_hand(booked_on="2026-03-31"))).problem == "period-closed"
    before = (await finance.get("/ledger/trial-balance?as_of=2026-03-31")).json
    await finance.hear(hearing.received)
    assert (await finance.get("/ledger/trial-balance?as_of=2026-03-31")).json == before
    (entry,) = (await finance.get(f"/ledger/entries?vin={VIN}")).json["items"]
    assert entry["booked_on"] == "2026-04-01"
    assert (await finance.post(f"/periods/{ENTITY}/2026-03/reopen", {"reason": "audit"})).status == 200
    assert (await finance.post("/ledger/entries", by_hand(booked_on="2026-03-31"))).status == 201
    (period,) = (await finance.get(f"/periods?entity_id={ENTITY}")).json["items"]
    assert period["closed"] is False


async def test_stock_in_the_ledger_is_the_sum_of_the_cars(finance: Running) -> None:
    await finance.hear(hearing.arrived, hearing.cost_added, hearing.received, hearing.dispatched)
    (car,) = (await finance.get("/ledger/cars")).json["items"]
    assert (car["cost"], car["status"], car["store_id"]) == (cny("152800.00"), "in-stock", STORE)
    assert (await finance.balances())["1405"] == "152800.00"
    assert (await finance.get("/ledger/trial-balance", "sun")).json["totals"][0]["balance"] == cny("0.00")
    assert "1402" in await finance.balances("sun")


async def test_the_database_refuses_an_entry_that_does_not_balance(finance: Running) -> None:
    await finance.post("/ledger/entries", by_hand())
    for tampering in ("update ledger_1 set amount = amount + 1 where line = 1", "delete from ledger_1 where line = 1"):
        async with finance.store.pool.connection() as connection:
            with pytest.raises(psycopg.errors.CheckViolation):
                await connection.execute(tampering)
    assert await finance.balances() == {"1002": "-300.00", "6602": "300.00"}


async def test_lists_keep_to_the_caller_s_stores(finance: Running) -> None:
    await finance.hear(hearing.received, hearing.placed)
    await finance.post("/receipts", receipt("10.00"))
    assert (await finance.get("/receipts", "sun")).json["items"] == []
    assert [entry["store_id"] for entry in (await finance.get("/ledger/entries", "sun")).json["items"]] == [OTHER_STORE]
    assert (await finance.get("/ledger/trial-balance", "li")).problem == "forbidden"
