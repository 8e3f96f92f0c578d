"""FHIR R5 Appointment <-> the domain's appointment (hl7.org/fhir/R5/appointment.html)."""

from typing import Any

from vsdk.adapters.scheduling import fhir_common as common
from vsdk.adapters.scheduling.fhir_values import as_object, as_objects, as_text, codings
from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

VIRTUAL = ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "VR")


def from_fhir(resource: Any, *, practice: Practice, assume_video: bool = False) -> Appointment:
    """Reads an R5 Appointment. Raises InvalidAppointment, see `fhir_common.read`.

    It is a video visit when it has a ``virtualService``, is of ``class`` VR, or `fhir_common.says_video`.
    """
    given = as_object(resource)
    video = (
        assume_video
        or bool(as_objects(given.get("virtualService")))
        or any((system or VIRTUAL[0], code) == VIRTUAL for system, code in codings(given.get("class")))
        or common.says_video(given)
    )
    return common.read(resource, practice=practice, is_video=video)


def to_fhir(
    original: Any, *, virtual_service: VirtualService | None, status: AppointmentStatus | None = None
) -> Json:
    """The original with our link in place of our former one, or without it; foreign entries stay.

    Raises InvalidAppointment (``not-json-object``, ``wrong-resource-type``).
    """
    resource = common.require_appointment(original)
    entries = common.listed(resource.get("virtualService"))
    foreign = [entry for entry in entries if not _is_ours(entry)]
    if virtual_service is not None or len(foreign) < len(entries):
        ours = (
            []
            if virtual_service is None
            else [{"channelType": dict(common.CHANNEL), "addressUrl": virtual_service.url}]
        )
        resource = common.with_entries(resource, "virtualService", foreign, ours)
    return common.with_status(dict(resource), status)


def link_of(resource: Json) -> VirtualService | None:
    """Our own link in the resource."""
    for entry in common.listed(resource.get("virtualService")):
        if _is_ours(entry) and (url := as_text(entry.get("addressUrl"))):
            return VirtualService(url)
    return None


def _is_ours(entry: Any) -> bool:
    return bool(as_object(as_object(entry).get("channelType")).get("system") == common.CHANNEL_SYSTEM)
