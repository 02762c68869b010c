"""What finance knows of others: legal entities, stores, who works there, and the sealed names of customers."""

from typing import Annotated

from shared.decider import message
from shared.values.personal import Personal
from shared.views.table import Table


@message
class KnownEntity:
    entity_id: str
    name: str
    tax_number: str
    currency: str
    vat_permille: int


@message
class KnownStore:
    store_id: str
    code: str
    name: str
    entity_id: str
    timezone: str


@message
class KnownCustomer:
    customer_id: str
    name: Annotated[str, Personal]


@message
class KnownStaff:
    staff_id: str
    name: str


entities_known = Table("entities_known", 1, KnownEntity, key=("entity_id",), store=None)
stores_known = Table("stores_known", 1, KnownStore, key=("store_id",), store=None)
customers_known = Table("customers_known", 1, KnownCustomer, key=("customer_id",), store=None)
staff_known = Table("staff_known", 1, KnownStaff, key=("staff_id",), store=None)
