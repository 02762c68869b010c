"""What a platform with several of everything is made of, by its plan alone."""

from pathlib import Path

import pytest

from deploy.local.plan import PERSONAL, SERVICES
from shared.store.pool import SIZE
from tests.chaos.plant import Works

RESERVED = 3
"""Connections that PostgreSQL keeps for its superuser."""
POOLS, PARTS = 2, 2
"""Writer and reader; serving and working."""


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_every_process_may_fill_its_pools(tmp_path: Path, scale: int) -> None:
    works = Works(folder=tmp_path, cache=tmp_path, scale=scale)
    assert len(SERVICES) * PARTS * scale * POOLS * SIZE <= works.connections - RESERVED
    assert len(PERSONAL) * PARTS * scale * SIZE <= works.connections // 2 - RESERVED


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_no_port_is_given_twice(tmp_path: Path, scale: int) -> None:
    works = Works(folder=tmp_path, cache=tmp_path, scale=scale)
    used = [port for name in SERVICES for port in works.ports(name)]
    used += [port for broker in works.brokers for port in (broker, broker + 1)]
    used += [port for port, _ in works.ways().values()] + [works.postgres, works.vault, works.redis]
    assert len(used) == len(set(used))
