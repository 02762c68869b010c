"""Orders over HTTP on PostgreSQL: whose work a quote or an order is, and which list price it starts from."""

from dataclasses import replace
from datetime import date
from typing import Any

from services.orders.tests import hearing
from services.orders.tests.hearing import STORE
from services.orders.tests.running import Running
from services.orders.tests.test_api import cny, new_order, new_quote, offer, seen, signed
from shared.values.money import Money


async def test_a_colleague_leaves_orders_and_quotes_alone(orders: Running) -> None:
    order_id = await signed(orders)
    bodies: dict[str, Any] = {
        "submit": None,
        "sign": {"signer": "林悦", "earnest": cny("0.00")},
        "change": {"price": cny("180000.00"), "reason": "x"},
        "cancel": {"reason": "x"},
    }
    for verb, body in bodies.items():
        refused = await orders.post(f"/orders/{order_id}/{verb}", body, by="chen")
        assert (refused.status, refused.problem) == (403, "not-yours"), verb
    quote_id = (await orders.post("/quotes", new_quote())).json["id"]
    for verb, body in (("revise", offer(discount=cny("1.00"))), ("feedback", {"liked": True})):
        assert (await orders.post(f"/quotes/{quote_id}/{verb}", body, by="chen")).problem == "not-yours", verb
        assert (await orders.post(f"/quotes/{quote_id}/{verb}", body, by="zhao")).status == 200, verb
    assert (await orders.post(f"/orders/{order_id}/change", bodies["change"], by="zhao")).status == 200


async def test_the_price_in_force_began_last_and_was_listed_last(orders: Running) -> None:
    async def listed(n: int, amount: int, **more: Any) -> str:
        one = replace(hearing.price, price=Money(amount), source=f"price list {n}", **more)
        await orders.take(hearing.hear(one, sequence=100 * n))
        order = await orders.post("/orders", new_order(price=cny("150000.00"), down_payment=cny("150000.00")))
        made: str = (await seen(orders, order.json["id"]))["list_price"]["amount"]
        return made

    assert await listed(3, 19_000_000) == "190000.00"
    assert await listed(4, 18_000_000, valid_to=date(2026, 1, 31)) == "190000.00"
    assert await listed(5, 18_500_000, valid_from=date(2026, 2, 1)) == "185000.00"
    assert await listed(6, 17_000_000) == "185000.00"
    assert await listed(7, 18_600_000, valid_from=date(2025, 1, 1), store_id=STORE) == "186000.00"
