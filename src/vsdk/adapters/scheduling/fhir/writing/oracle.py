"""What Oracle Health (Millennium) accepts as a patch of an Appointment: its documented operations, no others.

The two links and the period go together, all as ``add`` or all as ``replace``; in the paths, 0 is the
provider's room and 1 the patient's, whatever order reading shows. No way is offered to take a link away: it
stays there, and leads nowhere once it is revoked here. The status moves step by step.
"""

from collections.abc import Sequence

from vsdk.adapters.scheduling.fhir.carriers.contained_healthcare_service import PATIENT_ROOM, PROVIDER_ROOM
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text
from vsdk.adapters.scheduling.fhir.writing.json_patch import JSON_PATCH
from vsdk.domain.appointment import AppointmentStatus as Status
from vsdk.domain.practice import FhirConventions
from vsdk.hooks.ports import Json

CARRIER = "contained-healthcare-service"
_WAY: dict[tuple[Status, Status], Status] = {
    (Status.BOOKED, Status.ARRIVED): Status.ARRIVED,
    (Status.BOOKED, Status.CHECKED_IN): Status.CHECKED_IN,
    (Status.BOOKED, Status.FULFILLED): Status.CHECKED_IN,
    (Status.ARRIVED, Status.CHECKED_IN): Status.CHECKED_IN,
    (Status.ARRIVED, Status.FULFILLED): Status.CHECKED_IN,
    (Status.CHECKED_IN, Status.FULFILLED): Status.FULFILLED,
} | {
    (before, Status.CANCELLED): Status.CANCELLED
    for before in (Status.PROPOSED, Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN)
}
"""from where to where, and the next step; what is proposed is not ours to confirm, noshow not offered"""


class OraclePatch:
    """Links in the first call, then the status in up to two."""

    method = "PATCH"
    content_type = JSON_PATCH
    steps = 3

    def bodies(self, original: Json, changed: Json, step: int = 0) -> Sequence[list[Json]]:
        """``add`` where there is no link yet, else ``replace``; the other one where we were mistaken."""
        before, after = _rooms(original), _rooms(changed)
        if step == 0:
            verbs = ("replace", "add") if any(before) else ("add", "replace")
            return [_links(verb, *after) for verb in verbs] if after != before and all(after) else []
        if changed.get("status") != original.get("status"):
            return [[{"op": "replace", "path": "/status", "value": changed["status"]}]]
        return []

    def next_status(self, now: Status, wanted: Status) -> Status:
        return _WAY.get((now, wanted), now)

    def problem(self, conventions: FhirConventions, release: str) -> str:
        if conventions.carrier not in (CARRIER, "none"):
            return f"oracle writes the carrier {CARRIER}, not {conventions.carrier}"
        return ""


def _links(verb: str, provider: str, patient: str, start: str, end: str) -> list[Json]:
    values = {
        "/contained/0/telecom/0/value": provider,
        "/contained/1/telecom/0/value": patient,
        "/contained/0/telecom/0/period/start": start,
        "/contained/0/telecom/0/period/end": end,
    }
    return [{"op": verb, "path": path, "value": value} for path, value in values.items()]


def _rooms(resource: Json) -> tuple[str, str, str, str]:
    """The provider's link, the patient's, and the period; the appointment's own where the room has none."""
    provider, patient = _telecom(resource, PROVIDER_ROOM), _telecom(resource, PATIENT_ROOM)
    if not provider and not patient:
        return "", "", "", ""
    period = as_object(patient.get("period")) or as_object(provider.get("period"))
    start, end = (as_text(period.get(n)) or as_text(resource.get(n)) for n in ("start", "end"))
    return as_text(provider.get("value")), as_text(patient.get("value")), start, end


def _telecom(resource: Json, name: str) -> Json:
    for room in as_objects(resource.get("contained")):
        if any(as_text(kind.get("text")) == name for kind in as_objects(room.get("type"))):
            return next((p for p in as_objects(room.get("telecom")) if as_text(p.get("value"))), {})
    return {}
