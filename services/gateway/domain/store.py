"""Legal entities and the stores they run."""

from datetime import datetime
from typing import assert_never

from shared.decider import Claim, Decider, Rejected, Take, message


@message
class RegisterLegalEntity:
    entity_id: str
    name: str
    tax_number: str
    currency: str
    vat_permille: int
    at: datetime


@message
class LegalEntityRegistered:
    entity_id: str
    name: str
    tax_number: str
    currency: str
    vat_permille: int


@message
class OpenStore:
    store_id: str
    code: str
    name: str
    entity_id: str
    region: str
    timezone: str
    opens: str
    closes: str
    at: datetime


@message
class StoreOpened:
    store_id: str
    code: str
    name: str
    entity_id: str
    region: str
    timezone: str
    opens: str
    closes: str


@message
class Absent: ...


@message
class Open: ...


type State = Absent | Open


def decide_entity(command: RegisterLegalEntity, state: State) -> list[LegalEntityRegistered]:
    match state:
        case Absent():
            return [
                LegalEntityRegistered(
                    entity_id=command.entity_id,
                    name=command.name,
                    tax_number=command.tax_number,
                    currency=command.currency,
                    vat_permille=command.vat_permille,
                )
            ]
        case _:
            raise Rejected("illegal-transition", "This legal entity is registered.")


def evolve_entity(state: State, event: LegalEntityRegistered) -> State:
    return Open()


def entity_claims(event: LegalEntityRegistered) -> list[Claim]:
    return [Take(kind="tax-number", key=event.tax_number, problem="tax-number-taken", reason="This tax number is registered.")]


def decide_store(command: OpenStore, state: State) -> list[StoreOpened]:
    match state:
        case Absent() if command.opens >= command.closes:
            raise Rejected("closing-before-opening", "A store closes after it opens.")
        case Absent():
            return [
                StoreOpened(
                    store_id=command.store_id,
                    code=command.code,
                    name=command.name,
                    entity_id=command.entity_id,
                    region=command.region,
                    timezone=command.timezone,
                    opens=command.opens,
                    closes=command.closes,
                )
            ]
        case Open():
            raise Rejected("illegal-transition", "This store is open.")
        case unknown:
            assert_never(unknown)


def evolve_store(state: State, event: StoreOpened) -> State:
    return Open()


def store_claims(event: StoreOpened) -> list[Claim]:
    return [Take(kind="store-code", key=event.code, problem="store-code-taken", reason="Another store has this code.")]


entity = Decider[RegisterLegalEntity, State, LegalEntityRegistered](Absent(), decide_entity, evolve_entity, entity_claims)
store = Decider[OpenStore, State, StoreOpened](Absent(), decide_store, evolve_store, store_claims)
