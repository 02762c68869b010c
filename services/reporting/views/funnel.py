"""The funnel: how many leads ever reached each stage (cohort), or where the open ones stand (snapshot), as known at a moment."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.reporting.views.facts import STAGES, lead_facts, stage_facts, stores
from services.reporting.views.standing import RANKS, STEPS, lead_states, opportunity_states

DIMENSIONS = {
    "channel": "l.channel",
    "brand": "nullif(l.brand, '')",
    "series": "nullif(l.series, '')",
    "store": "l.store_id",
    "grade": "l.grade",
    "seller": "l.seller_id",
    "campaign": "nullif(l.campaign_id, '')",
    "month": "to_char(l.captured_at at time zone coalesce(st.timezone, 'UTC'), 'YYYY-MM')",
}


def _rank(column: str, ranks: Mapping[str, int]) -> str:
    return f"case {column} {' '.join(f"when '{name}' then {rank}" for name, rank in ranks.items())} end"


LEADS = f"""
with o as materialized (
    select lead_id, recorded_at, reached, stands, closed, stepped_at from {opportunity_states.sql_name}
), moved as (
    select lead_id from {lead_states.sql_name}
    where recorded_at >= %(as_of)s and captured_at >= %(since)s and captured_at < %(until)s
    union
    select lead_id from o where recorded_at >= %(as_of)s
), settled as (
    select s.lead_id, s.store_id, s.channel, s.campaign_id, s.brand, s.series, s.captured_at, s.grade, s.seller_id,
        greatest(s.reached, o.reached)::int as reached,
        case when o.stepped_at >= s.stepped_at then o.stands else s.stands end::int as stands,
        case when o.stepped_at >= s.stepped_at then o.closed else s.closed end as closed
    from {lead_states.sql_name} s left join o using (lead_id)
    where s.recorded_at < %(as_of)s and (o.recorded_at < %(as_of)s or o.recorded_at is null)
        and s.captured_at >= %(since)s and s.captured_at < %(until)s and (%(store_id)s::text is null or s.store_id = %(store_id)s)
), l as (
    select * from (
        select distinct on (lead_id) lead_id, store_id, channel, campaign_id, brand, series, captured_at from {lead_facts.sql_name}
        where kind in ('captured', 'placed') and recorded_at < %(as_of)s and lead_id in (select lead_id from moved)
        order by lead_id, sequence desc
    ) newest
    where captured_at >= %(since)s and captured_at < %(until)s and (%(store_id)s::text is null or store_id = %(store_id)s)
), g as (
    select distinct on (lead_id) lead_id, grade from {lead_facts.sql_name}
    where kind in ('graded', 'placed') and recorded_at < %(as_of)s and lead_id in (select lead_id from moved)
    order by lead_id, sequence desc
), a as (
    select distinct on (lead_id) lead_id, seller_id from {lead_facts.sql_name}
    where kind = 'assigned' and recorded_at < %(as_of)s and lead_id in (select lead_id from moved)
    order by lead_id, sequence desc
), steps as (
    select lead_id, 0 as rank, false as closed, captured_at as occurred_at, 0 as part, 0 as sequence from l
    union all
    select lead_id, {_rank("kind", STEPS)}, kind = 'disqualified', occurred_at, 1, sequence
    from {lead_facts.sql_name}
    where kind in ('{"', '".join(STEPS)}') and recorded_at < %(as_of)s and lead_id in (select lead_id from moved)
    union all
    select o.lead_id, {_rank("s.stage", RANKS)}, s.stage in ('won', 'lost'), s.occurred_at, 2, s.sequence
    from {stage_facts.sql_name} s
    join {stage_facts.sql_name} o on o.opportunity_id = s.opportunity_id and o.stage = 'first-contact'
    where s.recorded_at < %(as_of)s and o.recorded_at < %(as_of)s and o.lead_id in (select lead_id from moved)
), stood as (
    select * from settled
    union all
    select l.*, g.grade, a.seller_id, s.reached, s.stands, s.closed
    from (
        select lead_id, max(coalesce(rank, 0)) as reached,
            (array_agg(rank order by occurred_at desc, part desc, sequence desc))[1] as stands,
            (array_agg(closed order by occurred_at desc, part desc, sequence desc))[1] as closed
        from steps group by lead_id
    ) s join l using (lead_id) left join g using (lead_id) left join a using (lead_id)
)
"""
# Who has not moved since the moment is what its state says; the others are told anew from their facts. `o` has no index on purpose: behind
# row-level security the planner expects few leads, and would look each of half a million up in it.

COHORT = (
    LEADS
    + f"""
select {{dimension}} as key, l.reached as rank, l.stands, count(*)::int as n, (count(*) filter (where not l.closed))::int as open
from stood l left join {stores.sql_name} st using (store_id)
group by 1, 2, 3
"""
)

WHICH = (
    LEADS
    + """
select lead_id, reached as rank, closed, captured_at as occurred_at from stood
where reached >= %(rank)s order by captured_at, lead_id limit 1000
"""
)

DWELLED = STAGES[2:-1]
"""Stages that one stays in; the last ends as it begins."""

DWELLS = f"""
with stays as (
    select s.stage, s.occurred_at, lead(s.occurred_at) over (partition by s.opportunity_id order by s.occurred_at, s.sequence) as left_at
    from {stage_facts.sql_name} s
    where s.recorded_at < %(as_of)s and (%(store_id)s::text is null or s.store_id = %(store_id)s)
        and s.opportunity_id in (select opportunity_id from {stage_facts.sql_name}
            where stage = 'first-contact' and occurred_at >= %(since)s and occurred_at < %(until)s)
), spans as (
    select stage, greatest(extract(epoch from coalesce(left_at, %(as_of)s) - occurred_at)::float8, 0) as seconds, left_at is null as open
    from stays
), risks as (
    select *, count(*) over (partition by stage) - row_number() over longer + 1 as at_risk from spans
    window longer as (partition by stage order by seconds, open)
), curve as (
    select *, sum(case when open then 0 when at_risk = 1 then '-infinity' else ln(1 - 1 / at_risk::float8) end)
        over (partition by stage order by seconds, open rows unbounded preceding) as survival from risks
)
select stage, count(*)::int as n, (count(*) filter (where open))::int as open,
    round(min(seconds) filter (where not open and survival <= ln(0.5::float8) + 1e-9))::bigint as median_seconds
from curve group by stage
"""
# Kaplan and Meier's estimate, as a sum of logarithms, one leaver at a time: two who leave n together leave n and then n - 1, which is the same.


def shape(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per key the stages in order: reached (cohort), open there now (snapshot), and conversion from the stage before, in per mille."""
    keyed: dict[str | None, list[dict[str, Any]]] = {}
    for row in rows:
        keyed.setdefault(row["key"], []).append(row)
    made = []
    for key in sorted(keyed, key=lambda k: (k is None, k)):
        ours = keyed[key]
        reached = [sum(row["n"] for row in ours if row["rank"] >= at) for at in range(len(STAGES))]
        stages = [
            {
                "stage": stage,
                "reached": reached[at],
                "open": sum(row["open"] for row in ours if row["stands"] == at),
                "conversion_permille": None if at == 0 or not reached[at - 1] else reached[at] * 1000 // reached[at - 1],
            }
            for at, stage in enumerate(STAGES)
        ]
        made.append({"key": key, "stages": stages})
    return made


def dwell(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Kaplan-Meier median of the seconds spent in each stage; those still in it are censored at the moment asked about, never dropped."""
    found = {row["stage"]: row for row in rows}
    none = {"n": 0, "open": 0, "median_seconds": None}
    return [found.get(stage, {"stage": stage, **none}) for stage in DWELLED]
