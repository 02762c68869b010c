"""Inventory turnover, days of stock, the stock coefficient and the age of what stands there, per currency, at cost."""

from datetime import date
from typing import Any

from services.reporting.views.facts import stay_facts, stores

BUCKETS = ((0, 30), (31, 60), (61, 90), (91, 180), (181, None))

_FACTS = f"""
with f as (
    select s.*, coalesce(s.acquired_on, (s.occurred_at at time zone coalesce(st.timezone, 'UTC'))::date) as day,
        sum(s.amount) over w as cost_now, first_value(s.currency) over w as money,
        first_value(s.trim_id) over w as trim, first_value(s.series) over w as car_series, first_value(s.brand) over w as car_brand
    from {stay_facts.sql_name} s left join {stores.sql_name} st using (store_id)
    where s.recorded_at <= %(as_of)s
    window w as (partition by s.stay_id order by s.occurred_at, s.sequence, s.kind)
)
"""

# Of the group a transfer changes nothing but the transport; of one store it takes the whole car away and brings it.
_DELTAS = """
, deltas as (
    select day, money, stay_id, case kind when 'received' then 1 when 'sold' then -1 else 0 end as units,
        case kind when 'sold' then -cost_now else amount end as value
    from f where %(store_id)s::text is null and not (kind = 'cost' and exists (
        select from f x where x.stay_id = f.stay_id and x.kind = 'sold' and x.occurred_at < f.occurred_at))
    union all
    select day, money, stay_id, case when kind in ('received', 'arrived') then 1 when kind in ('sold', 'left') then -1 else 0 end,
        case kind when 'sold' then -cost_now when 'left' then -cost_now when 'arrived' then cost_now else amount end
    from f where store_id = %(store_id)s and not (kind = 'cost' and exists (
        select from f x where x.stay_id = f.stay_id and x.kind in ('sold', 'left') and x.store_id = f.store_id
            and x.occurred_at < f.occurred_at))
)
"""

TURNOVER = (
    _FACTS
    + _DELTAS
    + """
, days as (select generate_series(%(since)s::date, %(until)s::date - 1, '1 day')::date as day),
monies as (select distinct money from deltas),
stock as (
    select d.day, m.money, coalesce((select sum(value) from deltas x where x.money = m.money and x.day <= d.day), 0) as value
    from days d cross join monies m
), daily as (
    select m.money, x.day, sum(x.value) as value, sum(x.units) as units from monies m join deltas x using (money) group by 1, 2
), opening as (
    select money, coalesce(sum(value) filter (where day < %(since)s), 0) as value from daily group by 1
), running as (
    select m.money, d.day, o.value + coalesce(sum(x.value) over (partition by m.money order by d.day), 0) as value
    from monies m cross join days d join opening o using (money) left join daily x on x.money = m.money and x.day = d.day
)
select m.money as currency,
    (select coalesce(sum(-value), 0) from deltas x
        where x.money = m.money and x.units = -1 and x.value <> 0 and x.day >= %(since)s and x.day < %(until)s
        and exists (select from f s where s.stay_id = x.stay_id and s.kind = 'sold' and s.day = x.day))::bigint as cost_of_sold,
    (select count(*) from f s where s.money = m.money and s.kind = 'sold' and s.day >= %(since)s and s.day < %(until)s
        and (%(store_id)s::text is null or s.store_id = %(store_id)s))::int as sold,
    (select round(avg(value)) from running r where r.money = m.money)::bigint as average_stock,
    (select coalesce(sum(units), 0) from deltas x where x.money = m.money and x.day < %(until)s)::int as units,
    (select coalesce(sum(value), 0) from deltas x where x.money = m.money and x.day < %(until)s)::bigint as value
from monies m order by 1
"""
)

AGES = (
    _FACTS
    + """
, last as (
    select distinct on (stay_id) stay_id, vin, kind, store_id, day, cost_now, money from f
    order by stay_id, occurred_at desc, sequence desc, kind desc
), since as (select stay_id, min(day) as acquired from f where kind = 'received' group by 1),
arrived as (select stay_id, max(day) as arrived from f where kind in ('received', 'arrived') group by 1)
select l.vin, l.stay_id, l.store_id, l.cost_now::bigint as cost, l.money as currency, %(today)s::date - s.acquired as age,
    %(today)s::date - a.arrived as store_age, l.kind = 'left' as in_transit
from last l join since s using (stay_id) join arrived a using (stay_id)
where not exists (select from f x where x.stay_id = l.stay_id and x.kind = 'sold')
    and (%(store_id)s::text is null or l.store_id = %(store_id)s)
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
