"""What people of a dealer group do all day, one story at a time: leads, cars, sales, cancellations, transfers, complaints."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.chaos.crowd import Story, Unexpected, Walk

CHECKLIST = ("exterior", "interior", "keys", "manual", "certificate", "invoice")
PRICE, EARNEST, REST = "189800.00", "20000.00", "84900.00"
RESERVED = "vin-already-reserved"


def cny(amount: str) -> dict[str, str]:
    """An amount as it crosses the API."""
    return {"amount": amount, "currency": "CNY"}


@dataclass
class Shop:
    """What everybody knows: the stores, who is who, the model sold, and VINs nobody has used."""

    values: dict[str, str]
    group: int
    trim: str
    vins: Iterator[str]

    def stories(self) -> list[tuple[int, Story]]:
        """Each with how often it begins, compared to the others."""
        return [
            (30, self.lead),
            (8, self.delivered),
            (10, self.cancelled),
            (4, self.fought_over),
            (12, self.transfer),
            (12, self.purchase),
            (10, self.complaint),
            (6, self.campaign),
            (8, self.shift),
        ]

    async def lead(self, walk: Walk) -> None:
        """A new person shows interest."""
        n = walk.crowd.number()
        mark = f"chaos/{n}."
        body = {"store_id": self.values["south"], "brand": "Aurora", "series": "A5", "channel": "phone", "name": "Wang Wei"}
        await walk.do("colleague", "leads", "/leads", {**body, "phone": self._phone(n), "source": mark}, mark)

    async def purchase(self, walk: Walk) -> None:
        """A purchase order takes a gapless number."""
        mark = f"Supplier {walk.crowd.number()}."
        line = {"trim_id": self.trim, "quantity": 1, "unit_price": cny("150000.00")}
        body = {"store_id": self.values["south"], "supplier": mark, "lines": [line]}
        await walk.do("stock", "inventory", "/purchase-orders", body, mark)

    async def shift(self, walk: Walk) -> None:
        """Somebody will work for a minute."""
        starts = datetime(2031, 1, 1, tzinfo=UTC) + timedelta(minutes=walk.crowd.number())
        body = {"staff_id": self.values["colleague"], "store_id": self.values["south"], "starts_at": starts.isoformat()}
        await walk.do("manager", "gateway", "/shifts", {**body, "ends_at": (starts + timedelta(minutes=1)).isoformat()})

    async def complaint(self, walk: Walk) -> None:
        """A customer is registered and complains."""
        customer = await self._customer(walk)
        body = {"customer_id": customer, "store_id": self.values["south"], "text": "It squeaks."}
        await walk.do("service", "aftersales", "/complaints", body)

    async def campaign(self, walk: Walk) -> None:
        """A campaign is planned and approved by somebody else."""
        mark, today = f"Show {walk.crowd.number()}.", self.values["today"]
        body: dict[str, Any] = {
            "store_id": self.values["south"],
            "name": mark,
            "kind": "show",
            "place": "Hall 3",
            "starts_on": today,
            "ends_on": today,
        }
        body |= {"goal_leads": 5, "goal_orders": 1, "budget": cny("1000.00")}
        campaign = await walk.do("marketing", "marketing", "/campaigns", body, mark)
        await walk.do("marketing", "marketing", f"/campaigns/{campaign.id}/submit")
        await walk.do("manager", "marketing", f"/campaigns/{campaign.id}/approve")

    async def transfer(self, walk: Walk) -> None:
        """A car moves from the north store to the south one."""
        vin = await self._car(walk, "north_stock", "north")
        moved = (await walk.do("stock", "inventory", "/transfers", {"vin": vin, "to_store": self.values["south"]})).id
        await walk.do("north_manager", "inventory", f"/transfers/{moved}/approve")
        await walk.do("north_stock", "inventory", f"/transfers/{moved}/dispatch", {"carrier": "Swift Haulage"})
        await walk.until("stock", f"/transfers/{moved}", status="dispatched")
        received = {"vin": vin, "transport": cny("650.00")}
        await walk.do("stock", "inventory", f"/transfers/{moved}/receive", received)
        await walk.until("stock", f"/transfers/{moved}", status="received")

    async def delivered(self, walk: Walk) -> None:
        """A sale from the first handshake to the keys."""
        order = await self._signed(walk)
        for _ in range(2):
            await self._pay(walk, order, "balance", REST)
        await walk.do("accountant", "finance", "/invoices", {"order_id": order})
        for item in CHECKLIST:
            await walk.do("sales", "orders", f"/orders/{order}/checklist", {"item": item})
        await walk.do("sales", "orders", f"/orders/{order}/deliver")
        await walk.until("accountant", f"/accounts/{order}", stage="delivered")

    async def cancelled(self, walk: Walk) -> None:
        """A sale that ends half-way: the money goes back."""
        order = await self._signed(walk)
        await walk.do("sales", "orders", f"/orders/{order}/cancel", {"reason": "The loan was refused"})
        await walk.until("accountant", f"/refunds/{order}", status="requested")
        await walk.do("accountant", "finance", f"/refunds/{order}/approve")

    async def fought_over(self, walk: Walk) -> None:
        """Two sellers want one car at the same moment, each for an order; one gets it, the other order is cancelled."""
        vin = await self._car(walk)
        at_once = [
            walk.do(login, "inventory", f"/vehicles/{vin}/reserve", {}, expects=[RESERVED]) for login in ("sales", "colleague", "manager")
        ]
        answers = await asyncio.gather(*at_once)
        won = [login for login, answer in zip(("sales", "colleague", "manager"), answers, strict=True) if answer.accepted]
        if len(won) != 1:
            raise Unexpected(f"{vin} was reserved by {won}")
        await walk.do(won[0], "inventory", f"/vehicles/{vin}/release", {})

    # --- parts of several stories --------------------------------------------------------------------------------

    async def _customer(self, walk: Walk) -> str:
        body = {"store_id": self.values["south"], "name": "Lin Yue", "phone": self._phone(walk.crowd.number())}
        return (await walk.do("sales", "customers", "/customers", body)).id

    async def _car(self, walk: Walk, login: str = "stock", store: str = "south") -> str:
        vin, mark = next(self.vins), f"Maker {walk.crowd.number()}."
        body = {"vin": vin, "trim_id": self.trim, "store_id": self.values[store], "supplier": mark, "certificate": "with-us"}
        await walk.do(login, "inventory", "/vehicles", {**body, "purchase": cny("150000.00")}, mark)
        return vin

    async def _signed(self, walk: Walk) -> str:
        """An order with its car, under contract, its earnest money paid."""
        customer, vin = await self._customer(walk), await self._car(walk)
        mark = f"chaos-{walk.crowd.number()}."
        body: dict[str, Any] = {"store_id": self.values["south"], "customer_id": customer, "trim_id": self.trim, "vin": vin}
        body |= {"price": cny(PRICE), "down_payment": cny(PRICE), "channel": mark}
        order = (await walk.do("sales", "orders", "/orders", body, mark)).id
        await walk.do("sales", "orders", f"/orders/{order}/submit")
        await walk.do("manager", "orders", f"/orders/{order}/approve")
        await walk.until("sales", f"/orders/{order}", vehicle="held")
        await walk.do("sales", "orders", f"/orders/{order}/sign", {"signer": "Lin Yue", "earnest": cny(EARNEST)})
        await self._pay(walk, order, "earnest", EARNEST)
        return order

    async def _pay(self, walk: Walk, order: str, kind: str, amount: str) -> None:
        money = {"order_id": order, "kind": kind, "method": "transfer", "amount": cny(amount)}
        await walk.do("cashier", "finance", "/receipts", money)

    def _phone(self, n: int) -> str:
        return f"136{self.group:02}{n:06}"
