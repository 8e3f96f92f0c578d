"""How a practice wants messages sent, and until when each kind of message is of use; pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from vsdk.domain.ids import ParticipantId
from vsdk.domain.plan import Window

PRACTICE = ParticipantId("practice")
"""stands for the practice's own team where a message is for nobody of the appointment"""


class Until(StrEnum):
    """What ends the use of a message."""

    START = "start"
    """the appointment begins"""
    CLOSE = "close"
    """nobody can come any more"""
    END = "end"
    """the appointment's time is over"""
    SOON = "soon"
    """ten minutes have passed since it was asked for"""


SOON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is special about a template."""

    until: Until = Until.CLOSE
    waits: bool = False
    """whether it may wait for the end of quiet hours; all others are needed at once"""
    to_team: bool = False
    """whether it is for those who work in the practice"""


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "invitation": Kind(waits=True),
        "link-at-time": Kind(),
        "reminder": Kind(until=Until.START, waits=True),
        "delay": Kind(),
        "moved": Kind(waits=True),
        "cancelled": Kind(until=Until.END, waits=True),
        "invited-back": Kind(),
        "patient-waiting": Kind(until=Until.SOON, to_team=True),
        "failed-delivery": Kind(waits=True, to_team=True),
        "cancellation-asked": Kind(until=Until.START, waits=True, to_team=True),
        "sign-in-code": Kind(until=Until.SOON),
    }
)
"""the templates of our own; one of a plugin is sent at once, until nobody can come any more"""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local times of the practice; they may go over midnight."""

    begin: time
    end: time

    def end_after(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours end that it is now, or None where it is not quiet."""
        local = now.astimezone(zone)
        over_midnight = self.begin > self.end
        evening = local.time() >= self.begin
        morning = local.time() < self.end
        if not (evening or morning if over_midnight else evening and morning):
            return None
        day = local.date() + timedelta(days=1 if over_midnight and evening else 0)
        return datetime.combine(day, self.end, tzinfo=zone)


@dataclass(frozen=True, slots=True)
class Messaging:
    """What a practice has settled about messages."""

    name: str = ""
    """what messages call the practice, where its name would tell why someone goes there"""
    staff_email: str = field(default="", repr=False)
    staff_phone: str = field(default="", repr=False)
    quiet: QuietHours | None = None
    at_most: int = 12
    """messages to one person about one visit"""
    unwanted: frozenset[str] = frozenset()
    """templates that this practice does not send"""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """the practice's own words: by language, then by key such as ``message.invitation.sms``"""


def kind_of(template: str) -> Kind:
    return KINDS.get(template, Kind())


def expires(template: str, *, asked: datetime, start: datetime, end: datetime, window: Window) -> datetime:
    """When a message is of no use any more. ``asked`` is when it was asked for, the rest is its visit's."""
    match kind_of(template).until:
        case Until.START:
            return start
        case Until.END:
            return end
        case Until.SOON:
            return asked + SOON
        case _:
            return window.closes


class Reason(StrEnum):
    """Why a message was left out, or waits. The values are stable codes (``docs/errors.md``)."""

    NOT_WANTED = "message-not-wanted"
    TOO_MANY = "message-too-many"
    OPTED_OUT = "recipient-opted-out"
    UNTRUE = "message-no-longer-true"
    EXPIRED = "message-expired"
    QUIET = "quiet-hours"


TEAM = "team"
"""the kind of channels that reach the practice's own people and nobody else"""


def masked(recipient: str) -> str:
    """``+49171392001`` -> ``+49 … 01``, ``erika@example.org`` -> ``e … @example.org``."""
    if "@" in recipient:
        name, _, domain = recipient.rpartition("@")
        return f"{name[:1]} … @{domain}"
    return f"{recipient[:3]} … {recipient[-2:]}" if len(recipient) > 7 else "…"


def send_at(
    template: str, now: datetime, expires: datetime, quiet: QuietHours | None, zone: ZoneInfo
) -> datetime:
    """``now``, or the end of the quiet hours where the message may wait for it."""
    end = quiet.end_after(now, zone) if quiet and kind_of(template).waits else None
    return end if end and end < expires else now
