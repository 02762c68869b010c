"""Sells the demo group's cars: each order one step further until it stands where the plan wants it."""

import asyncio
from typing import Any

from deploy.demo.client import Person, Refused, eventually
from deploy.demo.group import Group, yuan
from deploy.demo.people import AUTHORITIES
from deploy.demo.plan import Car, Plan, Prospect

PATIENCE = 60.0
PAUSE = 0.4
WAITS = frozenset({"illegal-transition", "vehicle-not-secured", "unknown-order", "car-not-acquired", "no-contract", "not-paid"})
"""Refusals that pass when a service has heard what another has done."""
MANAGER_MAY = dict(AUTHORITIES)["sales-manager"]

type Row = dict[str, Any]


async def sell(group: Group, plan: Plan, opportunities: dict[str, Row]) -> None:
    """Every order of the plan. Raises Refused."""
    owner = await group.door.person("owner")
    placed = {order["vin"]: order["order_id"] for order in await owner.every("orders")}
    sales = [
        Sale(group, prospect, prospect.car, opportunities[prospect.phone], placed.get(prospect.car.vin))
        for prospect in plan.prospects
        if prospect.car
    ]
    await asyncio.gather(*(sale.run() for sale in sales))
    await _heard(owner, {sale.vin: sale.opportunity["opportunity_id"] for sale in sales if sale.prospect.outcome == "delivered"})


async def _heard(owner: Person, delivered: dict[str, str]) -> None:
    """Waits until the cars have left the stock and their opportunities are won."""

    async def missing() -> set[str]:
        sold = {car["vin"] for car in await owner.every("vehicles", status="sold")}
        won = {row["opportunity_id"] for row in await owner.every("opportunities", stage="won")}
        return {vin for vin, opportunity in delivered.items() if vin not in sold or opportunity not in won}

    await eventually(missing, lambda found: not found)


class Sale:
    """One car for one customer. `run` reads how far the order is and does what is missing."""

    def __init__(self, group: Group, prospect: Prospect, car: Car, opportunity: Row, order_id: str | None) -> None:
        self.group = group
        self.prospect = prospect
        self.opportunity = opportunity
        self.car = car
        self.vin = car.vin
        self.order_id = order_id

    async def run(self) -> None:
        """Until it stands where it should. Raises Refused when a step stays impossible for PATIENCE."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        seller = await self.group.by_id(self.opportunity["seller_id"])
        order_id = self.order_id or await self._place(seller)
        while (order := await seller.get(f"orders/{order_id}"))["stage"] != "delivered" and not self._there(order):
            try:
                if await self._step(order, seller):
                    until = loop.time() + PATIENCE
                    continue
            except Refused as no:
                if no.problem not in WAITS or loop.time() > until:
                    raise
            if loop.time() > until:
                raise TimeoutError(f"order {order['number']} of {self.vin} stays {order['stage']}")
            await asyncio.sleep(PAUSE)

    def _there(self, order: Row) -> bool:
        """Whether a half-way order is as far as it should be."""
        match self.prospect.outcome:
            case "approved":
                return (order["stage"], order["vehicle"]) == ("approved", "held")
            case "earnest":
                return _minor(order["paid"]) > 0
            case "paid":
                return _minor(order["paid"]) >= _minor(order["price"])
            case stage:
                return bool(order["stage"] == stage)

    async def _step(self, order: Row, seller: Person) -> bool:
        """The next step; False when the order waits for another service."""
        at = f"orders/{order['order_id']}"
        match order["stage"]:
            case "placed":
                await seller.do(f"{at}/submit", key=f"submit {self.vin}")
            case "submitted":
                await (await self._approver()).do(f"{at}/approve", key=f"approve {self.vin}")
            case "approved" if order["vehicle"] == "held":
                body = {"signer": self.prospect.name, "earnest": yuan(self._earnest)}
                await seller.do(f"{at}/sign", body, key=f"sign {self.vin}")
            case "signed":
                return await self._finish(order, seller, at)
            case _:
                return False
        return True

    async def _finish(self, order: Row, seller: Person, at: str) -> bool:
        """Money, invoice, checklist, keys."""
        cashier = await self.group.of("finance", self.prospect.store)
        paid, price = _minor(order["paid"]), _minor(order["price"])
        if paid == 0:
            await self._receipt(cashier, order, "earnest", self._earnest)
            if self.prospect.outcome != "earnest":
                await self._receipt(cashier, order, "balance", self.prospect.price - self._earnest)
            return False
        if paid < price:
            await self._receipt(cashier, order, "balance", self.prospect.price - self._earnest)
            return False
        if order["invoice_number"] is None:
            await cashier.do("invoices", {"order_id": order["order_id"]}, key=f"invoice {self.vin}")
            for item in order["open_items"]:
                await seller.do(f"{at}/checklist", {"item": item}, key=f"{item} {self.vin}")
            return False
        for item in order["open_items"]:
            await seller.do(f"{at}/checklist", {"item": item}, key=f"{item} {self.vin}")
        await seller.do(f"{at}/deliver", key=f"deliver {self.vin}")
        return True

    @property
    def _earnest(self) -> int:
        """A tenth of the price, in thousands."""
        return self.prospect.price // 10_000 * 1_000

    async def _place(self, seller: Person) -> str:
        group, prospect = self.group, self.prospect
        body = {
            "store_id": group.stores[prospect.store],
            "customer_id": self.opportunity["person_id"],
            "opportunity_id": self.opportunity["opportunity_id"],
            "trim_id": group.trims[self.car.trim.key],
            "vin": self.vin,
            "price": yuan(prospect.price),
            "down_payment": yuan(prospect.price),
            "deliver_on": group.at(5, 10)[:10],
        }
        return await seller.do("orders", body, key=f"order {self.vin}")

    async def _approver(self) -> Person:
        """The manager within his authority, else the regional manager."""
        listed = self.car.trim.price
        within = (listed - self.prospect.price) * 1000 <= listed * MANAGER_MAY
        return await (self.group.of("sales-manager", self.prospect.store) if within else self.group.door.person("region"))

    async def _receipt(self, cashier: Person, order: Row, kind: str, amount: int) -> None:
        method = "transfer" if kind == "balance" else "wechat"
        body = {"order_id": order["order_id"], "kind": kind, "method": method, "amount": yuan(amount)}
        await cashier.do("receipts", body, key=f"{kind} {self.vin}")


def _minor(amount: dict[str, str]) -> int:
    return int(amount["amount"].replace(".", ""))
