"""A customer: registered once per telephone number and legal entity, corrected field by field, and forgotten for good."""

from datetime import date
from typing import Any, Literal, assert_never

from services.customers.domain import customer_messages as m
from shared.decider import Claim, Decider, Rejected, Release, Take, message, replace

PHONE = "customer-phone"


@message
class Absent: ...


@message
class Customer:
    """`owns_phone`: the number is this record's, though one marked invalid has let go of it for the time being."""

    customer_id: str
    number: str
    store_id: str
    entity_id: str
    status: Literal["active", "invalid", "archived"] = "active"
    kind: m.Kind
    channel: str
    seller_id: str | None
    name: str
    phone: str
    email: str
    preferences: m.Preferences
    consents: tuple[m.Consent, ...]
    indexes: m.Indexes | None
    owns_phone: bool
    opportunities: frozenset[str]
    orders: frozenset[str] = frozenset()
    cars: frozenset[str] = frozenset()


@message
class Forgotten:
    store_id: str
    erased: bool = False


type State = Absent | Customer | Forgotten


def customer_number(store_code: str, day: date, n: int) -> str:
    """The number people know a customer by, such as `C-BJ1-20261122-001`."""
    return f"C-{store_code}-{day:%Y%m%d}-{n:03}"


# --- decide ------------------------------------------------------------------------------------------------------


def decide(command: m.Command, state: State) -> list[m.Event]:
    """What follows from a command. Raises Rejected."""
    match state:
        case Absent():
            return of_nobody(command)
        case Customer():
            return of_customer(command, state)
        case Forgotten():
            return of_forgotten(command, state)
        case unknown:
            assert_never(unknown)


def of_nobody(command: m.Command) -> list[m.Event]:
    """Who is no customer yet can only become one; what is heard of his business counts later."""
    match command:
        case m.RegisterCustomer():
            return [register(command)]
        case m.RecordDeal() | m.IndexContacts() | m.ConfirmErasure():
            return []
        case _:
            raise Rejected("illegal-transition", "There is no such customer.")


def of_customer(command: m.Command, state: Customer) -> list[m.Event]:
    """What may be done with a record that stands."""
    match command:
        case m.RegisterCustomer():
            return [restore(state)] if state.status == "archived" else []
        case m.NumberCustomer(number=number):
            return [] if state.number else [m.CustomerNumbered(number=number)]
        case m.CorrectCustomer() if state.status == "active":
            return correct(command, state)
        case m.IndexContacts(indexes=indexes, duplicate_of=other):
            return [] if state.indexes else [m.ContactsIndexed(indexes=indexes, entity_id=state.entity_id, duplicate_of=other)]
        case m.RecordConsent(consent=consent):
            return [] if consent in state.consents else [m.ConsentRecorded(consent=consent)]
        case m.RecordDeal():
            return record_deal(command, state)
        case m.MarkInvalid(reason=reason, note=note):
            return [] if state.status == "invalid" else [m.CustomerMarkedInvalid(reason=reason, note=note)]
        case m.ArchiveCustomer() if state.status == "archived":
            return []
        case m.ArchiveCustomer() if state.status == "active":
            return [m.CustomerArchived()]
        case m.RestoreCustomer():
            return [] if state.status == "active" else [restore(state)]
        case m.ForgetCustomer():
            return [m.CustomerForgotten(customer_id=state.customer_id)]
        case m.ConfirmErasure():
            return []
        case _:
            raise Rejected("illegal-transition", f"The customer's record is {state.status}: restore it first.")


def of_forgotten(command: m.Command, state: Forgotten) -> list[m.Event]:
    """Nothing comes back."""
    match command:
        case m.ConfirmErasure():
            return [] if state.erased else [m.KeysDestroyed()]
        case m.ForgetCustomer() | m.RecordDeal() | m.IndexContacts() | m.NumberCustomer():
            return []
        case _:
            raise Rejected("erased", "This person's data has been erased.")


def register(command: m.RegisterCustomer) -> m.CustomerRegistered:
    """A new customer, who is at the stage he comes from."""
    return m.CustomerRegistered(
        **m.said(command),
        customer_id=command.customer_id,
        number=command.number,
        store_id=command.store_id,
        entity_id=command.entity_id,
        kind=command.kind,
        stage="opportunity" if command.opportunity_id else "lead",
        channel=command.channel,
        seller_id=command.seller_id,
        preferences=command.preferences,
        consents=command.consents,
        indexes=command.indexes,
        lead_id=command.lead_id,
        opportunity_id=command.opportunity_id,
    )


def correct(command: m.CorrectCustomer, state: Customer) -> list[m.Event]:
    """Only what differs is kept. Tokens of equal texts differ, so whoever seals compares the texts first."""
    plain: dict[str, Any] = {name: getattr(command, name) for name in ("kind", "channel", "seller_id", "preferences")}
    changed = {name: value for name, value in plain.items() if value is not None and value != getattr(state, name)}
    personal = m.said(command)
    if not changed and not personal:
        return []
    corrected = m.CustomerCorrected(
        **personal,
        changed=(*personal, *changed),
        kind=changed.get("kind"),
        channel=changed.get("channel"),
        seller_id=changed.get("seller_id"),
        preferences=changed.get("preferences"),
        indexes=command.indexes,
        entity_id=state.entity_id,
    )
    return [corrected]


def record_deal(command: m.RecordDeal, state: Customer) -> list[m.Event]:
    """The purchase stage follows from what is open and what is owned."""
    deals = {"opportunity": state.opportunities, "order": state.orders, "car": state.cars}
    if (command.deal_id in deals[command.kind]) == command.open:
        return []
    after = with_deal(state, command.kind, command.deal_id, command.open)
    return [m.DealRecorded(kind=command.kind, deal_id=command.deal_id, open=command.open, stage=stage_of(after))]


def restore(state: Customer) -> m.CustomerRestored:
    """The record as it was; one marked invalid asks for its telephone number again."""
    asks = state.status == "invalid" and state.owns_phone and state.indexes
    return m.CustomerRestored(entity_id=state.entity_id, phone_index=asks.phone if asks else "")


def stage_of(state: Customer) -> m.Stage:
    """How far the customer has come."""
    return "owner" if state.cars else "order" if state.orders else "opportunity" if state.opportunities else "lead"


def with_deal(state: Customer, kind: m.Deal, deal_id: str, open: bool) -> Customer:
    """The state with a deal begun or ended."""
    match kind:
        case "opportunity":
            return replace(state, opportunities=state.opportunities | {deal_id} if open else state.opportunities - {deal_id})
        case "order":
            return replace(state, orders=state.orders | {deal_id} if open else state.orders - {deal_id})
        case "car":
            return replace(state, cars=state.cars | {deal_id} if open else state.cars - {deal_id})


# --- evolve ------------------------------------------------------------------------------------------------------


def evolve(state: State, event: m.Event) -> State:
    """The state after one more event."""
    if isinstance(event, m.CustomerRegistered):
        return registered(event)
    if isinstance(state, Forgotten):
        return replace(state, erased=state.erased or isinstance(event, m.KeysDestroyed))
    assert isinstance(state, Customer)
    match event:
        case m.CustomerNumbered(number=number):
            return replace(state, number=number)
        case m.CustomerCorrected():
            return corrected(state, event)
        case m.ContactsIndexed(indexes=indexes, duplicate_of=other):
            return replace(state, indexes=indexes, owns_phone=bool(indexes.phone) and other is None)
        case m.ConsentRecorded(consent=consent):
            others = tuple(one for one in state.consents if one.purpose != consent.purpose)
            return replace(state, consents=(*others, consent))
        case m.DealRecorded(kind=kind, deal_id=deal_id, open=open):
            return with_deal(state, kind, deal_id, open)
        case m.CustomerMarkedInvalid():
            return replace(state, status="invalid")
        case m.CustomerArchived():
            return replace(state, status="archived")
        case m.CustomerRestored():
            return replace(state, status="active")
        case m.CustomerForgotten():
            return Forgotten(store_id=state.store_id)
        case m.KeysDestroyed():
            return state
        case unknown:
            assert_never(unknown)


def registered(event: m.CustomerRegistered) -> Customer:
    """The state of a new customer."""
    return Customer(
        customer_id=event.customer_id,
        number=event.number,
        store_id=event.store_id,
        entity_id=event.entity_id,
        kind=event.kind,
        channel=event.channel,
        seller_id=event.seller_id,
        name=event.name or "",
        phone=event.phone or "",
        email=event.email or "",
        preferences=event.preferences,
        consents=event.consents,
        indexes=event.indexes,
        owns_phone=bool(event.indexes and event.indexes.phone),
        opportunities=frozenset({event.opportunity_id} if event.opportunity_id else ()),
    )


def corrected(state: Customer, event: m.CustomerCorrected) -> Customer:
    """The state with what was changed."""
    known = ("name", "phone", "email", "kind", "channel", "seller_id", "preferences")
    state = replace(state, **{name: getattr(event, name) for name in known if name in event.changed})
    if event.indexes is None:
        return state
    owns = bool(event.indexes.phone) if "phone" in event.changed else state.owns_phone
    return replace(state, indexes=event.indexes, owns_phone=owns)


def claims(event: m.Event) -> list[Claim]:
    """One record per telephone number and legal entity."""
    match event:
        case m.CustomerRegistered(entity_id=entity, indexes=m.Indexes(phone=phone)) if phone:
            return [phone_claim(entity, phone)]
        case m.ContactsIndexed(entity_id=entity, indexes=m.Indexes(phone=phone), duplicate_of=None) if phone:
            return [phone_claim(entity, phone)]
        case m.CustomerCorrected(entity_id=entity, indexes=m.Indexes(phone=phone), changed=changed) if "phone" in changed:
            return [Release(kind=PHONE), *([phone_claim(entity, phone)] if phone else [])]
        case m.CustomerRestored(entity_id=entity, phone_index=phone) if phone:
            return [phone_claim(entity, phone)]
        case m.CustomerMarkedInvalid() | m.CustomerForgotten():
            return [Release(kind=PHONE)]
        case _:
            return []


def phone_claim(entity_id: str, phone_index: str) -> Take:
    """The number is this record's. The refusal says nothing of whose it is."""
    return Take(
        kind=PHONE,
        key=f"{entity_id}/{phone_index}",
        problem="customer-exists",
        reason="A customer with this telephone number is registered already.",
    )


customer = Decider[m.Command, State, m.Event](Absent(), decide, evolve, claims)
