"""One trace from a click to a read model: the W3C trace context of what is going on, and spans of it when an exporter is configured."""

import importlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult

log = structlog.get_logger()
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Trace:
    """Where we are: the trace, and the span that whatever follows hangs under."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @property
    def traceparent(self) -> str:
        """As it travels in headers and with events."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)
_provider: TracerProvider | None = None


class LogExporter(SpanExporter):
    """Writes spans to the log, for want of a collector."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """One line per span."""
        for span in spans:
            context = span.get_span_context()
            if context and span.end_time and span.start_time:
                seconds = (span.end_time - span.start_time) / 1e9
                log.info("span", name=span.name, trace_id=f"{context.trace_id:032x}", span_id=f"{context.span_id:016x}", seconds=seconds)
        return SpanExportResult.SUCCESS


def configure(service: str, exporter: SpanExporter | None = None) -> None:
    """Starts exporting when OTEL_EXPORTER_OTLP_ENDPOINT is set or an exporter is given (which then gets each span at once)."""
    global _provider
    stop()
    if exporter is None and not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return
    _provider = TracerProvider(resource=Resource.create({"service.name": service}))
    _provider.add_span_processor(SimpleSpanProcessor(exporter) if exporter else BatchSpanProcessor(_otlp() or LogExporter()))


def stop() -> None:
    """Sends what is left and stops exporting."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
        _provider = None


def traceparent() -> str | None:
    """The trace context of what is going on, to be kept with an event; None outside a span."""
    current = _current.get()
    return current.traceparent if current else None


def trace_id() -> str | None:
    """The trace that is going on; None outside a span."""
    current = _current.get()
    return current.trace_id if current else None


@contextmanager
def span(name: str, parent: str | None = None, **attributes: str | int | bool) -> Iterator[Trace]:
    """Continues the trace of `parent` (a traceparent; of the enclosing span when None), or begins one. Attributes hold no personal data."""
    above = read(parent) or _current.get()
    if _provider is None:
        here = Trace(above.trace_id, _random(8), above.flags) if above else Trace(_random(16), _random(8))
        token = _current.set(here)
        try:
            yield here
        finally:
            _current.reset(token)
        return
    started = _provider.get_tracer("forecourt").start_span(name, trace.set_span_in_context(_remote(above)) if above else None)
    started.set_attributes(attributes)
    context = started.get_span_context()
    here = Trace(f"{context.trace_id:032x}", f"{context.span_id:016x}", f"{int(context.trace_flags):02x}")
    token = _current.set(here)
    try:
        yield here
    except Exception as error:
        started.set_status(trace.StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        _current.reset(token)
        started.end()


def past(name: str, parent: str | None, began: int) -> None:
    """A span that began at `began` (ns since the epoch) and ends now, for work done on many traces together."""
    if _provider is not None and (above := read(parent)):
        tracer = _provider.get_tracer("forecourt")
        tracer.start_span(name, trace.set_span_in_context(_remote(above)), start_time=began).end()


def read(traceparent: str | None) -> Trace | None:
    """A traceparent taken apart; None when it is missing or malformed."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return Trace(match[1], match[2], match[3]) if match else None


def _remote(above: Trace) -> trace.Span:
    context = trace.SpanContext(int(above.trace_id, 16), int(above.span_id, 16), True, trace.TraceFlags(int(above.flags, 16)))
    return trace.NonRecordingSpan(context)


def _random(size: int) -> str:
    return os.urandom(size).hex()


def _otlp() -> SpanExporter | None:
    """The OTLP exporter when it is installed."""
    try:
        module = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError:
        log.warning("spans go to the log", why="opentelemetry-exporter-otlp-proto-http is not installed")
        return None
    made: SpanExporter = module.OTLPSpanExporter()
    return made
