"""Counts equal the cars that can be sold; one alarm per shortage, and its end."""

from collections.abc import Sequence
from functools import reduce

from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from services.inventory.domain.between import NoteCar
from services.inventory.domain.stock_level import (
    CarCounted,
    CarUncounted,
    Command,
    SetThreshold,
    StockFellLow,
    StockRecovered,
    ThresholdSet,
    stock_level,
)
from services.inventory.tests.cars import noon
from shared.testing.specs import spec

given = spec(stock_level)


def note(stay_id: str, available: bool) -> NoteCar:
    return NoteCar(store_id="north", trim_id="trim-1", stay_id=stay_id, available=available, at=noon)


def threshold(n: int) -> SetThreshold:
    return SetThreshold(store_id="north", trim_id="trim-1", threshold=n, by="chen", at=noon)


two = ThresholdSet(store_id="north", trim_id="trim-1", threshold=2, by="chen")
first = CarCounted(store_id="north", trim_id="trim-1", stay_id="s1", count=1)
second = CarCounted(store_id="north", trim_id="trim-1", stay_id="s2", count=2)
left = CarUncounted(store_id="north", trim_id="trim-1", stay_id="s1", count=1)
low = StockFellLow(store_id="north", trim_id="trim-1", count=1, threshold=2)
recovered = StockRecovered(store_id="north", trim_id="trim-1", count=2)


def test_a_car_counts_while_it_can_be_sold() -> None:
    given().when(note("s1", True)).then(first)
    given(first, second).when(note("s1", False)).then(left)


def test_the_same_word_twice_changes_nothing() -> None:
    given(first).when(note("s1", True)).then_nothing()
    given(first).when(note("s2", False)).then_nothing()


def test_falling_below_the_threshold_raises_one_alarm() -> None:
    given(two, first, second).when(note("s1", False)).then(left, low)
    given(two, first, second, left, low).when(note("s2", False)).then(
        CarUncounted(store_id="north", trim_id="trim-1", stay_id="s2", count=0)
    )


def test_the_shortage_ends_when_the_count_is_back() -> None:
    given(two, first, second, left, low).when(note("s3", True)).then(
        CarCounted(store_id="north", trim_id="trim-1", stay_id="s3", count=2), recovered
    )


def test_a_new_threshold_is_measured_at_once() -> None:
    given(first).when(threshold(2)).then(two, low)
    given(two, first, low).when(threshold(1)).then(
        ThresholdSet(store_id="north", trim_id="trim-1", threshold=1, by="chen"),
        StockRecovered(store_id="north", trim_id="trim-1", count=1),
    )
    given(two).when(threshold(2)).then_nothing()
    given().when(threshold(-1)).rejected("threshold-invalid")


words = st.one_of(
    st.builds(note, st.sampled_from(["s1", "s2", "s3"]), st.booleans()),
    st.builds(threshold, st.integers(0, 3)),
)


@over(st.lists(words, max_size=40))
@settings(max_examples=100)
def test_alarms_and_their_ends_alternate_and_the_last_one_tells_the_truth(asked: Sequence[Command]) -> None:
    state, alarms = stock_level.initial, list[type]()
    there: set[str] = set()
    for command in asked:
        if isinstance(command, NoteCar):
            (there.add if command.available else there.discard)(command.stay_id)
        events = stock_level.decide(command, state)
        state = reduce(stock_level.evolve, events, state)
        alarms += [type(event) for event in events if isinstance(event, StockFellLow | StockRecovered)]
        assert state.cars == there
        assert state.low == (len(there) < state.threshold)
    assert alarms == [StockFellLow, StockRecovered] * (len(alarms) // 2) + [StockFellLow] * (len(alarms) % 2)
