"""What leads knows of other contexts: small tables fed by their public events."""

from datetime import datetime

from shared.decider import message
from shared.views.table import Table


@message
class StoreKnown:
    """Opening hours are local, `HH:MM`."""

    store_id: str
    code: str
    entity_id: str
    timezone: str
    opens: str
    closes: str


@message
class StaffKnown:
    staff_id: str
    roles: tuple[str, ...]
    store_ids: tuple[str, ...]
    brands: tuple[str, ...]
    capacity: int
    enabled: bool


@message
class ShiftKnown:
    """A cancelled shift is an absence."""

    shift_id: str
    staff_id: str
    store_id: str
    starts_at: datetime
    ends_at: datetime
    cancelled: bool


@message
class CampaignKnown:
    campaign_id: str
    store_id: str
    entity_id: str


@message
class CarKnown:
    """A car's stay in the group's stock and the store where it stands; on its way between stores it stands nowhere.

    A car taken back begins another stay, which may be heard of before the end of the first.
    """

    stay_id: str
    vin: str
    store_id: str


@message
class CustomerKnown:
    customer_id: str
    store_id: str
    name: str
    phone: str


stores = Table("stores", 1, StoreKnown, key=("store_id",), store=None)
staff = Table("staff", 1, StaffKnown, key=("staff_id",), store=None)
shifts = Table("shifts", 1, ShiftKnown, key=("shift_id",), store=None, indexes=("store_id, starts_at",))
campaigns = Table("campaigns", 1, CampaignKnown, key=("campaign_id",))
cars = Table("cars", 2, CarKnown, key=("stay_id",), indexes=("vin",))
customers = Table("customers", 1, CustomerKnown, key=("customer_id",))
