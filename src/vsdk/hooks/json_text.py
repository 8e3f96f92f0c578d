"""JSON that every system can read (RFC 7493, I-JSON): no NaN, no half characters, no endless nesting."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

MOST_LEVELS = 200
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_decode = msgspec.json.Decoder().decode


def parse(text: str | bytes) -> Any:
    """The value of JSON in UTF-8. Raises ValueError for whatever is not JSON, or not JSON to others.

    More than `MOST_LEVELS` are too many, and so is a number that no float can hold. A byte order mark is
    ignored, as RFC 8259 allows.
    """
    data = text.encode() if isinstance(text, str) else text
    try:
        value = _decode(data.removeprefix(_BYTE_ORDER_MARK))
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("not JSON, or not JSON to all") from None
    if data.count(b"[") + data.count(b"{") > MOST_LEVELS:
        _require_few_levels(value)
    return value


def interchangeable(value: Any) -> Any:
    """The value itself. Raises ValueError when it cannot be written as JSON that all can read."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("JSON with NaN, half a character or too many levels") from None
    return value


def _require_few_levels(value: Any) -> None:
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [item for one in level for item in _items(one) if isinstance(item, dict | list)]
        if not level:
            return
    raise ValueError("JSON with too many levels")


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
