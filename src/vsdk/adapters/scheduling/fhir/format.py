"""The port AppointmentFormat over FHIR, by release. The release is told, never guessed from the content."""

from collections.abc import Sequence
from typing import Any

from vsdk.adapters.scheduling.fhir import reader, strict, video
from vsdk.adapters.scheduling.fhir.carriers import choice
from vsdk.adapters.scheduling.fhir.carriers.carrier import FoundLink, refusal
from vsdk.adapters.scheduling.fhir.people import attendees
from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.errors import InvalidAppointment
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

RELEASES = ("STU3", "R4", "R4B", "R5")

SINCE_R4 = frozenset({AppointmentStatus.CHECKED_IN, AppointmentStatus.WAITLIST})
"""not in STU3 (hl7.org/fhir/STU3/valueset-appointmentstatus.html)"""


class FhirFormat:
    """Reads and writes Appointments of the releases ``STU3``, ``R4``, ``R4B`` and ``R5``.

    Any other release raises InvalidAppointment, ``release-unsupported``.
    """

    def read(
        self, resource: Any, *, release: str, practice: Practice, assume_video: bool = False
    ) -> Appointment:
        """See `reader.read` and `reader.require_appointment` for the codes of what cannot be read.

        Where the practice is strict, ``fhir-invalid`` too, for what its release does not allow.
        """
        _check(release)
        reader.require_appointment(resource)
        attending = attendees(resource)
        is_video = assume_video or video.why(resource, attending, practice.fhir) is not None
        appointment = reader.read(resource, attending=attending, practice=practice, is_video=is_video)
        if practice.fhir.strict and (problems := strict.issues(resource, release)):
            raise InvalidAppointment(
                f"not valid FHIR {release}", code="fhir-invalid", issues=problems[: reader.MOST_ISSUES]
            )
        return appointment

    def write(
        self,
        original: Any,
        *,
        release: str,
        practice: Practice,
        services: Sequence[VirtualService] | None,
        status: AppointmentStatus | None = None,
    ) -> Json:
        """The original with our links, or without them, and all else unchanged.

        A status that the release does not have is not written. Raises InvalidAppointment:
        ``not-json-object``, ``wrong-resource-type``, ``foreign-link``, ``link-place-malformed``,
        ``link-too-long``, ``carrier-unsupported``.
        """
        _check(release)
        resource = dict(reader.require_appointment(original))
        if services is not None:
            resource = choice.write(resource, services, practice, release)
        if status is None or (release == "STU3" and status in SINCE_R4):
            return resource
        return resource | {"status": status.value}

    def links(self, resource: Json, *, practice: Practice) -> list[FoundLink]:
        """Every video link in the resource, ours and others'."""
        return choice.found(resource, practice.fhir)

    def own_links(self, resource: Json, *, practice: Practice) -> frozenset[str]:
        """The addresses of ours among them."""
        return frozenset(link.url for link in choice.found(resource, practice.fhir) if link.ours)


def _check(release: str) -> None:
    if release not in RELEASES:
        raise refusal(
            "release-unsupported", "$this", f"the FHIR release must be one of {', '.join(RELEASES)}"
        )
