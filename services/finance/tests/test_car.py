"""A car's book cost, whatever the order in which its facts are heard."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest

from services.finance.domain.car import Car, car
from services.finance.domain.car_messages import (
    AddCost,
    ArriveCar,
    CarSold,
    DispatchCar,
    Event,
    FactHeld,
    LateCostAdded,
    ReceiveCar,
    SellCar,
)
from services.finance.tests.ledger import entries, totals
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(car)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
today = date(2026, 3, 2)

receive = ReceiveCar(
    stay_id="stay1",
    vin="LFV2A2150N3000001",
    entity_id="e1",
    store_id="s1",
    supplier="FAW-VW",
    book_cost=Money(15_000_000),
    input_vat=Money(1_950_000),
    on=today,
    at=noon,
)
freight = AddCost(stay_id="stay1", cost_id="k1", kind="freight", amount=Money(200_000), store_id="s1", on=today, at=noon)
rebate = replace(freight, cost_id="k2", kind="rebate", amount=Money(-300_000))
dispatch = DispatchCar(stay_id="stay1", transfer_id="t1", from_store="s1", on=today, at=noon)
arrive = ArriveCar(
    stay_id="stay1", transfer_id="t1", from_store="s1", to_store="s2", to_entity="e1", transport=Money(80_000), on=today, at=noon
)
sell = SellCar(stay_id="stay1", order_id="o1", store_id="s2", revenue=Money(16_796_460), on=today, at=noon)


def after(*commands: Any) -> tuple[Event, ...]:
    """The events of these commands, one after the other."""
    history: list[Event] = []
    for command in commands:
        history += car.decide(command, car.fold(history))
    return tuple(history)


def test_a_received_car_is_stock_owed_to_its_supplier() -> None:
    assert totals(after(receive)) == {"1405": 15_000_000, "2221-input": 1_950_000, "2202": -16_950_000}
    given(*after(receive)).when(receive).then_nothing()


def test_costs_and_rebates_change_the_book_cost() -> None:
    assert totals(after(receive, freight, rebate))["1405"] == 14_900_000
    given(*after(receive, freight)).when(freight).then_nothing()


def test_a_dispatched_car_is_in_transit_and_arrives_with_its_transport() -> None:
    assert totals(after(receive, dispatch))["1402"] == 15_000_000
    moved = totals(after(receive, dispatch, arrive))
    assert moved == {"1405": 15_080_000, "2221-input": 1_950_000, "2202": -17_030_000}
    given(*after(receive, dispatch)).when(dispatch).then_nothing()
    given(*after(receive, dispatch, arrive)).when(arrive).then_nothing()


def test_a_cost_on_the_way_stays_with_the_car() -> None:
    assert totals(after(receive, dispatch, freight))["1402"] == 15_200_000
    assert totals(after(receive, dispatch, freight, arrive))["1405"] == 15_280_000


def test_each_store_of_the_entity_balances_by_itself() -> None:
    for entry in entries(after(receive, dispatch, freight, arrive)):
        assert sum(line.amount for line in entry.lines) == 0
    assert [entry.store_id for entry in entries(after(receive, dispatch, arrive))] == ["s1", "s1", "s2"]


def test_between_two_entities_it_is_a_sale_without_profit() -> None:
    entry_a, entry_b = entries(after(receive, dispatch, replace(arrive, to_entity="e2")))[-2:]
    assert (entry_a.entity_id, entry_a.store_id, entry_b.entity_id, entry_b.store_id) == ("e1", "s1", "e2", "s2")
    assert {line.account: line.amount for line in entry_a.lines} == {
        "1122": 16_950_000,
        "6401": 15_000_000,
        "6001": -15_000_000,
        "2221-output": -1_950_000,
        "1402": -15_000_000,
    }
    assert {line.account: line.amount for line in entry_b.lines} == {
        "1405": 15_080_000,
        "2221-input": 1_950_000,
        "2202": -17_030_000,
    }


def test_a_sold_car_is_cost_of_sales() -> None:
    history = after(receive, dispatch, arrive, sell)
    assert totals(history)["6401"] == 15_080_000
    assert "1405" not in totals(history)
    sold = history[-1]
    assert isinstance(sold, CarSold)
    assert (sold.cost, sold.revenue) == (Money(15_080_000), Money(16_796_460))


def test_a_late_cost_goes_to_cost_of_sales() -> None:
    history = after(receive, dispatch, arrive, sell, freight)
    assert isinstance(history[-1], LateCostAdded)
    assert totals(history)["6401"] == 15_280_000
    assert "1405" not in totals(history)
    assert entries(history)[-1].order_id == "o1"


def test_a_stay_is_sold_once() -> None:
    sold = after(receive, replace(sell, store_id="s1"))
    given(*sold).when(replace(sell, store_id="s1")).then_nothing()
    given(*sold).when(replace(sell, store_id="s1", order_id="o2")).rejected("already-sold")


def test_another_currency_is_refused() -> None:
    given(*after(receive)).when(replace(freight, amount=Money(1, "USD"))).rejected("currency-differs")


def test_an_early_fact_is_held_once() -> None:
    given().when(freight).then(FactHeld(cost=freight))
    given(*after(freight)).when(freight).then_nothing()


@pytest.mark.parametrize("facts", list(permutations([receive, freight, dispatch, arrive, sell])))
def test_facts_in_any_order_come_to_the_same_books(facts: tuple[Any, ...]) -> None:
    history = after(*facts)
    assert totals(history) == {"6401": 15_280_000, "2221-input": 1_950_000, "2202": -17_230_000}
    state = car.fold(history)
    assert (state.held, state.sold, state.store_id) == ((), "o1", "s2")
    ids = [entry.entry_id for entry in entries(history)]
    assert len(set(ids)) == len(ids)


def test_two_transfers_are_taken_in_the_order_of_the_way() -> None:
    onward = replace(dispatch, transfer_id="t2", from_store="s2")
    there = replace(arrive, transfer_id="t2", to_store="s3")
    for facts in permutations([receive, dispatch, arrive, onward, there]):
        state = car.fold(after(*facts))
        assert (state.store_id, state.cost, state.moving, state.held) == ("s3", 15_160_000, None, ())


def test_a_car_without_cost_moves_without_entries() -> None:
    free = replace(receive, book_cost=Money(0), input_vat=Money(0))
    assert entries(after(free, dispatch)) == []
    assert car.fold([]) == Car()
