"""The port AppointmentFormat over FHIR, by release. The release is told, never guessed from the content."""

from types import ModuleType
from typing import Any, cast

from vsdk.adapters.scheduling import fhir_r4, fhir_r5
from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.errors import InvalidAppointment
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

_MAPPERS = {"R4": fhir_r4, "R4B": fhir_r4, "R5": fhir_r5}


class FhirFormat:
    """Reads and writes Appointments of the releases ``R4``, ``R4B`` and ``R5``.

    Any other release raises InvalidAppointment, ``release-unsupported``.
    """

    def read(
        self, resource: Any, *, release: str, practice: Practice, assume_video: bool = False
    ) -> Appointment:
        """See `fhir_common.read` for the codes of what cannot be read."""
        mapper = _mapper(release)
        return cast(Appointment, mapper.from_fhir(resource, practice=practice, assume_video=assume_video))

    def write(
        self,
        original: Any,
        *,
        release: str,
        virtual_service: VirtualService | None,
        status: AppointmentStatus | None = None,
    ) -> Json:
        """The original with our link, or without it, and all else unchanged."""
        mapper = _mapper(release)
        return cast(Json, mapper.to_fhir(original, virtual_service=virtual_service, status=status))

    def link(self, resource: Json, *, release: str) -> VirtualService | None:
        """Our own link, if the resource has one."""
        return cast(VirtualService | None, _mapper(release).link_of(resource))


def _mapper(release: str) -> ModuleType:
    if release not in _MAPPERS:
        explanation = f"the FHIR release must be one of {', '.join(_MAPPERS)}"
        raise InvalidAppointment(explanation, code="release-unsupported", issues=[("$this", explanation)])
    return _MAPPERS[release]
