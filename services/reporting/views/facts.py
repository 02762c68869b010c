"""Facts: append-only rows keyed (stream, sequence) with both times. Aggregates are derived from them, at any past moment."""

from datetime import date, datetime
from typing import Any

from shared.bus.heard import Heard
from shared.contracts import finance, inventory, leads, orders
from shared.decider import message
from shared.views.table import Table

STAGES = ("captured", "contacted", "first-contact", "needs", "presentation", "test-drive", "quote", "negotiation", "won")
"""The funnel, in order; reaching a later stage counts as having reached the earlier ones."""


@message
class LeadFact:
    """What happened to a lead."""

    stream: str
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    store_id: str | None
    lead_id: str
    kind: str
    captured_at: datetime | None = None
    """Of a lead captured, or placed in a store later."""
    channel: str | None = None
    campaign_id: str | None = None
    brand: str | None = None
    series: str | None = None
    grade: str | None = None
    seller_id: str | None = None
    opportunity_id: str | None = None
    within_sla: bool | None = None


@message
class StageFact:
    """An opportunity entered a stage, was won or lost."""

    stream: str
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    store_id: str | None
    opportunity_id: str
    stage: str
    lead_id: str | None = None
    seller_id: str | None = None
    channel: str | None = None
    campaign_id: str | None = None
    brand: str | None = None
    series: str | None = None
    order_id: str | None = None
    reason: str | None = None


@message
class StayFact:
    """A car came into stock, cost more, moved, or left. Each says what the car cost then: a store is not shown the facts of another."""

    stream: str
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    store_id: str
    stay_id: str
    vin: str
    kind: str
    """`received`, `cost`, `left`, `arrived` or `sold`."""
    amount: int = 0
    """What it adds to the book cost, minor units: a cost, or the transport of a car that arrived."""
    book_cost: int
    """The car's with it, minor units."""
    currency: str
    other_store: str | None = None
    """Where the car left for, or came from."""
    acquired_on: date | None = None
    """The day the group's stay began; a receipt counts from it, all else from the store's own day of occurred_at."""
    trim_id: str | None = None
    brand: str | None = None
    series: str | None = None
    order_id: str | None = None


@message
class SaleFact:
    """A delivery, what it earned and cost, and what came after. Minor units, net."""

    stream: str
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    store_id: str
    order_id: str
    vin: str
    stay_id: str
    kind: str
    """`delivered`, `revenue`, `cost`, `carrying` or `late-cost`."""
    amount: int = 0
    currency: str | None = None
    entity_id: str | None = None
    trim_id: str | None = None
    seller_id: str | None = None
    channel: str | None = None
    campaign_id: str | None = None


_KEY = ("stream", "sequence")
lead_facts = Table("lead_facts", 1, LeadFact, key=_KEY, indexes=("lead_id, kind", "store_id, kind, occurred_at"))
stage_facts = Table("stage_facts", 1, StageFact, key=_KEY, indexes=("opportunity_id", "lead_id", "store_id, occurred_at"))
stay_facts = Table("stay_facts", 1, StayFact, key=_KEY, indexes=("stay_id, occurred_at", "store_id, occurred_at"))
sale_facts = Table("sale_facts", 1, SaleFact, key=(*_KEY, "kind"), indexes=("order_id", "vin", "store_id, occurred_at"))


@message
class TrimRow:
    trim_id: str
    brand: str
    series: str
    name: str


@message
class StoreRow:
    store_id: str
    code: str
    name: str
    entity_id: str
    region: str
    timezone: str


@message
class StaffRow:
    staff_id: str
    name: str


trims = Table("trims", 1, TrimRow, key=("trim_id",), store=None)
stores = Table("stores", 1, StoreRow, key=("store_id",), store=None)
staff = Table("staff", 1, StaffRow, key=("staff_id",), store=None)


def lead_fact(heard: Heard) -> list[LeadFact]:
    """The fact in an event of a lead, if any."""
    common = _common(heard)
    match heard.event:
        case leads.LeadCaptured() as e:
            fact = LeadFact(**common, **_interest(e), kind="captured", captured_at=heard.occurred_at)
        case leads.LeadPlaced() as e:
            fact = LeadFact(**common, **_interest(e), kind="placed", captured_at=e.captured_at, grade=e.grade)
        case leads.LeadGraded() as e:
            fact = LeadFact(**common, lead_id=e.lead_id, kind="graded", grade=e.grade)
        case leads.LeadAssigned() as e:
            fact = LeadFact(**common, lead_id=e.lead_id, kind="assigned", seller_id=e.seller_id)
        case leads.LeadContacted() as e:
            fact = LeadFact(**common, lead_id=e.lead_id, kind="contacted", seller_id=e.seller_id, within_sla=e.within_sla)
        case leads.LeadConverted() as e:
            fact = LeadFact(**common, lead_id=e.lead_id, kind="converted", seller_id=e.seller_id, opportunity_id=e.opportunity_id)
        case leads.LeadDisqualified() as e:
            fact = LeadFact(**common, lead_id=e.lead_id, kind="disqualified")
        case _:
            return []
    return [fact]


def _interest(event: leads.LeadCaptured | leads.LeadPlaced) -> dict[str, Any]:
    return {name: getattr(event, name) for name in ("lead_id", "channel", "campaign_id", "brand", "series")}


def stage_fact(heard: Heard) -> list[StageFact]:
    """The fact in an event of an opportunity, if any."""
    common = _common(heard)
    match heard.event:
        case leads.OpportunityOpened() as e:
            fact = StageFact(
                **common,
                opportunity_id=e.opportunity_id,
                stage="first-contact",
                lead_id=e.lead_id,
                seller_id=e.seller_id,
                channel=e.channel,
                campaign_id=e.campaign_id,
                brand=e.brand,
                series=e.series,
            )
        case leads.OpportunityAdvanced() as e:
            fact = StageFact(**common, opportunity_id=e.opportunity_id, stage=e.stage_to)
        case leads.OpportunityWon() as e:
            fact = StageFact(**common, opportunity_id=e.opportunity_id, stage="won", order_id=e.order_id)
        case leads.OpportunityLost() as e:
            fact = StageFact(**common, opportunity_id=e.opportunity_id, stage="lost", reason=e.reason)
        case _:
            return []
    return [fact]


def stay_fact(heard: Heard) -> list[StayFact]:
    """The fact in an event of a car's stay, if any. A late cost is one of the sale."""
    common = {key: value for key, value in _common(heard).items() if key != "store_id"}
    match heard.event:
        case inventory.VehicleReceived() as e:
            fact = StayFact(**common, **_car(e), **_model(e), store_id=e.store_id, kind="received")
        case inventory.CostAdded(late=False) as e:
            fact = StayFact(**common, **_car(e), store_id=e.store_id, kind="cost", amount=e.amount.minor)
        case inventory.VehicleDispatched() as e:
            fact = StayFact(**common, **_car(e), store_id=e.from_store, kind="left", other_store=e.to_store)
        case inventory.VehicleArrived() as e:
            way: dict[str, Any] = {"store_id": e.to_store, "other_store": e.from_store, "amount": e.transport.minor}
            fact = StayFact(**common, **_car(e), **_model(e), **way, kind="arrived")
        case inventory.VehicleSold() as e:
            fact = StayFact(**common, **_car(e), store_id=e.store_id, kind="sold", order_id=e.order_id)
        case _:
            return []
    return [fact]


def _car(event: Any) -> dict[str, Any]:
    return {"stay_id": event.stay_id, "vin": event.vin, "book_cost": event.book_cost.minor, "currency": event.book_cost.currency}


def _model(event: inventory.VehicleReceived | inventory.VehicleArrived) -> dict[str, Any]:
    return {name: getattr(event, name) for name in ("trim_id", "brand", "series", "acquired_on")}


def sale_fact(heard: Heard) -> list[SaleFact]:
    """The facts in a delivery, in a recognised sale and in a late cost."""
    common = {key: value for key, value in _common(heard).items() if key != "store_id"}
    match heard.event:
        case orders.OrderDelivered() as e:
            facts = [
                SaleFact(
                    **common,
                    store_id=e.store_id,
                    order_id=e.order_id,
                    vin=e.vin,
                    stay_id=e.stay_id,
                    kind="delivered",
                    entity_id=e.entity_id,
                    trim_id=e.trim_id,
                    seller_id=e.seller_id,
                    channel=e.channel,
                    campaign_id=e.campaign_id,
                )
            ]
        case finance.SaleRecognised() as e:
            facts = [
                SaleFact(
                    **common,
                    store_id=e.store_id,
                    order_id=e.order_id,
                    vin=e.vin,
                    stay_id=e.stay_id,
                    kind=kind,
                    amount=money.minor,
                    currency=money.currency,
                    entity_id=e.entity_id,
                )
                for kind, money in (("revenue", e.revenue), ("cost", e.cost), ("carrying", e.carrying))
            ]
        case finance.LateCostPosted() as e:
            facts = [
                SaleFact(
                    **common,
                    store_id=e.store_id,
                    order_id=e.order_id,
                    vin=e.vin,
                    stay_id=e.stay_id,
                    kind="late-cost",
                    amount=e.amount.minor,
                    currency=e.amount.currency,
                    entity_id=e.entity_id,
                )
            ]
        case _:
            facts = []
    return facts


def _common(heard: Heard) -> dict[str, Any]:
    return {
        "stream": heard.stream,
        "sequence": heard.sequence,
        "occurred_at": heard.occurred_at,
        "recorded_at": heard.recorded_at,
        "store_id": heard.store_id,
    }
