"""Who gets which port and which secret."""

import json
import os
import stat
from pathlib import Path

import pytest

from deploy.local.plan import PERSONAL, SERVICES, Plan
from deploy.local.process import Problem, check_disk
from deploy.local.secrets import generated, kept
from shared.ops.settings import Settings


@pytest.fixture
def plan() -> Plan:
    return Plan.from_environment({})


def test_ports(plan: Plan) -> None:
    assert plan.url == "http://127.0.0.1:8080"
    assert [plan.port(each) for each in ("leads", "orders", "reporting", "gateway")] == [8101, 8105, 8108, 8080]
    assert (plan.postgres, plan.vault, plan.kafka, plan.redis) == (8432, 8433, 8492, 8479)


def test_ports_can_be_chosen() -> None:
    plan = Plan.from_environment({"PORT": "9999", "BASE_PORT": "20000"})
    assert (plan.gateway, plan.port("leads"), plan.postgres) == (9999, 20101, 20432)


@pytest.mark.parametrize(
    "chosen", [{"PORT": "http"}, {"PORT": "40000"}, {"BASE_PORT": "80"}, {"PORT": "8432"}, {"PORT": "8101"}, {"PORT": "8109"}]
)
def test_impossible_ports(chosen: dict[str, str]) -> None:
    with pytest.raises(Problem, match="PORT"):
        Plan.from_environment(chosen)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_can_start_on_what_it_is_told(plan: Plan, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = generated()
    for name in [name for name in os.environ if name.startswith("FORECOURT_")]:
        monkeypatch.delenv(name)
    for name, value in plan.environment(service, secrets, demo=True).items():
        monkeypatch.setenv(name, value)
    settings = Settings()  # type: ignore[call-arg]
    assert settings.port == plan.port(service)
    assert settings.ops_port == (8109 if service == "gateway" else None)
    assert settings.reader_role == f"{service}_reader"
    assert (settings.vault_url is not None) == (service in PERSONAL)
    assert (settings.internal_private_key is not None) == (service == "gateway")
    assert (settings.demo_password is not None) == (service == "gateway")
    assert settings.demo_password == settings.admin_password


def test_no_service_learns_a_servers_superuser_or_anothers_password(plan: Plan) -> None:
    secrets = generated()
    told = json.dumps(plan.environment("marketing", secrets, demo=True))
    known = {name for name, value in secrets.items() if json.dumps(value)[1:-1] in told}
    assert known == {
        *("marketing_writer_password", "marketing_reader_password", "redis_password"),
        *("internal_public_key", "cursor_secret", "index_key"),
    }


def test_secrets_are_made_once(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = kept(path, {"demo_password": "mine-alone"})
    assert first["demo_password"] == "mine-alone"
    assert kept(path, {"demo_password": "too late"}) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["secrets.json"]


def test_secrets_of_a_later_version_join_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = kept(path)
    path.write_text(json.dumps({name: value for name, value in first.items() if name != "index_key"}))
    assert {name for name, value in kept(path).items() if value != first[name]} == {"index_key"}


def test_damaged_secrets_are_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("{")
    with pytest.raises(Problem, match="damaged"):
        kept(path)


def test_a_full_disk_is_noticed_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="make room"):
        check_disk(tmp_path, needed=10**18)
