"""People of a dealer at work on the whole platform: each asks the services over kept connections, and waits as a person would."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec

from deploy.bench.load import Connection, get, post
from deploy.bench.measure import Took
from deploy.bench.place import Place
from deploy.bench.services import internal
from deploy.local.plan import SERVICES, Plan
from deploy.local.process import Problem
from services.gateway.domain.roles import permissions
from services.gateway.routes import owner
from shared.testing.group import STAFF, Group, make_group
from shared.testing.platform import Platform
from shared.values.ids import new_id

PRICE = {"amount": "189800.00", "currency": "CNY"}
EARNEST = {"amount": "20000.00", "currency": "CNY"}
COST = {"amount": "150000.00", "currency": "CNY"}
CHECKLIST = ("exterior", "interior", "keys", "manual", "certificate", "invoice")
SELLERS = ("sales", "colleague")
PATIENCE = 30.0
LOOK, SELDOM = 0.02, 0.2
"""Seconds between the first two looks at what comes about by events; twice as many each time, up to the second number."""
_serial = count(1)


@asynccontextmanager
async def whole(place: Place) -> AsyncIterator[tuple[Platform, Group]]:
    """All nine services, each in its process, and their servers, with a small group. Their CPU counts as the servers'."""
    platform = Platform()
    try:
        await asyncio.to_thread(platform.start)
        place.beside.append(platform.pid)
        yield platform, await asyncio.to_thread(make_group, platform)
    finally:
        await asyncio.to_thread(platform.stop)


def tokens(platform: Platform, group: Group) -> dict[str, str]:
    """By login, what the gateway would tell the services of that person."""
    made = {}
    for login, (store, role) in STAFF.items():
        stores = ["*" if store == "*" else group.values[store]]
        rights = {"roles": [role], "permissions": sorted(permissions((role,))), "stores": stores}
        made[login] = f"Bearer {internal(platform.secrets, group.values[login], rights)}"
    return made


class Line:
    """A connection to a service, opened again when it was closed, as services do with those that are idle for five seconds."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection: Connection | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and the whole answer. A request that was cut off is sent again: a command has its key."""
        for _ in range(2):
            if self._connection is None or self._connection.transport.is_closing():
                _, self._connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self.port)
            with suppress(ConnectionError):
                return await self._connection.ask(request)
        raise Problem(f"The service on {self.port} closes its connections.")

    def close(self) -> None:
        """No more requests."""
        if self._connection:
            self._connection.transport.close()


@dataclass
class Till:
    """One client: a line to each service, and the tokens of whoever works at it. Keys and versions are taken care of."""

    services: dict[str, Line]
    tokens: dict[str, str]
    seen: dict[str, str] = field(default_factory=dict)
    """By stream, what the commands of this sale answered to be seen elsewhere."""

    async def did(self, who: str, path: str, body: Any = None, *, after: bool = False) -> str:
        """A command's id. `after`: the service is shown what was done elsewhere, and asked again as long as it has not heard of it."""
        until, wait = time.monotonic() + PATIENCE, LOOK
        headers = {"idempotency_key": new_id(), "if_match": "*", **self._told(who, path if after else None)}
        request = post(f"/api/v1{path}", b"" if body is None else msgspec.json.encode(body), **headers)
        while True:
            status, answer = await self._ask(path, request)
            if status in (200, 201):
                mark = header(answer, b"forecourt-seen")
                self.seen |= {mark.partition("@")[0]: mark} if mark else {}
                return str(msgspec.json.decode(content(answer))["id"])
            early = status in (404, 409) or b"unknown-reference" in answer
            if not (after and early) or time.monotonic() > until:
                raise Problem(f"{path}: {answer.decode()[-600:]}")
            await asyncio.sleep(wait)
            wait = min(2 * wait, SELDOM)

    async def eventually(self, who: str, path: str, **wanted: Any) -> None:
        """Reads, after what was done elsewhere, until the answer has these values; of a list, until its first row has them."""
        until, wait = time.monotonic() + PATIENCE, LOOK
        request = get(f"/api/v1{path}", **self._told(who, path))
        while True:
            status, answer = await self._ask(path, request)
            found = msgspec.json.decode(content(answer)) if status == 200 else {}
            found = next(iter(found["items"]), {}) if "items" in found else found
            if status == 200 and all(found.get(name) == value for name, value in wanted.items()):
                return
            if time.monotonic() > until:
                raise Problem(f"{path} is not {wanted}: {answer.decode()[-600:]}")
            await asyncio.sleep(wait)
            wait = min(2 * wait, SELDOM)

    async def _ask(self, path: str, request: bytes) -> tuple[int, bytes]:
        return await self.services[_service(path)].ask(request)

    def _told(self, who: str, after: str | None) -> dict[str, str]:
        """Whoever asks, and what was done at other services than that of `after`."""
        told = {"authorization": self.tokens[who]}
        elsewhere = [mark for mark in self.seen.values() if after and not mark.startswith(f"{_service(after)}/")]
        return {**told, "forecourt_seen": ",".join(elsewhere)} if elsewhere else told


def _service(path: str) -> str:
    return owner(f"/api/v1{path}") or ""


def header(answer: bytes, name: bytes) -> str:
    """A header's value; empty when there is none."""
    head = answer[: answer.index(b"\r\n\r\n") + 2]
    at = head.lower().find(b"\r\n" + name + b": ")
    return head[at + len(name) + 4 : head.index(b"\r\n", at + 2)].decode() if at >= 0 else ""


def content(answer: bytes) -> bytes:
    """What stands after the headers."""
    return answer[answer.index(b"\r\n\r\n") + 4 :]


@dataclass
class Dealer:
    """A store with tills, one trim, a customer per till, and cars that wait to be sold."""

    group: Group
    tills: list[Till]
    vins: Iterator[str]
    trim: str = ""
    customers: list[str] = field(default_factory=list)
    cars: list[tuple[str, str]] = field(default_factory=list)
    """VIN and stay."""

    async def open(self) -> None:
        """The catalogue and the customers."""
        about = {"brand": "Aurora", "series": "A5", "model_year": 2026, "name": f"A5 {next(_serial)}", "powertrain": "petrol"}
        self.trim = await self.tills[0].did("stock", "/trims", {**about, "guide_price": PRICE})
        for till in self.tills:
            person = {"store_id": self.group.values["south"], "kind": "person", "name": "Lin Yue", "phone": f"1392{next(_serial):07}"}
            self.customers.append(await till.did("sales", "/customers", person, after=True))

    async def stock(self, many: int) -> None:
        """Receives cars until so many wait, and waits until finance has them at cost and orders knows them."""
        before = len(self.cars)

        async def receive(till: Till, share: int) -> None:
            till.seen.clear()
            for _ in range(share):
                about = {"vin": next(self.vins), "trim_id": self.trim, "store_id": self.group.values["south"], "certificate": "with-us"}
                stay = await till.did("stock", "/vehicles", {**about, "supplier": "Aurora Manufacturing", "purchase": COST}, after=True)
                self.cars.append((about["vin"], stay))
                till.seen.clear()

        missing = max(0, many - before)
        shares = [missing // len(self.tills) + (n < missing % len(self.tills)) for n in range(len(self.tills))]
        await asyncio.gather(*(receive(till, share) for till, share in zip(self.tills, shares, strict=True)))
        for vin, stay in self.cars[before:]:
            await self.tills[0].eventually("accountant", f"/ledger/cars?vin={vin}", stay_id=stay, status="in-stock")

    async def approved(self, number: int, vin: str, *, quoted: bool) -> str:
        """Placed, submitted and approved, quoted before or not; the order."""
        till, seller = self.tills[number], SELLERS[number % 2]
        till.seen.clear()
        body: dict[str, Any] = {"store_id": self.group.values["south"], "customer_id": self.customers[number], "trim_id": self.trim}
        body["vin"] = vin
        if quoted:
            offer = {**body, "discount": {"amount": "0.00", "currency": "CNY"}}
            body["quote_id"] = await till.did(seller, "/quotes", offer, after=True)
        order = await till.did(seller, "/orders", {**body, "price": PRICE, "down_payment": PRICE}, after=True)
        await till.did(seller, f"/orders/{order}/submit")
        await till.did("manager", f"/orders/{order}/approve")
        return order

    async def sold(self, number: int, vin: str, stay: str) -> None:
        """A sale to its end: revenue and cost are in the ledger, the stay is over, after-sales knows the car."""
        till, seller = self.tills[number], SELLERS[number % 2]
        order = await self.approved(number, vin, quoted=True)
        await till.eventually(seller, f"/orders/{order}", vehicle="held")
        await till.did(seller, f"/orders/{order}/sign", {"signer": "Lin Yue", "earnest": EARNEST})
        paid = {"order_id": order, "kind": "balance", "method": "transfer", "amount": PRICE}
        await till.did("cashier", "/receipts", paid, after=True)
        await till.did("accountant", "/invoices", {"order_id": order})
        for item in CHECKLIST:
            await till.did(seller, f"/orders/{order}/checklist", {"item": item})
        await till.did(seller, f"/orders/{order}/deliver", after=True)
        await till.eventually("accountant", f"/ledger/cars?vin={vin}", order_id=order, status="sold")
        await till.eventually(seller, f"/stays/{stay}", status="sold")
        await till.eventually("service", f"/service-cars/{vin}", vin=vin)

    async def at_work(self, clients: int, each: int, *, whole: bool) -> Took:
        """So many clients, each with so many sales, or orders that are only approved; all are done before the clock stops."""
        cars, self.cars = self.cars[: clients * each], self.cars[clients * each :]
        waits: list[float] = []

        async def work(number: int) -> None:
            for vin, stay in cars[number * each : (number + 1) * each]:
                asked = time.perf_counter()
                if whole:
                    await self.sold(number, vin, stay)
                else:
                    await self.approved(number, vin, quoted=False)
                waits.append(time.perf_counter() - asked)

        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(clients):
                tasks.create_task(work(number))
        return Took(operations=len(waits), seconds=time.perf_counter() - began, latencies=waits)


@asynccontextmanager
async def dealing(platform: Platform, group: Group, tills: int) -> AsyncIterator[Dealer]:
    """A dealer with so many tills, ready to sell."""
    plan, known = Plan.from_environment(platform.place), tokens(platform, group)
    made = [Till({name: Line(plan.port(name)) for name in SERVICES}, known) for _ in range(tills)]
    dealer = Dealer(group, made, group.vins())
    await dealer.open()
    try:
        yield dealer
    finally:
        for line in [line for till in made for line in till.services.values()]:
            line.close()
