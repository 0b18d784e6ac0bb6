"""Structured logs: one JSON object a line on standard error, without secrets or pictures."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from edge_capture.addresses import redacted

_SECRET_WORDS: Final = ("password", "secret", "token", "credential", "private", "authorization")
_MOST_CHARACTERS: Final = 2000  # of one value


def configure_logs(level: str) -> None:
    """Log from `level` on. What other libraries log goes to standard error from warnings on."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_secrets,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def without_secrets(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the event with credentials taken out of addresses, secret fields hidden and long values cut."""
    for name, value in event.items():
        if any(word in name.lower() for word in _SECRET_WORDS):
            event[name] = "***"
        elif isinstance(value, bytes | bytearray | memoryview):
            event[name] = f"{len(value)} bytes"
        elif isinstance(value, str):
            event[name] = redacted(value)[:_MOST_CHARACTERS]
    return event
