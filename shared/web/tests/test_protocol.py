"""What is written in one go leaves in one piece, in order, and before the connection is closed."""

import asyncio
from typing import Any, cast

from shared.web.protocol import Joined


class Wire:
    """Keeps what reaches it."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.sent.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.sent

    def get_extra_info(self, name: str) -> str:
        return name


def joined(wire: Wire) -> Joined:
    return Joined(cast(asyncio.Transport, wire))


async def test_what_is_written_in_one_go_is_one_write() -> None:
    wire = Wire()
    transport = joined(wire)
    for data in (b"head", b"body"):
        transport.write(data)
    assert wire.sent == []
    await asyncio.sleep(0)
    transport.write(b"next")
    await asyncio.sleep(0)
    assert wire.sent == [b"headbody", b"next"]


async def test_nothing_is_lost_or_added_when_it_is_closed() -> None:
    wire = Wire()
    transport = joined(wire)
    transport.write(b"last")
    transport.close()
    transport.write(b"late")
    await asyncio.sleep(0)
    assert wire.sent == [b"last", "closed"]
    assert transport.get_extra_info("peername") == "peername"
