"""What a platform with several of everything is made of, by its plan alone."""

import json
from pathlib import Path

import pytest

from deploy.local.plan import PERSONAL, SERVICES, Plan
from deploy.local.secrets import generated
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
    used += [port for port, _ in works.ways().values()] + [works.postgres, works.vault, works.redis, works.ops]
    assert len(used) == len(set(used))


@pytest.mark.parametrize("service", SERVICES)
def test_every_wire_of_a_service_is_a_link_and_leads_where_it_led(tmp_path: Path, service: str) -> None:
    works, plain, secrets = Works(folder=tmp_path, cache=tmp_path), Plan(folder=tmp_path, cache=tmp_path), generated()
    ways, told, direct = works.ways(), works.environment(service, secrets, demo=False), plain.environment(service, secrets, demo=False)
    links = {"FORECOURT_WRITER_URL": f"postgres/{service}", "FORECOURT_READER_URL": f"postgres/{service}", "FORECOURT_REDIS_URL": "redis"}
    links |= {"FORECOURT_KAFKA": "kafka/1"} | ({"FORECOURT_VAULT_URL": f"vault/{service}"} if service in PERSONAL else {})
    assert told.keys() == direct.keys()
    services = {"FORECOURT_SERVICES"} & told.keys()
    assert {name for name in told if told[name] != direct[name]} == links.keys() | services
    for name, link in links.items():
        at, (to,) = ways[link]
        assert told[name].replace(f":{at}", f":{to}") == direct[name]


def test_the_gateway_reaches_every_service_by_a_link(tmp_path: Path) -> None:
    works, plain, secrets = Works(folder=tmp_path, cache=tmp_path), Plan(folder=tmp_path, cache=tmp_path), generated()
    told = json.loads(works.environment("gateway", secrets, demo=False)["FORECOURT_SERVICES"])
    direct = json.loads(plain.environment("gateway", secrets, demo=False)["FORECOURT_SERVICES"])
    assert told.keys() == direct.keys() == set(SERVICES) - {"gateway"}
    for context, url in told.items():
        at, (to,) = works.ways()[f"http/{context}"]
        assert url == f"http://127.0.0.1:{at}"
        assert direct[context] == f"http://127.0.0.1:{to}"
