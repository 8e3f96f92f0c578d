"""The entry for a calendar that comes with a mail (iCalendar, RFC 5545; iTIP, RFC 5546)."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from icalendar import Alarm, Calendar, Event, vCalAddress, vUri
from icalendar.enums import CLASS, STATUS

from vsdk.domain.appointment import Appointment

METHODS = {"invitation": "PUBLISH", "moved": "PUBLISH", "reminder": "PUBLISH", "cancelled": "CANCEL"}
"""templates that have one, each with what it asks a calendar to do (RFC 5546, 3.2.1 and 3.2.5)"""
ALARM = timedelta(minutes=10)
_NOBODY = "invalid:nomail"
"""An ORGANIZER has to be there (RFC 5546, 3.2.1). This address tells programs that nobody takes replies:
Exchange writes it for people without a mail address (MS-OXCICAL, 2.1.3.1.1.20.16)."""


def entry(
    template: str,
    appointment: Appointment,
    summary: str,
    organizer: str,
    language: str,
    url: str,
    now: datetime,
    sequence: int,
) -> str:
    """An iCalendar object with one event, or nothing for templates that have none.

    The same appointment always has the same UID, and ``sequence`` grows with every change of it, so that the
    last entry counts. ``summary`` and ``organizer`` are all the words in it: nobody is an attendee. Times are
    in UTC. ``url`` may be empty; else it is the CONFERENCE too (RFC 7986, 5.11).
    """
    method = METHODS.get(template)
    if method is None:
        return ""
    cancelled = method == "CANCEL"
    address = vCalAddress(_NOBODY)
    address.params["CN"] = organizer
    event = Event.new(
        uid=_uid(appointment),
        stamp=now.astimezone(UTC),
        sequence=sequence,
        start=appointment.start.astimezone(UTC),
        end=appointment.end.astimezone(UTC),
        summary=summary,
        organizer=address,
        classification=CLASS.PRIVATE,
        status=STATUS.CANCELLED if cancelled else STATUS.CONFIRMED,
    )
    if url and not cancelled:
        event.add("URL", url)
        event.add("LOCATION", url)
        event.add("CONFERENCE", vUri(url), {"VALUE": "URI", "FEATURE": "VIDEO", "LABEL": summary})
    if not cancelled:
        alarm = Alarm.new(description=summary)
        alarm.add("ACTION", "DISPLAY")
        alarm.add("TRIGGER", -ALARM)
        event.add_component(alarm)
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", f"-//vsdk//messages//{language.upper()}")
    calendar.add("METHOD", method)
    calendar.add_component(event)
    return str(calendar.to_ical(), "utf-8")


def _uid(appointment: Appointment) -> str:
    """Tells neither practice nor appointment to anyone who does not know both."""
    known = f"{appointment.practice_id}\n{appointment.id}".encode()
    return f"{sha256(known).hexdigest()[:32]}@vsdk"
