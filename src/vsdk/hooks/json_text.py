"""JSON that every system can read (RFC 7493, I-JSON): no NaN, no half characters, no endless nesting."""

import json
import math
from collections.abc import Iterable
from typing import Any, Self

import msgspec

MOST_LEVELS = 200
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOT_OPENING = bytes(set(range(256)) - set(b"[{"))


class Decimal(float):
    """A number with a fraction or an exponent that keeps how it was written: in FHIR, 1.10 says more than 1.1
    (hl7.org/fhir/datatypes.html#decimal). It calculates and compares as the float that it is."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]
        return (self.text,)


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
    if len(data.translate(None, _NOT_OPENING)) > MOST_LEVELS and is_deeper(value, MOST_LEVELS):
        raise ValueError("JSON with too many levels")
    return value


def parse_leniently(text: str) -> Any:
    """The same with whatever else Python reads as JSON, for who looks at the parts with `interchangeable`.

    Raises ValueError.
    """
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_float=Decimal)
    except RecursionError:
        raise ValueError("JSON with too many levels") from None


def interchangeable(value: Any) -> Any:
    """The value itself. Raises ValueError when it cannot be written as JSON that all can read."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("JSON with NaN, half a character or too many levels") from None
    if is_deeper(value, MOST_LEVELS):
        raise ValueError("JSON with too many levels")
    return value


def write(value: Any, *, indent: int = 0) -> bytes:
    """JSON in UTF-8 of what is `interchangeable`, in one line or indented; a `Decimal` as it was written."""
    text = _encode(value)
    return msgspec.json.format(text, indent=indent) if indent else text


def is_deeper(value: Any, levels: int) -> bool:
    """Whether it has more than so many levels of objects and lists."""
    level = [value]
    for _ in range(levels):
        level = [item for one in level for item in _items(one) if isinstance(item, dict | list)]
        if not level:
            return False
    return True


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _finite(text: str) -> Decimal:
    made = Decimal(text)
    if math.isinf(made):
        raise ValueError("a number that no float can hold")
    return made


def _as_written(value: Any) -> msgspec.Raw:
    if isinstance(value, Decimal):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"JSON cannot hold a {type(value).__name__}")


_decode = msgspec.json.Decoder(float_hook=_finite).decode
_encode = msgspec.json.Encoder(enc_hook=_as_written).encode
