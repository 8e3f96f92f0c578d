"""Search values that are dates: prefix, partial date, span of time (hl7.org/fhir/search.html#date)."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from vsdk.domain.errors import UsageError
from vsdk.hooks.store import Span

PREFIXES = ("eq", "ge", "gt", "le", "lt", "sa", "eb")
_DATE = re.compile(
    r"(?P<prefix>[a-z]{2})?(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?"
    r"(?P<zone>Z|[+ -]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


def span(text: str, zone: tzinfo) -> Span:
    """When something must begin to be found.

    A partial date stands for all of its time in the practice's ``zone``, as does a time without a zone. What
    is compared with it is a moment, so that ``sa`` is ``gt`` and ``eb`` is ``lt``. A blank before the hours
    of a zone is the plus sign of an address that was not encoded. Raises UsageError ``search-value-invalid``.
    """
    found = _DATE.fullmatch(text)
    prefix = (found and found["prefix"]) or "eq"
    if found is None or prefix not in PREFIXES:
        raise UsageError(
            f"a date is searched as 2026-03-02, part of that or with a time, after {', '.join(PREFIXES)}",
            code="search-value-invalid",
        )
    try:
        first, after = _bounds(found, zone)
    except (ValueError, OverflowError):
        raise UsageError("there is no such date", code="search-value-invalid") from None
    match prefix:
        case "ge":
            return Span(since=first)
        case "gt" | "sa":
            return Span(since=after)
        case "le":
            return Span(until=after)
        case "lt" | "eb":
            return Span(until=first)
        case _:
            return Span(first, after)


def _bounds(found: re.Match[str], zone: tzinfo) -> tuple[datetime, datetime]:
    """The first moment, and the first moment after it, in UTC."""
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    hour, minute, second = int(found["hour"] or 0), int(found["minute"] or 0), int(found["second"] or 0)
    start = datetime(year, month, day, hour, minute, second, tzinfo=_zone(found["zone"], zone))
    if found["fraction"]:
        digits = found["fraction"][:6]  # as exact as we keep times
        unit = timedelta(microseconds=10 ** (6 - len(digits)))
        exact = start.astimezone(UTC) + int(digits) * unit
        return exact, exact + unit
    if found["hour"]:
        length = timedelta(seconds=1) if found["second"] else timedelta(minutes=1)
        return start.astimezone(UTC), start.astimezone(UTC) + length
    if found["day"]:
        end = start + timedelta(days=1)  # of the calendar, however many hours that day has
    elif found["month"]:
        end = start.replace(year=year + month // 12, month=month % 12 + 1)
    else:
        end = start.replace(year=year + 1)
    return start.astimezone(UTC), end.astimezone(UTC)


def _zone(text: str | None, zone: tzinfo) -> tzinfo:
    if text is None:
        return zone
    parsed = datetime.fromisoformat("2000-01-01T00:00:00" + text.replace(" ", "+")).tzinfo
    return parsed or zone
