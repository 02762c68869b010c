"""Kept connections to a service: used again while they are good, never in the wrong order, never for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from services.gateway import upstream
from services.gateway.upstream import Late, Lost, Upstream

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Service:
    """Answers each request on a connection with the next of its answers; b"" closes instead."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while self.answers and await reader.readuntil(b"\r\n\r\n"):
                answer = self.answers.pop(0)
                writer.write(answer)
                await writer.drain()
                if not answer:
                    break
            else:
                await reader.read()
        writer.close()


@asynccontextmanager
async def talking(*answers: bytes) -> AsyncIterator[tuple[Service, Upstream]]:
    service = Service(*answers)
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    to = Upstream("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield service, to
    finally:
        to.close()
        server.close()


async def said(to: Upstream, *, head: bool = False, again: bool = False) -> bytes:
    answer = await to.ask(b"GET / HTTP/1.1\r\n\r\n", head=head, again=again)
    try:
        assert answer.status == 200
        return b"".join([chunk async for chunk, _ in answer.chunks()])
    finally:
        to.give_back(answer)


async def test_a_connection_is_used_again() -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
    async with talking(ANSWER, chunked, ANSWER) as (service, to):
        assert [await said(to) for _ in range(3)] == [b"hello"] * 3
        assert service.connections == 1


async def test_the_answer_to_head_has_no_body_and_ends_its_connection() -> None:
    async with talking(ANSWER[:-5], ANSWER) as (service, to):
        assert await said(to, head=True) == b""
        assert await said(to) == b"hello"
        assert service.connections == 2


async def test_what_was_not_answered_is_asked_again_only_where_that_is_allowed() -> None:
    async with talking(ANSWER, b"", ANSWER) as (service, to):
        assert await said(to) == b"hello"
        assert await said(to, again=True) == b"hello"
        assert service.connections == 2
    async with talking(ANSWER, b"", ANSWER) as (service, to):
        assert await said(to) == b"hello"
        with pytest.raises(Lost):
            await said(to)
        assert service.connections == 1


async def test_an_answer_that_breaks_off_is_lost() -> None:
    async with talking(ANSWER[:-2], b"") as (_, to):
        answer = await to.ask(b"GET / HTTP/1.1\r\n\r\n")
        body = answer.chunks()
        assert await anext(body) == (b"hel", True)
        answer.close()
        with pytest.raises(Lost):
            await anext(body)


async def test_a_service_that_says_nothing_is_late_and_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "READ", 0.02)
    async with talking(b"HTTP/1.1 200", ANSWER) as (service, to):
        with pytest.raises(Late):
            await said(to, again=True)
        assert service.connections == 1


async def test_a_second_answer_to_one_request_ends_the_connection() -> None:
    async with talking(ANSWER + ANSWER.replace(b"hello", b"other"), ANSWER) as (service, to):
        assert await said(to) == b"hello"
        assert await said(to) == b"hello"
        assert service.connections == 2


async def test_what_comes_unasked_is_nobodys_answer() -> None:
    async with talking(ANSWER, ANSWER) as (service, to):
        answer = await to.ask(b"GET / HTTP/1.1\r\n\r\n")
        assert [one async for one in answer.chunks()] == [(b"hello", False)]
        to.give_back(answer)
        answer.data_received(ANSWER)
        assert not answer.usable
        assert await said(to) == b"hello"
        assert service.connections == 2


async def test_an_idle_connection_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "KEPT", 0.0)
    async with talking(ANSWER, ANSWER) as (service, to):
        assert await said(to) == b"hello"
        await asyncio.sleep(0.01)
        assert await said(to) == b"hello"
        assert service.connections == 2


async def test_nobody_there_is_lost() -> None:
    with pytest.raises(Lost):
        await said(Upstream("127.0.0.1", 1), again=True)
