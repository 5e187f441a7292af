"""Structured logs on standard error: JSON for machines, columns for a person at a terminal.

What agents remember and what callers authenticate with never reach a log: fields of those names
are blanked, and an exception is logged as its type and its frames, without its message, because a
database error quotes the values that it refused.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

from pinak_ray.records.errors import InvalidInput

__all__ = ["configure_logs"]

PRIVATE = frozenset(
    {
        "answer",
        "arguments",
        "authorization",
        "body",
        "content",
        "details",
        "dsn",
        "evidence",
        "intent",
        "memory",
        "password",
        "private_key",
        "query",
        "secret",
        "text",
        "token",
        "value",
        "vector",
    }
)
_BLANK = "[private]"


def configure_logs(level: str = "info", json: bool | None = None) -> None:
    """Send this process's structlog events of `level` and above to standard error.

    `json` None means JSON unless standard error is a terminal. Raises InvalidInput for a level
    that does not exist.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise InvalidInput(f"unknown log level {level!r}; choose debug, info, warning or error")
    as_json = not sys.stderr.isatty() if json is None else json
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _outline_exception,
            _blank_private,
            structlog.processors.JSONRenderer(serializer=_to_json)
            if as_json
            else structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,  # the loggers follow a later call of this function
    )


def _outline_exception(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace `exc_info` by the error's type and frames; the message stays out."""
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["frames"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
    return event


def _blank_private(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Blank private fields wherever they stand in the event."""
    return {name: _BLANK if name in PRIVATE else _blanked(each) for name, each in event.items()}


def _blanked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _BLANK if name in PRIVATE else _blanked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_blanked(each) for each in value]
    return value


def _to_json(event: Any, **_options: Any) -> str:
    # A log line must come out whatever is in it: what JSON cannot hold is named by its type.
    try:
        return orjson.dumps(event, default=_type_name, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        return orjson.dumps({"event": "a log event could not be written as JSON"}).decode()


def _type_name(value: Any) -> str:
    return f"<{type(value).__qualname__}>"
