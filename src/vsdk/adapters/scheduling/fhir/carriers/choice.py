"""All carriers: each can be chosen for a practice, and all are read."""

from collections.abc import Sequence

from vsdk.adapters.scheduling.fhir.carriers import (
    contained_endpoint,
    contained_healthcare_service,
    cross_version,
    extension,
    nothing,
    participant_virtual_service,
    patient_instruction,
    virtual_service,
)
from vsdk.adapters.scheduling.fhir.carriers.carrier import Carrier, FoundLink, require_short
from vsdk.domain.appointment import VirtualService
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import Json

CARRIERS: dict[str, Carrier] = {
    "virtual-service": virtual_service,
    "virtual-service-contact": virtual_service,
    "participant-virtual-service": participant_virtual_service,
    "contained-healthcare-service": contained_healthcare_service,
    "contained-endpoint": contained_endpoint,
    "extension": extension,
    "patient-instruction": patient_instruction,
    "none": nothing,
}
"""by the name that the settings use"""

PLACES: tuple[Carrier, ...] = (cross_version, *dict.fromkeys(CARRIERS.values()))


_BY_ELEMENT: dict[str, list[Carrier]] = {}
for _place in PLACES:
    _BY_ELEMENT.setdefault(_place.ELEMENT, []).append(_place)


def carrier_of(conventions: FhirConventions, release: str) -> Carrier:
    """The chosen one. Before R5, the element ``virtualService`` is its cross-version extension.

    R5 itself has a plain address for links: there, ``virtual-service-contact`` makes no difference.
    """
    carrier = CARRIERS[conventions.carrier]
    return cross_version if carrier is virtual_service and release != "R5" else carrier


def found(resource: Json, conventions: FhirConventions) -> list[FoundLink]:
    """Every link in every place, whatever the carrier of the practice is."""
    links: list[FoundLink] = []
    for element, places in _BY_ELEMENT.items():
        if element in resource:
            for place in places:
                links += place.find(resource, conventions)
    return links


def write(resource: Json, services: Sequence[VirtualService], practice: Practice, release: str) -> Json:
    """The resource with our links in the place of the chosen carrier, and in no other.

    With the carrier ``none`` nothing is written; without services, what stands somewhere from before goes.
    Raises InvalidAppointment ``link-too-long``, and what the carrier raises.
    """
    chosen = carrier_of(practice.fhir, release)
    if chosen is nothing and services:
        return resource
    require_short([service.url for service in services])
    for place in PLACES:
        if place is not chosen:
            resource = place.write(resource, (), practice, release)
    return chosen.write(resource, services, practice, release)
