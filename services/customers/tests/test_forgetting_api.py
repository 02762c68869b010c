"""Forgetting over HTTP on PostgreSQL: nothing readable stays, nor comes back with a backup."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.customers.caretaker import beside
from services.customers.tests import hearing as h
from services.customers.tests.hearing import PERSON
from services.customers.tests.running import Running, registered, running
from shared.testing.servers import FreshDatabase


@pytest.fixture
async def customers(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """The running service."""
    async with running(fresh_database) as made:
        yield made


@pytest.mark.touches("CUS-04")
async def test_what_was_forgotten_is_unreadable_in_events_and_views(customers: Running) -> None:
    id = await registered(customers)
    stream = f"customer-{id}"
    stored = [row.data for row in (await customers.store.load([stream])).events[stream]]
    assert not any(clear in data for data in stored for clear in ("林悦", "13800138000", "example.com", "1990-05-17", "blue"))
    tokens = [word for data in stored for word in data.split('"') if word.startswith("~p1.")]
    assert None not in await customers.vault.open_all(tokens)
    number = (await customers.get(f"/customers/{id}")).json["number"]
    await customers.post(f"/customers/{id}/forget", {"confirm": number}, "zhao")
    assert set(await customers.vault.open_all(tokens)) == {None}
    async with customers.reader.connection() as conn, conn.transaction():
        await conn.execute("select set_config('forecourt.stores', '*', true)")
        found = await (await conn.execute("select customers_1::text from customers_1 where customer_id = %s", [id])).fetchone()
    assert found is not None
    assert "~p1." not in found[0]
    assert customers.vault.index("phone", "+8613800138000") not in found[0]
    assert await registered(customers) != id


@pytest.mark.touches("CUS-04")
async def test_an_erasure_is_made_up_for_when_the_vault_was_down(customers: Running) -> None:
    id = await registered(customers)
    number = (await customers.get(f"/customers/{id}")).json["number"]
    token = await customers.vault.seal(id, "林悦")
    customers.vault.available = False
    assert (await customers.post(f"/customers/{id}/forget", {"confirm": number}, "zhao")).status == 200
    customers.vault.available = True
    assert await customers.vault.open(token) == "林悦"
    await customers.caretaker.once()
    await customers.caretaker.once()
    assert await customers.vault.open(token) is None
    assert (await customers.events(id))[-2:] == ["CustomerForgotten", "KeysDestroyed"]


async def test_the_caretaker_goes_on_after_an_outage(customers: Running) -> None:
    phone = await customers.vault.seal(PERSON, "+8613800138000")
    customers.vault.available = False
    customers.vault.drop_cached()
    (work,) = beside(customers.client.app, customers)[1]
    task = asyncio.create_task(work)
    await customers.hear(h.converted(name=phone, phone=phone))
    await asyncio.sleep(0.3)
    assert await customers.events(PERSON) == ["CustomerRegistered"]
    customers.vault.available = True
    customers.vault.drop_cached()
    async with asyncio.timeout(10):
        while await customers.events(PERSON) != ["CustomerRegistered", "ContactsIndexed"]:
            await asyncio.sleep(0.05)
    task.cancel()


async def test_a_restored_vault_forgets_again(customers: Running) -> None:
    id = await registered(customers)
    number = (await customers.get(f"/customers/{id}")).json["number"]
    await customers.post(f"/customers/{id}/forget", {"confirm": number}, "zhao")
    await customers.caretaker.once()
    customers.vault._forgotten.clear()
    token = await customers.vault.seal(id, "from a backup")
    await customers.caretaker.forget_again()
    assert await customers.vault.open(token) is None


async def test_records_restored_from_before_an_erasure_are_erased_again(customers: Running) -> None:
    """The vault is never older than the records, so it may know of erasures that they do not."""
    erased, stays = await registered(customers), await registered(customers, phone="13900139000")
    await customers.vault.forget(erased)
    await customers.caretaker.forget_again()
    await customers.caretaker.forget_again()
    await customers.caretaker.once()
    assert await customers.events(erased) == ["CustomerRegistered", "CustomerForgotten", "KeysDestroyed"]
    assert await customers.events(stays) == ["CustomerRegistered"]
    assert (await customers.get(f"/customers/{erased}", "zhao")).status == 410
    assert "customers.CustomerForgotten.v1" in await customers.published()
