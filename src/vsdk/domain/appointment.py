"""The appointment as vsdk understands it: a mirror of what the PMS owns."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.participant import Capability, Participant, Role
from vsdk.domain.quick import quick_to_make


class AppointmentStatus(StrEnum):
    """FHIR AppointmentStatus, the same ten codes in R4 and R5 (hl7.org/fhir/valueset-appointmentstatus)."""

    PROPOSED = "proposed"
    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"
    ENTERED_IN_ERROR = "entered-in-error"
    CHECKED_IN = "checked-in"
    WAITLIST = "waitlist"

    @property
    def takes_place(self) -> bool:
        """Whether the appointment still stands, so that links to it make sense."""
        return self not in (
            AppointmentStatus.CANCELLED,
            AppointmentStatus.NOSHOW,
            AppointmentStatus.ENTERED_IN_ERROR,
        )


@dataclass(frozen=True, slots=True)
class VirtualService:
    """Where one participant joins, as written into the appointment (FHIR R5 VirtualServiceDetail)."""

    url: str = field(repr=False)
    """a credential of that participant; at most 255 characters: a limit of some systems' databases"""
    role: Role = Role.PATIENT
    reference: str = ""
    """FHIR reference of the participant, such as ``Patient/17``"""
    opens: datetime | None = None
    closes: datetime | None = None


@quick_to_make
@dataclass(frozen=True, slots=True)
class Appointment:
    """A booked time with its participants. Times are aware; the reason for the visit is never read."""

    id: AppointmentId
    practice_id: PracticeId
    status: AppointmentStatus
    start: datetime
    end: datetime
    participants: tuple[Participant, ...]
    is_video: bool
    identifiers: tuple[str, ...] = ()
    """business identifiers, each ``system|value`` as FHIR searches for them"""

    def first(self, role: Role) -> Participant | None:
        """The first participant with that role, in the order of the appointment."""
        return next((p for p in self.participants if p.role is role), None)

    def capabilities(self, participant: Participant) -> frozenset[Capability]:
        """What this participant may do here.

        Without a patient, the first practitioner receives the others: they wait to be let in like anyone.
        """
        if participant.role is not Role.PRACTITIONER or self.first(Role.PATIENT):
            return participant.capabilities
        if participant == self.first(Role.PRACTITIONER):
            return participant.capabilities
        return (participant.capabilities - {Capability.ADMIT, Capability.LIST}) | {Capability.WAIT}
