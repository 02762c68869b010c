"""What a customer's record allows, in the words of the showroom."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.customers.domain import customer_messages as m
from services.customers.domain.customer import Customer, Forgotten, customer, customer_number, phone_claim
from shared.decider import Release
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(customer)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
indexes = m.Indexes(phone="i1", phone_last4="i2", email="")
likes = m.Preferences(brand="VW", series="ID.4", budget=Money(18_000_000))

register = m.RegisterCustomer(
    customer_id="p1",
    number="C-BJ1-20260302-001",
    store_id="bj1",
    entity_id="north",
    channel="walk-in",
    seller_id="li",
    name="~p1.name",
    phone="~p1.phone",
    preferences=likes,
    consents=(m.Consent(purpose="marketing-sms", given=True, wording="2026-01"),),
    indexes=indexes,
    at=noon,
)
registered = m.CustomerRegistered(
    customer_id="p1",
    number="C-BJ1-20260302-001",
    store_id="bj1",
    entity_id="north",
    kind="person",
    stage="lead",
    channel="walk-in",
    seller_id="li",
    name="~p1.name",
    phone="~p1.phone",
    preferences=likes,
    consents=register.consents,
    indexes=indexes,
    lead_id=None,
    opportunity_id=None,
)
from_lead = replace(registered, indexes=None, lead_id="l1", opportunity_id="o1", stage="opportunity")
corrected_name = m.CustomerCorrected(
    name="~p1.other",
    changed=("name",),
    kind=None,
    channel=None,
    seller_id=None,
    preferences=None,
    indexes=None,
    entity_id="north",
)
marked = m.CustomerMarkedInvalid(reason="wrong-number", note="~p1.note")
archived = m.CustomerArchived()
forgotten = m.CustomerForgotten(customer_id="p1")


def deal(kind: m.Deal, id: str, open: bool) -> m.RecordDeal:
    """What is heard of the customer's business."""
    return m.RecordDeal(kind=kind, deal_id=id, open=open, at=noon)


def recorded(kind: m.Deal, id: str, open: bool, stage: m.Stage) -> m.DealRecorded:
    """What is made of it."""
    return m.DealRecorded(kind=kind, deal_id=id, open=open, stage=stage)


def test_a_customer_without_a_number_gets_one_once() -> None:
    nameless = replace(registered, number="")
    number = m.NumberCustomer(number="C-BJ1-20260302-009", at=noon)
    numbered = m.CustomerNumbered(number="C-BJ1-20260302-009")
    given().when(replace(register, number="")).then(nameless)
    given(nameless).when(number).then(numbered)
    given(nameless, numbered).when(number).then_nothing()
    given(registered).when(number).then_nothing()
    given(nameless, forgotten).when(number).then_nothing()
    given().when(number).rejected("illegal-transition")


def test_a_number_names_store_and_day() -> None:
    assert customer_number("BJ1", date(2026, 3, 2), 7) == "C-BJ1-20260302-007"


def test_a_customer_is_registered_and_owns_his_telephone_number() -> None:
    given().when(register).then(registered).claims(phone_claim("north", "i1"))


def test_a_customer_without_a_number_claims_none() -> None:
    given().when(replace(register, phone="", indexes=m.Indexes())).claims()


def test_who_comes_from_a_lead_has_an_opportunity_and_no_claim_yet() -> None:
    lead = replace(register, indexes=None, lead_id="l1", opportunity_id="o1")
    given().when(lead).then(from_lead).claims()


def test_a_person_is_registered_once() -> None:
    given(registered).when(replace(register, number="")).then_nothing()


def test_an_archived_customer_comes_back_with_a_new_lead() -> None:
    given(registered, archived).when(register).then(m.CustomerRestored(entity_id="north", phone_index="")).claims()


def test_contacts_from_a_lead_are_indexed_once() -> None:
    command = m.IndexContacts(indexes=indexes, at=noon)
    indexed = m.ContactsIndexed(indexes=indexes, entity_id="north", duplicate_of=None)
    given(from_lead).when(command).then(indexed).claims(phone_claim("north", "i1"))
    given(from_lead, indexed).when(command).then_nothing()


def test_a_possible_duplicate_claims_nothing() -> None:
    command = m.IndexContacts(indexes=indexes, duplicate_of="p0", at=noon)
    indexed = m.ContactsIndexed(indexes=indexes, entity_id="north", duplicate_of="p0")
    given(from_lead).when(command).then(indexed).claims()
    given(from_lead, indexed, marked).when(m.RestoreCustomer(at=noon)).claims()


def test_only_what_differs_is_corrected() -> None:
    given(registered).when(m.CorrectCustomer(name="~p1.other", kind="person", channel="walk-in", at=noon)).then(corrected_name).claims()
    given(registered).when(m.CorrectCustomer(preferences=likes, at=noon)).then_nothing()


def test_a_new_telephone_number_replaces_the_claim() -> None:
    other = m.Indexes(phone="i9", phone_last4="i8")
    when = given(registered).when(m.CorrectCustomer(phone="~p1.new", indexes=other, at=noon))
    when.claims(Release(kind="customer-phone"), phone_claim("north", "i9"))
    state = when.state()
    assert isinstance(state, Customer)
    assert (state.phone, state.indexes, state.owns_phone) == ("~p1.new", other, True)


def test_a_new_address_leaves_the_claim() -> None:
    given(registered).when(m.CorrectCustomer(email="~p1.mail", indexes=replace(indexes, email="i3"), at=noon)).claims()


def test_consent_is_recorded_when_it_changes() -> None:
    no = m.Consent(purpose="marketing-sms", given=False, wording="2026-01")
    given(registered).when(m.RecordConsent(consent=no, at=noon)).then(m.ConsentRecorded(consent=no))
    given(registered, m.ConsentRecorded(consent=no)).when(m.RecordConsent(consent=no, at=noon)).then_nothing()


def test_the_purchase_stage_follows_the_deals() -> None:
    opened = recorded("opportunity", "o1", True, "opportunity")
    ordered = recorded("order", "so1", True, "order")
    given(registered).when(deal("opportunity", "o1", True)).then(opened)
    given(registered, opened).when(deal("opportunity", "o1", True)).then_nothing()
    given(registered, opened).when(deal("order", "so1", True)).then(ordered)
    given(registered, opened, ordered).when(deal("order", "so1", False)).then(recorded("order", "so1", False, "opportunity"))
    given(registered, opened, ordered).when(deal("car", "vin", True)).then(recorded("car", "vin", True, "owner"))
    given(registered, opened).when(deal("opportunity", "o1", False)).then(recorded("opportunity", "o1", False, "lead"))


def test_business_of_who_is_no_customer_is_nobodys() -> None:
    given().when(deal("opportunity", "o1", True)).then_nothing()


def test_an_invalid_record_lets_go_of_its_number_and_asks_for_it_again() -> None:
    command = m.MarkInvalid(reason="wrong-number", note="~p1.note", at=noon)
    given(registered).when(command).then(marked).claims(Release(kind="customer-phone"))
    given(registered, marked).when(command).then_nothing()
    back = m.CustomerRestored(entity_id="north", phone_index="i1")
    given(registered, marked).when(m.RestoreCustomer(at=noon)).then(back).claims(phone_claim("north", "i1"))


def test_an_archived_record_keeps_its_number() -> None:
    given(registered).when(m.ArchiveCustomer(at=noon)).then(archived).claims()
    given(registered, archived).when(m.ArchiveCustomer(at=noon)).then_nothing()
    given(registered, archived).when(m.RestoreCustomer(at=noon)).then(m.CustomerRestored(entity_id="north", phone_index="")).claims()
    given(registered).when(m.RestoreCustomer(at=noon)).then_nothing()


@pytest.mark.parametrize("status", [marked, archived])
def test_a_record_that_is_put_away_is_not_corrected(status: m.Event) -> None:
    given(registered, status).when(m.CorrectCustomer(name="~p1.x", at=noon)).rejected("illegal-transition", "restore")


def test_an_invalid_record_is_not_archived() -> None:
    given(registered, marked).when(m.ArchiveCustomer(at=noon)).rejected("illegal-transition")


@pytest.mark.parametrize("history", [(registered,), (registered, marked), (registered, archived)])
def test_a_person_is_forgotten_from_any_state(history: tuple[m.Event, ...]) -> None:
    given(*history).when(m.ForgetCustomer(at=noon)).then(forgotten).claims(Release(kind="customer-phone"))


def test_a_forgotten_person_does_not_come_back() -> None:
    given(registered, forgotten).when(register).rejected("erased")
    given(registered, forgotten).when(m.RestoreCustomer(at=noon)).rejected("erased")
    given(registered, forgotten).when(m.ForgetCustomer(at=noon)).then_nothing()
    given(registered, forgotten).when(deal("order", "so1", True)).then_nothing()


def test_the_erasure_is_confirmed_once() -> None:
    confirm = m.ConfirmErasure(at=noon)
    when = given(registered, forgotten).when(confirm).then(m.KeysDestroyed())
    assert when.state() == Forgotten(store_id="bj1", erased=True)
    given(registered, forgotten, m.KeysDestroyed()).when(confirm).then_nothing()
    given(registered).when(confirm).then_nothing()


def test_nobody_is_not_corrected() -> None:
    given().when(m.CorrectCustomer(name="~p1.x", at=noon)).rejected("illegal-transition")
