"""The log: JSON lines on standard output, one per event, without personal data and safe from forged lines."""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from shared.ops import telemetry

HIDDEN = frozenset(
    {
        "address",
        "api_key",
        "authorization",
        "birthday",
        "body",
        "cookie",
        "customer_name",
        "display_name",
        "email",
        "full_name",
        "id_number",
        "params",
        "password",
        "person_name",
        "phone",
        "plate",
        "query",
        "secret",
        "token",
        "username",
    }
)
"""Names whose values are never written."""
_FRAMES = 8
_LENGTH = 2_000
_PERSONAL = re.compile(
    r"(?P<token>eyJ[\w-]+\.[\w-]+\.[\w-]+)"
    r"|(?P<password>://[^\s/:@]+:[^\s@]+@)"
    r"|(?P<email>[\w.+-]+@[\w-]+\.[\w.-]+)"
    r"|(?P<number>(?<![\w.-])(?!\d{4}-\d\d-\d\d)\+?\d[\d ()-]{6,20}\d(?![\w.-])|(?<!\w)\d{17}[\dXx](?!\w))"
)
_UNWRITABLE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What JSON leaves as it is, but a reader of lines takes for a break or a change of direction, or cannot be written."""
_DETAIL = re.compile(r"\b(DETAIL|CONTEXT|LINE \d+):.*", re.DOTALL)

type Entry = MutableMapping[str, Any]


def configure_logging(level: str, service: str) -> None:
    """Sends structlog and the standard library's loggers (uvicorn, aiokafka) to the same lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Where(service),
        _exception,
        scrub,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer(ensure_ascii=False)],
            pass_foreign_args=False,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.getLevelNamesMapping()[level], logging.INFO))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = name != "uvicorn.access"
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it floods while a broker is away; relay and consumer tell it once


class _Where:
    """Adds the service and the trace."""

    def __init__(self, service: str) -> None:
        self.service = service

    def __call__(self, logger: Any, method: str, entry: Entry) -> Entry:
        """A structlog processor."""
        entry["service"] = self.service
        if "trace_id" not in entry and (trace_id := telemetry.trace_id()):
            entry["trace_id"] = trace_id
        return entry


def scrub(logger: Any, method: str, entry: Entry) -> Entry:
    """A structlog processor: hides values by their name, and what looks like a person's wherever it stands."""
    for name, value in entry.items():
        entry[name] = "[hidden]" if name in HIDDEN else _scrubbed(value, name)
    return entry


def _scrubbed(value: Any, name: str = "") -> Any:
    match value:
        case str() if name in ("timestamp", "trace_id", "span_id", "level"):
            return value
        case str():
            return _UNWRITABLE.sub("\ufffd", _PERSONAL.sub(lambda found: f"[{found.lastgroup}]", value[:_LENGTH]))
        case bool() | int() | float() | None:
            return value
        case dict():
            return {str(key): "[hidden]" if key in HIDDEN else _scrubbed(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_scrubbed(inner) for inner in value]
        case _:
            return _scrubbed(str(value))


def _exception(logger: Any, method: str, entry: Entry) -> Entry:
    """A structlog processor: an exception as its type, its first words and where it was raised; never a database's DETAIL."""
    info = entry.pop("exc_info", None)
    if not info:
        return entry
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else sys.exc_info()[1]
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        entry["error"] = type(error).__name__
        entry["message"] = _DETAIL.sub("", str(error))[:300]
        entry["at"] = [f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} {frame.name}" for frame in frames]
    return entry
