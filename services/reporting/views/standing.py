"""Where leads and opportunities stand by their last fact: the funnel counts these, and reads facts only of who has moved since its moment."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from services.reporting.views.facts import STAGES, LeadFact, StageFact
from shared.decider import message, replace
from shared.views.table import Change, Table

RANKS = {stage: rank for rank, stage in enumerate(STAGES)}
STEPS = {"contacted": 1, "converted": 2, "disqualified": 0}
"""The rank at which a fact of a lead leaves it."""
_PLACE = ("store_id", "channel", "campaign_id", "brand", "series")


@message
class LeadState:
    """A lead as all its facts make it."""

    lead_id: str
    store_id: str | None
    channel: str | None
    campaign_id: str | None
    brand: str | None
    series: str | None
    captured_at: datetime
    stepped_at: datetime
    """When it came to where it stands; the newest moment counts, whatever was heard last."""
    recorded_at: datetime
    """Of its newest fact: as of any later moment the lead is what this row says."""
    grade: str | None = None
    seller_id: str | None = None
    reached: int = 0
    """The furthest rank it ever had."""
    stands: int = 0
    closed: bool = False


@message
class OpportunityState:
    """An opportunity that came of a lead, as all its facts make it. A lead becomes one at most."""

    opportunity_id: str
    lead_id: str
    store_id: str | None
    stepped_at: datetime
    recorded_at: datetime
    reached: int
    stands: int | None
    """None: lost."""
    closed: bool = False


lead_states = Table("lead_states", 1, LeadState, key=("lead_id",), indexes=("captured_at",))
opportunity_states = Table("opportunity_states", 1, OpportunityState, key=("opportunity_id",), indexes=("lead_id",))


def lead_moved(facts: Sequence[LeadFact]) -> list[Change[LeadState]]:
    """What facts make of their leads."""
    return [Change(lead_states, (fact.lead_id,), partial(_lead, fact)) for fact in facts]


def _lead(fact: LeadFact, was: LeadState | None) -> LeadState | None:
    """The facts of a lead come in their order, and the first says when it was captured."""
    if fact.captured_at is not None:
        place: dict[str, Any] = {name: getattr(fact, name) for name in _PLACE}
        begun: dict[str, Any] = {
            "lead_id": fact.lead_id,
            "captured_at": fact.captured_at,
            "stepped_at": fact.captured_at,
            "recorded_at": fact.recorded_at,
        }
        was = replace(was, **place) if was else LeadState(**place, **begun)
    if was is None:
        return None
    now: dict[str, Any] = {"recorded_at": max(was.recorded_at, fact.recorded_at)}
    if (rank := STEPS.get(fact.kind)) is not None:
        now["reached"] = max(was.reached, rank)
        if fact.occurred_at >= was.stepped_at:
            now |= {"stands": rank, "closed": fact.kind == "disqualified", "stepped_at": fact.occurred_at}
    elif fact.kind in ("graded", "placed"):
        now["grade"] = fact.grade
    elif fact.kind == "assigned":
        now["seller_id"] = fact.seller_id
    return replace(was, **now)


def opportunity_moved(facts: Sequence[StageFact]) -> list[Change[OpportunityState]]:
    """What facts make of their opportunities."""
    return [Change(opportunity_states, (fact.opportunity_id,), partial(_opportunity, fact)) for fact in facts]


def _opportunity(fact: StageFact, was: OpportunityState | None) -> OpportunityState | None:
    """The first fact says which lead it came of; one that came of none is in no funnel."""
    rank = RANKS.get(fact.stage)
    now: dict[str, Any] = {"stands": rank, "closed": fact.stage in ("won", "lost"), "stepped_at": fact.occurred_at}
    if was is not None:
        now = now if fact.occurred_at >= was.stepped_at else {}
        return replace(was, **now, reached=max(was.reached, rank or 0), recorded_at=max(was.recorded_at, fact.recorded_at))
    if fact.lead_id is None:
        return None
    about = {name: getattr(fact, name) for name in ("opportunity_id", "lead_id", "store_id", "recorded_at")}
    return OpportunityState(**about, **now, reached=rank or 0)
