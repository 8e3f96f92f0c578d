"""A plain extension whose address the practice chooses, with the link as its value. One link fits into it.

Extensions in which other video services are known to leave their links are read too.
"""

from collections.abc import Sequence

from vsdk.adapters.scheduling.fhir.carriers.carrier import FoundLink, foreign_link, is_ours, of_patient
from vsdk.adapters.scheduling.fhir.carriers.cross_version import address, value, value_name
from vsdk.adapters.scheduling.fhir.carriers.elements import numbered, put
from vsdk.adapters.scheduling.fhir.values import as_objects, as_text
from vsdk.domain.appointment import VirtualService
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import Json

ELEMENT = "extension"
KNOWN = frozenset(
    {
        "http://hl7.org.au/fhir/StructureDefinition/telehealth-videolink",
        "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-meeting-url",
        "https://medplum.com/zoom-meeting-join-url",
        "https://medplum.com/zoom-meeting",
        "https://extensions.fhir.zapehr.com/appointment-virtual-service-pre-release",
    }
)
"""Australia (value), Denmark (value), Medplum's Zoom bot (value; or parts), Oystehr (parts)."""

_PARTS = ("joinUrl", "startUrl")


def find(resource: Json, conventions: FhirConventions) -> list[FoundLink]:
    found = []
    for entry in as_objects(resource.get(ELEMENT)):
        known = as_text(entry.get("url")) in KNOWN or _is_chosen(entry, conventions)
        for url in _links(entry) if known else [value(entry)]:
            ours = is_ours(url, conventions)
            if known or ours:
                found.append(FoundLink(url, "extension", ours))
    return found


def write(resource: Json, services: Sequence[VirtualService], practice: Practice, release: str) -> Json:
    service, conventions = of_patient(services), practice.fhir
    if service:
        for index, entry in numbered(resource, "extension"):
            if _is_chosen(entry, conventions) and any(not is_ours(u, conventions) for u in _links(entry)):
                raise foreign_link(f"Appointment.extension[{index}].value")
    return put(
        resource,
        "extension",
        [{"url": conventions.carrier_url, value_name(release): service.url}] if service else [],
        instead_of=lambda entry: is_ours(value(entry), conventions),
        path="Appointment.extension",
    )


def _is_chosen(entry: Json, conventions: FhirConventions) -> bool:
    return bool(conventions.carrier_url) and entry.get("url") == conventions.carrier_url


def _links(entry: Json) -> list[str]:
    parts = [value(part) for part in as_objects(entry.get("extension")) if part.get("url") in _PARTS]
    return [url for url in (value(entry), address(entry), *parts) if url]
