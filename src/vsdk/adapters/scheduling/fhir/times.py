"""FHIR instants as they are really written (hl7.org/fhir/R4/datatypes.html#instant), read into UTC."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)([.,]\d+)?)?"
    r"\s?(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>[0-5]\d)?)?",
    re.ASCII,
)
_USUAL = frozenset({"--T::Z", "--T::+:", "--T::-:"})
"""every third character, from that after the year"""
_OFFSETS = frozenset(
    {"", *(f"{hour:02}:{minute}" for hour in range(14) for minute in ("00", "15", "30", "45"))}
)
"""those of all zones but the farthest"""
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_FARTHEST = timedelta(hours=14)
"""The largest offset of any zone, and of FHIR's regular expression for instants."""


def instant(value: Any, zone: tzinfo) -> datetime | None:
    """The time in UTC, or None where there is no such time.

    Understood beyond the standard: no seconds, no zone (then ``zone`` holds), a blank for the ``T``,
    lower-case letters, ``+0100`` and ``+01``, the leap second. Fractions of a second are dropped. A mere date
    is no time.

    Where ``zone`` puts its clocks back, a time that comes twice is the first of the two; where it puts them
    forward, a time that is skipped is as much later (RFC 5545, section 3.3.5, has the same rules).
    """
    if not isinstance(value, str):
        return None
    usual = value[4::3] in _USUAL and value[20:] in _OFFSETS
    local = (usual and _exact(value)) or _tolerant(value.strip(), zone)
    if local is None or not _FIRST_YEAR <= local.year <= _LAST_YEAR:
        return None
    return local.astimezone(UTC)


def _exact(value: str) -> datetime | None:
    """The usual form, to the second and with an offset: nearly all are like that, and this is faster.

    `datetime.fromisoformat` reads much else that ISO 8601 has, such as weeks, and some that it does not have,
    such as ``+01:75``.
    """
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _tolerant(text: str, zone: tzinfo) -> datetime | None:
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    second = int(found["second"] or 0)
    if second > 60:
        return None
    minute = f"{found['day']}T{found['hour']}:{found['minute']}"
    try:
        local = datetime.fromisoformat(minute).replace(tzinfo=_offset(found) or zone)
        return local + timedelta(seconds=second)
    except (ValueError, OverflowError):
        return None


def _offset(found: re.Match[str]) -> tzinfo | None:
    """Raises ValueError for offsets that no zone has."""
    if found["zone"] is None:
        return None
    if found["sign"] is None:
        return UTC
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    if offset > _FARTHEST:
        raise ValueError("more than any zone has")
    return timezone(-offset if found["sign"] == "-" else offset)
