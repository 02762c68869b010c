"""Stages and conversion, as the glossary defines them."""

from services.reporting.views.funnel import shape


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
