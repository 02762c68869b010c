"""In containers a service is told what it is told on a laptop, no more and no less."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.plan import SERVICES, Plan
from deploy.local.secrets import generated

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


@pytest.mark.parametrize("service", SERVICES)
def test_same_variables_as_the_supervisor(compose: Any, service: str) -> None:
    told = Plan.from_environment({}).environment(service, generated(), demo=False)
    assert set(compose[service]["environment"]) == set(told)


def test_every_container_says_whether_it_is_well(compose: Any) -> None:
    assert [name for name, each in compose.items() if "healthcheck" not in each] == ["setup"]
    assert set(compose) == {*SERVICES, "postgres", "vault", "kafka", "redis", "setup"}


def test_only_the_gateway_is_reached_from_outside(compose: Any) -> None:
    assert [name for name, each in compose.items() if "ports" in each] == ["gateway"]


def test_every_secret_is_demanded_and_made(compose: Any) -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+):\?\}", (ROOT / "docker-compose.yml").read_text()))
    assert asked <= {name.upper() for name in generated()}
