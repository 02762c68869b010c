"""A96, A100: lines that cannot be forged and tell nothing of persons."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from shared.ops import telemetry
from shared.ops.logging import configure_logging

type Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def start(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], Lines]]:
    """Starts the log in the test itself (its standard output is its own); gives what has been logged since, line by line."""
    root = logging.getLogger()
    before = root.handlers, root.level

    def started() -> Lines:
        configure_logging("INFO", "orders")
        return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    yield started
    structlog.reset_defaults()
    root.handlers, root.level = before


def test_a_line_is_json_with_service_and_trace(start: Callable[[], Lines]) -> None:
    lines = start()
    with telemetry.span("x") as trace:
        structlog.get_logger().info("order placed", order="o-1", lines=3)
    (line,) = lines()
    assert line["event"] == "order placed"
    assert (line["service"], line["trace_id"], line["lines"], line["level"]) == ("orders", trace.trace_id, 3, "info")
    assert line["timestamp"].endswith("Z")


def test_a96_a_line_cannot_be_forged(start: Callable[[], Lines]) -> None:
    lines = start()
    structlog.get_logger().info('x\r\n{"level":"error"}', what="a\nb\u2028c\u0085d\ud800")
    logging.getLogger("uvicorn.error").warning("bad\r\nline %s", "a\nb")
    first, second = lines()
    assert first["event"] == 'x\r\n{"level":"error"}'
    assert first["what"] == "a\nb\ufffdc\ufffdd\ufffd"
    assert second["event"] == "bad\r\nline a\nb"


@pytest.mark.parametrize(
    "secret",
    [
        "lin.yue@example.com",
        "+86 138 0013 8000",
        "13800138000",
        "11010519491231002X",
        "eyJhbGciOiJF.eyJpc3Mi.c2ln",
        "postgresql://writer:hunter2@db/orders",
    ],
)
def test_a100_what_looks_personal_is_hidden_wherever_it_stands(start: Callable[[], Lines], secret: str) -> None:
    lines = start()
    structlog.get_logger().info(f"seen {secret} here", where=[{"deep": secret}], error=ValueError(secret))
    logging.getLogger("other").warning("seen %s", secret)
    assert not any(secret in json.dumps(line) or "hunter2" in json.dumps(line) for line in lines())


def test_a100_values_are_hidden_by_name(start: Callable[[], Lines]) -> None:
    lines = start()
    structlog.get_logger().info("x", password="p", phone="1", more={"token": "t", "id": "i"})
    (line,) = lines()
    assert (line["password"], line["phone"], line["more"]) == ("[hidden]", "[hidden]", {"token": "[hidden]", "id": "i"})


def test_ids_moments_and_numbers_stay(start: Callable[[], Lines]) -> None:
    lines = start()
    told = {"id": "01920000-1234-5678-9012-123456789012", "at": "2026-11-22 09:30:00", "n": 13800138000, "vin": "LSGXE83L3KD123456"}
    structlog.get_logger().info("order SO-HD-20261122-001", **told)
    (line,) = lines()
    assert {name: line[name] for name in told} == told
    assert line["event"] == "order SO-HD-20261122-001"


def test_an_exception_is_told_without_its_values(start: Callable[[], Lines]) -> None:
    lines = start()
    try:
        raise ValueError("duplicate key\nDETAIL: Key (phone)=(x secret) already exists.")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("other").exception("failed too")
    told = lines()
    assert [line["event"] for line in told] == ["failed", "failed too"]
    for line in told:
        assert (line["error"], line["message"]) == ("ValueError", "duplicate key\n")
        assert any("test_logging.py" in frame for frame in line["at"])


def test_levels(start: Callable[[], Lines]) -> None:
    lines = start()
    structlog.get_logger().debug("no")
    logging.getLogger("aiokafka").debug("no")
    logging.getLogger("uvicorn.access").info("no")
    assert lines() == []
