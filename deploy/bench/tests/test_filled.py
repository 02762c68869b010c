"""Views that are filled in bulk hold what the services would have written."""

import psycopg
import pytest
from psycopg.rows import dict_row

from deploy.bench import filled
from deploy.local.setup import at
from services.customers.app import service as customers
from services.customers.fields import indexes_of
from services.inventory.app import service as inventory
from shared.events.vault import MemoryVault
from shared.service import Service
from shared.store.migrate import migrate
from shared.testing.servers import FreshDatabase, Servers
from shared.values.ids import new_id

STORES = [new_id() for _ in range(filled.STORES)]
SELLERS = [new_id() for _ in range(filled.STORES * filled.SELLERS)]


async def made(service: Service, servers: Servers, fresh_database: FreshDatabase) -> tuple[str, str]:
    """A superuser's URL of the service's own database, and the reader's."""
    writer, reader = await fresh_database(service.context)
    await migrate(writer, f"{service.context}_reader", service.all_tables())
    return at(servers.postgres, writer.rpartition("/")[2]), reader


async def read(url: str, store: str, sql: str, *values: object) -> list[dict[str, object]]:
    """Rows as the service reads them for somebody of one store."""
    async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as connection:
        await connection.execute("select set_config('forecourt.stores', %s, true)", [store])
        return await (await connection.execute(sql.encode(), values)).fetchall()


async def test_customers_are_found_by_their_contacts_in_their_store_only(
    servers: Servers, fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filled, "PERSONS", 20)
    monkeypatch.setattr(filled, "CUSTOMERS", 200)
    superuser, reader = await made(customers, servers, fresh_database)
    vault = MemoryVault()
    await filled.customers(superuser, vault, STORES, SELLERS)
    looked_for = indexes_of(vault, filled.phone(123), filled.email(123))
    (row,) = await read(reader, STORES[3], "select * from customers_1 where phone_index = %s", looked_for.phone)
    assert (row["phone_last4"], row["email_index"]) == (looked_for.phone_last4, looked_for.email)
    assert await vault.open(str(row["phone"])) == filled.phone(3)
    assert await read(reader, STORES[4], "select * from customers_1 where phone_index = %s", looked_for.phone) == []
    (all_of_them,) = await read(reader, "*", "select count(*), count(distinct customer_id) as ids from customers_1")
    assert all_of_them == {"count": 200, "ids": 200}


async def test_cars_have_come_and_half_of_them_gone(
    servers: Servers, fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filled, "CARS", 40)
    monkeypatch.setattr(filled, "ON_HAND", 200)
    monkeypatch.setattr(filled, "SOLD", 200)
    superuser, reader = await made(inventory, servers, fresh_database)
    await filled.cars(superuser, STORES, ["t1", "t2"])
    sql = "select status, count(*), count(book_cost) as costs from stock_1 left join stock_cost_1 using (stay_id) group by status"
    found = {row["status"]: (row["count"], row["costs"]) for row in await read(reader, "*", sql)}
    assert found == {"sold": (200, 200), "reserved": (20, 20), "in-stock": (180, 180)}


async def test_lists_do_not_walk_past_what_nobody_asked_for(servers: Servers, fresh_database: FreshDatabase) -> None:
    """However a plan is made: those before the first car on hand are as many as were ever sold, a seller's customers one in a thousand."""
    for service, sql, index in (
        (inventory, "select * from stock_1 where sold_under is null order by acquired_on, stay_id limit 51", "sold_under IS NULL"),
        (
            customers,
            "select * from customers_1 where seller_id = 's' order by registered_at desc, customer_id desc limit 51",
            "(seller_id,",
        ),
    ):
        superuser, _ = await made(service, servers, fresh_database)
        async with await psycopg.AsyncConnection.connect(superuser) as connection:
            await connection.execute("select set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)")
            plan = "\n".join(line for (line,) in await (await connection.execute(f"explain {sql}".encode())).fetchall())
            found = "select indexname from pg_indexes where position(%s in indexdef) > 0"
            names = [name for (name,) in await (await connection.execute(found, [index])).fetchall()]
        assert any(f"using {name} " in plan for name in names), plan
