"""What R4, R4B and R5 Appointments have in common, which is nearly all that vsdk reads.

Lenient in: unknown elements, nulls, empty strings and single objects where FHIR has lists are no hindrance.
The reason for the visit is not read. Failures are `InvalidAppointment` with FHIRPath issues, nothing else.
"""

from datetime import datetime, timedelta
from typing import Any

from vsdk.adapters.scheduling.fhir_people import actor_of, people
from vsdk.adapters.scheduling.fhir_times import instant
from vsdk.adapters.scheduling.fhir_values import as_object, as_objects, as_text, codings
from vsdk.domain.appointment import Appointment, AppointmentStatus
from vsdk.domain.errors import InvalidAppointment
from vsdk.domain.ids import AppointmentId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

CHANNEL_SYSTEM = "urn:vsdk:virtual-service-type"
"""System of our own ``channelType``, by which we know our entry again. HL7's code system names only three
commercial services, and its binding is an example (hl7.org/fhir/R5/valueset-virtual-service-type.html)."""
CHANNEL = {"system": CHANNEL_SYSTEM, "code": "video-visit", "display": "Video visit"}

TELEMEDICINE = ("http://snomed.info/sct", "448337001")
"""SNOMED CT *Telemedicine consultation with patient*, used by US Core's telehealth example and by vendors."""

USUAL_LENGTH = timedelta(minutes=30)
_LONGEST = timedelta(days=1)

_EXPLANATIONS = {
    "appointment-without-id": "the appointment has no id",
    "appointment-status-unknown": "the status is none of FHIR's ten appointment status codes",
    "appointment-without-time": "the appointment has no start",
    "appointment-time-invalid": "this is no time, or the end is not after the start",
    "appointment-without-participant": "no participant is a patient, practitioner or related person",
}


def require_appointment(resource: Any) -> Json:
    """The resource itself. Raises InvalidAppointment when it is no Appointment at all."""
    if not isinstance(resource, dict):
        raise _invalid("not-json-object", "$this", "a JSON object is needed")
    if resource.get("resourceType") != "Appointment":
        raise _invalid("wrong-resource-type", "resourceType", "the resource is not an Appointment")
    return resource


def read(resource: Any, *, practice: Practice, is_video: bool) -> Appointment:
    """The domain's appointment.

    Raises InvalidAppointment with the code of the first problem, and the FHIRPath of all:
    ``not-json-object``, ``wrong-resource-type``, ``appointment-without-id``, ``appointment-status-unknown``,
    ``appointment-without-time``, ``appointment-time-invalid``, ``appointment-without-participant``.
    """
    resource = require_appointment(resource)
    id_, status = _id(resource), _status(resource)
    start, end = instant(resource.get("start"), practice.time_zone), None
    participants = people(resource, practice)
    problems: list[tuple[str, str]] = []
    if not id_:
        problems.append(("appointment-without-id", "Appointment.id"))
    if status is None:
        problems.append(("appointment-status-unknown", "Appointment.status"))
    if start is not None:
        end = _end(resource, start, practice)
        if end is None:
            problems.append(("appointment-time-invalid", "Appointment.end"))
    elif as_text(resource.get("start")) or isinstance(resource.get("start"), (int, float)):
        problems.append(("appointment-time-invalid", "Appointment.start"))
    else:
        problems.append(("appointment-without-time", "Appointment.start"))
    if not participants:
        problems.append(("appointment-without-participant", "Appointment.participant"))
    if problems or status is None or start is None or end is None:
        raise InvalidAppointment(
            f"this Appointment cannot become a visit: {_EXPLANATIONS[problems[0][0]]}",
            code=problems[0][0],
            issues=[(path, _EXPLANATIONS[code]) for code, path in problems],
        )
    return Appointment(AppointmentId(id_), practice.id, status, start, end, participants, is_video)


def says_video(resource: Json) -> bool:
    """Whether codes or the place call it a video visit, in any release.

    ``appointmentType`` or ``serviceType`` is SNOMED 448337001; or a participant is a Location called
    "virtual", or of physical type ``vi`` (terminology.hl7.org/CodeSystem/location-physical-type).
    """
    for name in ("appointmentType", "serviceType"):
        if any(
            (system or TELEMEDICINE[0], code) == TELEMEDICINE for system, code in codings(resource.get(name))
        ):
            return True
    contained = as_objects(resource.get("contained"))
    actors = (actor_of(as_object(p.get("actor")), contained) for p in as_objects(resource.get("participant")))
    for place in actors:
        if place.kind != "Location":
            continue
        forms = codings([place.resource.get("physicalType"), place.resource.get("form")])
        names = f"{place.reference} {place.display} {as_text(place.resource.get('name'))}"
        if "virtual" in names.lower() or any(code == "vi" for _, code in forms):
            return True
    return False


def with_status(resource: Json, status: AppointmentStatus | None) -> Json:
    return resource if status is None else resource | {"status": status.value}


def with_entries(resource: Json, name: str, foreign: list[Any], ours: list[Json]) -> Json:
    """The resource with the foreign entries and ours in ``name``; without the element when there are none."""
    if entries := [*foreign, *ours]:
        return resource | {name: entries}
    return {key: value for key, value in resource.items() if key != name}


def listed(value: Any) -> list[Any]:
    """A list as it is, a single object as a list of one, anything else as an empty list."""
    return value if isinstance(value, list) else as_objects(value)


def _id(resource: Json) -> str:
    value = resource.get("id")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**63:
        return str(value)
    return as_text(value)


def _status(resource: Json) -> AppointmentStatus | None:
    code = as_text(resource.get("status")).lower()
    try:
        return AppointmentStatus("cancelled" if code == "canceled" else code)
    except ValueError:
        return None


def _end(resource: Json, start: datetime, practice: Practice) -> datetime | None:
    """``end``; else start and ``minutesDuration``; else half an hour. None when ``end`` makes no sense."""
    given = resource.get("end")
    if as_text(given) or isinstance(given, (int, float)):
        end = instant(given, practice.time_zone)
        return end if end is not None and end > start else None
    minutes = resource.get("minutesDuration")
    if isinstance(minutes, str) and minutes.isascii() and minutes.isdigit() and len(minutes) < 5:
        minutes = int(minutes)
    if (
        isinstance(minutes, (int, float))
        and not isinstance(minutes, bool)
        and 0 < minutes * 60 <= _LONGEST.total_seconds()
    ):
        return start + timedelta(minutes=minutes)
    return start + USUAL_LENGTH


def _invalid(code: str, path: str, explanation: str) -> InvalidAppointment:
    return InvalidAppointment(explanation, code=code, issues=[(path, explanation)])
