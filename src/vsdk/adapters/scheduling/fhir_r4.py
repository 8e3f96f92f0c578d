"""FHIR R4 and R4B Appointment <-> the domain's appointment.

R4 has no element for a video link. HL7's cross-version extension carries R5's (package
hl7.fhir.uv.xver-r5.r4, trial use). Its published form describes ``address`` as a complex extension and has
none for a plain URL, while data in the field use ``address`` with ``valueUrl``: both are read, the latter is
written.
"""

from typing import Any

from vsdk.adapters.scheduling import fhir_common as common
from vsdk.adapters.scheduling.fhir_values import as_object, as_objects, as_text, extensions
from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

VIRTUAL_SERVICE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.virtualService"


def from_fhir(resource: Any, *, practice: Practice, assume_video: bool = False) -> Appointment:
    """Reads an R4 or R4B Appointment. Raises InvalidAppointment, see `fhir_common.read`.

    It is a video visit when the cross-version extension is present, or `fhir_common.says_video`.
    """
    given = as_object(resource)
    video = assume_video or bool(extensions(given, VIRTUAL_SERVICE)) or common.says_video(given)
    return common.read(resource, practice=practice, is_video=video)


def to_fhir(
    original: Any, *, virtual_service: VirtualService | None, status: AppointmentStatus | None = None
) -> Json:
    """The original with our link in place of our former one, or without it; foreign entries stay.

    Raises InvalidAppointment (``not-json-object``, ``wrong-resource-type``).
    """
    resource = common.require_appointment(original)
    entries = common.listed(resource.get("extension"))
    foreign = [entry for entry in entries if not _is_ours(entry)]
    if virtual_service is not None or len(foreign) < len(entries):
        ours = [] if virtual_service is None else [_entry(virtual_service)]
        resource = common.with_entries(resource, "extension", foreign, ours)
    return common.with_status(dict(resource), status)


def link_of(resource: Json) -> VirtualService | None:
    """Our own link in the resource."""
    for entry in common.listed(resource.get("extension")):
        if _is_ours(entry) and (url := _address(entry)):
            return VirtualService(url)
    return None


def _entry(virtual_service: VirtualService) -> Json:
    return {
        "extension": [
            {"url": "_datatype", "valueString": "VirtualServiceDetail"},
            {"url": "channelType", "valueCoding": dict(common.CHANNEL)},
            {"url": "address", "valueUrl": virtual_service.url},
        ],
        "url": VIRTUAL_SERVICE,
    }


def _is_ours(entry: Any) -> bool:
    entry = as_object(entry)
    return entry.get("url") == VIRTUAL_SERVICE and any(
        as_object(channel.get("valueCoding")).get("system") == common.CHANNEL_SYSTEM
        for channel in extensions(entry, "channelType")
    )


def _address(entry: Json) -> str:
    """The URL in ``address``: plain, or as a contact point in R5's ExtendedContactDetail."""
    for address in extensions(entry, "address"):
        if url := as_text(address.get("valueUrl")) or as_text(address.get("valueString")):
            return url
        for part in as_objects(address.get("extension")):
            if url := as_text(as_object(part.get("valueContactPoint")).get("value")) or as_text(
                part.get("valueUrl")
            ):
                return url
    return ""
