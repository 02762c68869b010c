"""What customers knows of other contexts: its stores and the people who work there."""

from shared.decider import message
from shared.views.table import Table


@message
class Store:
    store_id: str
    code: str
    entity_id: str
    timezone: str


@message
class Staff:
    staff_id: str
    store_ids: tuple[str, ...]
    enabled: bool


stores = Table("stores_known", 1, Store, key=("store_id",), store=None)
staff = Table("staff_known", 1, Staff, key=("staff_id",), store=None)
