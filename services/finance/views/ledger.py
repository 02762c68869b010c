"""The ledger: every line of every entry, the trial balance, and the way from an entry to the event behind it."""

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter

from services.finance.domain.chart import CHART, LedgerAccount
from services.finance.domain.entry import Entry
from services.finance.domain.rates import business_day
from services.finance.fields import EntryId, LedgerNumber
from services.finance.known import stores_known
from shared.decider import message
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Rows, Table
from shared.web.body import Day, Id, VinText, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)


@message
class LedgerLine:
    """`amount` in minor units, debit positive; `source`, `version` and `event` name the event it was posted by."""

    entry_id: str
    line: int
    entity_id: str
    store_id: str
    account: str
    amount: int
    currency: str
    vin: str | None
    order_id: str | None
    booked_on: date
    text: str
    source: str
    version: int
    event: str
    posted_by: str
    occurred_at: datetime


BALANCED = """
create or replace function public.entry_balances() returns trigger language plpgsql as $$
declare
    touched text := case when tg_op = 'DELETE' then old.entry_id else new.entry_id end;
    unbalanced boolean;
begin
    execute format('select exists (select 1 from %s where entry_id = $1 group by currency, entity_id having sum(amount) <> 0)', tg_relid::regclass)
        into unbalanced using touched;
    if unbalanced then
        raise exception 'The entry % does not balance.', touched using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger {table}_balanced after insert or update or delete on {table}
    deferrable initially deferred for each row execute function public.entry_balances()
"""

lines = Table(
    "ledger",
    1,
    LedgerLine,
    key=("entry_id", "line"),
    indexes=("line, booked_on desc, entry_id", "entity_id, account, booked_on", "vin", "order_id"),
    also=BALANCED,
)


def post(recorded: Recorded[Any]) -> list[LedgerLine]:
    """The lines of an event's entry; none when it moves no money."""
    entry: Entry | None = getattr(recorded.event, "entry", None)
    if entry is None:
        return []
    return [
        LedgerLine(
            entry_id=entry.entry_id,
            line=number,
            entity_id=entry.entity_id,
            store_id=entry.store_id,
            account=line.account,
            amount=line.amount,
            currency=entry.currency,
            vin=line.vin,
            order_id=entry.order_id,
            booked_on=entry.on,
            text=entry.text,
            source=recorded.stream,
            version=recorded.version,
            event=type(recorded.event).__name__,
            posted_by=recorded.meta.actor,
            occurred_at=recorded.occurred_at,
        )
        for number, line in enumerate(entry.lines, 1)
    ]


ledger = Rows(lines, post)

_ZONES = f"""
select distinct timezone from {stores_known.sql_name}
where (%(entity_id)s::text is null or entity_id = %(entity_id)s) and (%(store_id)s::text is null or store_id = %(store_id)s)
"""
_BALANCES = f"""
select entity_id, currency, account, sum(greatest(amount, 0))::bigint as debit, sum(greatest(-amount, 0))::bigint as credit
from {lines.sql_name}
where booked_on <= %(as_of)s and (%(entity_id)s::text is null or entity_id = %(entity_id)s)
  and (%(store_id)s::text is null or store_id = %(store_id)s)
group by entity_id, currency, account order by entity_id, currency, account
"""
_HEADS = f"""
select entry_id, entity_id, store_id, currency, booked_on, text, order_id, source, version, event, posted_by, occurred_at
from {lines.sql_name}
where line = 1
  and (%(account)s::text is null or entry_id in (select entry_id from {lines.sql_name} where account = %(account)s))
  and (%(vin)s::text is null or entry_id in (select entry_id from {lines.sql_name} where vin = %(vin)s))
"""
_LINES = f"select entry_id, account, amount, currency, vin from {lines.sql_name} where entry_id = any(%s::text[]) order by entry_id, line"


SIDES = dict.fromkeys(("debit", "credit", "balance"), Money)
BALANCE = {"entity_id": str, "currency": str, "account": str, "name_zh": str, "name_en": str, "type": str}
TRIAL_BALANCE = shape(
    "TrialBalance",
    also={
        "as_of": date,
        "items": [shape("AccountBalance", also={**BALANCE, **SIDES})],
        "totals": [shape("EntityBalance", also={"entity_id": str, "currency": str, **SIDES})],
    },
)
ENTRY_LINE = shape("EntryLine", LedgerLine, only=("account", "amount", "vin"), amounts=("amount",))
ENTRY = shape("LedgerEntry", LedgerLine, without=("line", "account", "amount", "vin"), also={"lines": [ENTRY_LINE]})


@router.get(
    "/ledger/accounts",
    summary="The chart of accounts",
    response_model=shape("ChartOfAccounts", also={"items": list[LedgerAccount]}),
    openapi_extra=needs("finance.read"),
)
async def list_ledger_accounts(call: Call) -> dict[str, Any]:
    """Numbers, names in Chinese and English, types; `control` accounts take no entry by hand."""
    return {"items": list(CHART.values())}


@router.get("/ledger/trial-balance", summary="The trial balance", response_model=TRIAL_BALANCE, openapi_extra=needs("finance.read"))
async def show_trial_balance(
    call: Call, entity_id: Id | None = None, store_id: Id | None = None, as_of: Day | None = None
) -> dict[str, Any]:
    """Debits, credits and balance per legal entity, currency and account to the end of a day, else of today; of the caller's stores only."""
    asked = {"entity_id": entity_id, "store_id": store_id}
    begun = [business_day(call.at, row["timezone"]) for row in await call.rows(_ZONES, asked)] if as_of is None else [as_of]
    until = max(begun, default=business_day(call.at))
    found = await call.rows(_BALANCES, {**asked, "as_of": until})
    totals: dict[tuple[str, str], list[int]] = {}
    for row in found:
        total = totals.setdefault((row["entity_id"], row["currency"]), [0, 0])
        total[0] += row["debit"]
        total[1] += row["credit"]
    return {
        "as_of": until,
        "items": [balance(row) for row in found],
        "totals": [
            {"entity_id": entity, "currency": currency, **sides(debit, credit, currency)}
            for (entity, currency), (debit, credit) in totals.items()
        ],
    }


def balance(row: dict[str, Any]) -> dict[str, Any]:
    """A line of the trial balance with the account's names."""
    account = CHART[row["account"]]
    return {
        "entity_id": row["entity_id"],
        "currency": row["currency"],
        "account": account.number,
        "name_zh": account.name_zh,
        "name_en": account.name_en,
        "type": account.type,
        **sides(row["debit"], row["credit"], row["currency"]),
    }


def sides(debit: int, credit: int, currency: str) -> dict[str, Any]:
    """Debit, credit and their difference as amounts."""
    return {
        "debit": amount(Money(debit, currency)),
        "credit": amount(Money(credit, currency)),
        "balance": amount(Money(debit - credit, currency)),
    }


@router.get(
    "/ledger/entries",
    summary="Entries, newest first",
    response_model=page_of(ENTRY),
    openapi_extra=needs("finance.read"),
)
async def list_entries(
    call: Call,
    paging: Paging,
    entity_id: Id | None = None,
    store_id: Id | None = None,
    order_id: Id | None = None,
    account: LedgerNumber | None = None,
    vin: VinText | None = None,
    booked_from: Day | None = None,
    booked_to: Day | None = None,
) -> Page:
    """Entries with their lines and the event each was posted by."""
    where = {
        "entity_id": entity_id,
        "store_id": store_id,
        "order_id": order_id,
        "booked_on >=": booked_from,
        "booked_on <=": booked_to,
    }
    found = await page(call, _HEADS, paging, order="booked_on desc, entry_id", where=where, params={"account": account, "vin": vin})
    return {"items": await with_lines(call, found["items"]), "next_cursor": found["next_cursor"]}


@router.get(
    "/ledger/entries/{entry_id}",
    summary="An entry",
    response_model=ENTRY,
    openapi_extra=needs("finance.read"),
)
async def show_entry(call: Call, entry_id: EntryId) -> dict[str, Any]:
    """One entry; `source` and `version` lead to its event."""
    head = await call.need(f"{_HEADS} and entry_id = %(entry_id)s", {"entry_id": entry_id, "account": None, "vin": None})
    (whole,) = await with_lines(call, [head])
    return whole


async def with_lines(call: Call, heads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries with their lines, debit positive."""
    found = await call.rows(_LINES, [[head["entry_id"] for head in heads]])
    by_entry: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        line = {"account": row["account"], "amount": amount(Money(row["amount"], row["currency"])), "vin": row["vin"]}
        by_entry.setdefault(row["entry_id"], []).append(line)
    return [{**head, "lines": by_entry[head["entry_id"]]} for head in heads]
