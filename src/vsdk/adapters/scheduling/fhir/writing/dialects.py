"""How servers want to be told of a change: as the whole resource, or in one of several kinds of patches."""

from collections.abc import Sequence
from typing import Any, Protocol

from vsdk.adapters.scheduling.fhir.rest.client import FHIR_JSON
from vsdk.adapters.scheduling.fhir.writing import fhirpath_patch, json_patch, oracle
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.practice import FhirConventions
from vsdk.hooks.ports import Json


class Dialect(Protocol):
    """Pure: says what to send, and sends nothing."""

    method: str
    content_type: str
    steps: int
    """how many calls one change may need, one after the other, each a version of its own"""

    def bodies(self, original: Json, changed: Json, step: int = 0) -> Sequence[Json | list[Any]]:
        """What to send, with alternatives in the order in which to try them; none: nothing in this step.

        Raises PartnerError ``not-expressible`` where leaving it unsaid would be wrong.
        """

    def next_status(self, now: AppointmentStatus, wanted: AppointmentStatus) -> AppointmentStatus:
        """The next step on the way to ``wanted`` that the server allows; ``now`` where there is no way."""

    def problem(self, conventions: FhirConventions, release: str) -> str:
        """Why this dialect cannot write what the practice's conventions want; empty if it can.

        ``release`` is empty where the server is to be asked.
        """


class Put:
    """The whole resource (hl7.org/fhir/http.html#update)."""

    method = "PUT"
    content_type = FHIR_JSON
    steps = 1

    def bodies(self, original: Json, changed: Json, step: int = 0) -> Sequence[Json]:
        return [changed]

    def next_status(self, now: AppointmentStatus, wanted: AppointmentStatus) -> AppointmentStatus:
        return wanted

    def problem(self, conventions: FhirConventions, release: str) -> str:
        return ""


DIALECTS: dict[str, Dialect] = {
    "put": Put(),
    "json-patch": json_patch.JsonPatch(),
    "oracle": oracle.OraclePatch(),
    "fhirpath-patch": fhirpath_patch.FhirPathPatch(),
}
"""by the name that the settings use"""
