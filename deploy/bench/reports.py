"""Reports as of a month ago over the year before, at a group that has told so many events in three years.

The facts are filled in SQL, in the shape `listen` draws them from events: leads of which one in seven becomes an opportunity, and cars
that come, cost, move and are sold. Of a hundred events sixty are of leads, nine of opportunities, ten of cars and sales; the others no report reads.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlencode

import psycopg

from deploy.bench.load import asking, get
from deploy.bench.measure import Contender, Contenders, Goal
from deploy.bench.place import Place
from deploy.bench.services import internal, running
from deploy.local.setup import at
from services.gateway.domain.roles import permissions
from services.reporting.views.facts import lead_facts, sale_facts, stage_facts, stay_facts, stores
from services.reporting.views.standing import lead_states, opportunity_states
from shared.values.clock import utc_now
from shared.values.ids import new_id

EVENTS = int(os.environ.get("EVENTS") or 1_000_000)
LEADS, CARS, STORES = EVENTS * 15 // 100, EVENTS * 15 // 1000, 100
FUNNEL, TURNOVER, PROFIT = "funnel with dwell", "inventory turnover with ages", "profit by month"
PATHS = {FUNNEL: "funnel?by=channel&", TURNOVER: "inventory-turnover?", PROFIT: "profit?by=month&"}
MONTH, YEAR = timedelta(days=30), timedelta(days=365)

_LEADS = f"""
create temp table shops as select uuidv7()::text as store_id, n from generate_series(1, {STORES}) n;
insert into {stores.sql_name} select store_id, 'S' || n, 'Store ' || n, 'e1', 'south', 'Asia/Shanghai' from shops;
create temp table l as select uuidv7(-age)::text as id, clock_timestamp() - age as at, s.store_id, 'seller' || x.n % 10 as seller,
    (array['website', 'phone', 'walk-in', 'referral'])[1 + x.n % 4] as channel, random() as luck
    from (select n, make_interval(secs => random() * 3 * 365 * 86400) as age from generate_series(1, {LEADS}) n) x join shops s on s.n = 1 + x.n % {STORES};
insert into {lead_facts.sql_name} (stream, sequence, occurred_at, recorded_at, store_id, lead_id, kind, captured_at, channel, brand, series, grade, seller_id)
select 'lead-' || id, k.n * 100, at + k.later, at + k.later, store_id, id, k.kind, case k.n when 1 then at end,
    case k.n when 1 then channel end, case k.n when 1 then 'Aurora' end, case k.n when 1 then 'A5' end,
    case k.n when 2 then 'H' end, case when k.n in (3, 4) then seller end
from l cross join (values (1, 'captured', '0 s'::interval), (2, 'graded', '1 s'), (3, 'assigned', '1 min'), (4, 'contacted', '20 min')) k (n, kind, later);
insert into {lead_states.sql_name} (lead_id, store_id, channel, brand, series, captured_at, stepped_at, recorded_at, grade, seller_id, reached, stands, closed)
select id, store_id, channel, 'Aurora', 'A5', at, at + '20 min', at + '20 min', 'H', seller, 1, 1, false from l;
"""
_OPPORTUNITIES = f"""
create temp table o as select *, uuidv7(at - clock_timestamp())::text as opportunity, 2 + floor(random() * 7)::int as reached from l where luck < 0.15;
insert into {stage_facts.sql_name} (stream, sequence, occurred_at, recorded_at, store_id, opportunity_id, stage, lead_id)
select 'opportunity-' || opportunity, n * 100, at + n * interval '2 days' * random(), at + n * '2 days'::interval, store_id, opportunity,
    (array['first-contact', 'needs', 'presentation', 'test-drive', 'quote', 'negotiation', 'won'])[n], case n when 1 then id end
from o cross join lateral generate_series(1, reached - 1) n;
insert into {opportunity_states.sql_name} (opportunity_id, lead_id, store_id, stepped_at, recorded_at, reached, stands, closed)
select opportunity, id, store_id, at + (reached - 1) * '2 days'::interval, at + (reached - 1) * '2 days'::interval, reached, reached, reached = 8 from o;
"""
_CARS = f"""
create temp table c as select uuidv7(-age)::text as stay, 'VIN' || lpad(x.n::text, 14, '0') as vin, clock_timestamp() - age as at, s.store_id, random() as luck,
    clock_timestamp() - age + random() * '90 days'::interval as sold_at
    from (select n, make_interval(secs => random() * 3 * 365 * 86400) as age from generate_series(1, {CARS}) n) x join shops s on s.n = 1 + x.n % {STORES};
insert into {stay_facts.sql_name} (stream, sequence, occurred_at, recorded_at, store_id, stay_id, vin, kind, amount, book_cost, currency, acquired_on, other_store)
select 'stay-' || stay, k.n * 100, at + k.later, at + k.later, store_id, stay, vin, k.kind, 1000, 10000000, 'CNY', at::date, case when k.n in (4, 5) then store_id end
from c cross join (values (1, 'received', '0 s'::interval), (2, 'cost', '1 h'), (3, 'cost', '2 h'), (4, 'left', '1 day'), (5, 'arrived', '2 days')) k (n, kind, later)
where k.n < 4 or luck < 0.3
union all select 'stay-' || stay, 600, sold_at, sold_at, store_id, stay, vin, 'sold', 0, 10000000, 'CNY', null, null from c where sold_at < clock_timestamp();
insert into {sale_facts.sql_name} (stream, sequence, occurred_at, recorded_at, store_id, order_id, vin, stay_id, kind, amount, currency, entity_id, seller_id, channel)
select 'order-' || stay, k.n * 100, sold_at, sold_at, store_id, 'o' || stay, vin, stay, k.kind, k.amount, 'CNY', 'e1', 'seller1', 'website'
from c cross join (values (1, 'delivered', 0), (2, 'revenue', 12000000), (2, 'cost', 10000000), (2, 'carrying', 20000), (3, 'late-cost', 5000)) k (n, kind, amount)
where sold_at < clock_timestamp() and (k.n < 3 or luck > 0.9);
"""


def _slowest(name: str) -> Goal:
    return Goal(text=f"{name}, slowest in seconds", value=lambda r: max(r[name].p99) / 1000, most=2)


GOALS = tuple(_slowest(name) for name in PATHS)


def fill(url: str) -> None:
    """Facts and states of the whole group."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set synchronous_commit = off")
        for sql in (_LEADS, _OPPORTUNITIES, _CARS):
            connection.execute(sql.encode())
        connection.execute("vacuum analyze")


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """The owner asks for one after the other, by HTTP. EVENTS=10000000 is the whole measurement."""
    async with running(place, ("reporting",)) as ours:
        await asyncio.to_thread(fill, at(place.servers.postgres, "reporting"))
        rights = {"roles": ["group-owner"], "permissions": sorted(permissions(("group-owner",))), "stores": ["*"]}
        known, moment = f"Bearer {internal(ours.secrets, new_id(), rights)}", utc_now() - MONTH
        asked = urlencode({"since": (moment - YEAR).date(), "until": moment.date(), "as_of": moment.isoformat()})
        port = ours.plan.port("reporting")

        def asks(path: str) -> Contender:
            request = get(f"/api/v1/reports/{path}{asked}", authorization=known)
            return asking(port, 1, lambda caller: request, 200)

        yield {name: asks(path) for name, path in PATHS.items()}
