"""What is remembered of appointments between two polls, and the days that a poll looks at."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from vsdk.adapters.scheduling.fhir.reader import status_of
from vsdk.adapters.scheduling.fhir.times import instant
from vsdk.adapters.scheduling.fhir.values import as_text
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

NAMELESS = "#"
"""begins the key of a resource without an id, which cannot be read again"""


class Seen(NamedTuple):
    """One appointment, as little of it as possible: these are thousands."""

    digest: bytes
    start: datetime | None
    """None where it has no start that can be understood"""


Picture = dict[str, Seen]
"""by the key of each"""


def key_of(resource: Json) -> str:
    """The id; without one, something that changes with the content."""
    id_ = resource.get("id")
    if isinstance(id_, int) and not isinstance(id_, bool):
        return str(id_)
    return as_text(id_) or f"{NAMELESS}{digest(resource).hex()}"


def seen(resource: Json, practice: Practice) -> Seen:
    return Seen(digest(resource), instant(resource.get("start"), practice.time_zone))


def digest(resource: Json) -> bytes:
    """Of the content without ``meta``, whatever the order of its members."""
    content = {name: value for name, value in resource.items() if name != "meta"}
    try:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        text = "too many levels"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def takes_place(resource: Json) -> bool:
    """Whether it still will; what its status says nothing of may."""
    status = status_of(resource)
    return status is None or (status.takes_place and status is not AppointmentStatus.FULFILLED)


def days_around(now: datetime, practice: Practice, back: int, ahead: int) -> list[datetime]:
    """The practice's midnights in UTC, from that ``back`` days ago to that after ``ahead`` more days."""
    today = now.astimezone(practice.time_zone).date()
    return [
        datetime.combine(today + timedelta(days=day), time(), practice.time_zone).astimezone(UTC)
        for day in range(-back, ahead + 2)
    ]


def is_among(start: datetime | None, days: Sequence[datetime]) -> bool:
    """Also True for what has no start: it is found, so it may have one soon."""
    return start is None or days[0] <= start < days[-1]


def windows(days: Sequence[datetime], length: int) -> Iterator[tuple[datetime, datetime]]:
    """From when until before when, at most ``length`` days each."""
    last = len(days) - 1
    for first in range(0, last, length):
        yield days[first], days[min(first + length, last)]
