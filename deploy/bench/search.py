"""First pages: a customer search among a million, the stock list of a hundred thousand cars, and Tryton's list of 200."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import psycopg

from deploy.bench.load import asking, get
from deploy.bench.measure import Contenders, Goal, Results, times
from deploy.bench.peers import erp
from deploy.bench.place import Place
from deploy.bench.services import Running, Staff, running
from deploy.local.setup import at
from services.customers.views.customer_list import CustomerRow
from services.customers.views.customer_list import table as customers
from services.inventory.views.stock import StockRow, stock
from shared.events.privacy import Masters
from shared.events.vault import PostgresVault
from shared.store.statements import text, upsert
from shared.values.clock import utc_now
from shared.values.ids import new_id
from shared.views.table import Table

CUSTOMERS, CARS = 1_000_000, 100_000
PERSONS = 200
"""People with keys of their own; the others are these under other numbers."""
STORES = 100
CLIENTS = 4
SEARCH, STOCK, LIST = "customers: newest, or by last four digits", "stock list", "Tryton, 50 of 200 customers"


def _p99(name: str) -> Goal:
    def value(results: Results) -> float:
        return max(results[name].p99)

    return Goal(text=f"p99 ms of the {name.partition(':')[0]}, the worst turn", value=value, most=100)


GOALS = (_p99(SEARCH), _p99(STOCK), times(SEARCH, LIST, 12), times(STOCK, LIST, 12))


async def _customers(ours: Running, url: str) -> None:
    """Rows as registrations leave them."""
    vault = PostgresVault(at(url, "vault"), Masters.parse(ours.secrets["vault_master_key"], ours.secrets["index_key"]))
    made = []
    async with vault:
        for number in range(PERSONS):
            person, now = new_id(), utc_now()
            told = {"name": "Lin Yue", "phone": f"+861391{number:07}", "email": f"lin.yue{number}@example.com"}
            sealed = {name: await vault.seal(person, text) for name, text in told.items()}
            rest = dict.fromkeys(("wechat", "contact", "address", "id_number", "birthday", "gender", "notes", "seller_id", "lead_id"), "")
            named: Any = {**sealed, **rest}
            about: dict[str, Any] = {
                "version": 1,
                "number": f"C-S01-{number}",
                "entity_id": new_id(),
                "kind": "person",
                "stage": "prospect",
            }
            made.append(
                CustomerRow(
                    customer_id=person,
                    store_id=new_id(),
                    channel="walk-in",
                    consents=(),
                    registered_at=now,
                    changed_at=now,
                    **about,
                    **named,
                )
            )
    last4 = {n: vault.index("phone-last4", f"{n:04}") for n in range(10_000)}
    stores = [new_id() for _ in range(STORES)]
    changed = {
        "customer_id": "gen_random_uuid()::text",
        "number": "'C-S01-' || g",
        "store_id": "(%(stores)s::text[])[1 + mod(g, 100)]",
        "phone_index": "md5(g::text)",
        "email_index": "md5('e' || g)",
        "phone_last4": "(%(last4)s::text[])[1 + (random() * 9999)::int]",
        "registered_at": "now() - g * interval '1 minute'",
    }
    await _multiplied(url, customers, made, CUSTOMERS, changed, {"last4": list(last4.values()), "stores": stores})


async def _cars(url: str) -> None:
    """Cars on hand, of a thousand trims in a hundred stores."""
    now = utc_now()
    row = StockRow(
        stay_id=new_id(),
        vin="LSVAA49J0R2000001",
        trim_id=new_id(),
        brand="Aurora",
        series="A5",
        category="new",
        store_id=new_id(),
        entity_id=new_id(),
        status="in-stock",
        certificate="with-us",
        acquired_on=now.date(),
        arrived_at=now,
    )
    changed = {
        "stay_id": "gen_random_uuid()::text",
        "vin": "upper(substr(md5(g::text), 1, 17))",
        "store_id": "(%(stores)s::text[])[1 + mod(g, 100)]",
        "acquired_on": "current_date - mod(g, 700)",
    }
    await _multiplied(url, stock, [row], CARS, changed, {"stores": [new_id() for _ in range(STORES)]})


async def _multiplied(url: str, table: Table[Any], rows: list[Any], many: int, changed: Mapping[str, str], told: dict[str, Any]) -> None:
    """Fills a table with variations of some rows; its indexes are made at the end."""
    name = table.sql_name
    columns = ", ".join(changed.get(column, f"r.{column}") for column in table.columns)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        found = await connection.execute(
            "select indexname, indexdef from pg_indexes where tablename = %s and indexname not like %s", [name, "%_pkey"]
        )
        indexes = await found.fetchall()
        for index, _ in indexes:
            await connection.execute(f"drop index {index}".encode())
        await connection.execute(upsert(table).encode(), [text([table.json(row) for row in rows])])
        await connection.execute(f"create temp table some as select *, row_number() over () - 1 as n from {name}".encode())
        source = f"generate_series(1, %(many)s) g join some r on r.n = mod(g, {len(rows)})"
        sql = f"insert into {name} ({', '.join(table.columns)}) select {columns} from {source}"
        await connection.execute(sql.encode(), {**told, "many": many - len(rows)})
        for _, definition in indexes:
            await connection.execute(definition.encode())
        await connection.execute(f"vacuum analyze {name}".encode())


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """Through the gateway, four clients each."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(running(place, ("customers", "inventory", "gateway")))
        superuser = place.servers.postgres
        await asyncio.gather(_customers(ours, at(superuser, "customers")), _cars(at(superuser, "inventory")))
        tokens = await Staff(ours).tokens(CLIENTS, "group-owner")

        def search(caller: int) -> bytes:
            by = f"phone_last4={random.randrange(10_000):04}" if random.random() < 0.5 else "sort=-registered_at"
            return get(f"/api/v1/customers?limit=50&{by}", authorization=f"Bearer {tokens[caller]}")

        def stocked(caller: int) -> bytes:
            return get("/api/v1/vehicles?limit=50", authorization=f"Bearer {tokens[caller]}")

        port = ours.plan.gateway
        made: Contenders = {SEARCH: asking(port, CLIENTS, search, 200), STOCK: asking(port, CLIENTS, stocked, 200)}
        with place.perhaps(LIST):
            tryton = await stack.enter_async_context(erp.running(place, superuser))
            made[LIST] = tryton.contender(CLIENTS, erp.Client.list)
        yield made
