"""A relay or a consumer as a process of its own, to be killed: `python -m shared.bus.tests.process relay|consumer writer_url kafka prefix`."""

import asyncio
import logging
import sys
from uuid import uuid4

from shared.bus.kafka import KafkaBus
from shared.bus.relay import Relay
from shared.bus.tests.support import Listener, consumer, opened

LEASE = 1.0


async def main(role: str, writer_url: str, kafka: str, prefix: str) -> None:
    async with opened(writer_url) as store:
        bus = KafkaBus(kafka)
        if role == "relay":
            await Relay(store, bus, "orders", uuid4(), lease=LEASE, tick=0.2, batch=10, prefix=prefix).run()
        else:
            await consumer(store, bus, Listener(), prefix=prefix).run()


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    asyncio.run(main(*sys.argv[1:]))
