"""R5's own element, ``Appointment.virtualService`` (hl7.org/fhir/R5/appointment.html)."""

from collections.abc import Sequence

from vsdk.adapters.scheduling.fhir.carriers.carrier import (
    CHANNEL,
    FoundLink,
    is_our_channel,
    is_ours,
    of_patient,
)
from vsdk.adapters.scheduling.fhir.carriers.elements import put
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text
from vsdk.domain.appointment import VirtualService
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import Json

ELEMENT = "virtualService"


def find(resource: Json, conventions: FhirConventions) -> list[FoundLink]:
    return [
        FoundLink(url, "virtual-service", _is_ours(entry, conventions))
        for entry in as_objects(resource.get(ELEMENT))
        if (url := _address(entry))
    ]


def write(resource: Json, services: Sequence[VirtualService], practice: Practice, release: str) -> Json:
    service = of_patient(services)
    return put(
        resource,
        "virtualService",
        [{"channelType": dict(CHANNEL), "addressUrl": service.url}] if service else [],
        instead_of=lambda entry: _is_ours(entry, practice.fhir),
        path="Appointment.virtualService",
    )


def _is_ours(entry: Json, conventions: FhirConventions) -> bool:
    return is_our_channel(entry.get("channelType")) or is_ours(_address(entry), conventions)


def _address(entry: Json) -> str:
    """The link in any of the four types of ``address[x]`` (hl7.org/fhir/R5/metadatatypes.html)."""
    points = [
        *as_objects(entry.get("addressContactPoint")),
        *as_objects(as_object(entry.get("addressExtendedContactDetail")).get("telecom")),
    ]
    given = (entry.get("addressUrl"), entry.get("addressString"), *(point.get("value") for point in points))
    return next((text for text in map(as_text, given) if text), "")
