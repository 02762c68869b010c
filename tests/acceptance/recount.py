"""An independent count of what reports say: from the services' own stored events, in plain Python, without their views or SQL."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tests.acceptance.databases import Databases

STAGES = ("captured", "contacted", "first-contact", "needs", "presentation", "test-drive", "quote", "negotiation", "won")
HOME = ZoneInfo("Asia/Shanghai")
_EVENTS = """select stream, type, convert_from(data, 'UTF8') as data, convert_from(meta, 'UTF8') as meta, occurred_at, recorded_at
    from events order by position"""


@dataclass(frozen=True)
class Stored:
    """One event of a service's own store."""

    stream: str
    type: str
    data: dict[str, Any]
    store_id: str | None
    at: datetime


def stored(databases: Databases, context: str, before: datetime) -> list[Stored]:
    """All events recorded before a moment, in the order they were appended."""
    rows = [row for row in databases.rows(context, _EVENTS) if row["recorded_at"] < before]
    return [
        Stored(
            row["stream"],
            row["type"],
            msgspec.json.decode(row["data"]),
            msgspec.json.decode(row["meta"]).get("store_id"),
            row["occurred_at"],
        )
        for row in rows
    ]


# --- the funnel --------------------------------------------------------------------------------------------------


@dataclass
class Lead:
    """How far a lead came, and where it stands."""

    store_id: str | None
    captured_at: datetime
    facts: dict[str, str | None]
    reached: int = 0
    stands: int = 0
    open: bool = True

    def step(self, rank: int) -> None:
        self.reached, self.stands, self.open = max(self.reached, rank), rank, True


def leads(events: Iterable[Stored]) -> dict[str, Lead]:
    """Every lead, by id."""
    found: dict[str, Lead] = {}
    of: dict[str, str] = {}
    for event in events:
        category, _, id = event.stream.partition("-")
        lead = found.get(id if category == "lead" else of.get(id, ""))
        if event.type == "LeadCaptured":
            facts = {name: event.data[name] or None for name in ("channel", "brand", "series")}
            facts["campaign"] = event.data["campaign_id"] or None
            month = f"{event.at.astimezone(HOME):%Y-%m}"
            found[id] = Lead(event.data["store_id"], event.at, {**facts, "month": month, "store": event.data["store_id"]})
        elif event.type == "OpportunityOpened" and event.data["lead_id"]:
            of[id] = event.data["lead_id"]
            found[of[id]].step(STAGES.index(event.data["stage"]))
        elif lead:
            _further(lead, event)
    return found


def _further(lead: Lead, event: Stored) -> None:
    match event.type:
        case "LeadPlaced":
            lead.store_id = lead.facts["store"] = event.data["store_id"]
        case "LeadGraded":
            lead.facts["grade"] = event.data["grade"]
        case "LeadAssigned":
            lead.facts["seller"] = event.data["seller_id"]
        case "LeadContacted":
            lead.step(1)
        case "LeadConverted":
            lead.step(2)
        case "StageEntered":
            lead.step(STAGES.index(event.data["stage_to"]))
        case "OpportunityWon":
            lead.step(8)
            lead.open = False
        case "LeadDisqualified" | "OpportunityLost":
            lead.open = False


def funnel(found: Iterable[Lead], by: str | None) -> dict[str | None, list[tuple[str, int, int]]]:
    """Per key: stage, how many reached it, how many stand there open."""
    groups: dict[str | None, list[Lead]] = defaultdict(list)
    for lead in found:
        groups[lead.facts.get(by) if by else None].append(lead)
    return {
        key: [
            (stage, sum(lead.reached >= rank for lead in ours), sum(lead.open and lead.stands == rank for lead in ours))
            for rank, stage in enumerate(STAGES)
        ]
        for key, ours in groups.items()
    }


def dwell(events: Iterable[Stored], store_id: str, as_of: datetime) -> dict[str, tuple[int, int, int | None]]:
    """Per stage: how many stays, how many of them open, and their Kaplan-Meier median in seconds."""
    stays: dict[str, list[tuple[float, bool]]] = {stage: [] for stage in STAGES[2:-1]}
    since: dict[str, tuple[str, datetime]] = {}
    for event in events:
        if not event.stream.startswith("opportunity-") or event.store_id != store_id:
            continue
        entered = {"OpportunityOpened": "first-contact", "OpportunityWon": "won", "OpportunityLost": "lost"}.get(event.type)
        entered = event.data["stage_to"] if event.type == "StageEntered" else entered
        if entered is None:
            continue
        if before := since.get(event.stream):
            stays[before[0]].append(((event.at - before[1]).total_seconds(), True))
        since[event.stream] = (entered, event.at)
        if entered in ("won", "lost"):
            del since[event.stream]
    for stage, at in since.values():
        stays[stage].append(((as_of - at).total_seconds(), False))
    return {stage: (len(found), sum(not left for _, left in found), median(found)) for stage, found in stays.items()}


def median(stays: list[tuple[float, bool]]) -> int | None:
    """The first time by which at most half are still there, the open ones censored."""
    there = Fraction(1)
    for moment in sorted({seconds for seconds, left in stays if left}):
        risked = sum(seconds >= moment for seconds, _ in stays)
        there *= 1 - Fraction(sum(left and seconds == moment for seconds, left in stays), risked)
        if there <= Fraction(1, 2):
            return round(moment)
    return None


# --- stock -------------------------------------------------------------------------------------------------------


@dataclass
class Move:
    """A car enters or leaves a store, or costs more there; `value` in minor units is what that changes in the store's stock."""

    day: date
    stay_id: str
    units: int
    value: int
    sold: bool = False


@dataclass
class Car:
    """A car on hand."""

    vin: str
    store_id: str
    acquired_on: date
    cost: int
    away: bool = False


@dataclass
class Stock:
    """A store's movements, the cars that stand there, and what was sold at which cost."""

    moves: list[Move] = field(default_factory=list)
    cars: dict[str, Car] = field(default_factory=dict)

    def value(self, day: date) -> int:
        """The stock at cost at the end of a day."""
        return sum(move.value for move in self.moves if move.day <= day)


def stock(events: Iterable[Stored], store_id: str) -> Stock:
    """What happened in a store's stock."""
    whole = Stock()
    for event in events:
        if not event.stream.startswith("stay-"):
            continue
        id, day, data = event.stream.removeprefix("stay-"), event.at.astimezone(HOME).date(), event.data
        car = whole.cars.get(id)
        match event.type:
            case "VehicleReceived":
                acquired = date.fromisoformat(data["acquired_on"])
                car = whole.cars[id] = Car(data["vin"], data["store_id"], acquired, data["book_cost"]["minor"])
                _moved(whole, id, car, store_id, acquired, 1, car.cost)
            case "CostAdded" if car and not data["late"]:
                car.cost += data["amount"]["minor"]
                _moved(whole, id, car, store_id, day, 0, data["amount"]["minor"])
            case "CarDispatched" if car:
                _moved(whole, id, car, store_id, day, -1, -car.cost)
                car.away = True
            case "CarArrived" if car:
                car.cost, car.store_id, car.away = data["book_cost"]["minor"], data["to_store"], False
                _moved(whole, id, car, store_id, day, 1, car.cost)
            case "VehicleSold" if car:
                _moved(whole, id, car, store_id, day, -1, -car.cost)
                if car.store_id == store_id:
                    whole.moves[-1].sold = True
                del whole.cars[id]
    return whole


def _moved(whole: Stock, id: str, car: Car, store_id: str, day: date, units: int, value: int) -> None:
    if car.store_id == store_id:
        whole.moves.append(Move(day, id, units, value))


def turnover(whole: Stock, since: date, until: date) -> dict[str, Any]:
    """The figures of a period: sold, their cost, average daily stock, and what stands at its end."""
    days = [since + timedelta(days=n) for n in range((until - since).days)]
    sold = [move for move in whole.moves if move.sold and since <= move.day < until]
    average = Fraction(sum(whole.value(day) for day in days), len(days))
    cost = -sum(move.value for move in sold)
    times = Fraction(cost * 365, len(days)) / average if average > 0 else None
    return {
        "sold": len(sold),
        "cost_of_sold": cost,
        "average_stock": round(average),
        "units": sum(move.units for move in whole.moves if move.day < until),
        "value": whole.value(until - timedelta(days=1)),
        "turnover": times,
    }


# --- profit ------------------------------------------------------------------------------------------------------


@dataclass
class Sale:
    """What one delivered car earned, in minor units."""

    keys: dict[str, str]
    revenue: int = 0
    cost: int = 0
    late: int = 0
    recognised: bool = False


def sales(databases: Databases, before: datetime) -> dict[str, Sale]:
    """Every delivered order with its money, from what orders and finance stored."""
    placed: dict[str, dict[str, Any]] = {}
    found: dict[str, Sale] = {}
    for event in stored(databases, "orders", before):
        id = event.stream.removeprefix("order-")
        if event.type == "OrderPlaced":
            placed[id] = event.data["sale"] | {"terms": event.data["terms"]}
        elif event.type == "OrderChanged" and id in placed:
            placed[id]["terms"] = event.data["new"]
        elif event.type == "OrderDelivered":
            sale = placed[id]
            keys = {"vin": event.data["vin"], "order": id, "channel": sale["channel"], "month": f"{event.at.astimezone(HOME):%Y-%m}"}
            keys |= {"store_id": sale["store_id"], "seller_id": sale["seller_id"], "trim_id": sale["terms"]["trim_id"]}
            found[id] = Sale(keys)
    for event in stored(databases, "finance", before):
        sold = found.get(event.data.get("order_id") or "")
        if sold and event.type == "CarSold":
            sold.revenue, sold.cost, sold.recognised = event.data["revenue"]["minor"], event.data["cost"]["minor"], True
        elif sold and event.type == "LateCostAdded":
            sold.late += event.data["amount"]["minor"]
    return {id: sale for id, sale in found.items() if sale.recognised}


def now() -> datetime:
    """This moment, as a report is asked for it."""
    return datetime.now(UTC)
