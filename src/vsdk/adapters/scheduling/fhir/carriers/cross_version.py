"""R5's ``virtualService`` before R5: HL7's cross-version extension.

StructureDefinition ext-R5-Appointment.virtualService of the package hl7.fhir.uv.xver-r5.r4 0.1.0, trial use.
Data in the field hold the link directly in ``address``. The definition lists such a value too, but demands of
every ``address`` a part that says ExtendedContactDetail, and an extension has a value or parts, never both:
so only a link in ``telecom`` is valid. Both are read. The carrier ``virtual-service`` writes the first shape,
``virtual-service-contact`` the second.
"""

from collections.abc import Sequence

from vsdk.adapters.scheduling.fhir.carriers.carrier import (
    CHANNEL,
    FoundLink,
    is_our_channel,
    is_ours,
    of_patient,
)
from vsdk.adapters.scheduling.fhir.carriers.elements import put
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text, extensions
from vsdk.domain.appointment import VirtualService
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import Json

ELEMENT = "extension"
VIRTUAL_SERVICE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.virtualService"

DATATYPE = "http://hl7.org/fhir/StructureDefinition/_datatype"
"""what the parts of a type are that the release does not have; some write just ``_datatype``"""

_ADDRESSES = ("address", "addressUrl", "addressString")
"""the sub-extensions that hold an address, in HL7's definitions and in those of vendors made after them"""
_TYPE_NAMES = (DATATYPE, "_datatype")


def find(resource: Json, conventions: FhirConventions) -> list[FoundLink]:
    return [
        FoundLink(url, "virtual-service", is_our_entry(entry, conventions))
        for entry in as_objects(resource.get(ELEMENT))
        if entry.get("url") == VIRTUAL_SERVICE and (url := address(entry))
    ]


def write(resource: Json, services: Sequence[VirtualService], practice: Practice, release: str) -> Json:
    service = of_patient(services)
    shape = _contact if practice.fhir.carrier == "virtual-service-contact" else _plain
    return put(
        resource,
        "extension",
        [_entry(shape(service.url, release))] if service else [],
        instead_of=lambda e: e.get("url") == VIRTUAL_SERVICE and is_our_entry(e, practice.fhir),
        path="Appointment.extension",
    )


def value_name(release: str) -> str:
    """STU3 has no data type ``url`` (hl7.org/fhir/STU3/datatypes.html)."""
    return "valueUri" if release == "STU3" else "valueUrl"


def is_our_entry(entry: Json, conventions: FhirConventions) -> bool:
    channels = (channel.get("valueCoding") for channel in extensions(entry, "channelType"))
    return any(map(is_our_channel, channels)) or is_ours(address(entry), conventions)


def address(entry: Json) -> str:
    """The link in an extension that has a VirtualServiceDetail in parts, in whichever shape; or empty."""
    for part in as_objects(entry.get("extension")):
        if part.get("url") in _ADDRESSES:
            for holder in (part, *as_objects(part.get("extension"))):
                if holder.get("url") not in _TYPE_NAMES and (url := value(holder)):
                    return url
    return ""


def value(extension: Json) -> str:
    """The link that is the value of the extension, or empty."""
    for name in ("valueUrl", "valueUri", "valueString"):
        if name in extension and (url := as_text(extension[name])):
            return url
    return as_text(as_object(extension.get("valueContactPoint")).get("value"))


def _entry(address: Json) -> Json:
    return {
        "extension": [
            {"url": DATATYPE, "valueString": "VirtualServiceDetail"},
            {"url": "channelType", "valueCoding": dict(CHANNEL)},
            address,
        ],
        "url": VIRTUAL_SERVICE,
    }


def _plain(url: str, release: str) -> Json:
    return {"url": "address", value_name(release): url}


def _contact(url: str, release: str) -> Json:
    return {
        "extension": [
            {"url": DATATYPE, "valueString": "ExtendedContactDetail"},
            {"url": "telecom", "valueContactPoint": {"system": "url", "value": url}},
        ],
        "url": "address",
    }
