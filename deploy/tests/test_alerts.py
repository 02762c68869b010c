"""The alert rules speak of metrics and labels that there are, from the start of a process on."""

import re
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from fastapi import APIRouter
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.plan import SERVICES
from services.gateway.proxy import Proxy
from shared import runtime
from shared.bus.memory import MemoryBus
from shared.deciding import Folder
from shared.events.registry import Registry
from shared.handling import Handler
from shared.ops import metrics
from shared.ops.health import Health
from shared.service import Service
from shared.store.memory import MemoryStore
from shared.web.route import CommandRoute, public
from shared.web.tests.example import PUBLIC, SECRET

RULES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[1] / "observability" / "alerts.yml").read_text())["groups"][0]["rules"]
GIVEN = {"job"}
"""Labels that Prometheus itself gives."""


def labels() -> dict[str, set[str]]:
    """Per metric, as it is exported, its labels."""
    for module in ("shared.bus.metrics", "shared.ops.metrics"):
        import_module(module)
    found = {}
    for collector in list(REGISTRY._collector_to_names):
        name, kind = getattr(collector, "_name", ""), getattr(collector, "_type", "")
        if name.startswith("forecourt_"):
            found[f"{name}_total" if kind == "counter" else name] = set(collector._labelnames)  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_names_metrics_and_labels_that_exist(rule: dict[str, Any]) -> None:
    there, text = labels(), rule["expr"]
    named = set(re.findall(r"forecourt_\w+", text))
    assert named and named <= there.keys()
    theirs = set.union(*(there[metric] for metric in named)) | GIVEN
    asked = {label for group in re.findall(r"by \(([^)]*)\)", text) for label in group.split(", ")}
    asked |= set(re.findall(r"(\w+)=\"", text)) | set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert asked <= theirs
    assert rule["annotations"]["summary"].endswith(".")


def test_whatever_operations_would_raise_an_alarm_for_has_a_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `(forecourt_\w+)` \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    alarming = {
        metric for metric, when in rows if re.match(r"(above|1,|any|rising|older|outcome `unknown`|status 500|the sum)", when.strip())
    }
    ruled = {metric for rule in RULES for metric in re.findall(r"forecourt_\w+", rule["expr"])}
    assert len(alarming) >= 8 and alarming <= ruled


type Labels = dict[str, str]
type Told = dict[str, list[tuple[Labels, float]]]

router = APIRouter(route_class=CommandRoute)


@router.get("/alarmed", openapi_extra=public())
async def look() -> dict[str, str]:
    """Nobody asks."""
    return {}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What a service tells when its parts are put together and nothing has happened yet: labels and values, by metric."""
    store = cast(Any, MemoryStore())
    service = Service(context="alarmed", stored=Registry("alarmed", {}), topics=("orders",), routers=(router,))
    anchors = tmp_path_factory.mktemp("anchors")
    told = {"host": "127.0.0.1", "port": 1, "ops_port": None, "topic_prefix": "forecourt", "anchors": anchors}
    settings: Any = SimpleNamespace(**told, internal_public_key=PUBLIC, cursor_secret=SECRET)
    handler = Handler(store, Folder(service.stored, ()))
    running = runtime.Runtime(
        service=service, settings=settings, store=store, handler=handler, reader=cast(Any, None), vault=None, health=Health()
    )
    for part in runtime._work(running, settings, cast(Any, MemoryBus())):
        part.close()
    runtime._listening_on(running, settings, ("serve",))
    Proxy({"alarmed": "http://127.0.0.1:1"})
    found: Told = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            if any("alarmed" in value for value in sample.labels.values()):
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def expression(alert: str) -> str:
    (found,) = (rule["expr"] for rule in RULES if rule["alert"] == alert)
    return str(found)


RISING = [
    (rule["alert"], metric, dict(re.findall(r"(\w+)=\"(\w+)\"", matchers)))
    for rule in RULES
    for metric, matchers in re.findall(r"(?:increase|rate)\((\w+)(?:\{([^}]*)\})?\[", rule["expr"])
]


@pytest.mark.parametrize(("alert", "metric", "wanted"), RISING, ids=[f"{alert}-{'-'.join(wanted.values())}" for alert, _, wanted in RISING])
def test_what_a_rule_sees_rise_is_there_before_it_has_risen(alert: str, metric: str, wanted: Labels, started: Told) -> None:
    """A step from nothing to one is none: the first message, request or batch that fails would alert nobody."""
    there = [(labels, value) for labels, value in started.get(metric, []) if wanted.items() <= labels.items()]
    assert there and all(value == 0 for _, value in there)
    asked = {label for group in re.findall(r"by \(([^)]*)\)", expression(alert)) for label in group.split(", ")}
    assert asked - GIVEN <= there[0][0].keys()


def test_every_rule_on_what_rises_was_looked_at() -> None:
    assert {alert for alert, *_ in RISING} == {
        "PublishingFails",
        "UnknownEvents",
        "MessagesFail",
        "ServerErrors",
        "Unanswered",
        "Unavailable",
    }
    assert sum(len(re.findall(r"\b(?:increase|i?rate)\(", rule["expr"])) for rule in RULES) == len(RISING)


def test_each_context_is_missed_when_none_of_its_processes_reports() -> None:
    """A sum over no process is no number, and nothing is not unequal to 1."""
    head, *gone = expression("NobodyRelays").split(" or ")
    assert head == "sum by (context) (forecourt_relay_leading) != 1"
    assert sorted(gone) == sorted(f'absent(forecourt_relay_leading{{context="{context}"}}) - 1' for context in SERVICES)


def test_who_has_not_led_yet_does_not_count_as_leading(started: Told) -> None:
    assert started["forecourt_relay_leading"] == [({"context": "alarmed"}, 0)]


def test_what_was_never_anchored_is_older_than_two_hours(started: Told) -> None:
    assert started["forecourt_anchored_timestamp_seconds"] == [({"context": "alarmed"}, 0)]
    assert expression("NotAnchored") == "time() - max by (context) (forecourt_anchored_timestamp_seconds) > 7200"


def test_a_log_that_is_not_kept_alerts_for_each_database() -> None:
    assert expression("ArchiveFails") == "max by (database) (forecourt_archive_failing) > 0"


def test_parked_messages_alert_for_as_long_as_they_are_parked() -> None:
    """Not for as long as it is not long ago that they were."""
    assert expression("MessageParked") == "max by (consumer) (forecourt_parked_messages) > 0"
