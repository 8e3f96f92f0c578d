"""The status that a notification of a topic begins with, in each of its forms.

R5 and R4B: a SubscriptionStatus (hl7.org/fhir/R5/subscriptionstatus.html); R4: the same as Parameters, whose
names are written in two ways (hl7.org/fhir/uv/subscriptions-backport 1.1). Numbers may be strings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text
from vsdk.hooks.ports import Json

TYPES = ("handshake", "heartbeat", "event-notification", "query-status", "query-event")
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class TopicNotification:
    """What it says about itself. ``references`` are those of each event: its focus, then its context."""

    type: str
    subscription: str
    status: str
    total: int
    """events since the subscription began"""
    numbers: tuple[int, ...]
    references: tuple[tuple[str, ...], ...]

    @property
    def is_known(self) -> bool:
        return self.type in TYPES

    @property
    def is_failure(self) -> bool:
        """The server says that it notifies no more."""
        return self.status in ("error", "off")


def status_of(bundle: Json) -> TopicNotification | None:
    """None where the Bundle is no notification of a topic. Never raises."""
    first = as_object(next(iter(as_objects(bundle.get("entry"))), {}).get("resource"))
    if first.get("resourceType") == "SubscriptionStatus":
        return _read(first, first.get("notificationEvent"))
    if first.get("resourceType") != "Parameters":
        return None
    values = _parameters(first.get("parameter"))
    events = [part for name, part in values if name == "notificationEvent"]
    return _read(dict(values), [dict(_parameters(event)) | _contexts(event) for event in events])


def _read(status: Json, listed: Any) -> TopicNotification:
    events = as_objects(listed)
    total = _number(status.get("eventsSinceSubscriptionStart")) or 0
    given = [_number(event.get("eventNumber")) for event in events]
    numbers = [number for number in given if number is not None]
    if len(numbers) < len(events):
        numbers = list(range(max(total - len(events), 0) + 1, total + 1))
    type_ = as_text(status.get("type"))
    return TopicNotification(
        type_ or ("event-notification" if events else ""),
        _reference(status.get("subscription")).split("/_history")[0].rpartition("/")[2],
        as_text(status.get("status")),
        total,
        tuple(numbers),
        tuple(tuple(_references(event)) for event in events),
    )


def _references(event: Json) -> Iterator[str]:
    yield _reference(event.get("focus"))
    for context in as_objects(event.get("additionalContext")):
        yield _reference(context)


def _reference(value: Any) -> str:
    return as_text(as_object(value).get("reference"))


def _parameters(listed: Any) -> list[tuple[str, Any]]:
    """Names in the manner of SubscriptionStatus, each with its ``value[x]`` or with its parts."""
    found = []
    for parameter in as_objects(listed):
        values = [value for key, value in parameter.items() if key.startswith("value")]
        found.append((_name(as_text(parameter.get("name"))), values[0] if values else parameter.get("part")))
    return found


def _contexts(event: Any) -> Json:
    return {"additionalContext": [value for name, value in _parameters(event) if name == "additionalContext"]}


def _name(written: str) -> str:
    """``events-since-subscription-start`` and ``eventsSinceSubscriptionStart`` are the same."""
    first, *rest = written.split("-")
    return first + "".join(part.capitalize() for part in rest)


def _number(value: Any) -> int | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else as_text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None
