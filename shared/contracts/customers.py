"""What customers tells: who a customer is, and that one is forgotten. A customer's id is the person's id."""

from typing import Annotated

from shared.contracts import published
from shared.values.personal import Personal


@published("customers.CustomerRegistered")
class CustomerRegistered:
    customer_id: str
    number: str
    store_id: str
    kind: str
    """`person` or `company`."""
    name: Annotated[str, Personal]
    phone: Annotated[str, Personal]
    email: Annotated[str, Personal]


@published("customers.CustomerCorrected")
class CustomerCorrected:
    customer_id: str
    name: Annotated[str, Personal]
    phone: Annotated[str, Personal]
    email: Annotated[str, Personal]


@published("customers.CustomerForgotten")
class CustomerForgotten:
    customer_id: str
