"""The alert rules speak of metrics and labels that there are."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

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
        metric for metric, when in rows if re.match(r"(above|1,|any|rising|older|outcome `parked`|status 500|the sum)", when.strip())
    }
    ruled = {metric for rule in RULES for metric in re.findall(r"forecourt_\w+", rule["expr"])}
    assert len(alarming) >= 8 and alarming <= ruled
