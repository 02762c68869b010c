"""What Prometheus is told of requests and commands; relay and consumers tell it the rest themselves."""

from functools import lru_cache

from prometheus_client import Counter, Histogram, disable_created_metrics, generate_latest

disable_created_metrics()  # type: ignore[no-untyped-call]
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_requests = Counter("forecourt_http_requests", "Requests answered.", ("method", "route", "status"))
_seconds = Histogram(
    "forecourt_http_seconds",
    "Seconds from a request's head to its answer.",
    ("method", "route"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
_FAILURES = ("500", "503")
_commands = Counter("forecourt_commands", "Commands by outcome: done, repeated or the problem.", ("route", "outcome"))

_refusals = Counter("forecourt_refusals", "Commands of listeners and timers that a rule refused.", ("command", "problem"))

unanswered = Counter("forecourt_unanswered", "Requests for which the gateway had no answer of the service.", ("context", "why"))


def expect(method: str, route: str) -> None:
    """Counts a route's failures from nought: of a counter that appears with its first one, Prometheus sees no step."""
    for status in _FAILURES:
        _request_counter(method, route, status)


def request(method: str, route: str, status: int, seconds: float) -> None:
    """A request of a route (its template, never a path) was answered."""
    _request_counter(method, route, str(status)).inc()
    _request_timer(method, route).observe(seconds)


def command(route: str, outcome: str) -> None:
    """A command was handled: `done`, `repeated` or a problem's slug."""
    _command_counter(route, outcome).inc()


def refused(name: str, problem: str) -> None:
    """A rule refused what followed from an event or a timer."""
    _refusals.labels(name, problem).inc()


def render() -> bytes:
    """All metrics of the process, as Prometheus reads them."""
    return generate_latest()


@lru_cache(2048)
def _request_counter(method: str, route: str, status: str) -> Counter:
    return _requests.labels(method, route, status)


@lru_cache(512)
def _request_timer(method: str, route: str) -> Histogram:
    return _seconds.labels(method, route)


@lru_cache(2048)
def _command_counter(route: str, outcome: str) -> Counter:
    return _commands.labels(route, outcome)
