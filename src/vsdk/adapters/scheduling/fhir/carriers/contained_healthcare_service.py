"""Oracle Health (Millennium), and US Veterans Affairs, who read it: two contained HealthcareServices.

Which of the two is the patient's is told by ``type.text``, never by the place in the list: reading and
patching there use different orders. Rooms with our ids are ours as a whole. Servers give rooms ids of their
own; in those, only the entry of ``telecom`` with our link is ours.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from vsdk.adapters.scheduling.fhir.carriers.carrier import (
    FoundLink,
    foreign_link,
    is_ours,
    of_patient,
    require_short,
    unsupported,
)
from vsdk.adapters.scheduling.fhir.carriers.elements import listed, numbered, put, says, with_entry
from vsdk.adapters.scheduling.fhir.times import instant
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text
from vsdk.domain.appointment import VirtualService
from vsdk.domain.participant import Role
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import Json

ELEMENT = "contained"
ROOM = "HealthcareService"
PATIENT_ROOM = "Patient Virtual Meeting Room"
PROVIDER_ROOM = "Provider Virtual Meeting Room"
_IDS = {PATIENT_ROOM: "vsdk-patient-room", PROVIDER_ROOM: "vsdk-provider-room"}


def find(resource: Json, conventions: FhirConventions) -> list[FoundLink]:
    return [
        FoundLink(
            url, "contained-healthcare-service", room.get("id") == _IDS[name] or is_ours(url, conventions)
        )
        for room in as_objects(resource.get(ELEMENT))
        if room.get("resourceType") == ROOM and (name := _room_name(room))
        for url in _links(room)
    ]


def write(resource: Json, services: Sequence[VirtualService], practice: Practice, release: str) -> Json:
    wanted = _wanted(services, practice.fhir)
    if wanted and release == "R5":
        raise unsupported("contained-healthcare-service", release)
    for name in _IDS:
        if service := wanted.get(name):
            resource = _with_room(resource, name, service, practice.fhir)
        else:
            resource = _without_room(resource, name, practice.fhir)
    return resource


def _wanted(services: Sequence[VirtualService], conventions: FhirConventions) -> dict[str, VirtualService]:
    """What each room leads to. The provider's is the page to sign in at, which is no secret, unless the
    practice has practitioners' own links written."""
    patient = of_patient(services)
    if patient is None:
        return {}
    provider = replace(patient, url=conventions.list_address)
    if conventions.practitioner_links:
        provider = next((s for s in services if s.role is Role.PRACTITIONER), provider)
    require_short([provider.url])
    return {PATIENT_ROOM: patient} | ({PROVIDER_ROOM: provider} if provider.url else {})


def _with_room(resource: Json, name: str, service: VirtualService, conventions: FhirConventions) -> Json:
    rooms = [(index, room) for index, room in numbered(resource, "contained") if _room_name(room) == name]
    if rooms:
        index, room = next(((i, r) for i, r in rooms if _is_ours(r, name, conventions)), rooms[0])
        changed = _with_link(room, service, conventions, f"Appointment.contained[{index}].telecom")
        if changed is not room:
            resource = with_entry(resource, "contained", index, changed)
        if room.get("id") != _IDS[name]:
            return resource
    else:
        resource = put(
            resource, "contained", [_room(name, service)], instead_of=_nothing, path="Appointment.contained"
        )
    entry = {"type": [{"text": name}], "actor": {"reference": f"#{_IDS[name]}"}, "status": "accepted"}
    return put(
        resource,
        "participant",
        [entry],
        instead_of=lambda p: _refers(p, name),
        path="Appointment.participant",
    )


def _with_link(room: Json, service: VirtualService, conventions: FhirConventions, path: str) -> Json:
    """The room with our link; raises InvalidAppointment ``foreign-link`` if it has another one."""
    whole = room.get("id") in _IDS.values()
    for index, point in numbered(room, "telecom"):
        url = as_text(point.get("value"))
        if url and not whole and not is_ours(url, conventions):
            raise foreign_link(f"{path}[{index}].value")
    points = [p for p in listed(room.get("telecom")) if isinstance(p, dict) and as_text(p.get("value"))]
    if len(points) == 1 and _leads_to(points[0], service):
        return room
    return put(
        room, "telecom", [_point(service)], instead_of=lambda p: bool(as_text(p.get("value"))), path=path
    )


def _without_room(resource: Json, name: str, conventions: FhirConventions) -> Json:
    for index, room in numbered(resource, "contained"):
        if _room_name(room) == name and room.get("id") != _IDS[name]:
            emptied = put(
                room,
                "telecom",
                [],
                instead_of=lambda p: is_ours(as_text(p.get("value")), conventions),
                path="",
            )
            if emptied is not room:
                resource = with_entry(resource, "contained", index, emptied)
    resource = put(
        resource,
        "contained",
        [],
        instead_of=lambda r: _room_name(r) == name and r.get("id") == _IDS[name],
        path="",
    )
    return put(resource, "participant", [], instead_of=lambda p: _refers(p, name), path="")


def _room(name: str, service: VirtualService) -> Json:
    return {
        "resourceType": ROOM,
        "id": _IDS[name],
        "type": [{"text": name}],
        "telecom": [_point(service)],
    }


def _point(service: VirtualService) -> Json:
    times = {"start": service.opens, "end": service.closes}
    period = {name: _written(time) for name, time in times.items() if time}
    return {"system": "url", "value": service.url} | ({"period": period} if period else {})


def _leads_to(point: Json, service: VirtualService) -> bool:
    """Whether the entry says so already; servers write times in their own way."""
    period = as_object(point.get("period"))
    return says(point, {"system": "url", "value": service.url}) and (
        instant(period.get("start"), UTC) == _second(service.opens)
        and instant(period.get("end"), UTC) == _second(service.closes)
    )


def _second(time: datetime | None) -> datetime | None:
    return time.astimezone(UTC).replace(microsecond=0) if time else None


def _written(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _room_name(resource: Json) -> str:
    if resource.get("resourceType") != ROOM:
        return ""
    names = (as_text(kind.get("text")) for kind in as_objects(resource.get("type")))
    return next((name for name in names if name in _IDS), "")


def _links(room: Json) -> list[str]:
    return [url for point in as_objects(room.get("telecom")) if (url := as_text(point.get("value")))]


def _is_ours(room: Json, name: str, conventions: FhirConventions) -> bool:
    return room.get("id") == _IDS[name] or any(is_ours(url, conventions) for url in _links(room))


def _refers(participant: Json, name: str) -> bool:
    return bool(as_object(participant.get("actor")).get("reference") == f"#{_IDS[name]}")


def _nothing(entry: Json) -> bool:
    return False
