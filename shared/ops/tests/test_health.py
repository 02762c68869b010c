"""Ready means every part is."""

import asyncio

import pytest

from shared.ops import health, metrics
from shared.ops.health import Health


async def good() -> None: ...


async def test_ready_when_every_probe_and_flag_is_good() -> None:
    made = Health()
    made.probe("database", good)
    made.flag("relay", True)
    assert await made.ready() == {"running": True, "database": True, "relay": True}


async def test_a_probe_that_raises_says_no_or_hangs_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)

    async def raising() -> None:
        raise ConnectionError

    async def denying() -> bool:
        return False

    async def hanging() -> None:
        await asyncio.sleep(60)

    made = Health()
    for name, probe in {"a": raising, "b": denying, "c": hanging, "d": good}.items():
        made.probe(name, probe)
    assert await made.ready() == {"running": True, "a": False, "b": False, "c": False, "d": True}


async def test_a_stopping_process_is_not_ready() -> None:
    made = Health()
    made.stopping = True
    assert await made.ready() == {"running": False}


def test_metrics_are_rendered() -> None:
    metrics.request("GET", "/api/v1/things/{thing_id}", 200, 0.01)
    metrics.command("/api/v1/things/{thing_id}", "four-eyes")
    text = metrics.render().decode()
    assert 'forecourt_http_requests_total{method="GET",route="/api/v1/things/{thing_id}",status="200"} 1.0' in text
    assert 'forecourt_commands_total{outcome="four-eyes",route="/api/v1/things/{thing_id}"} 1.0' in text
    assert 'forecourt_http_seconds_bucket{le="0.01",method="GET",route="/api/v1/things/{thing_id}"} 1.0' in text
