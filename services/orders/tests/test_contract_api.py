"""The contract: nobody signs without a name, it is printed as it was signed, and who alters it is noticed."""

from typing import Any

import psycopg
import pytest

from services.orders.tests import hearing
from services.orders.tests.hearing import CUSTOMER, RED
from services.orders.tests.running import Running
from services.orders.tests.test_api import approved, cny, seen, signed, text_of
from shared.contracts import orders as public


async def test_nobody_signs_a_contract_without_a_name(orders: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vault is away while the name is opened, and back when the contract is sealed."""
    order_id = await approved(orders)
    await orders.hear(hearing.reserved(orders.last(public.VehicleRequested)))

    async def away(tokens: list[str | None]) -> list[None]:
        return [None for _ in tokens]

    with monkeypatch.context() as patch:
        patch.setattr(orders.vault, "open_all", away)
        answer = await orders.post(f"/orders/{order_id}/sign", {"signer": "林悦", "earnest": cny("20000.00")})
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert (await row_of(orders, order_id))["document"] is None


async def test_the_contract_is_printed_as_it_was_signed(orders: Running) -> None:
    order_id = await approved(orders)
    unsecured = await orders.post(f"/orders/{order_id}/sign", {"signer": "林悦", "earnest": cny("20000.00")})
    assert (unsecured.status, unsecured.problem) == (409, "vehicle-not-secured")
    draft = await orders.get(f"/orders/{order_id}/contract.pdf")
    assert RED in text_of(draft.body)
    await orders.hear(hearing.reserved(orders.last(public.VehicleRequested)))
    greedy = await orders.post(f"/orders/{order_id}/sign", {"signer": "林悦", "earnest": cny("37960.01")})
    assert (greedy.status, greedy.problem) == (409, "earnest-too-high")
    await orders.post(f"/orders/{order_id}/sign", {"signer": "林悦", "earnest": cny("37960.00")})
    first = await orders.get(f"/orders/{order_id}/contract.pdf")
    sha256 = (await seen(orders, order_id))["sha256"]
    assert sha256[:16] in text_of(first.body).replace("\n", "").replace(" ", "")
    await orders.hear(hearing.store(code="BJ9"), hearing.customer)
    assert (await orders.get(f"/orders/{order_id}/contract.pdf")).body == first.body
    assert (await orders.get(f"/orders/{order_id}/contract.pdf", "chen")).problem == "forbidden"
    await orders.vault.forget(CUSTOMER)
    assert (await orders.get(f"/orders/{order_id}/contract.pdf")).status == 410


async def test_an_altered_contract_is_noticed(orders: Running) -> None:
    order_id = await signed(orders)
    text = await orders.vault.open((await row_of(orders, order_id))["document"])
    assert text is not None
    forged = await orders.vault.seal(CUSTOMER, text.replace("18980000", "17980000"))
    async with orders.store.begin() as tx:
        await tx.conn.execute("update order_book_1 set document = %s where order_id = %s", [forged, order_id])
    answer = await orders.get(f"/orders/{order_id}/contract.pdf")
    assert (answer.status, answer.problem) == (409, "contract-altered")


async def row_of(orders: Running, order_id: str) -> dict[str, Any]:
    """The order's row as it is stored."""
    async with orders.reader.connection() as connection, connection.transaction():
        await connection.execute("select set_config('forecourt.stores', '*', true)")
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        found: dict[str, Any] | None = await (await cursor.execute("select * from order_book_1 where order_id = %s", [order_id])).fetchone()
    assert found is not None
    return found
