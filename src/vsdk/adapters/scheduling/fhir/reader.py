"""Reads Appointments. STU3, R4, R4B and R5 have in common nearly all that vsdk reads.

Lenient in: unknown elements, nulls, empty strings and single objects where FHIR has lists are no hindrance.
The reason for the visit is not read. Failures are `InvalidAppointment` with FHIRPath issues, nothing else.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from vsdk.adapters.scheduling.fhir.people import Attendee, people
from vsdk.adapters.scheduling.fhir.people import problems as people_problems
from vsdk.adapters.scheduling.fhir.times import instant
from vsdk.adapters.scheduling.fhir.values import as_key, as_objects, as_text
from vsdk.domain.appointment import Appointment, AppointmentStatus
from vsdk.domain.errors import InvalidAppointment, Issue
from vsdk.domain.ids import AppointmentId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

USUAL_LENGTH = timedelta(minutes=30)
LONGEST_ID = 255
"""characters; FHIR allows 64, systems in the field write more"""
_LONGEST_MINUTES = 24 * 60
MOST_ISSUES = 50
"""of one resource; nobody reads more"""

_EXPLANATIONS = {
    "appointment-without-id": "the appointment has no id",
    "appointment-id-invalid": f"the id is neither text nor a number, or longer than {LONGEST_ID} characters",
    "appointment-status-unknown": "the status is none of FHIR's ten appointment status codes",
    "appointment-without-time": "the appointment has no start",
    "appointment-time-invalid": "this is no time, or the end is before the start",
    "appointment-without-participant": "no participant is a patient, practitioner or related person",
    "participant-not-object": "this participant is null, or no JSON object",
    "participant-without-actor": "this participant does not say who it is",
    "participant-declined": "this participant declined",
    "participant-no-person": "this participant is a place, a device or another thing that is no person",
    "participant-kind-unknown": "neither reference nor type nor identifier says what this participant is",
}

_STATUS = {status.value.replace("-", ""): status for status in AppointmentStatus}
_STATUS |= {status.value: status for status in AppointmentStatus} | {"canceled": AppointmentStatus.CANCELLED}


def require_appointment(resource: Any) -> Json:
    """The resource itself. Raises InvalidAppointment ``not-json-object``, ``wrong-resource-type``."""
    if not isinstance(resource, dict):
        raise _invalid("not-json-object", "$this", "a JSON object is needed")
    if resource.get("resourceType") != "Appointment":
        raise _invalid("wrong-resource-type", "resourceType", "the resource is not an Appointment")
    return resource


def read(resource: Json, *, attending: Sequence[Attendee], practice: Practice, is_video: bool) -> Appointment:
    """The domain's appointment, of a resource that is an Appointment.

    Raises InvalidAppointment with the code of the first problem, and an issue for each:
    ``appointment-without-id``, ``appointment-id-invalid``, ``appointment-status-unknown``,
    ``appointment-without-time``, ``appointment-time-invalid``, ``appointment-without-participant``. The last
    is followed by one for each participant: ``participant-not-object``, ``participant-without-actor``,
    ``participant-declined``, ``participant-no-person``, ``participant-kind-unknown``.
    """
    id_ = as_key(resource.get("id"))
    status = status_of(resource)
    start = instant(resource.get("start"), practice.time_zone)
    end = None if start is None else _end(resource, start, practice)
    participants = people(resource, attending, practice, start)
    if not 0 < len(id_) <= LONGEST_ID or status is None or start is None or end is None or not participants:
        found = {"status": status, "start": start, "end": end, "participant": participants}
        raise _unreadable(resource, id_, {name for name, value in found.items() if not value}, status)
    return Appointment(
        AppointmentId(id_), practice.id, status, start, end, participants, is_video, _identifiers(resource)
    )


def status_of(resource: Json) -> AppointmentStatus | None:
    """By the code, however it is spelled: ``Booked``, ``canceled``, ``checked_in``, ``no-show``."""
    value = resource.get("status")
    if not isinstance(value, str):
        return None
    return _STATUS.get(value) or _STATUS.get("".join(c for c in value[:32].lower() if c.isalpha()))


def _end(resource: Json, start: datetime, practice: Practice) -> datetime | None:
    """``end``; else start and ``minutesDuration``; else half an hour. None when ``end`` makes no sense.

    An end that equals the start is valid FHIR and tells nothing.
    """
    end = instant(resource.get("end"), practice.time_zone)
    if end is None and _is_there(resource.get("end")):
        return None
    if end is not None and end != start:
        return end if end > start else None
    minutes = resource.get("minutesDuration")
    if isinstance(minutes, str) and minutes.isascii() and minutes.isdigit() and len(minutes) < 5:
        minutes = int(minutes)
    if (
        isinstance(minutes, (int, float))
        and not isinstance(minutes, bool)
        and 1 <= minutes <= _LONGEST_MINUTES
    ):
        return start + timedelta(minutes=minutes)
    return start + USUAL_LENGTH


def _identifiers(resource: Json) -> tuple[str, ...]:
    """Tokens as in FHIR searches (hl7.org/fhir/R4/search.html#token), each once."""
    if "identifier" not in resource:
        return ()
    tokens = [
        f"{as_text(one.get('system'))}|{value}"
        for one in as_objects(resource["identifier"])
        if (value := as_key(one.get("value")))
    ]
    return tuple(dict.fromkeys(tokens))


def _unreadable(
    resource: Json, id_: str, missing: set[str], status: AppointmentStatus | None
) -> InvalidAppointment:
    """What is cancelled needs no time (app-3), and need not be readable to be known as called off."""
    problems = list(islice(_problems(resource, id_, missing), MOST_ISSUES))
    return InvalidAppointment(
        f"this Appointment cannot become a visit: {_EXPLANATIONS[problems[0][0]]}",
        code=problems[0][0],
        called_off=AppointmentId(id_) if id_ and status and not status.takes_place else None,
        issues=[Issue(code, path, _EXPLANATIONS[code]) for code, path in problems],
    )


def _problems(resource: Json, id_: str, missing: set[str]) -> Iterator[tuple[str, str]]:
    if not id_ and not _is_there(resource.get("id")):
        yield "appointment-without-id", "Appointment.id"
    elif not 0 < len(id_) <= LONGEST_ID:
        yield "appointment-id-invalid", "Appointment.id"
    if "status" in missing:
        yield "appointment-status-unknown", "Appointment.status"
    if "start" in missing and not _is_there(resource.get("start")):
        yield "appointment-without-time", "Appointment.start"
    elif "start" in missing:
        yield "appointment-time-invalid", "Appointment.start"
    elif "end" in missing:
        yield "appointment-time-invalid", "Appointment.end"
    if "participant" in missing:
        yield "appointment-without-participant", "Appointment.participant"
        yield from people_problems(resource)


def _is_there(value: Any) -> bool:
    """Whether anything was given at all; a text without a printable character is nothing."""
    return bool(as_text(value)) if isinstance(value, str) else value is not None and value not in ([], {})


def _invalid(code: str, path: str, explanation: str) -> InvalidAppointment:
    return InvalidAppointment(explanation, code=code, issues=[Issue(code, path, explanation)])
