"""Log records as JSON lines, with an allowlist of fields.

Library code logs constant sentences with identifiers as ``extra``. A field that is not in `FIELDS` is
dropped, not printed, and of an exception only its type and the places in the code are kept: its message may
hold anything.
"""

import logging
import sys
import traceback
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict

FIELDS = (
    "visit",
    "practice",
    "state",
    "effect",
    "kind",
    "code",
    "error",
    "rule",
    "plugin",
    "status",
    "method",
    "route",
)
"""Identifiers and codes. Nothing that a person said or is."""

_QUIET = (
    "alembic",
    "uvicorn.access",
    "httpx",
    "httpcore",
    "aiosqlite",
    "sqlalchemy",
    "asyncio",
    "aiortc",
    "aioice",
)


def _without_messages(_: Any, __: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if isinstance(error, tuple) and error[0] is not None:
        frames = traceback.extract_tb(error[2])
        event["exception"] = error[0].__name__
        event["at"] = [f"{frame.name}:{frame.lineno}" for frame in frames[-8:]]
    return event


def _plain_event(_: Any, __: str, event: EventDict) -> EventDict:
    """Other libraries put values into their sentences, so of theirs only the logger's name is kept.

    Of uvicorn's the sentence is kept, but not the addresses of people who open a WebSocket.
    """
    record = event.get("_record")
    if record is not None and "WebSocket" in str(record.msg):
        event["event"] = str(record.msg).replace("%s", "…")
    if not str(event.get("logger", "")).startswith(("vsdk", "uvicorn.error")):
        event["event"] = "message of another library"
    return event


def configure(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Routes all logging of the process through the allowlist; for ``vsdk serve``, not for libraries."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(allow=FIELDS),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            _plain_event,
            _without_messages,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    sink = logging.StreamHandler(stream or sys.stderr)
    sink.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [sink]
    root.setLevel(level)
    logging.getLogger("uvicorn.error").setLevel(max(level, logging.INFO))  # below, it logs whole messages
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
