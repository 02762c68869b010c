"""Opens the demo group: legal entities, stores, people with their shifts, and who may approve how much discount."""

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.demo.client import Door, Person
from deploy.demo.people import AUTHORITIES, CAPACITY, DAYS, ENTITIES, PEOPLE, STORES, login_of

ZONE = ZoneInfo("Asia/Shanghai")
OPENS, CLOSES = time(9), time(21)
SELLER = "sales-consultant"


@dataclass
class Group:
    """The group as it is loaded: ids by a store's code, a person's login, a trim's key; `day` is its first day."""

    door: Door
    day: date
    stores: dict[str, str] = field(default_factory=dict)
    staff: dict[str, str] = field(default_factory=dict)
    trims: dict[str, str] = field(default_factory=dict)
    campaign: str = ""

    async def of(self, role: str, store: str) -> Person:
        """The person with a role in a store, logged in."""
        return await self.door.person(login_of(role, store))

    async def by_id(self, staff_id: str) -> Person:
        """The person with an id, logged in."""
        return await self.door.person(next(login for login, id in self.staff.items() if id == staff_id))

    def at(self, days: int, hour: int, minute: int = 0) -> str:
        """A moment some days after the first one, as it crosses the API."""
        return datetime.combine(self.day + timedelta(days), time(hour, minute), ZONE).isoformat()


def yuan(amount: int) -> dict[str, str]:
    """Whole yuan as they cross the API."""
    return {"amount": f"{amount}.00", "currency": "CNY"}


async def open_group(door: Door) -> Group:
    """Makes what is not there yet. Raises Refused."""
    admin = await door.person("admin")
    planned = await admin.every("shifts")
    ours = [shift for shift in planned if shift["store_id"] in {store["store_id"] for store in await _our_stores(admin)}]
    first = min((shift["starts_at"] for shift in ours), default=None)
    group = Group(door, (datetime.fromisoformat(first) if first else datetime.now(ZONE)).astimezone(ZONE).date())
    await _open_stores(admin, group)
    await _add_people(admin, group)
    for role, permille in AUTHORITIES:
        await admin.do("authorities", {"role": role, "discount_permille": permille}, key=f"authority {role}")
    await _plan_shifts(admin, group)
    return group


async def _our_stores(admin: Person) -> list[dict[str, Any]]:
    codes = {place.code for place in STORES}
    return [store for store in await admin.every("stores") if store["code"] in codes]


async def _open_stores(admin: Person, group: Group) -> None:
    entities = {entity["tax_number"]: entity["entity_id"] for entity in await admin.every("legal-entities")}
    for entity in ENTITIES:
        if entity.tax_number not in entities:
            body = {"name": entity.name, "tax_number": entity.tax_number}
            entities[entity.tax_number] = await admin.do("legal-entities", body, key=f"entity {entity.tax_number}")
    group.stores = {store["code"]: store["store_id"] for store in await _our_stores(admin)}
    for place in STORES:
        if place.code not in group.stores:
            body = {
                "code": place.code,
                "name": place.name,
                "entity_id": entities[ENTITIES[place.entity].tax_number],
                "region": place.region,
            }
            hours = {"opens": f"{OPENS:%H:%M}", "closes": f"{CLOSES:%H:%M}"}
            group.stores[place.code] = await admin.do("stores", body | hours, key=f"store {place.code}")


async def _add_people(admin: Person, group: Group) -> None:
    known = {user["username"]: user["staff_id"] for user in await admin.every("users")}

    async def add(login: str, name: str, role: str, store: str) -> None:
        if login not in known:
            where = ["*"] if store == "*" else [group.stores[store]]
            body = {"username": login, "name": name, "roles": [role], "store_ids": where, "capacity": CAPACITY}
            known[login] = await admin.do("users", body | {"password": admin.door.password}, key=f"user {login}")

    await asyncio.gather(*(add(one.login, one.name, one.role, one.store) for one in PEOPLE))
    group.staff = {one.login: known[one.login] for one in PEOPLE}


async def _plan_shifts(admin: Person, group: Group) -> None:
    """On the first day everybody is there around the clock, so that a demo begun at night has somebody to sell; the first
    consultant of each store stays on call."""
    working = [one for one in PEOPLE if one.role == SELLER]
    on_call = {login_of(SELLER, place.code) for place in STORES}

    async def plan(login: str, store: str, days: int) -> None:
        day = group.day + timedelta(days)
        whole = days == 0 or login in on_call
        starts = datetime.combine(day, time(0) if whole else OPENS, ZONE)
        ends = datetime.combine(day + timedelta(1), time(0), ZONE) if whole else datetime.combine(day, CLOSES, ZONE)
        body = {"staff_id": group.staff[login], "store_id": group.stores[store]}
        body |= {"starts_at": starts.isoformat(), "ends_at": ends.isoformat()}
        await admin.do("shifts", body, key=f"shift {login} {day}")

    await asyncio.gather(*(plan(one.login, one.store, days) for days in range(DAYS) for one in working))
