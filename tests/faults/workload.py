"""A dealer group at work through the gateway: leads come in, cars arrive and are reserved, shifts are planned, money is taken."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from shared.testing.group import Group
from tests.faults.record import Client, Deed, Record
from tests.faults.world import eventually

PACE = 0.04
"""Seconds between two commands of one person."""
PRICE = {"amount": "150000.00", "currency": "CNY"}
COIN = {"amount": "1.00", "currency": "CNY"}
COST = {"amount": "1000.00", "currency": "CNY"}


@dataclass
class Desk:
    """What the group's people need to know to work. Numbers never repeat within a session."""

    group: Group
    trim: str = ""
    order: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._vins = self.group.vins()
        for _ in range(10):
            next(self._vins)

    def number(self) -> int:
        """A number nobody else has."""
        with self.lock:
            return next(self.numbers)

    def vin(self) -> str:
        """A VIN nobody else has."""
        with self.lock:
            return next(self._vins)

    def client(self, record: Record, login: str, url: str | None = None) -> Client:
        """A recording client of one of the group's people."""
        person = self.group.people[login]
        return Client(record, url or self.group.platform.url, self.group.values[login], person.token)


def furnish(desk: Desk) -> None:
    """What the work needs before anything breaks: a trim, a customer and his order."""
    values, people = desk.group.values, desk.group.people
    eventually(lambda: people["owner"].get("/stores").status_code == 200)
    model = {"brand": "Aurora", "series": "A5", "model_year": 2026, "name": f"Fault {values['n']}", "powertrain": "electric"}
    desk.trim = people["stock"].did("/trims", {**model, "guide_price": {"amount": "189800.00", "currency": "CNY"}})
    person = {"store_id": values["south"], "name": "Lin Yue", "phone": f"1390013{desk.group.number:04}"}
    customer = _created(lambda: people["sales"].post("/customers", person))
    order = {
        "store_id": values["south"],
        "customer_id": customer,
        "trim_id": desk.trim,
        "price": {"amount": "189800.00", "currency": "CNY"},
    }
    order |= {"down_payment": {"amount": "189800.00", "currency": "CNY"}}
    desk.order = _created(lambda: people["sales"].post("/orders", order))
    money = {"order_id": desk.order, "kind": "balance", "method": "cash", "amount": COIN}
    _created(lambda: people["cashier"].post("/receipts", money))


def _created(ask: Callable[[], Any]) -> str:
    """Asks until those who answer have heard of what they are asked about."""
    answers: list[Any] = []

    def created() -> bool:
        answers.append(ask())
        return bool(answers[-1].status_code == 201)

    try:
        eventually(created, pause=0.1)
    except AssertionError:
        raise AssertionError(answers[-1].text) from None
    return str(answers[-1].json()["id"])


def stock_value(desk: Desk) -> int:
    """What the books say the group's cars have cost, in whole yuan."""
    answer = desk.group.people["accountant"].get("/ledger/trial-balance", entity_id=desk.group.values["entity"])
    assert answer.status_code == 200, answer.text
    return sum(int(float(row["balance"]["amount"])) for row in answer.json()["items"] if row["account"] == "1405")


# --- one command each, on record and not tried yet ----------------------------------------------------------------


def car(desk: Desk, client: Client, vin: str = "") -> Deed:
    """A car arrives."""
    supplier = f"Maker {desk.number()}."
    body = {"store_id": desk.group.values["south"], "supplier": supplier, "vin": vin or desk.vin(), "trim_id": desk.trim}
    return client.begin("inventory", "/vehicles", {**body, "purchase": PRICE, "certificate": "with-us"}, mark=supplier)


def purchase(desk: Desk, client: Client) -> Deed:
    """A purchase order, which takes a gapless number."""
    supplier = f"Supplier {desk.number()}."
    line = {"trim_id": desk.trim, "quantity": 1, "unit_price": PRICE}
    body = {"store_id": desk.group.values["south"], "supplier": supplier, "lines": [line]}
    return client.begin("inventory", "/purchase-orders", body, mark=supplier)


def lead(desk: Desk, client: Client) -> Deed:
    """A new person's lead, whose name and telephone number are sealed."""
    n = desk.number()
    source = f"fault/{n}."
    body = {"store_id": desk.group.values["south"], "brand": "Aurora", "series": "A5", "channel": "phone", "name": "Wang Wei"}
    return client.begin("leads", "/leads", {**body, "phone": f"137{desk.group.number:02}{n:06}", "source": source}, mark=source)


def shift(desk: Desk, client: Client) -> Deed:
    """A shift of a minute, none like the other."""
    starts = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=desk.number())
    body = {"staff_id": desk.group.values["colleague"], "store_id": desk.group.values["south"], "starts_at": starts.isoformat()}
    return client.begin("gateway", "/shifts", {**body, "ends_at": (starts + timedelta(minutes=1)).isoformat()})


def receipt(desk: Desk, client: Client) -> Deed:
    """One yuan for the order, which takes a gapless number."""
    body = {"order_id": desk.order, "kind": "balance", "method": "cash", "amount": COIN}
    return client.begin("finance", "/receipts", body)


def reserve_and_release(desk: Desk, client: Client, vin: str) -> None:
    """A seller holds a car and lets go of it."""
    client.finish(client.begin("inventory", f"/vehicles/{vin}/reserve", {}))
    client.finish(client.begin("inventory", f"/vehicles/{vin}/release", {}))


# --- all of it at once -------------------------------------------------------------------------------------------


class Workload:
    """Five people, each doing one thing after the other until told to stop."""

    def __init__(self, desk: Desk, record: Record) -> None:
        self.desk = desk
        self.record = record
        self.held = desk.vin()
        stock = desk.client(record, "stock")
        stock.finish(car(desk, stock, self.held))
        self._stopping = threading.Event()
        self._errors: list[BaseException] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """They work while the block lasts, and finish what they began. The first error of any of them is raised at the end."""
        jobs: list[tuple[str, Callable[[Client], object]]] = [
            ("stock", lambda client: client.finish(car(self.desk, client))),
            ("sales", lambda client: reserve_and_release(self.desk, client, self.held)),
            ("colleague", lambda client: client.finish(lead(self.desk, client))),
            ("cashier", lambda client: client.finish(receipt(self.desk, client))),
            ("manager", lambda client: client.finish(shift(self.desk, client))),
        ]
        threads = [threading.Thread(target=self._work, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()
        if self._errors:
            raise self._errors[0]

    def _work(self, login: str, job: Callable[[Client], object]) -> None:
        client = self.desk.client(self.record, login)
        try:
            while not self._stopping.wait(PACE):
                job(client)
        except BaseException as error:
            self._errors.append(error)

    def went_on(self, since: float, each: int = 3) -> bool:
        """Whether every context has acknowledged this many commands that were begun after `since`; at once when somebody gave up."""
        if self._errors:
            raise self._errors[0]
        fresh = [deed for deed in self.record if deed.done and deed.done.at - deed.done.took > since]
        return all(sum(deed.context == context for deed in fresh) >= each for context in ("inventory", "leads", "finance", "gateway"))
