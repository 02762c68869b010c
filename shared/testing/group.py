"""A small dealer group for tests: one legal entity, two stores, everybody the walk of a car needs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from shared.testing.platform import PASSWORD, Person, Platform
from shared.values.vin import check_digit_ok

STAFF: dict[str, tuple[str, str]] = {
    "sales": ("south", "sales-consultant"),
    "colleague": ("south", "sales-consultant"),
    "manager": ("south", "sales-manager"),
    "stock": ("south", "stock-clerk"),
    "cashier": ("south", "finance"),
    "accountant": ("south", "finance"),
    "service": ("south", "service-adviser"),
    "marketing": ("south", "marketing"),
    "north_manager": ("north", "sales-manager"),
    "north_stock": ("north", "stock-clerk"),
    "north_sales": ("north", "sales-consultant"),
    "owner": ("*", "group-owner"),
}
HOME = ZoneInfo("Asia/Shanghai")
"""Where the stores are: their day is not that of UTC."""
_groups = count(1)


@dataclass
class Group:
    """Ids by name, people by login. `values` is what a walkthrough page starts from."""

    platform: Platform
    number: int
    values: dict[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    def vins(self) -> Iterator[str]:
        """VINs of new cars whose check digit fits, each once in this session."""
        for serial in count(self.number * 1000):
            for digit in "0123456789X":
                vin = f"LSVAA49J{digit}R2{serial:06}"
                if check_digit_ok(vin):
                    yield vin


def make_group(platform: Platform, **entity: object) -> Group:
    """Made by commands through the gateway, as an administrator would."""
    group = Group(platform, next(_groups))
    admin = platform.administrator()
    n, values = group.number, group.values
    legal = {"name": f"Group {n} Motors Ltd", "tax_number": f"91110105MA{n:04}CD2X", **entity}
    values["entity"] = admin.did("/legal-entities", legal)
    for name in ("south", "north"):
        shop = {"code": f"{name[0].upper()}{n:02}", "name": f"{name} {n}", "entity_id": values["entity"], "region": name}
        values[name] = admin.did("/stores", {**shop, "opens": "00:00", "closes": "23:59"})
    group.people["admin"] = admin
    for login, (store, role) in STAFF.items():
        _add(group, login, "*" if store == "*" else values[store], role)
    for permille, role in ((30, "sales-manager"), (100, "regional-manager")):
        admin.did("/authorities", {"role": role, "discount_permille": permille})
    now = datetime.now(UTC)
    for login in ("sales", "service"):
        shift = {"staff_id": values[login], "store_id": values["south"], "starts_at": _text(now - timedelta(hours=1))}
        group.people["manager"].did("/shifts", {**shift, "ends_at": _text(now + timedelta(hours=10))})
    vins = group.vins()
    values |= {f"vin{number}": next(vins) for number in range(1, 7)}
    values["today"] = now.astimezone(HOME).date().isoformat()
    values["tomorrow"] = _text(now + timedelta(days=1))
    values["tomorrow_later"] = _text(now + timedelta(days=1, hours=1))
    values["n"] = f"{n:02}"
    return group


def _add(group: Group, login: str, store: str, role: str) -> None:
    """A user with his first password changed."""
    username = f"{login.replace('_', '.')}{group.number}"
    body = {
        "username": username,
        "name": login.title(),
        "roles": [role],
        "store_ids": [store],
        "capacity": 1000,
        "password": "First-Pass-1",
    }
    group.values[login] = group.people["admin"].did("/users", body)
    person = group.platform.person(username, "First-Pass-1")
    changed = person.post("/auth/password", {"current": "First-Pass-1", "new": PASSWORD})
    assert changed.status_code == 200, changed.text
    group.people[login] = group.platform.person(username)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
