"""The platform, a group at work in it, and the oracle that is asked after every fault."""

import json
from collections.abc import Iterator

import pytest

from shared.testing.group import make_group
from shared.testing.platform import Platform
from tests.faults.record import Record
from tests.faults.workload import Desk, furnish
from tests.faults.world import Measured, World, answers, eventually
from tests.oracle import Oracle


@pytest.fixture(scope="session")
def world(platform: Platform) -> Iterator[World]:
    """The platform, with a second door that leads to spare processes instead of the supervisor's."""
    made = World(platform)
    inside = {context: f"http://127.0.0.1:{port}" for context, port in made.spare_ports.items() if context != "gateway"}
    with made.spare("gateway", "serve", FORECOURT_SERVICES=json.dumps(inside)):
        eventually(lambda: answers(made.spare_ports["gateway"]))
        yield made


@pytest.fixture(scope="session")
def desk(world: World) -> Desk:
    """A dealer group whose people can do all that the workload asks of them."""
    made = Desk(make_group(world.platform))
    furnish(made)
    return made


@pytest.fixture(scope="session")
def oracle(world: World) -> Oracle:
    """Knows what must be in the databases."""
    return Oracle(world.plan, world.secrets)


@pytest.fixture
def record(oracle: Oracle) -> Iterator[Record]:
    """What the clients of a test saw; when the test is over, the oracle judges it."""
    kept = Record()
    yield kept
    oracle.settle()
    oracle.check(kept)


@pytest.fixture(scope="session")
def measured() -> Iterator[Measured]:
    """Keeps how long a recovery took; all are told at the end of the session."""
    found: list[str] = []
    yield lambda what, seconds: found.append(f"{what}: {seconds:.2f} s")
    print("\n" + "\n".join(found))
