"""What customers makes of what it hears, and what it tells."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.customers.countries import country_of
from services.customers.domain import customer_messages as m
from services.customers.domain.customer import customer
from services.customers.listens import listen
from services.customers.publishes import publish
from services.customers.tests import hearing as h
from services.customers.tests import test_customer as c
from services.customers.tests.hearing import ORDER, PERSON, hear
from services.customers.views import profile, timeline
from shared.bus.heard import Send
from shared.contracts import customers as public
from shared.contracts import finance, inventory, published_name
from shared.testing.hearing import NOON, an_id
from shared.views.table import Change, Put

ALL = [
    h.captured,
    h.allotted,
    h.graded,
    h.followed_up,
    h.converted(),
    h.opened,
    h.advanced,
    h.drive,
    h.won,
    h.quoted,
    h.placed,
    h.approved,
    h.reserved,
    h.paid,
    h.invoiced,
    h.delivered,
    h.cancelled,
    h.appointed,
    h.served,
    h.complained,
]


def sent(event: Any) -> list[Any]:
    """The commands an event leads to."""
    return [effect.command for effect in listen(hear(event)) if isinstance(effect, Send)]


def entry(event: Any) -> timeline.Entry:
    """The entry of the timeline."""
    (row,) = [effect.row for effect in listen(hear(event)) if isinstance(effect, Put) and effect.table is timeline.table]
    assert isinstance(row, timeline.Entry)
    return row


def dealings(*events: Any) -> dict[tuple[str, str], profile.Dealing]:
    """What events make of the dealings, in the order they arrive."""
    rows: dict[Any, Any] = {}
    for n, event in enumerate(events):
        for effect in listen(hear(event, NOON + timedelta(minutes=n))):
            if isinstance(effect, Change) and effect.table is profile.table:
                rows[effect.key] = effect.apply(rows.get(effect.key))
    return rows


def test_a_converted_lead_registers_its_person_with_the_tokens_as_they_are() -> None:
    (command,) = sent(h.converted())
    assert (command.customer_id, command.number, command.indexes) == (PERSON, "", None)
    assert (command.name, command.phone, command.opportunity_id) == ("~p1.name", "~p1.phone", h.OPPORTUNITY)


@pytest.mark.parametrize(
    "event, commands",
    [
        (h.opened, [("opportunity", h.OPPORTUNITY, True)]),
        (h.won, [("opportunity", h.OPPORTUNITY, False)]),
        (h.placed, [("order", ORDER, True)]),
        (h.cancelled, [("order", ORDER, False)]),
        (h.delivered, [("car", h.VIN, True), ("order", ORDER, False)]),
        (h.paid, []),
    ],
)
def test_business_moves_the_purchase_stage(event: Any, commands: list[tuple[m.Deal, str, bool]]) -> None:
    assert sent(event) == [m.RecordDeal(kind=kind, deal_id=id, open=open, at=NOON) for kind, id, open in commands]


@pytest.mark.parametrize("event", ALL, ids=lambda event: type(event).__name__)
def test_every_event_of_a_customer_is_on_the_timeline(event: Any) -> None:
    row = entry(event)
    assert row.type == published_name(event)
    assert row.customer_id in (PERSON, "")
    assert row.ref_id
    assert "~p1." not in str(row.facts)


def test_what_was_said_stays_sealed() -> None:
    assert (entry(h.followed_up).text, entry(h.followed_up).ref_type) == ("~p1.text", "lead")


def test_why_an_order_was_cancelled_is_free_text_and_stays_with_orders() -> None:
    assert "reason" not in entry(h.cancelled).facts


def test_what_names_no_customer_is_found_by_its_thing() -> None:
    assert (entry(h.approved).customer_id, entry(h.approved).ref_type, entry(h.approved).ref_id) == ("", "order", ORDER)


def test_a_dealing_gathers_what_is_heard_of_it() -> None:
    order = dealings(h.placed, h.approved, h.paid, h.invoiced, h.delivered)["order", ORDER]
    assert (order.customer_id, order.status, order.since) == (PERSON, "delivered", NOON)
    assert order.facts["invoice"] == h.invoiced.number
    assert order.facts["paid"] == {"amount": "10000.00", "currency": "CNY"}


def test_the_order_in_which_two_contexts_are_heard_does_not_matter() -> None:
    one, other = dealings(h.placed, h.paid)["order", ORDER], dealings(h.paid, h.placed)["order", ORDER]
    assert (one.customer_id, one.facts, one.status) == (other.customer_id, other.facts, other.status)


def test_a_reversed_invoice_is_no_invoice() -> None:
    red = finance.InvoiceReversed(order_id=ORDER, invoice_id=an_id(43), number="RI-BJ1-20260302-001", vin=h.VIN)
    assert dealings(h.placed, h.invoiced, red)["order", ORDER].facts["invoice"] is None


def test_a_delivered_car_is_owned_and_serviced() -> None:
    car = dealings(h.delivered, h.served)["vehicle", h.VIN]
    assert (car.customer_id, car.status, car.facts["kilometres"]) == (PERSON, "owned", 5000)


def test_visits_heard_in_any_order_leave_the_highest_reading_and_the_store_that_sold() -> None:
    later = replace(h.served, work_order_id=an_id(47), store_id="bj2", kilometres=15000)
    for visits in ((h.served, later), (later, h.served)):
        car = dealings(h.delivered, *visits)["vehicle", h.VIN]
        assert (car.store_id, car.facts["kilometres"]) == (h.STORE, 15000)


def test_a_car_reserved_for_nobody_is_nobodys_business() -> None:
    free = inventory.VehicleReserved(
        request_id="r1", order_id=None, vin=h.VIN, stay_id="s1", trim_id="t1", store_id="bj1", certificate="with-us", until=NOON
    )
    assert listen(hear(free)) == []


def test_every_kind_of_dealing_has_its_section() -> None:
    assert {kind for kind, _ in dealings(*ALL)} <= profile.SECTIONS.keys()


def test_what_customers_itself_tells_is_not_heard_again() -> None:
    assert listen(hear(public.CustomerForgotten(customer_id=PERSON))) == []


@pytest.mark.parametrize("timezone, country", [("Asia/Shanghai", "CN"), ("America/New_York", "US"), ("Europe/Berlin", "DE"), ("UTC", "CN")])
def test_a_time_zone_tells_the_country(timezone: str, country: str) -> None:
    assert country_of(timezone) == country


def told(*history: m.Event) -> list[Any]:
    """What the last event tells the others."""
    return publish(history[-1], customer.fold(history))


def test_a_registration_is_told_by_token() -> None:
    (registered,) = told(c.registered)
    assert isinstance(registered, public.CustomerRegistered)
    assert (registered.number, registered.name, registered.phone, registered.email) == (c.registered.number, "~p1.name", "~p1.phone", "")


def test_a_registration_is_told_once_it_has_its_number() -> None:
    nameless, numbered = replace(c.registered, number=""), m.CustomerNumbered(number=c.registered.number)
    assert told(nameless) == []
    assert told(nameless, numbered) == told(c.registered)
    assert told(nameless, c.corrected_name, numbered)[0].name == "~p1.other"


def test_a_correction_is_told_when_others_know_the_field() -> None:
    (corrected,) = told(c.registered, c.corrected_name)
    assert corrected == public.CustomerCorrected(customer_id="p1", name="~p1.other", phone="~p1.phone", email="")
    notes = m.CustomerCorrected(
        notes="~p1.n", changed=("notes",), kind=None, channel=None, seller_id=None, preferences=None, indexes=None, entity_id="north"
    )
    assert told(c.registered, notes) == []


def test_forgetting_is_told_and_what_stays_here_is_not() -> None:
    assert told(c.registered, c.forgotten) == [public.CustomerForgotten(customer_id="p1")]
    assert told(c.registered, c.forgotten, m.KeysDestroyed()) == []
    assert told(c.registered, c.archived) == []
