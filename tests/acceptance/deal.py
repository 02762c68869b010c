"""One of everything in the south store: what a stranger might try to reach."""

from datetime import UTC, datetime, timedelta

from tests.acceptance.shop import Shop, cny, did, phone, serial, until


def everything(shop: Shop) -> dict[str, str]:
    """The ids of a customer with lead, opportunity, test drive, quote, order, car, money, campaign, appointment and complaint, by name."""
    south, today = shop.values["south"], shop.values["today"]
    ids = {"store_id": south, "entity_id": shop.values["entity"], "staff_id": shop.values["sales"], "month": today[:7]}
    opportunity = shop.opportunity()
    row = shop.sales.get(f"/opportunities/{opportunity}").json()
    ids |= {"opportunity_id": opportunity, "customer_id": row["person_id"], "lead_id": row["lead_id"]}
    shop.sales.eventually(f"/customers/{ids['customer_id']}")
    return ids | _cars(shop, ids) | _service(shop, ids)


def _cars(shop: Shop, ids: dict[str, str]) -> dict[str, str]:
    """What belongs to stock, sale and money."""
    trim = shop.trim()
    south = ids["store_id"]
    line = {"trim_id": trim, "quantity": 1, "unit_price": cny("150000.00")}
    purchase = shop.stock.did("/purchase-orders", {"store_id": south, "supplier": "Aurora Manufacturing", "lines": [line]})
    vin, demo, far = shop.car(trim), shop.car(trim, category="demo"), shop.car(trim, "north")
    begins = datetime.now(UTC) + timedelta(days=2, minutes=40 * (serial() % 500))
    slot = {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(minutes=30)).isoformat(), "specialist_id": shop.values["sales"]}
    drive = did(shop.sales, "/test-drives", {"opportunity_id": ids["opportunity_id"], "vin": demo, **slot})
    transfer = shop.stock.did("/transfers", {"vin": far, "to_store": south})
    quoted = {"customer_id": ids["customer_id"], "opportunity_id": ids["opportunity_id"], "trim_id": trim, "discount": cny("800.00")}
    quote = did(shop.sales, "/quotes", {"store_id": south, **quoted})
    order = shop.signed(trim, vin, customer_id=ids["customer_id"], opportunity_id=ids["opportunity_id"])
    receipt = shop.pay(order, "20000.00", "earnest")
    invoice = did(shop.accountant, "/invoices", {"order_id": order})
    refund = shop.cashier.did("/refunds", {"order_id": order, "amount": cny("1.00"), "method": "cash", "reason": "Rounded"})
    payable = until(lambda: shop.accountant.get("/payables", store_id=south, status="open", limit=200).json()["items"])[-1]["payable_id"]
    payment = shop.cashier.did("/payments", {"payable_id": payable})
    lines = [{"account": "6602", "amount": cny("10.00")}, {"account": "1002", "amount": cny("-10.00")}]
    entry = shop.accountant.did("/ledger/entries", {"store_id": south, "text": "Stationery", "lines": lines})
    made = {"vin": vin, "demo": demo, "stay_id": shop.stock.get(f"/vehicles/{vin}").json()["stay_id"], "trim_id": trim}
    made |= {"purchase_order_id": purchase, "transfer_id": transfer, "test_drive_id": drive, "quote_id": quote, "order_id": order}
    made |= {"receipt_id": receipt, "invoice_id": invoice, "refund_id": refund, "payable_id": payable, "payment_id": payment}
    return made | {"entry_id": entry}


def _service(shop: Shop, ids: dict[str, str]) -> dict[str, str]:
    """What belongs to campaigns, workshop and complaints."""
    south, today = ids["store_id"], shop.values["today"]
    plan = {"store_id": south, "name": f"Show {serial()}", "kind": "show", "place": "Hall 3", "starts_on": today, "ends_on": today}
    campaign = did(shop.marketing, "/campaigns", {**plan, "goal_leads": 5, "goal_orders": 1, "budget": cny("1000.00")})
    shop.marketing.did(f"/campaigns/{campaign}/submit")
    shop.manager.did(f"/campaigns/{campaign}/approve")
    spend = did(shop.marketing, f"/campaigns/{campaign}/spend", {"supplier": "Printer", "purpose": "Posters", "amount": cny("2000.00")})
    bay = did(shop.service, "/service-bays", {"store_id": south, "name": f"Bay {serial()}"})
    car, owner = shop.vin(), shop.customer("Wen Qi", phone=phone())
    did(shop.service, "/service-cars", {"vin": car, "customer_id": owner, "store_id": south})
    at = (datetime.now(UTC) + timedelta(days=3)).replace(hour=3, minute=0, second=0, microsecond=0) + timedelta(days=serial() % 300)
    booking = {"store_id": south, "vin": car, "services": ["maintenance"], "starts_at": at.isoformat(), "bay_id": bay}
    appointment = did(shop.service, "/appointments", booking)
    job = {"store_id": south, "vin": car, "services": ["maintenance"], "kilometres": 5200}
    work_order = did(shop.service, "/work-orders", job)
    line = {
        "kind": "labour",
        "text": "Oil",
        "quantity": 1,
        "price": cny("200.00"),
        "cost": cny("80.00"),
        "technician_id": shop.values["service"],
    }
    shop.service.did(f"/work-orders/{work_order}/items", line)
    complaint = did(shop.service, "/complaints", {"store_id": south, "customer_id": owner, "text": "It squeaks."})
    begins = datetime.now(UTC) + timedelta(days=9 + serial() % 300)
    hours = {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=4)).isoformat()}
    shift = shop.manager.did("/shifts", {"staff_id": shop.values["sales"], "store_id": south, **hours})
    made = {"campaign_id": campaign, "spend_id": spend, "bay_id": bay, "appointment_id": appointment, "work_order_id": work_order}
    return made | {"complaint_id": complaint, "shift_id": shift, "owner_id": owner, "service_vin": car}
