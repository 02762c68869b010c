"""What really was published, told again in any order that keeps each stream's own: every service ends up knowing the same."""

import random
from collections import defaultdict

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.bus.cloudevents import Envelope, read
from shared.bus.protocol import Message
from tests.faults.record import Record
from tests.faults.workload import COST, Desk, car, lead, receipt, reserve_and_release
from tests.oracle import Oracle
from tests.outcomes import Known, told

MOST = 800
"""Messages; of the newest."""
EXAMPLES = 8


def known(rows: Known) -> dict[str, dict[str, str]]:
    """The same, to be compared and read."""
    return {
        table.sql_name: {str(key): repr(msgspec.to_builtins(row)) for key, row in found.items()} for table, found in rows.items() if found
    }


def shuffled(messages: list[Message], dice: random.Random) -> list[Message]:
    """Streams woven anew, each in its own order."""
    streams: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        envelope = read(message)
        if isinstance(envelope, Envelope):
            streams[f"{envelope.source}/{envelope.stream}"].append(message)
    turns = [name for name, mine in streams.items() for _ in mine]
    dice.shuffle(turns)
    left = {name: iter(mine) for name, mine in streams.items()}
    return [next(left[name]) for name in turns]


def test_f16_and_f17_whatever_comes_first_every_service_knows_the_same(desk: Desk, oracle: Oracle, record: Record) -> None:
    clerk, seller = desk.client(record, "stock"), desk.client(record, "sales")
    for _ in range(3):
        vin = desk.vin()
        clerk.finish(car(desk, clerk, vin))
        clerk.finish(clerk.begin("inventory", f"/vehicles/{vin}/costs", {"kind": "freight", "supplier": "Swift", "amount": COST}))
        reserve_and_release(desk, seller, vin)
    cashier, colleague = desk.client(record, "cashier"), desk.client(record, "colleague")
    cashier.finish(receipt(desk, cashier))
    colleague.finish(lead(desk, colleague))
    oracle.settle()
    topics = oracle.topics()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )
    @given(st.integers(0, 2**32))
    def any_order(seed: int) -> None:
        dice = random.Random(seed)
        for service in oracle.services.values():
            messages = [message for source in service.topics for message in topics.get(source, ())][-MOST:]
            woven = shuffled(messages, dice)
            late = [*woven, *dice.sample(woven, min(50, len(woven)))]
            assert known(told(service, late)) == known(told(service, messages)), f"{service.context}, seed {seed}"

    any_order()
