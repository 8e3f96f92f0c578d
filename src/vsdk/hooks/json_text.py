"""JSON that every system can read (RFC 7493, I-JSON): no NaN, no half characters, no endless nesting."""

import json
import re
from typing import Any

from pydantic_core import from_json

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DIGITS = bytes.maketrans(b"123456789E", b"000000000e")
_EXPONENT = re.compile(rb"0e\+?0{3,}(?=[]},\s]|\Z)")
_LONG = b"0" * 200


def parse(text: str | bytes) -> Any:
    """The value of JSON in UTF-8. Raises ValueError for whatever is not JSON, or not JSON to others.

    More than 200 levels are too many. A byte order mark is ignored, as RFC 8259 allows.
    """
    data = text.encode() if isinstance(text, str) else text
    value = from_json(data.removeprefix(_BYTE_ORDER_MARK), allow_inf_nan=False, cache_strings="keys")
    return interchangeable(value) if _may_overflow(data) else value


def interchangeable(value: Any) -> Any:
    """The value itself. Raises ValueError when it cannot be written as JSON that all can read."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("JSON with NaN, half a character or too many levels") from None
    return value


def _may_overflow(data: bytes) -> bool:
    """Whether a number may be too large for a float (1.8e308), which is read as infinity.

    Such a number has an exponent of three digits or more, or else at least 200 digits. Not all that looks
    like that is a number, or too large.
    """
    shape = data.translate(_DIGITS)
    return _LONG in shape or _EXPONENT.search(shape) is not None
