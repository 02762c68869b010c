"""Everyday steps of a dealer for tests: each is a request or two through the gateway."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx2

from shared.testing.group import Group
from shared.testing.platform import Person

PATIENCE = 20.0
CHECKLIST = ("exterior", "interior", "keys", "manual", "certificate", "invoice")
_serial = count(1)


def cny(text: str) -> dict[str, str]:
    """An amount as it crosses the API."""
    return {"amount": text, "currency": "CNY"}


def minor(amount: dict[str, str]) -> int:
    """An amount of the API in minor units."""
    return int(amount["amount"].replace(".", ""))


def serial() -> int:
    """A number nobody has used."""
    return next(_serial)


def phone() -> str:
    """A mobile number nobody has used."""
    return f"1391{serial():07}"


def until[T](found: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """Asks until the answer is true, because services tell each other by events. AssertionError when it does not come."""
    end = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
    return answer


def did(person: Person, path: str, body: Any = None, seconds: float = PATIENCE) -> str:
    """A command that is accepted as soon as the service knows what it is about; the id it answers."""
    end = time.monotonic() + seconds
    while (answer := person.post(path, body)).status_code not in (200, 201):
        early = answer.status_code in (404, 409) or answer.json()["type"] == "/problems/unknown-reference"
        assert early and time.monotonic() < end, f"{path}: {answer.status_code} {answer.text}"
        time.sleep(0.05)
    return str(answer.json()["id"])


def every(person: Person, path: str, **params: Any) -> list[dict[str, Any]]:
    """All rows of a list, page by page."""
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = person.get(path, limit=200, **params, **cursor)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        rows += answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            return rows
        cursor = {"cursor": answer.json()["next_cursor"]}


def at_once(times: int, ask: Callable[[int], httpx2.Response]) -> list[httpx2.Response]:
    """The answers to many requests of the same moment."""
    with ThreadPoolExecutor(min(times, 25)) as pool:
        return list(pool.map(ask, range(times)))


class Shop:
    """The south store of a group."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.people = group.people
        self.values = group.values
        self._vins = group.vins()

    def __getattr__(self, login: str) -> Person:
        """`shop.sales` is whoever has that login."""
        try:
            return self.people[login]
        except KeyError:
            raise AttributeError(login) from None

    def vin(self) -> str:
        """A VIN with a fitting check digit that nobody has used."""
        return next(vin for vin in self._vins if vin not in self.values.values())

    def trim(self, price: str = "189800.00", **more: Any) -> str:
        """A trim of the catalogue."""
        about = {
            "brand": "Aurora",
            "series": "A5",
            "model_year": 2026,
            "name": f"A5 {self.group.number}-{serial()}",
            "powertrain": "petrol",
        }
        return self.stock.did("/trims", {**about, "guide_price": cny(price), **more})

    def car(self, trim: str, store: str = "south", cost: str = "150000.00", **more: Any) -> str:
        """A car received in a store; its VIN."""
        vin = self.vin()
        clerk = self.north_stock if store == "north" else self.stock
        about = {"vin": vin, "trim_id": trim, "store_id": self.values[store], "supplier": "Aurora Manufacturing", "certificate": "with-us"}
        did(clerk, "/vehicles", {**about, "purchase": cny(cost), **more})
        return vin

    def customer(self, name: str = "Lin Yue", **more: Any) -> str:
        """A customer of the seller."""
        about = {"store_id": self.values["south"], "kind": "person", "name": name, "phone": phone()}
        return did(self.sales, "/customers", {**about, **more})

    def lead(self, **more: Any) -> str:
        """A lead that the rule will assign."""
        about = {"store_id": self.values["south"], "brand": "Aurora", "series": "A5", "channel": "website", "name": "Lin Yue"}
        return did(self.sales, "/leads", {**about, "phone": phone(), **more})

    def opportunity(self, **more: Any) -> str:
        """An opportunity from a lead that was assigned, contacted and converted."""
        lead = self.lead(**more)
        self.sales.eventually(f"/leads/{lead}", status="assigned")
        self.sales.did(f"/leads/{lead}/follow-ups", {"kind": "phone", "text": "Wants to see it"})
        self.sales.did(f"/leads/{lead}/convert")
        opened = str(self.sales.get(f"/leads/{lead}").json()["opportunity_id"])
        self.sales.eventually(f"/opportunities/{opened}", stage="first-contact")
        return opened

    def order(self, trim: str, vin: str, price: str = "189800.00", **more: Any) -> str:
        """An order that was placed."""
        body = {"store_id": self.values["south"], "trim_id": trim, "vin": vin, "price": cny(price), "down_payment": cny(price), **more}
        return did(self.sales, "/orders", {"customer_id": more.get("customer_id") or self.customer(), **body})

    def approved(self, trim: str, vin: str, price: str = "189800.00", **more: Any) -> str:
        """An order that is approved and has its car."""
        order = self.order(trim, vin, price, **more)
        self.sales.did(f"/orders/{order}/submit")
        self.manager.did(f"/orders/{order}/approve")
        self.sales.eventually(f"/orders/{order}", vehicle="held")
        return order

    def signed(self, trim: str, vin: str, price: str = "189800.00", **more: Any) -> str:
        """An order under a signed contract."""
        order = self.approved(trim, vin, price, **more)
        self.sales.did(f"/orders/{order}/sign", {"signer": "Lin Yue", "earnest": cny("20000.00")})
        self.cashier.eventually(f"/accounts/{order}", stage="contract")
        return order

    def pay(self, order: str, amount: str, kind: str = "balance", method: str = "transfer") -> str:
        """Money taken for an order; the receipt's id."""
        return did(self.cashier, "/receipts", {"order_id": order, "kind": kind, "method": method, "amount": cny(amount)})

    def delivered(self, trim: str, vin: str, price: str = "189800.00", **more: Any) -> str:
        """An order to its end: paid, invoiced, checked, handed over, and its sale recognised."""
        order = self.signed(trim, vin, price, **more)
        self.pay(order, price)
        did(self.accountant, "/invoices", {"order_id": order})
        for item in CHECKLIST:
            self.sales.did(f"/orders/{order}/checklist", {"item": item})
        did(self.sales, f"/orders/{order}/deliver")
        self.accountant.eventually(f"/accounts/{order}", stage="delivered")
        return order
