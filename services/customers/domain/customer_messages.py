"""What is said to a customer's record and what it remembers. Personal fields hold tokens, indexes are blind."""

from dataclasses import fields
from datetime import datetime
from typing import Annotated, Literal

from shared.decider import message
from shared.values.money import Money
from shared.values.personal import Personal

type Kind = Literal["person", "company"]
type Stage = Literal["lead", "opportunity", "order", "owner"]
type Deal = Literal["opportunity", "order", "car"]


@message
class Particulars:
    """What is personal about a customer, each a token. None: not said; the empty string: known to be none."""

    name: Annotated[str | None, Personal] = None
    phone: Annotated[str | None, Personal] = None
    email: Annotated[str | None, Personal] = None
    wechat: Annotated[str | None, Personal] = None
    contact: Annotated[str | None, Personal] = None
    """Whom to ask for in a company."""
    address: Annotated[str | None, Personal] = None
    id_number: Annotated[str | None, Personal] = None
    """Identity card of a person, tax number of a company."""
    birthday: Annotated[str | None, Personal] = None
    gender: Annotated[str | None, Personal] = None
    notes: Annotated[str | None, Personal] = None


PERSONAL = tuple(field.name for field in fields(Particulars))


def said(particulars: Particulars) -> dict[str, str]:
    """The personal fields that were said."""
    return {name: token for name in PERSONAL if (token := getattr(particulars, name)) is not None}


@message
class Preferences:
    """What the customer looks for; empty: no wish."""

    brand: str = ""
    series: str = ""
    trim: str = ""
    colour: str = ""
    budget: Money | None = None


@message
class Consent:
    """What was agreed to, or refused, and by which text."""

    purpose: str
    given: bool
    wording: str


@message
class Indexes:
    """Blind indexes of the telephone number, of its last four digits and of the e-mail address; empty: there is none."""

    phone: str = ""
    phone_last4: str = ""
    email: str = ""


# Commands


@message
class RegisterCustomer(Particulars):
    """`customer_id` is the person's id. Without `indexes` the contacts are indexed later, without `number` he gets one later."""

    customer_id: str
    number: str
    store_id: str
    entity_id: str
    kind: Kind = "person"
    channel: str
    seller_id: str | None = None
    preferences: Preferences = Preferences()
    consents: tuple[Consent, ...] = ()
    indexes: Indexes | None = None
    lead_id: str | None = None
    opportunity_id: str | None = None
    at: datetime


@message
class NumberCustomer:
    """His store is known now."""

    number: str
    at: datetime


@message
class CorrectCustomer(Particulars):
    """None: as it was. `indexes` come with a new telephone number or e-mail address."""

    kind: Kind | None = None
    channel: str | None = None
    seller_id: str | None = None
    preferences: Preferences | None = None
    indexes: Indexes | None = None
    at: datetime


@message
class IndexContacts:
    """`duplicate_of` is the customer who has this telephone number already."""

    indexes: Indexes
    duplicate_of: str | None = None
    at: datetime


@message
class RecordConsent:
    consent: Consent
    at: datetime


@message
class RecordDeal:
    """An opportunity or order begins or ends, a car is handed over."""

    kind: Deal
    deal_id: str
    open: bool
    at: datetime


@message
class MarkInvalid:
    """`reason` is a code, `note` a token."""

    reason: str
    note: str = ""
    at: datetime


@message
class ArchiveCustomer:
    at: datetime


@message
class RestoreCustomer:
    at: datetime


@message
class ForgetCustomer:
    at: datetime


@message
class ConfirmErasure:
    """The vault has destroyed the person's key."""

    at: datetime


# Events


@message
class CustomerRegistered(Particulars):
    """`number` is empty while the customer's store is not known."""

    customer_id: str
    number: str
    store_id: str
    entity_id: str
    kind: Kind
    stage: Stage
    channel: str
    seller_id: str | None
    preferences: Preferences
    consents: tuple[Consent, ...]
    indexes: Indexes | None
    lead_id: str | None
    opportunity_id: str | None


@message
class CustomerNumbered:
    number: str


@message
class CustomerCorrected(Particulars):
    """`changed` names the fields that have a new value."""

    changed: tuple[str, ...]
    kind: Kind | None
    channel: str | None
    seller_id: str | None
    preferences: Preferences | None
    indexes: Indexes | None
    entity_id: str


@message
class ContactsIndexed:
    """The contacts of a customer who came from a lead can be searched; a duplicate is for people to judge."""

    indexes: Indexes
    entity_id: str
    duplicate_of: str | None


@message
class ConsentRecorded:
    consent: Consent


@message
class DealRecorded:
    """`stage` is the purchase stage that follows from it."""

    kind: Deal
    deal_id: str
    open: bool
    stage: Stage


@message
class CustomerMarkedInvalid:
    """The telephone number is free for the right record."""

    reason: str
    note: Annotated[str, Personal]


@message
class CustomerArchived: ...


@message
class CustomerRestored:
    """`phone_index` is set when the telephone number had been given up."""

    entity_id: str
    phone_index: str


@message
class CustomerForgotten:
    """The person's data is to be erased: whoever hears it lets go of it, and the key is destroyed."""

    customer_id: str


@message
class KeysDestroyed:
    """Nothing personal of this customer can be read any more, in events and backups either."""


type Command = (
    RegisterCustomer
    | NumberCustomer
    | CorrectCustomer
    | IndexContacts
    | RecordConsent
    | RecordDeal
    | MarkInvalid
    | ArchiveCustomer
    | RestoreCustomer
    | ForgetCustomer
    | ConfirmErasure
)
type Event = (
    CustomerRegistered
    | CustomerNumbered
    | CustomerCorrected
    | ContactsIndexed
    | ConsentRecorded
    | DealRecorded
    | CustomerMarkedInvalid
    | CustomerArchived
    | CustomerRestored
    | CustomerForgotten
    | KeysDestroyed
)
