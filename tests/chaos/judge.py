"""Whether the platform kept its word, from what the people were answered and what is stored."""

import time
from collections import defaultdict

from tests.chaos.plant import Works
from tests.faults.record import Record
from tests.oracle import Oracle

SETTLES_WITHIN = 60.0

_MONEY = "select order_id, paid, stage from accounts_1"
_ORDERS = "select order_id, paid, stage, vehicle from order_book_1"
_STAYS = "select count(*) as n from events where type = 'VehicleSold'"


class Judge:
    """The oracle, and what only a record of whole stories can tell: money and cars, order by order."""

    def __init__(self, record: Record, plan: Works, secrets: dict[str, str]) -> None:
        self.record = record
        self.oracle = Oracle(plan, secrets)
        self.settled = 0.0
        self.judged = 0.0
        self.events = 0

    def verdict(self) -> list[str]:
        """All that is wrong."""
        self.oracle.let_rest()
        try:
            self.settled = self.oracle.settle(SETTLES_WITHIN)
        except AssertionError as error:
            return [f"It did not come to rest: {error}"]
        began, wrong = time.monotonic(), self._orders()
        try:
            self.oracle.check(self.record)
        except AssertionError as error:
            wrong += str(error).splitlines()
        self.events = sum(int(self.oracle.rows(context, "select count(*) as n from events")[0]["n"]) for context in self.oracle.services)
        self.judged = time.monotonic() - began
        return wrong

    def _orders(self) -> list[str]:
        """Orders whose money or car is not what was acknowledged to the people who paid, paid back, cancelled or handed over."""
        paid: dict[str, int] = defaultdict(int)
        ended: dict[str, str] = {}
        for deed in self.record.accepted("finance", "/receipts"):
            paid[deed.body["order_id"]] += int(deed.body["amount"]["amount"].replace(".", ""))
        for deed in self.record.accepted("finance", "/refunds/"):
            paid[deed.path.split("/")[2]] = 0
        for deed in self.record.accepted("orders", "/orders/"):
            _, _, order, verb = deed.path.split("/", 3)
            if verb in ("deliver", "cancel"):
                ended[order] = "delivered" if verb == "deliver" else "cancelled"
        accounts = {row["order_id"]: row for row in self.oracle.rows("finance", _MONEY)}
        orders = {row["order_id"]: row for row in self.oracle.rows("orders", _ORDERS)}
        wrong = [
            f"{order}: {sum} was paid; finance says {accounts.get(order)}" for order, sum in paid.items() if _paid(accounts, order) != sum
        ]
        wrong += [f"{order}: {sum} was paid; orders says {orders.get(order)}" for order, sum in paid.items() if _paid(orders, order) != sum]
        for place, known in (("finance", accounts), ("orders", orders)):
            wrong += [
                f"{order} is {stage}; {place} says {known.get(order)}" for order, stage in ended.items() if _stage(known, order) != stage
            ]
        sold, handed_over = int(self.oracle.rows("inventory", _STAYS)[0]["n"]), list(ended.values()).count("delivered")
        return wrong + ([f"{handed_over} cars were handed over, {sold} are sold"] if sold != handed_over else [])


def _paid(rows: dict[str, dict[str, object]], order: str) -> object:
    return rows.get(order, {}).get("paid")


def _stage(rows: dict[str, dict[str, object]], order: str) -> object:
    return rows.get(order, {}).get("stage")
