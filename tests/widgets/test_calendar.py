"""Calendar entries, read back with the library's parser and by the letter of RFC 5545 and RFC 5546."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Event

from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.messaging import KINDS, Messaging
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER, a_practice, an_appointment
from vsdk.widgets.calendar import METHODS
from vsdk.widgets.messages import Messages
from vsdk.widgets.texts import LANGUAGES, Texts

URL = "https://praxis-am-park.example/video/j#AAAAAAAAAAAAAAAAAAAAAA"
NOW = NOON - timedelta(days=1)
MESSAGES = Messages(Texts())


def calendar(template: str, language: str = "de", **changes: Any) -> str:
    values: dict[str, Any] = {
        "practice": a_practice(),
        "appointment": an_appointment(),
        "participant": PATIENT,
        "url": URL,
        "list_url": "https://praxis-am-park.example/video/practice/practice",
        "now": NOW,
        "values": {},
        "sequence": 3,
    }
    return MESSAGES.render(template, language, "email", **(values | changes)).calendar


def read(text: str) -> tuple[Calendar, Event]:
    parsed = Calendar.from_ical(text)
    assert isinstance(parsed, Calendar)
    (event,) = parsed.walk("VEVENT")
    assert isinstance(event, Event)
    return parsed, event


@pytest.mark.parametrize("template", ["invitation", "moved", "reminder"])
def test_an_event_is_published_with_times_and_link(template: str) -> None:
    parsed, event = read(calendar(template))
    assert (parsed["VERSION"], parsed["METHOD"]) == ("2.0", "PUBLISH")
    assert event.start == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert event.end == event.start + timedelta(minutes=20)
    assert event.stamp == NOW
    assert event["SEQUENCE"] == 3
    assert event["STATUS"] == "CONFIRMED"
    assert event["URL"] == event["LOCATION"] == URL
    assert event["SUMMARY"] == "Videosprechstunde mit Dr. Jonas Muster"
    (alarm,) = event.walk("VALARM")
    assert (alarm["ACTION"], alarm.decoded("TRIGGER")) == ("DISPLAY", -timedelta(minutes=10))
    assert alarm["DESCRIPTION"]


def test_a_cancelled_appointment_leaves_the_calendar() -> None:
    parsed, event = read(calendar("cancelled", sequence=4))
    assert parsed["METHOD"] == "CANCEL"
    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 4)
    assert event["UID"] == read(calendar("invitation"))[1]["UID"]
    assert not event.walk("VALARM")
    assert "URL" not in event


@pytest.mark.parametrize("template", sorted(KINDS.keys() - METHODS.keys()))
def test_other_messages_have_no_entry(template: str) -> None:
    assert calendar(template) == ""


@pytest.mark.parametrize("kind", ["sms", "push", "fhir"])
def test_only_mails_have_one(kind: str) -> None:
    words = MESSAGES.render(
        "invitation", "de", kind, practice=a_practice(), appointment=an_appointment(), participant=PATIENT,
        url=URL, list_url="", now=NOW, values={}, sequence=0,
    )  # fmt: skip
    assert (words.calendar, words.html) == ("", "")


def test_an_appointment_keeps_its_id_whatever_changes_and_no_other_has_it() -> None:
    def uid(**changes: Any) -> str:
        return str(read(calendar("invitation", appointment=an_appointment(**changes)))[1]["UID"])

    assert uid() == uid(start=NOON + timedelta(days=2), end=NOON + timedelta(days=3), participants=(PATIENT,))
    assert len({uid(), uid(id=AppointmentId("a2")), uid(practice_id=PracticeId("other"))}) == 3
    assert "a1" not in uid(id=AppointmentId("a1-of-nobody"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", sorted(METHODS))
def test_it_tells_neither_patient_nor_any_other_attendee(template: str, language: str) -> None:
    text = calendar(template, language)
    for private in (PATIENT.name, PATIENT.phone, PATIENT.email, PATIENT.reference, "ATTENDEE"):
        assert private not in text
    _, event = read(text)
    assert event["CLASS"] == "PRIVATE"
    assert event["ORGANIZER"] == "invalid:nomail", "an address that nobody replies to"
    assert event["ORGANIZER"].params["CN"] == "Praxis am Park"


def test_the_practice_is_called_as_it_wants_to_be_in_messages() -> None:
    practice = a_practice(name="Praxis fuer Onkologie", messaging=Messaging(name="Praxis Dr. Muster"))
    text = calendar("invitation", practice=practice, appointment=an_appointment(participants=(PATIENT,)))
    assert "Onkologie" not in text
    assert read(text)[1]["SUMMARY"] == "Videosprechstunde mit Praxis Dr. Muster"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Indian/Reunion", "America/Cayenne"])
def test_the_time_is_the_same_moment_wherever_it_is_read(zone: str) -> None:
    start = NOON.astimezone(ZoneInfo(zone))
    text = calendar(
        "invitation",
        practice=a_practice(time_zone=ZoneInfo(zone)),
        appointment=an_appointment(start=start, end=start + timedelta(minutes=20)),
        now=NOW.astimezone(ZoneInfo(zone)),
    )
    assert "DTSTART:20260302T120000Z" in text
    assert "DTEND:20260302T122000Z" in text
    assert "DTSTAMP:20260301T120000Z" in text


HOSTILE = [
    'Dr. "Q" Muster; X, Y: Z\\n \\; ^\'',
    "Dr.\r\nATTENDEE:mailto:x@y.example\r\nBEGIN:VALARM",
    "Dr. \u202eretsuM\u202c \x00\x07\u2028Muster",
    "Ł" * 5000,
    "博士🙂" * 200,
    "<script>alert(1)</script>",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("template", sorted(METHODS))
def test_lines_are_folded_and_no_name_can_add_any(template: str, name: str) -> None:
    practitioner = replace(PRACTITIONER, name=name)
    text = calendar(
        template,
        practice=a_practice(name=name),
        appointment=an_appointment(participants=(PATIENT, practitioner)),
    )
    assert text.endswith("END:VCALENDAR\r\n")
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", text)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    _, event = read(text)
    assert "ATTENDEE" not in event
    assert len(event.walk("VALARM")) == (0 if template == "cancelled" else 1)
    shown = " ".join("".join(c for c in name if c.isprintable() or c.isspace()).split())[:120]
    assert event["SUMMARY"] == f"Videosprechstunde mit {shown}"


def test_the_same_message_is_the_same_entry() -> None:
    assert calendar("invitation") == calendar("invitation")
