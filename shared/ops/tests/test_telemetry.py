"""One trace, with and without an exporter."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.ops import telemetry

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Spans as they end."""
    made = InMemorySpanExporter()
    telemetry.configure("example", made)
    yield made
    telemetry.stop()


def test_outside_a_span_there_is_no_trace() -> None:
    assert telemetry.traceparent() is None
    assert telemetry.trace_id() is None


def test_a_span_continues_its_parent() -> None:
    with telemetry.span("click", PARENT) as outer:
        assert outer.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
        assert outer.span_id != "00f067aa0ba902b7"
        with telemetry.span("command") as inner:
            assert telemetry.traceparent() == inner.traceparent
            assert inner.trace_id == outer.trace_id
            assert inner.span_id != outer.span_id
        assert telemetry.traceparent() == outer.traceparent
    assert telemetry.traceparent() is None


@pytest.mark.parametrize(
    "parent",
    [
        None,
        "",
        "x",
        PARENT.upper(),
        PARENT + "-x",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        f"01{PARENT[2:]}",
    ],
)
def test_a_malformed_parent_begins_a_new_trace(parent: str | None) -> None:
    with telemetry.span("click", parent) as made:
        assert telemetry.read(made.traceparent) == made
        assert made.trace_id not in PARENT


def test_spans_are_exported_as_one_trace(exporter: InMemorySpanExporter) -> None:
    with telemetry.span("POST", PARENT, route="/orders"), telemetry.span("command"):
        event = telemetry.traceparent()
    with telemetry.span("reporting hears orders.OrderPlaced", event):
        pass
    command, post, heard = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in (command, post, heard) if span.context} == {PARENT.split("-")[1]}
    assert post.parent
    assert f"{post.parent.span_id:016x}" == PARENT.split("-")[2]
    assert heard.parent
    assert command.context
    assert heard.parent.span_id == command.context.span_id
    assert dict(post.attributes or {}) == {"route": "/orders"}


def test_an_error_marks_its_span(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="secret"), telemetry.span("command"):
        raise ValueError("secret")
    (span,) = exporter.get_finished_spans()
    assert span.status.description == "ValueError"
    assert not span.events


def test_work_done_on_many_traces_together_is_a_span_of_each(exporter: InMemorySpanExporter) -> None:
    other = PARENT.replace("4bf9", "5bf9")
    for parent in (PARENT, other, None):
        telemetry.past("reporting takes orders.OrderPlaced.v1", parent, 1_000)
    traces = {f"{span.context.trace_id:032x}" for span in exporter.get_finished_spans() if span.context}
    assert traces == {PARENT.split("-")[1], other.split("-")[1]}


def test_without_a_collector_spans_go_to_the_log(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    telemetry.configure("example")
    with telemetry.span("click"):
        pass
    telemetry.stop()
    assert "click" in capsys.readouterr().out


def test_nothing_is_exported_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    telemetry.configure("example")
    assert telemetry._provider is None
