"""Inventory turnover, days of stock, the stock coefficient and the age of what stands there, per currency, at cost."""

from datetime import date
from typing import Any

from services.reporting.views.facts import stay_facts, stores

BUCKETS = ((0, 30), (31, 60), (61, 90), (91, 180), (181, None))

# `scope` are the stores a report is of, null for the whole group; a transfer is `within` when both its stores are among them.
_FACTS = f"""
with f as (
    select s.stay_id, s.sequence, s.vin, s.kind, s.store_id, s.amount, s.book_cost, s.currency as money, s.acquired_on,
        case s.kind when 'received' then s.acquired_on else (s.occurred_at at time zone coalesce(st.timezone, 'UTC'))::date end as day,
        %(scope)s::text[] is null or s.other_store = any(%(scope)s) as within
    from {stay_facts.sql_name} s left join {stores.sql_name} st using (store_id)
    where s.recorded_at < %(as_of)s and (%(scope)s::text[] is null or s.store_id = any(%(scope)s))
)
"""

# A transfer within the scope changes nothing but the transport; any other takes the whole car away, or brings it.
TURNOVER = (
    _FACTS
    + """
, deltas as (
    select day, money, kind, book_cost,
        case when kind = 'received' or kind = 'arrived' and not within then 1
            when kind = 'sold' or kind = 'left' and not within then -1 else 0 end as units,
        case when kind = 'received' or kind = 'arrived' and not within then book_cost
            when kind = 'sold' or kind = 'left' and not within then -book_cost else amount end as value
    from f
), daily as (
    select money, day, sum(units) as units, sum(value) as value,
        count(*) filter (where kind = 'sold') as sold, sum(book_cost) filter (where kind = 'sold') as cost
    from deltas where day < %(until)s group by 1, 2
), days as (select generate_series(%(since)s::date, %(until)s::date - 1, '1 day')::date as day),
whole as (
    select money, sum(units) as units, sum(value) as value, coalesce(sum(value) filter (where day < %(since)s), 0) as opening,
        coalesce(sum(sold) filter (where day >= %(since)s), 0) as sold, coalesce(sum(cost) filter (where day >= %(since)s), 0) as cost
    from daily group by 1
), running as (
    select w.money, w.opening + coalesce(sum(x.value) over (partition by w.money order by d.day), 0) as value
    from whole w cross join days d left join daily x on x.money = w.money and x.day = d.day
)
select w.money as currency, w.cost::bigint as cost_of_sold, w.sold::int as sold,
    (select round(avg(value)) from running r where r.money = w.money)::bigint as average_stock,
    w.units::int as units, w.value::bigint as value
from whole w order by 1
"""
)

# What is sold is left out first, by `not in`: behind row-level security the planner would join `not exists` row by row.
AGES = (
    _FACTS
    + """
, here as (select * from f where stay_id not in (select stay_id from f where kind = 'sold')),
last as (select distinct on (stay_id) * from here order by stay_id, sequence desc),
entered as (
    select distinct on (stay_id) stay_id, acquired_on, day from here where kind in ('received', 'arrived') order by stay_id, sequence desc
)
select l.vin, l.stay_id, l.store_id, l.book_cost as cost, l.money as currency, %(today)s::date - e.acquired_on as age,
    %(today)s::date - e.day as store_age, l.kind = 'left' as in_transit
from last l join entered e using (stay_id)
where l.kind <> 'left' or l.within
order by age desc, vin
"""
)


def measures(row: dict[str, Any], days: int) -> dict[str, Any]:
    """Turnover a year = cost of sold × 365/days ÷ average daily stock at cost; days of stock = 365/turnover; units ÷ sold."""
    average, sold = row["average_stock"] or 0, row["cost_of_sold"]
    turnover = sold * 365 / days / average if average > 0 else None
    return {
        "turnover": _text(turnover),
        "days_of_stock": _text(365 / turnover) if turnover else None,
        "stock_coefficient": _text(row["units"] / row["sold"]) if row["sold"] else None,
    }


def buckets(cars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How many cars, at what cost, are how many days old since the group acquired them."""
    made = []
    for low, high in BUCKETS:
        found = [car for car in cars if car["age"] >= low and (high is None or car["age"] <= high)]
        by_currency: dict[str, int] = {}
        for car in found:
            by_currency[car["currency"]] = by_currency.get(car["currency"], 0) + car["cost"]
        made.append({"from": low, "to": high, "units": len(found), "cost": by_currency})
    return made


def _text(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def days_between(since: date, until: date) -> int:
    """Days of a period whose end is not part of it."""
    return (until - since).days
