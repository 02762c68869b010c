"""How many cars of a trim a store has to sell now, and since when that is too few."""

from datetime import datetime
from typing import assert_never

from services.inventory.domain.between import NoteCar
from shared.decider import Decider, Rejected, message, replace


@message
class SetThreshold:
    """Fewer than `threshold` cars are a shortage; 0 asks for no alarm."""

    store_id: str
    trim_id: str
    threshold: int
    by: str
    at: datetime


@message
class ThresholdSet:
    store_id: str
    trim_id: str
    threshold: int
    by: str


@message
class CarCounted:
    """One more to sell; `count` is the number now."""

    store_id: str
    trim_id: str
    stay_id: str
    count: int


@message
class CarUncounted:
    """One less to sell; `count` is the number now."""

    store_id: str
    trim_id: str
    stay_id: str
    count: int


@message
class StockFellLow:
    store_id: str
    trim_id: str
    count: int
    threshold: int


@message
class StockRecovered:
    store_id: str
    trim_id: str
    count: int


@message
class Level:
    store_id: str = ""
    cars: frozenset[str] = frozenset()
    threshold: int = 0
    low: bool = False


type Command = NoteCar | SetThreshold
type Event = ThresholdSet | CarCounted | CarUncounted | StockFellLow | StockRecovered


def decide(command: Command, state: Level) -> list[Event]:
    match command:
        case SetThreshold(threshold=threshold) if threshold < 0:
            raise Rejected("threshold-invalid", "A threshold is zero or more.")
        case SetThreshold(store_id=store_id, trim_id=trim_id, threshold=threshold, by=by):
            if threshold == state.threshold:
                return []
            changed = ThresholdSet(store_id=store_id, trim_id=trim_id, threshold=threshold, by=by)
            return [changed, *_alarm(command, replace(state, threshold=threshold))]
        case NoteCar(stay_id=stay_id, available=available) if available == (stay_id in state.cars):
            return []
        case NoteCar(store_id=store_id, trim_id=trim_id, stay_id=stay_id, available=True):
            after = replace(state, cars=state.cars | {stay_id})
            counted = CarCounted(store_id=store_id, trim_id=trim_id, stay_id=stay_id, count=len(after.cars))
            return [counted, *_alarm(command, after)]
        case NoteCar(store_id=store_id, trim_id=trim_id, stay_id=stay_id):
            after = replace(state, cars=state.cars - {stay_id})
            uncounted = CarUncounted(store_id=store_id, trim_id=trim_id, stay_id=stay_id, count=len(after.cars))
            return [uncounted, *_alarm(command, after)]
        case unknown:
            assert_never(unknown)


def _alarm(command: Command, level: Level) -> list[Event]:
    """Once when a shortage begins, once when it ends."""
    count, too_few = len(level.cars), len(level.cars) < level.threshold
    if too_few and not level.low:
        return [StockFellLow(store_id=command.store_id, trim_id=command.trim_id, count=count, threshold=level.threshold)]
    if level.low and not too_few:
        return [StockRecovered(store_id=command.store_id, trim_id=command.trim_id, count=count)]
    return []


def evolve(state: Level, event: Event) -> Level:
    match event:
        case ThresholdSet(store_id=store_id, threshold=threshold):
            return replace(state, store_id=store_id, threshold=threshold)
        case CarCounted(store_id=store_id, stay_id=stay_id):
            return replace(state, store_id=store_id, cars=state.cars | {stay_id})
        case CarUncounted(stay_id=stay_id):
            return replace(state, cars=state.cars - {stay_id})
        case StockFellLow():
            return replace(state, low=True)
        case StockRecovered():
            return replace(state, low=False)
        case unknown:
            assert_never(unknown)


stock_level = Decider[Command, Level, Event](Level(), decide, evolve)
