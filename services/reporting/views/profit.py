"""Gross profit per car: as at the deal and as now, per currency, by a dimension; every line opens to the events behind it."""

from collections.abc import Sequence
from typing import Any

from services.reporting.views.facts import sale_facts, staff, stores, trims
from shared.values.money import Money
from shared.web.body import amount

MOST = 5_000
"""Lines of one report; its totals are of all cars whatever is shown."""
WHOLE = "null::text"
"""The dimension that makes one line per currency."""
DIMENSIONS = {
    "vin": "d.vin",
    "order": "d.order_id",
    "trim": "coalesce(t.brand || ' ' || t.series || ' ' || t.name, d.trim_id)",
    "series": "coalesce(t.series, '?')",
    "store": "coalesce(s.code, d.store_id)",
    "seller": "coalesce(p.name, d.seller_id)",
    "channel": "d.channel",
    "month": "to_char(d.occurred_at at time zone coalesce(s.timezone, 'UTC'), 'YYYY-MM')",
}

# Each order's money is looked up by its id: joined as a whole it is compared with every order once row-level security misleads the planner.
PROFIT = f"""
with d as (
    select * from {sale_facts.sql_name} where kind = 'delivered' and recorded_at < %(as_of)s
        and occurred_at >= %(since)s and occurred_at < %(until)s and (%(store_id)s::text is null or store_id = %(store_id)s)
)
select {{dimension}} as key, m.currency, count(*)::int as cars, sum(m.revenue)::bigint as revenue, sum(m.cost)::bigint as cost,
    sum(m.carrying)::bigint as carrying, sum(m.late)::bigint as late_cost,
    sum(m.revenue - m.cost - m.carrying)::bigint as front_at_deal,
    sum(m.revenue - m.cost - m.carrying - m.late)::bigint as front_now, min(d.vin) as vin, min(d.order_id) as order_id
from d cross join lateral (
    select f.currency,
        sum(f.amount) filter (where f.kind = 'revenue') as revenue, sum(f.amount) filter (where f.kind = 'cost') as cost,
        sum(f.amount) filter (where f.kind = 'carrying') as carrying,
        coalesce(sum(f.amount) filter (where f.kind = 'late-cost'), 0) as late
    from {sale_facts.sql_name} f
    where f.order_id = d.order_id and f.kind <> 'delivered' and f.recorded_at < %(as_of)s group by 1
) m left join {trims.sql_name} t using (trim_id) left join {stores.sql_name} s on s.store_id = d.store_id
left join {staff.sql_name} p on p.staff_id = d.seller_id
group by 1, 2 order by 2, 1
"""

WAITING = f"""
select count(*)::int as n from {sale_facts.sql_name} d where kind = 'delivered' and recorded_at < %(as_of)s
    and occurred_at >= %(since)s and occurred_at < %(until)s and (%(store_id)s::text is null or store_id = %(store_id)s)
    and not exists (select from {sale_facts.sql_name} m where m.order_id = d.order_id and m.kind = 'revenue' and m.recorded_at < %(as_of)s)
"""

FIGURES = ("revenue", "cost", "carrying", "late_cost", "front_at_deal", "front_now")


def line(row: dict[str, Any], by: str) -> dict[str, Any]:
    """A line of the report; of one car it says where its events are."""
    made = {"key": row["key"], "cars": row["cars"], **{name: amount(Money(row[name], row["currency"])) for name in FIGURES}}
    if by in ("vin", "order"):
        made["events"] = f"/api/v1/reports/events?order_id={row['order_id']}"
        made["vin"] = row["vin"]
    return made


def totals(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The whole, one line per currency: currencies are never added up."""
    return [
        {"currency": row["currency"], "cars": row["cars"], **{name: amount(Money(row[name], row["currency"])) for name in FIGURES}}
        for row in rows
    ]
