"""What identity tells: legal entities, stores, staff, shifts and authorities."""

from datetime import datetime

from shared.contracts import published


@published("gateway.LegalEntityRegistered")
class LegalEntityRegistered:
    entity_id: str
    name: str
    tax_number: str
    currency: str
    vat_permille: int
    """VAT inside a new car's price: 130 for 13 %; 0 for an entity without VAT."""


@published("gateway.StoreOpened")
class StoreOpened:
    store_id: str
    code: str
    name: str
    entity_id: str
    region: str
    timezone: str
    opens: str
    closes: str
    """Local opening hours, `HH:MM`."""


@published("gateway.StaffAssigned")
class StaffAssigned:
    staff_id: str
    username: str
    name: str
    roles: tuple[str, ...]
    store_ids: tuple[str, ...]
    brands: tuple[str, ...] = ()
    """The product lines a seller works; empty: all."""
    capacity: int = 30
    """How many open leads a seller may hold."""


@published("gateway.UserDisabled")
class UserDisabled:
    staff_id: str


@published("gateway.AuthorityGranted")
class AuthorityGranted:
    role: str
    series: str
    """A series name, or `*` for every series without a row of its own."""
    discount_permille: int


@published("gateway.ShiftPlanned")
class ShiftPlanned:
    shift_id: str
    staff_id: str
    store_id: str
    starts_at: datetime
    ends_at: datetime


@published("gateway.ShiftCancelled")
class ShiftCancelled:
    shift_id: str
    staff_id: str
