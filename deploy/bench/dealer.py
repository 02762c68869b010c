"""People of a dealer at work on the whole platform: each asks over kept connections, and waits as a person would."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec

from deploy.bench.load import Connection, connections, get, post
from deploy.bench.measure import Took
from deploy.bench.place import Place
from deploy.local.process import Problem
from shared.testing.group import Group, make_group
from shared.testing.platform import Platform
from shared.values.ids import new_id

PRICE = {"amount": "189800.00", "currency": "CNY"}
EARNEST = {"amount": "20000.00", "currency": "CNY"}
COST = {"amount": "150000.00", "currency": "CNY"}
CHECKLIST = ("exterior", "interior", "keys", "manual", "certificate", "invoice")
PATIENCE = 30.0
LOOK = 0.01
"""Seconds between two looks at what comes about by events."""
_serial = count(1)


@asynccontextmanager
async def whole(place: Place) -> AsyncIterator[tuple[Platform, Group]]:
    """All nine services and their servers, with a small group."""
    platform = Platform()
    try:
        await asyncio.to_thread(platform.start)
        place.beside.append(platform.pid)
        yield platform, await asyncio.to_thread(make_group, platform)
    finally:
        await asyncio.to_thread(platform.stop)


@dataclass
class Till:
    """One client: a connection, and the tokens of whoever works at it. Keys and versions are taken care of."""

    connection: Connection
    group: Group
    seen: str = ""
    """What the last command answered to be seen elsewhere."""

    async def did(self, who: str, path: str, body: Any = None, *, wait: bool = False) -> str:
        """A command's id. `wait`: what was seen elsewhere is waited for, and what is not known yet is asked again."""
        until = time.monotonic() + PATIENCE
        headers = {"idempotency_key": new_id(), "if_match": "*", **self._told(who)}
        request = post(f"/api/v1{path}", msgspec.json.encode(body) if body is not None else b"", **headers)
        while True:
            status, answer = await self.connection.ask(request)
            if status in (200, 201):
                self.seen = _header(answer, b"forecourt-seen") or self.seen
                return str(msgspec.json.decode(_body(answer))["id"])
            early = status in (404, 409, 429) or b"unknown-reference" in answer
            if not (wait and early) or time.monotonic() > until:
                raise Problem(f"{path}: {answer.decode()[-600:]}")
            await asyncio.sleep(LOOK)

    async def eventually(self, who: str, path: str, **wanted: Any) -> dict[str, Any]:
        """The answer once it has these values."""
        until = time.monotonic() + PATIENCE
        while True:
            status, answer = await self.connection.ask(get(f"/api/v1{path}", **self._told(who)))
            found: dict[str, Any] = msgspec.json.decode(_body(answer)) if status == 200 else {}
            if status == 200 and all(found.get(name) == value for name, value in wanted.items()):
                return found
            if time.monotonic() > until:
                raise Problem(f"{path} is not {wanted}: {answer.decode()[-600:]}")
            await asyncio.sleep(LOOK)

    def _told(self, who: str) -> dict[str, str]:
        return {"authorization": self.group.people[who].http.headers["authorization"]}


def _header(answer: bytes, name: bytes) -> str:
    at = answer.find(b"\r\n" + name + b": ", 0, answer.find(b"\r\n\r\n"))
    return answer[at + len(name) + 4 : answer.index(b"\r\n", at + 2)].decode() if at >= 0 else ""


def _body(answer: bytes) -> bytes:
    return answer[answer.index(b"\r\n\r\n") + 4 :]


@dataclass
class Dealer:
    """A store with tills, one trim, customers and cars that wait to be sold."""

    group: Group
    tills: list[Till]
    vins: Iterator[str]
    trim: str = ""
    customers: list[str] = field(default_factory=list)
    cars: list[str] = field(default_factory=list)

    async def open(self) -> None:
        """The catalogue and the customers."""
        about = {"brand": "Aurora", "series": "A5", "model_year": 2026, "name": f"A5 {next(_serial)}", "powertrain": "petrol"}
        self.trim = await self.tills[0].did("stock", "/trims", {**about, "guide_price": PRICE})
        for _ in range(8):
            person = {"store_id": self.group.values["south"], "kind": "person", "name": "Lin Yue", "phone": f"1392{next(_serial):07}"}
            self.customers.append(await self.tills[0].did("sales", "/customers", person, wait=True))

    async def stock(self, many: int) -> None:
        """So many cars for sale."""

        async def receive(till: Till, share: int) -> None:
            for _ in range(share):
                about = {"vin": next(self.vins), "trim_id": self.trim, "store_id": self.group.values["south"], "certificate": "with-us"}
                await till.did("stock", "/vehicles", {**about, "supplier": "Aurora Manufacturing", "purchase": COST}, wait=True)
                self.cars.append(about["vin"])

        missing = max(0, many - len(self.cars))
        shares = [missing // len(self.tills) + (n < missing % len(self.tills)) for n in range(len(self.tills))]
        await asyncio.gather(*(receive(till, share) for till, share in zip(self.tills, shares, strict=True)))
        await asyncio.gather(*(self.tills[0].eventually("sales", f"/vehicles/{vin}", status="in-stock") for vin in self.cars[-1:]))

    async def approved(self, till: Till, seller: str, vin: str, quote: bool = True) -> str:
        """Quoted, placed, submitted and approved; the order."""
        shop, customer = self.group.values["south"], self.customers[next(_serial) % len(self.customers)]
        body: dict[str, Any] = {"store_id": shop, "customer_id": customer, "trim_id": self.trim, "vin": vin}
        if quote:
            offer = {**body, "discount": {"amount": "0.00", "currency": "CNY"}}
            body["quote_id"] = await till.did(seller, "/quotes", offer, wait=True)
        order = await till.did(seller, "/orders", {**body, "price": PRICE, "down_payment": PRICE}, wait=True)
        await till.did(seller, f"/orders/{order}/submit")
        await till.did("manager", f"/orders/{order}/approve")
        return order

    async def sold(self, till: Till, seller: str, vin: str) -> None:
        """A sale to its end: every process that follows from it is done."""
        order = await self.approved(till, seller, vin)
        await till.eventually(seller, f"/orders/{order}", vehicle="held")
        await till.did(seller, f"/orders/{order}/sign", {"signer": "Lin Yue", "earnest": EARNEST})
        paid = {"order_id": order, "kind": "balance", "method": "transfer", "amount": PRICE}
        await till.eventually("cashier", f"/accounts/{order}", stage="contract")
        await till.did("cashier", "/receipts", paid, wait=True)
        await till.did("accountant", "/invoices", {"order_id": order}, wait=True)
        for item in CHECKLIST:
            await till.did(seller, f"/orders/{order}/checklist", {"item": item})
        await till.did(seller, f"/orders/{order}/deliver", wait=True)
        await till.eventually("accountant", f"/accounts/{order}", stage="delivered")
        await till.eventually(seller, f"/vehicles/{vin}", status="sold")
        await till.eventually("service", f"/service-cars/{vin}", vin=vin)

    async def all_at_work(self, clients: int, each: int, *, whole: bool) -> Took:
        """So many clients, each with so many sales, or orders that are approved; all done before the clock stops."""
        cars, self.cars = self.cars[: clients * each], self.cars[clients * each :]
        waits: list[float] = []
        began = time.perf_counter()

        async def work(number: int) -> None:
            seller = ("sales", "colleague")[number % 2]
            for vin in cars[number * each : (number + 1) * each]:
                asked = time.perf_counter()
                if whole:
                    await self.sold(self.tills[number], seller, vin)
                else:
                    await self.approved(self.tills[number], seller, vin, quote=False)
                waits.append(time.perf_counter() - asked)

        await asyncio.gather(*(work(number) for number in range(clients)))
        return Took(operations=len(waits), seconds=time.perf_counter() - began, latencies=waits)


@asynccontextmanager
async def dealing(platform: Platform, group: Group, tills: int) -> AsyncIterator[Dealer]:
    """A dealer with so many tills, ready to sell."""
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(connections(platform.base + 80, tills))
        dealer = Dealer(group, [Till(connection, group) for connection in made], group.vins())
        await dealer.open()
        yield dealer
