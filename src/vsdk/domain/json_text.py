"""JSON that every system can read (RFC 7493, I-JSON): no NaN, no half characters, no endless nesting."""

import json
from typing import Any


def parse(text: str | bytes) -> Any:
    """Like `json.loads`. Raises ValueError for whatever is not JSON, or not JSON to others."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("JSON with too many levels") from None
    return interchangeable(value)


def interchangeable(value: Any) -> Any:
    """The value itself. Raises ValueError when it cannot be written as JSON that all can read."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("JSON with NaN, half a character or too many levels") from None
    return value
