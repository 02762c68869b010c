"""Users as the administrator sees them, and as login needs them."""

from datetime import datetime

from services.gateway.domain import user
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table


@message
class UserRow:
    staff_id: str
    username: str
    name: str
    roles: tuple[str, ...]
    store_ids: tuple[str, ...]
    brands: tuple[str, ...]
    capacity: int
    disabled: bool
    must_change: bool
    password_hash: str
    password_at: datetime
    version: int


def apply(row: UserRow | None, recorded: Recorded[user.Event]) -> UserRow | None:
    """One row per user."""
    at = recorded.occurred_at
    match recorded.event:
        case user.UserCreated() as e:
            row = UserRow(
                staff_id=e.staff_id,
                username=e.username,
                name=e.name,
                roles=e.roles,
                store_ids=e.store_ids,
                brands=e.brands,
                capacity=e.capacity,
                disabled=False,
                must_change=e.must_change,
                password_hash=e.password_hash,
                password_at=at,
                version=1,
            )
        case user.UserAssigned() as e if row:
            row = replace(row, roles=e.roles, store_ids=e.store_ids, brands=e.brands, capacity=e.capacity)
        case user.PasswordChanged(password_hash=hashed) if row:
            row = replace(row, password_hash=hashed, password_at=at, must_change=False)
        case user.PasswordReset(password_hash=hashed) if row:
            row = replace(row, password_hash=hashed, password_at=at, must_change=True)
        case user.UserDisabled() if row:
            row = replace(row, disabled=True)
        case user.UserEnabled() if row:
            row = replace(row, disabled=False)
    return replace(row, version=recorded.version) if row else None


users = Table("users", 1, UserRow, key=("staff_id",), store=None, indexes=("username", "name, staff_id"))
user_list = Fold(users, apply)
