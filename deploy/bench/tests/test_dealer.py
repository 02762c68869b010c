"""Clients of whole sales wait for what they must, and Tryton's for what it must; nothing here looks at how fast anything is."""

import asyncio
import http.client
import json
from typing import Any

import pytest

from deploy.bench import sale
from deploy.bench.dealer import Line, Till
from deploy.bench.measure import Prepared, Took
from deploy.bench.peers import tryton
from deploy.bench.peers.run import Failed
from deploy.local.process import Problem


def answer(status: int, body: object, mark: str = "") -> tuple[int, bytes]:
    told = f"\r\nforecourt-seen: {mark}" if mark else ""
    return status, f"HTTP/1.1 {status} X\r\ncontent-type: application/json{told}\r\n\r\n{json.dumps(body)}".encode()


class Told(Line):
    """A service that answers as it is told, and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        super().__init__(0)
        self.answers = list(answers)
        self.asked: list[bytes] = []

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        self.asked.append(request)
        return self.answers.pop(0)


async def test_a_service_is_shown_what_was_done_elsewhere_and_asked_again_with_the_same_key() -> None:
    orders = Told(answer(201, {"id": "o1"}, "orders/order-o1@100"), answer(200, {"id": "o1"}, "orders/order-o1@300"))
    finance = Told(answer(409, {"type": "/problems/not-yet-seen"}), answer(201, {"id": "r1"}))
    till = Till({"orders": orders, "finance": finance}, {"sales": "Bearer a", "cashier": "Bearer b"})
    assert await till.did("sales", "/orders", {"vin": "X"}) == "o1"
    await till.did("sales", "/orders/o1/sign")
    assert await till.did("cashier", "/receipts", {"order_id": "o1"}, after=True) == "r1"
    assert not any(b"forecourt-seen" in request for request in orders.asked)
    first, again = finance.asked
    assert first == again
    assert b"forecourt-seen: orders/order-o1@300\r\n" in first
    assert b"authorization: Bearer b\r\n" in first


async def test_a_refusal_ends_the_sale() -> None:
    till = Till({"orders": Told(answer(409, {"type": "/problems/illegal-transition"}))}, {"sales": "Bearer a"})
    with pytest.raises(Problem, match="illegal-transition"):
        await till.did("sales", "/orders/o1/submit")


async def test_what_comes_about_by_events_is_looked_for_until_it_has() -> None:
    finance = Told(answer(404, {}), answer(200, {"items": []}), answer(200, {"items": [{"vin": "X", "status": "sold"}]}))
    await Till({"finance": finance}, {"accountant": "Bearer a"}).eventually("accountant", "/ledger/cars?vin=X", status="sold")
    assert len(finance.asked) == 3


async def test_a_line_that_was_closed_is_opened_again() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(once, "127.0.0.1", 0) as server:
        line = Line(server.sockets[0].getsockname()[1])
        for _ in range(3):
            status, _ = await line.ask(b"GET / HTTP/1.1\r\n\r\n")
            assert status == 200
        line.close()


async def test_there_are_cars_for_a_turn_as_long_as_it_is_asked_to_be() -> None:
    class Dealer:
        stocked, sold = list[int](), list[int]()

        async def stock(self, many: int) -> None:
            self.stocked.append(many)

        async def at_work(self, clients: int, each: int, *, whole: bool) -> Took:
            self.sold.append(clients * each)
            return Took(operations=clients * each, seconds=0.25 * each)

    dealer: Any = Dealer()
    contender = sale.working(dealer, 8, whole=True)
    assert isinstance(contender, Prepared)
    for _ in range(2):
        await contender.prepare()
        await contender.run(2.0)
    assert dealer.stocked == dealer.sold == [8, 64]


def test_tryton_is_asked_again_after_a_lost_race_and_believed_when_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    class Answers:
        def __init__(self, *_: object, **__: object) -> None:
            self.told: list[tuple[int, object]] = [
                (200, ["u", "s"]),
                (503, "busy"),
                (200, {"language": "en"}),
                (200, {"error": "no stock"}),
            ]

        def request(self, *_: object) -> None:
            self.status, self.body = self.told.pop(0)

        def getresponse(self) -> "Answers":
            return self

        def read(self) -> bytes:
            return json.dumps(self.body).encode()

    monkeypatch.setattr(http.client, "HTTPConnection", Answers)
    client = tryton.Client(0, {})
    assert client.context == {"language": "en"}
    with pytest.raises(Failed, match="no stock"):
        client.call("model.sale.sale.confirm", [1], {})
