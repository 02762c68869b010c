"""What a body refers to, looked up in what orders knows; what is not there, or not the caller's, is refused by field."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.orders import known
from services.orders.domain.approval import Authority
from services.orders.domain.rules import Rulebook, SalesRules, sales_rules, tax_rule
from services.orders.domain.tax import PurchaseTax
from services.orders.views import rulebook
from shared.values.clock import local_day
from shared.values.money import Money
from shared.web.call import Call
from shared.web.problems import FieldError, Problem


def unknown(field: str) -> Problem:
    """Whatever `field` names does not exist for the caller."""
    return Problem("unknown-reference", errors=[FieldError(field, "unknown")])


async def referred(call: Call, field: str, sql: str, *params: Any) -> dict[str, Any]:
    """The row of the caller's stores a field refers to. Raises Problem when there is none."""
    return _first(field, await call.rows(sql, params))


async def everybodys(call: Call, field: str, sql: str, *params: Any) -> dict[str, Any]:
    """The row of every store a field refers to. Raises Problem when there is none."""
    return _first(field, await call.everybodys(sql, params))


def _first(field: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        raise unknown(field)
    return rows[0]


@dataclass(frozen=True)
class Shop:
    """A store with its legal entity, what day it is there, and the rules it sells by."""

    store_id: str
    code: str
    name: str
    entity_id: str
    entity_name: str
    tax_number: str
    currency: str
    vat_permille: int
    timezone: str
    today: date
    book: Rulebook
    """What administrators have enacted."""

    def tax(self, invoiced_on: date | None, powertrain: str) -> PurchaseTax | None:
        """The purchase tax of a car invoiced on a day, today when none is given."""
        return tax_rule(invoiced_on or self.today, powertrain, self.currency, self.book.tax)


async def shop(call: Call, store_id: str) -> Shop:
    """A store of the caller's. Raises Problem for any other."""
    if not call.auth.has_store(store_id):
        raise unknown("store_id")
    row = await everybodys(
        call,
        "store_id",
        f"select s.store_id, s.code, s.name, s.entity_id, e.name as entity_name, e.tax_number, e.currency, e.vat_permille, s.timezone, "
        f"r.sales, r.tax from {known.stores.sql_name} s join {known.entities.sql_name} e using (entity_id) "
        f"left join {rulebook.table.sql_name} r on true where s.store_id = %s",
        store_id,
    )
    book = rulebook.book(row.pop("sales"), row.pop("tax"))
    return Shop(**row, today=local_day(call.at, row["timezone"]), book=book)


def rules(shop: Shop) -> SalesRules:
    """The rules of selling in force today. Raises Rejected when there are none."""
    return sales_rules(shop.today, shop.book.sales)


async def customer(call: Call, customer_id: str) -> dict[str, Any]:
    """A customer of the caller's stores; name and phone are tokens."""
    return await referred(call, "customer_id", f"select * from {known.customers.sql_name} where customer_id = %s", customer_id)


async def opportunity(call: Call, opportunity_id: str, customer_id: str) -> dict[str, Any]:
    """This customer's opportunity."""
    return await referred(
        call,
        "opportunity_id",
        f"select * from {known.opportunities.sql_name} where opportunity_id = %s and person_id = %s",
        opportunity_id,
        customer_id,
    )


async def trim(call: Call, trim_id: str) -> dict[str, Any]:
    """A trim of the catalogue."""
    return await everybodys(call, "trim_id", f"select * from {known.trims.sql_name} where trim_id = %s", trim_id)


async def priced(call: Call, trim_id: str, shop: Shop) -> tuple[dict[str, Any], Money]:
    """A trim, and its price in force today in this store: its own before everybody's, then the one that began last, then the one listed last.

    Without any it is the guide price.
    """
    row = await everybodys(
        call,
        "trim_id",
        f"select t.*, (select price from {known.prices.sql_name} p where p.trim_id = t.trim_id and store_id in (%s, '') "
        "and valid_from <= %s and (valid_to is null or valid_to >= %s) and p.currency = %s "
        f"order by store_id = '', valid_from desc, sequence desc limit 1) as listed from {known.trims.sql_name} t where trim_id = %s",
        *(shop.store_id, shop.today, shop.today, shop.currency, trim_id),
    )
    if row["listed"] is None and row["currency"] != shop.currency:
        raise unknown("trim_id")
    return row, Money(row["guide_price"] if row["listed"] is None else row["listed"], shop.currency)


async def car(call: Call, vin: str, trim_id: str) -> dict[str, Any]:
    """A car of this trim in the group's stock, of whatever store."""
    return await everybodys(
        call,
        "vin",
        f"select * from {known.vehicles.sql_name} where vin = %s and trim_id = %s and not sold order by stay_id desc limit 1",
        vin,
        trim_id,
    )


async def certificate(call: Call, stay_id: str | None) -> str:
    """Where the certificate of a car is; empty when the car is not known."""
    rows = await call.everybodys(f"select certificate from {known.vehicles.sql_name} where stay_id = %s", [stay_id])
    return rows[0]["certificate"] if rows else ""


async def authorities(call: Call, trim_id: str) -> tuple[Authority, ...]:
    """Each role's authority for the series of a trim: its own row for the series, else its row for every series."""
    rows = await call.everybodys(
        f"select distinct on (role) role, discount_permille from {known.authorities.sql_name} "
        f"where series in ((select series from {known.trims.sql_name} where trim_id = %s), '*') order by role, series = '*'",
        [trim_id],
    )
    return tuple(Authority(role=row["role"], discount_permille=row["discount_permille"]) for row in rows)
