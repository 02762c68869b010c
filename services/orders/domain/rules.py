"""The rules of selling as data: each with its first day and its source. The newest that has begun is in force; an administrator enacts others."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import assert_never

from services.orders.domain.tax import PurchaseTax
from shared.decider import Decider, Rejected, message
from shared.values.money import Money


@message
class SalesRules:
    """What an order must keep to: permille of the price, days a quote stands, what is checked before the keys are handed over."""

    valid_from: date
    source: str
    minimum_down_permille: int
    earnest_limit_permille: int
    quote_days: int
    checklist: tuple[str, ...]


@message
class TaxRules:
    """Purchase tax for the invoices of a span of days; without `valid_to` until another begins."""

    valid_from: date
    valid_to: date | None = None
    source: str
    currency: str
    rate_permille: int
    relief_permille: int
    relief_cap: Money
    relieved: tuple[str, ...]
    """The powertrains of catalogued new-energy cars, in the catalogue's words."""


SALES_RULES = (
    SalesRules(
        valid_from=date(2021, 1, 1),
        source="house rule; earnest money: Civil Code art. 586",
        minimum_down_permille=200,
        earnest_limit_permille=200,
        quote_days=7,
        checklist=("exterior", "interior", "keys", "manual", "certificate", "invoice"),
    ),
)

_NEW_ENERGY = ("electric", "plug-in-hybrid", "range-extender", "hydrogen")
_ACT = "Vehicle Purchase Tax Act art. 4"
_RELIEF = f"{_ACT}; Announcement 10/2023 of the Ministry of Finance"

TAX_RULES = (
    TaxRules(
        valid_from=date(2024, 1, 1),
        valid_to=date(2025, 12, 31),
        source=_RELIEF,
        currency="CNY",
        rate_permille=100,
        relief_permille=1000,
        relief_cap=Money(3_000_000),
        relieved=_NEW_ENERGY,
    ),
    TaxRules(
        valid_from=date(2026, 1, 1),
        valid_to=date(2027, 12, 31),
        source=_RELIEF,
        currency="CNY",
        rate_permille=100,
        relief_permille=500,
        relief_cap=Money(1_500_000),
        relieved=_NEW_ENERGY,
    ),
    TaxRules(
        valid_from=date(2028, 1, 1),
        source=_ACT,
        currency="CNY",
        rate_permille=100,
        relief_permille=0,
        relief_cap=Money(0),
        relieved=(),
    ),
)


def sales_rules(day: date, enacted: Iterable[SalesRules] = ()) -> SalesRules:
    """The rules in force on a day; what an administrator enacted wins over a default that begins on the same day."""
    begun = [rules for rules in (*SALES_RULES, *enacted) if rules.valid_from <= day]
    if not begun:
        raise Rejected("no-rule", f"No rules of selling are in force on {day}.")
    return max(reversed(begun), key=lambda rules: rules.valid_from)


def tax_rule(day: date, powertrain: str, currency: str, enacted: Iterable[TaxRules] = ()) -> PurchaseTax | None:
    """The purchase tax of a car invoiced on a day; None where no law of this currency's market asks for it."""
    laws = [law for law in (*TAX_RULES, *enacted) if law.currency == currency]
    begun = [law for law in laws if law.valid_from <= day and (law.valid_to is None or day <= law.valid_to)]
    if not laws:
        return None
    if not begun:
        raise Rejected("no-rule", f"No purchase tax is known for invoices of {day}.")
    law = max(reversed(begun), key=lambda law: law.valid_from)
    relieved = powertrain in law.relieved
    return PurchaseTax(
        rate_permille=law.rate_permille,
        relief_permille=law.relief_permille if relieved else 0,
        relief_cap=law.relief_cap if relieved else None,
        source=law.source,
    )


# --- an administrator enacts rules -------------------------------------------------------------------------------


@message
class EnactSalesRules:
    rules: SalesRules
    by: str
    at: datetime


@message
class EnactTaxRules:
    rules: TaxRules
    by: str
    at: datetime


@message
class SalesRulesEnacted:
    rules: SalesRules
    by: str


@message
class TaxRulesEnacted:
    rules: TaxRules
    by: str


@message
class Rulebook:
    sales: tuple[SalesRules, ...] = ()
    tax: tuple[TaxRules, ...] = ()


type Command = EnactSalesRules | EnactTaxRules
type Event = SalesRulesEnacted | TaxRulesEnacted


def decide(command: Command, book: Rulebook) -> list[Event]:
    match command:
        case EnactSalesRules(rules=rules) if rules in book.sales:
            return []
        case EnactSalesRules(rules=rules, by=by):
            if not rules.checklist or len(set(rules.checklist)) < len(rules.checklist):
                raise Rejected("bad-rule", "A checklist has items, each once.")
            return [SalesRulesEnacted(rules=rules, by=by)]
        case EnactTaxRules(rules=rules) if rules in book.tax:
            return []
        case EnactTaxRules(rules=rules, by=by):
            if rules.relief_cap.currency != rules.currency or (rules.valid_to and rules.valid_to < rules.valid_from):
                raise Rejected("bad-rule", "A tax rule ends after it begins and caps its relief in its own currency.")
            return [TaxRulesEnacted(rules=rules, by=by)]
        case unknown:
            assert_never(unknown)


def evolve(book: Rulebook, event: Event) -> Rulebook:
    match event:
        case SalesRulesEnacted(rules=rules):
            return Rulebook(sales=(*book.sales, rules), tax=book.tax)
        case TaxRulesEnacted(rules=rules):
            return Rulebook(sales=book.sales, tax=(*book.tax, rules))
        case unknown:
            assert_never(unknown)


rulebook = Decider[Command, Rulebook, Event](Rulebook(), decide, evolve)
