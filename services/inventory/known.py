"""What inventory knows of other contexts: small tables fed by what they publish."""

from dataclasses import dataclass

from shared.views.table import Table


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A legal entity and the currency of its books."""

    entity_id: str
    name: str
    currency: str


@dataclass(frozen=True, kw_only=True)
class Store:
    store_id: str
    code: str
    name: str
    entity_id: str
    timezone: str


@dataclass(frozen=True, kw_only=True)
class Order:
    order_id: str
    store_id: str


entities = Table("entities_known", 1, Entity, key=("entity_id",), store=None)
stores = Table("stores_known", 1, Store, key=("store_id",), store=None)
orders = Table("orders_known", 1, Order, key=("order_id",))

TABLES = (entities, stores, orders)
