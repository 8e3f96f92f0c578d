"""FHIR instants as they are really written (hl7.org/fhir/R4/datatypes.html#instant), read into UTC."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)([.,]\d+)?)?"
    r"\s?(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?)?",
    re.ASCII,
)
_YEARS = range(1900, 2200)


def instant(value: Any, zone: tzinfo) -> datetime | None:
    """The time in UTC, or None where there is no such time.

    Understood beyond the standard: no seconds, no zone (then ``zone`` holds), a blank for the ``T``,
    lower-case letters, ``+0100`` and ``+01``, the leap second. Fractions of a second are dropped. A mere date
    is no time.
    """
    found = _INSTANT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    second = int(found["second"] or 0)
    try:
        local = datetime.fromisoformat(
            f"{found['day']}T{found['hour']}:{found['minute']}:{min(second, 59):02d}"
        )
        if second > 60 or local.year not in _YEARS:
            return None
        return local.replace(tzinfo=_offset(found) or zone).astimezone(UTC) + timedelta(seconds=second == 60)
    except (ValueError, OverflowError):
        return None


def _offset(found: re.Match[str]) -> tzinfo | None:
    if found["sign"]:
        east = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
        return timezone(east if found["sign"] == "+" else -east)
    return UTC if found["zone"] else None
