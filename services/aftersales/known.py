"""What after-sales knows of others: legal entities, stores and their hours, who works there, and the sealed names of customers."""

from typing import Annotated

from shared.decider import message
from shared.values.personal import Personal
from shared.views.table import Table


@message
class KnownEntity:
    entity_id: str
    currency: str


@message
class KnownStore:
    """`opens` and `closes` are local times, `HH:MM`."""

    store_id: str
    code: str
    name: str
    entity_id: str
    timezone: str
    opens: str
    closes: str


@message
class KnownStaff:
    staff_id: str
    name: str
    roles: tuple[str, ...]
    store_ids: tuple[str, ...]
    enabled: bool = True


@message
class KnownCustomer:
    customer_id: str
    name: Annotated[str, Personal]
    phone: Annotated[str, Personal]


entities_known = Table("entities_known", 1, KnownEntity, key=("entity_id",), store=None)
stores_known = Table("stores_known", 1, KnownStore, key=("store_id",), store=None)
staff_known = Table("staff_known", 1, KnownStaff, key=("staff_id",), store=None)
customers_known = Table("customers_known", 1, KnownCustomer, key=("customer_id",), store=None)

TABLES = (entities_known, stores_known, staff_known, customers_known)
