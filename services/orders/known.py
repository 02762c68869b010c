"""What orders knows of other contexts: small tables fed by what they publish."""

from dataclasses import dataclass
from datetime import date

from shared.views.table import Table


@dataclass(frozen=True, kw_only=True)
class Entity:
    entity_id: str
    name: str
    tax_number: str
    currency: str
    vat_permille: int


@dataclass(frozen=True, kw_only=True)
class Store:
    store_id: str
    code: str
    name: str
    entity_id: str
    timezone: str


@dataclass(frozen=True, kw_only=True)
class Staff:
    staff_id: str
    name: str
    roles: tuple[str, ...]
    store_ids: tuple[str, ...]
    disabled: bool = False


@dataclass(frozen=True, kw_only=True)
class Authority:
    role: str
    series: str
    discount_permille: int


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Name and phone are tokens."""

    customer_id: str
    store_id: str
    number: str
    kind: str
    name: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class Opportunity:
    opportunity_id: str
    store_id: str
    person_id: str
    seller_id: str
    campaign_id: str | None
    channel: str


@dataclass(frozen=True, kw_only=True)
class Trim:
    trim_id: str
    brand: str
    series: str
    model_year: int
    name: str
    powertrain: str
    guide_price: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Price:
    """`store_id` is empty for the price of every store without one of its own; `sequence` tells which was listed last."""

    trim_id: str
    sequence: int
    store_id: str
    valid_from: date
    valid_to: date | None
    price: int
    currency: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Vehicle:
    """A stay of a car in the group's stock, and where it stands; every store sees it."""

    stay_id: str
    vin: str
    trim_id: str
    store_id: str
    certificate: str
    sold: bool = False


entities = Table("entities_known", 1, Entity, key=("entity_id",), store=None)
stores = Table("stores_known", 1, Store, key=("store_id",), store=None)
staff = Table("staff_known", 1, Staff, key=("staff_id",), store=None)
authorities = Table("authorities_known", 1, Authority, key=("role", "series"), store=None)
customers = Table("customers_known", 1, Customer, key=("customer_id",))
opportunities = Table("opportunities_known", 1, Opportunity, key=("opportunity_id",))
trims = Table("trims_known", 1, Trim, key=("trim_id",), store=None)
prices = Table("prices_known", 1, Price, key=("trim_id", "sequence"), store=None)
vehicles = Table("vehicles_known", 1, Vehicle, key=("stay_id",), store=None, indexes=("vin",))

TABLES = (entities, stores, staff, authorities, customers, opportunities, trims, prices, vehicles)
