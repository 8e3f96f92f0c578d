"""FHIRPath Patch (hl7.org/fhir/fhirpatch.html), the only one that ISiK asks of every server.

Only elements of the resource itself that hold one primitive value are written: ``status`` and, before R5,
``patientInstruction``. ISiK forbids to change ``start``, ``end``, ``slot`` and the patient.
"""

from collections.abc import Sequence

from vsdk.adapters.scheduling.fhir.rest.client import FHIR_JSON
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import PartnerError
from vsdk.domain.practice import FhirConventions
from vsdk.hooks.ports import Json

_VALUES = {"status": "valueCode", "patientInstruction": "valueString"}
_CARRIERS = ("patient-instruction", "none")


class FhirPathPatch:
    """A Parameters resource with one operation for each element that differs."""

    method = "PATCH"
    content_type = FHIR_JSON
    steps = 1

    def bodies(self, original: Json, changed: Json, step: int = 0) -> Sequence[Json]:
        """Raises PartnerError ``not-expressible`` for any other element."""
        names = [n for n in {**original, **changed} if original.get(n) != changed.get(n)]
        operations = [_operation(name, original, changed) for name in names]
        return [{"resourceType": "Parameters", "parameter": operations}] if operations else []

    def next_status(self, now: AppointmentStatus, wanted: AppointmentStatus) -> AppointmentStatus:
        return wanted

    def problem(self, conventions: FhirConventions, release: str) -> str:
        if conventions.carrier not in _CARRIERS:
            return f"fhirpath-patch writes the carrier patient-instruction, not {conventions.carrier}"
        if conventions.carrier == "patient-instruction" and release == "R5":
            return "fhirpath-patch cannot write the patientInstruction of R5, which is no text"
        return ""


def _operation(name: str, original: Json, changed: Json) -> Json:
    value = changed.get(name)
    if name not in _VALUES or not isinstance(value, str | None):
        raise PartnerError(
            "this change cannot be written as FHIRPath Patch", retryable=False, code="not-expressible"
        )
    written = [{"name": "value", _VALUES[name]: value}]
    if name not in original:
        named = {"name": "name", "valueString": name}
        return _parts("add", "Appointment", [named, *written])
    if value is None:
        return _parts("delete", f"Appointment.{name}", [])
    return _parts("replace", f"Appointment.{name}", written)


def _parts(kind: str, path: str, more: list[Json]) -> Json:
    parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}, *more]
    return {"name": "operation", "part": parts}
