"""How long opportunities stay in a stage, against Kaplan and Meier's estimate by hand."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from services.reporting.tests.heads import DAY, MARCH, S1, Heads
from services.reporting.tests.test_reports import LEAD, MOMENTS
from services.reporting.views import funnel
from services.reporting.views.facts import STAGES
from shared.contracts import leads

HOUR = DAY / 24


async def stays(heads: Heads, id: str, *stages: tuple[str, float]) -> None:
    """An opportunity that enters each stage so many hours after it was opened."""
    about: dict[str, Any] = {"opportunity_id": id, "person_id": "p"}
    begun: dict[str, Any] = {**LEAD, "series": "A5", "lead_id": None, "store_id": S1, "seller_id": "li"}
    await heads.hear(MARCH, leads.OpportunityOpened(**about | begun))
    for stage, hours in stages:
        event = leads.OpportunityWon(**about, order_id="o") if stage == "won" else None
        await heads.hear(MARCH + hours * HOUR, event or leads.OpportunityAdvanced(**about, stage_from="quote", stage_to=stage))


async def dwell(heads: Heads, hours: float) -> dict[str, tuple[int, int, int | None]]:
    """By stage: how many came, how many are still there, and the median of the seconds they stay."""
    rows = funnel.dwell(await heads.ask(funnel.DWELLS, **MOMENTS, as_of=MARCH + hours * HOUR))
    assert [row["stage"] for row in rows] == list(STAGES[2:-1])
    return {row["stage"]: (row["n"], row["open"], row["median_seconds"]) for row in rows}


async def test_a_stay_ends_when_the_next_begins_and_open_ones_are_never_dropped(heads: Heads) -> None:
    await stays(heads, "a", ("needs", 2))
    await stays(heads, "b", ("won", 4))
    found = await dwell(heads, 10)
    assert (found["first-contact"], found["needs"], found["quote"]) == ((2, 0, 7200), (1, 1, None), (0, 0, None))


@pytest.mark.parametrize("seed", range(5))
async def test_the_median_is_kaplan_and_meiers(heads: Heads, seed: int) -> None:
    dice, spans = random.Random(seed), []
    for n in range(dice.randint(3, 40)):
        hours = dice.randint(1, 12)
        spans.append((min(hours, 8) * 3600, hours <= 8))
        await stays(heads, f"o{n}", ("needs", hours))
    open = sum(not ended for _, ended in spans)
    assert (await dwell(heads, 8.0001))["first-contact"] == (len(spans), open, median(spans))


def median(spans: Sequence[tuple[int, bool]]) -> int | None:
    """Of (seconds, whether it ended): the first moment by which half have left."""
    survival = 1.0
    for seconds in sorted({seconds for seconds, _ in spans}):
        at_risk = sum(other >= seconds for other, _ in spans)
        survival *= 1 - sum(left for other, left in spans if other == seconds) / at_risk
        if survival <= 0.5 and (seconds, True) in spans:
            return seconds
    return None


def test_half_is_reached_when_half_have_left() -> None:
    assert median([(10, True), (20, True), (30, True)]) == 20
    assert median([(10, True), (20, False), (30, False)]) is None
    assert median([(10, True), (20, True), (30, False), (40, False)]) == 20


async def test_half_is_reached_by_logarithms_too(heads: Heads) -> None:
    """Three quarters of two thirds are a half."""
    for n, (stage, hours) in enumerate([("needs", 1), ("needs", 2), ("needs", 30), ("needs", 40)]):
        await stays(heads, f"o{n}", (stage, hours))
    assert (await dwell(heads, 10))["first-contact"] == (4, 2, 7200)
