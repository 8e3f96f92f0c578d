"""Canvas Medical: a contained Endpoint with a fixed id, referred to in ``supportingInformation``.

Other servers may give contained resources ids of their own: there, ours is known by its address.
"""

from collections.abc import Sequence

from vsdk.adapters.scheduling.fhir.carriers.carrier import (
    FoundLink,
    foreign_link,
    is_ours,
    of_patient,
    unsupported,
)
from vsdk.adapters.scheduling.fhir.carriers.elements import numbered, put
from vsdk.adapters.scheduling.fhir.values import as_objects, as_text, codings
from vsdk.domain.appointment import VirtualService
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import Json

ELEMENT = "contained"
ID = "appointment-meeting-endpoint-0"
_IDS = (ID, "appointment-meeting-endpoint")
"""the id of today, and that of earlier versions of their interface"""
VIDEO_CALL = "video-call"


def find(resource: Json, conventions: FhirConventions) -> list[FoundLink]:
    return [
        FoundLink(url, "contained-endpoint", is_ours(url, conventions))
        for endpoint in as_objects(resource.get(ELEMENT))
        if _is_endpoint(endpoint) and _is_for_video(endpoint) and (url := _address(endpoint))
    ]


def write(resource: Json, services: Sequence[VirtualService], practice: Practice, release: str) -> Json:
    service = of_patient(services)
    if service and release not in ("R4", "R4B"):
        raise unsupported("contained-endpoint", release)

    def replaceable(endpoint: Json) -> bool:
        if not _is_endpoint(endpoint) or not _is_for_video(endpoint):
            return False
        url = _address(endpoint)
        return is_ours(url, practice.fhir) or bool(service and not url and _id(endpoint) in _IDS)

    if service:
        for index, endpoint in numbered(resource, "contained"):
            if _is_endpoint(endpoint) and _id(endpoint) in _IDS and not replaceable(endpoint):
                raise foreign_link(f"Appointment.contained[{index}].address")
    ids = {*_IDS, *(_id(e) for _, e in numbered(resource, "contained") if replaceable(e))} - {""}
    changed = put(
        resource,
        "contained",
        [_endpoint(service.url)] if service else [],
        instead_of=replaceable,
        path="Appointment.contained",
    )
    if service is None and changed is resource:
        return resource
    return put(
        changed,
        "supportingInformation",
        [{"reference": f"#{ID}", "type": "Endpoint"}] if service else [],
        instead_of=lambda reference: as_text(reference.get("reference")).removeprefix("#") in ids,
        path="Appointment.supportingInformation",
    )


def _endpoint(url: str) -> Json:
    return {
        "resourceType": "Endpoint",
        "id": ID,
        "status": "active",
        "connectionType": {"code": "https"},
        "payloadType": [{"coding": [{"code": VIDEO_CALL}]}],
        "address": url,
    }


def _is_endpoint(resource: Json) -> bool:
    return bool(resource.get("resourceType") == "Endpoint")


def _is_for_video(endpoint: Json) -> bool:
    payloads = codings(endpoint.get("payloadType"))
    return _id(endpoint) in _IDS or any(code == VIDEO_CALL for _, code in payloads)


def _id(endpoint: Json) -> str:
    return as_text(endpoint.get("id")).removeprefix("#")


def _address(endpoint: Json) -> str:
    return as_text(endpoint.get("address"))
