"""A link of one's own for each participant: an extension on ``Appointment.participant``.

R5 asks for it when links differ (hl7.org/fhir/R5/appointment.html, virtualService), but does not let its data
type be the value of an extension. HL7 Austria therefore defines one in parts; that is the one written. Its
binding of ``channelType`` admits three commercial services only, so their validator will not know our code.
"""

from collections.abc import Sequence

from vsdk.adapters.scheduling.fhir.carriers.carrier import CHANNEL, FoundLink
from vsdk.adapters.scheduling.fhir.carriers.cross_version import (
    VIRTUAL_SERVICE,
    address,
    is_our_entry,
    value_name,
)
from vsdk.adapters.scheduling.fhir.carriers.elements import numbered, put, with_entry
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text
from vsdk.domain.appointment import VirtualService
from vsdk.domain.participant import Role
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import Json

ELEMENT = "participant"
DETAIL = "http://hl7.at/fhir/TC-FHIR-AG-Scheduling-R5/R5/StructureDefinition/virtual-service-detail"


def find(resource: Json, conventions: FhirConventions) -> list[FoundLink]:
    return [
        FoundLink(url, "participant-virtual-service", is_our_entry(entry, conventions))
        for participant in as_objects(resource.get(ELEMENT))
        if "extension" in participant
        for entry in as_objects(participant["extension"])
        if _is_detail(entry) and (url := address(entry))
    ]


def write(resource: Json, services: Sequence[VirtualService], practice: Practice, release: str) -> Json:
    """A participant is known by the reference to the actor: one without a reference gets no link.

    Some servers show a reference in another form than they were given: there, type and id have to do.
    """
    pending = [
        service
        for service in reversed(services)
        if service.reference and (service.role is not Role.PRACTITIONER or practice.fhir.practitioner_links)
    ]
    present = {_reference(participant) for _, participant in numbered(resource, "participant")}
    same = {s.reference: s for s in pending if s.reference in present}
    other = {_type_and_id(s.reference): s for s in pending if s.reference not in present}
    for index, participant in numbered(resource, "participant"):
        reference = _reference(participant)
        service = same.pop(reference, None) or other.pop(_type_and_id(reference), None)
        changed = put(
            participant,
            "extension",
            [_entry(service.url, release)] if service else [],
            instead_of=lambda e: _is_detail(e) and is_our_entry(e, practice.fhir),
            path=f"Appointment.participant[{index}].extension",
        )
        if changed is not participant:
            resource = with_entry(resource, "participant", index, changed)
    return resource


def _reference(participant: Json) -> str:
    return as_text(as_object(participant.get("actor")).get("reference"))


def _type_and_id(reference: str) -> str:
    """``Patient/17`` of relative, absolute and versioned references (hl7.org/fhir/references.html)."""
    return "/".join(reference.partition("/_history/")[0].split("/")[-2:])


def _is_detail(entry: Json) -> bool:
    return entry.get("url") in (DETAIL, VIRTUAL_SERVICE)


def _entry(url: str, release: str) -> Json:
    return {
        "extension": [
            {"url": "channelType", "valueCoding": dict(CHANNEL)},
            {"extension": [{"url": "addressUrl", value_name(release): url}], "url": "address"},
        ],
        "url": DETAIL,
    }
