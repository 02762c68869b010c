"""What leads makes of the others' public events."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.leads import known
from services.leads.domain.opportunity import WinOpportunity
from services.leads.listens import listen
from services.leads.tests.showroom import delivered, received, store
from shared.bus.heard import Effect, Heard, Send
from shared.contracts import customers, gateway, inventory
from shared.values.money import Money
from shared.views.table import Change, Drop, Put

noon = datetime(2026, 3, 2, 12, tzinfo=UTC)


def made_of(event: Any) -> list[Effect]:
    heard = Heard(
        id=UUID(int=1),
        type="",
        source="",
        stream="s",
        sequence=1,
        event=event,
        data=b"",
        occurred_at=noon,
        recorded_at=noon,
        store_id=None,
        actor="system",
        correlation_id="",
        lineage="",
    )
    return listen(heard)


def test_a_delivered_order_wins_its_opportunity_if_it_has_one() -> None:
    assert made_of(delivered("opp-1", "order-1")) == [Send(to="opportunity-opp-1", command=WinOpportunity(order_id="order-1", at=noon))]
    assert made_of(replace(delivered("opp-1", "order-1"), opportunity_id=None)) == []


def test_stores_people_and_shifts_are_known() -> None:
    assert made_of(store("store-1", "BJ1", "entity-1")) == [
        Put(
            known.stores,
            known.StoreKnown(store_id="store-1", code="BJ1", entity_id="entity-1", timezone="Asia/Shanghai", opens="00:00", closes="00:00"),
        )
    ]
    planned = gateway.ShiftPlanned(shift_id="shift-1", staff_id="li", store_id="store-1", starts_at=noon, ends_at=noon)
    (put,) = made_of(planned)
    assert isinstance(put, Put)
    (change,) = made_of(gateway.ShiftCancelled(shift_id="shift-1", staff_id="li"))
    assert isinstance(change, Change)
    assert change.apply(put.row) == replace(put.row, cancelled=True)
    assert change.apply(None) is None


def test_a_disabled_user_gets_no_more_leads() -> None:
    (put,) = made_of(gateway.StaffAssigned(staff_id="li", username="li", name="Li", roles=("sales-consultant",), store_ids=("store-1",)))
    (change,) = made_of(gateway.UserDisabled(staff_id="li"))
    assert isinstance(put, Put)
    assert isinstance(change, Change)
    assert put.row.enabled
    assert change.apply(put.row) == replace(put.row, enabled=False)


def test_a_car_is_known_while_it_stands_in_a_store() -> None:
    came = received(received().vin, "store-1")
    vin, stay = came.vin, came.stay_id
    assert made_of(came) == [Put(known.cars, known.CarKnown(stay_id=stay, vin=vin, store_id="store-1"))]
    moved: dict[str, Any] = {
        "transfer_id": "t",
        "vin": vin,
        "stay_id": stay,
        "trim_id": "t",
        "from_store": "store-1",
        "to_store": "store-2",
    }
    moved |= {"from_entity": "e", "to_entity": "e", "order_id": None, "book_cost": Money(1)}
    assert made_of(inventory.VehicleDispatched(**moved)) == [Drop(known.cars, (stay,))]
    about: dict[str, Any] = {"brand": "Volkswagen", "series": "Lavida", "acquired_on": date(2026, 3, 2)}
    arrived = inventory.VehicleArrived(**moved, **about, carrier="c", transport=Money(0))
    assert made_of(arrived) == [Put(known.cars, known.CarKnown(stay_id=stay, vin=vin, store_id="store-2"))]
    sold = inventory.VehicleSold(vin=vin, stay_id=stay, trim_id="t", store_id="store-2", order_id="o", book_cost=Money(1))
    assert made_of(sold) == [Drop(known.cars, (stay,))]


def test_a_customer_is_known_corrected_and_forgotten() -> None:
    who = customers.CustomerRegistered(
        customer_id="c-1", number="C-1", store_id="store-1", kind="person", name="~p1.a", phone="~p1.b", email=""
    )
    (put,) = made_of(who)
    (change,) = made_of(customers.CustomerCorrected(customer_id="c-1", name="~p1.c", phone="~p1.d", email=""))
    assert isinstance(put, Put)
    assert isinstance(change, Change)
    assert change.apply(put.row) == replace(put.row, name="~p1.c", phone="~p1.d")
    assert made_of(customers.CustomerForgotten(customer_id="c-1")) == [Drop(known.customers, ("c-1",))]


@pytest.mark.parametrize("event", [gateway.AuthorityGranted(role="r", series="*", discount_permille=1), object()])
def test_what_does_not_matter_here_is_let_go(event: Any) -> None:
    assert made_of(event) == []
