"""Stages, conversion and dwell, as the glossary defines them."""

from datetime import UTC, datetime, timedelta

from services.reporting.views.funnel import dwell, median, shape

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_reaching_a_later_stage_counts_as_having_reached_the_earlier_ones() -> None:
    (group,) = shape(
        [
            {"key": None, "rank": 8, "stands": 8, "n": 2, "open": 0},
            {"key": None, "rank": 1, "stands": 1, "n": 2, "open": 2},
            {"key": None, "rank": 1, "stands": 0, "n": 1, "open": 1},
        ]
    )
    reached = {stage["stage"]: stage["reached"] for stage in group["stages"]}
    assert reached == {
        "captured": 5,
        "contacted": 5,
        "first-contact": 2,
        "needs": 2,
        "presentation": 2,
        "test-drive": 2,
        "quote": 2,
        "negotiation": 2,
        "won": 2,
    }
    assert {stage["stage"]: stage["open"] for stage in group["stages"] if stage["open"]} == {"captured": 1, "contacted": 2}
    assert [stage["conversion_permille"] for stage in group["stages"]][:3] == [None, 1000, 400]


def test_the_median_keeps_those_who_have_not_left() -> None:
    assert median([(10, True), (20, True), (30, True)]) == 20
    assert median([(10, True), (20, False), (30, False)]) is None
    assert median([(10, True), (20, True), (30, False), (40, False)]) == 20
    assert median([]) is None
    assert median([(seconds, seconds % 3 > 0) for seconds in range(100_000)]) == 64_645  # of a year: none looks at all others


def test_dwell_is_from_entering_to_leaving_and_open_ones_are_censored() -> None:
    def at(opportunity: str, stage: str, hours: int) -> dict[str, object]:
        return {"opportunity_id": opportunity, "stage": stage, "occurred_at": NOON + timedelta(hours=hours)}

    rows = [at("a", "first-contact", 0), at("a", "needs", 2), at("b", "first-contact", 0), at("b", "won", 4)]
    found = {row["stage"]: row for row in dwell(rows, NOON + timedelta(hours=10))}
    assert found["first-contact"] == {"stage": "first-contact", "n": 2, "open": 0, "median_seconds": 7200}
    assert found["needs"] == {"stage": "needs", "n": 1, "open": 1, "median_seconds": None}
