"""What the other contexts learn of customers: who they are, by token, and that one is forgotten."""

from services.customers.domain import customer_messages as m
from services.customers.domain.customer import Customer, State
from shared.contracts import customers as public

_TOLD = frozenset({"name", "phone", "email"})


def publish(event: m.Event, state: State) -> list[object]:
    """Registration once there is a number, a corrected name or contact, and erasure; all else stays here."""
    match event, state:
        case m.CustomerRegistered(number=""), _:
            return []
        case ((m.CustomerRegistered() | m.CustomerNumbered()), Customer()):
            registered = public.CustomerRegistered(
                customer_id=state.customer_id,
                number=state.number,
                store_id=state.store_id,
                kind=state.kind,
                name=state.name,
                phone=state.phone,
                email=state.email,
            )
            return [registered]
        case m.CustomerCorrected(changed=changed), Customer(customer_id=id, name=name, phone=phone, email=email) if _TOLD & {*changed}:
            return [public.CustomerCorrected(customer_id=id, name=name, phone=phone, email=email)]
        case m.CustomerForgotten(customer_id=id), _:
            return [public.CustomerForgotten(customer_id=id)]
        case _:
            return []
