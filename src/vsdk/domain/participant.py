"""Who takes part in a visit, and what each may do there."""

from dataclasses import dataclass, field
from enum import StrEnum

from vsdk.domain.ids import ParticipantId
from vsdk.domain.quick import quick_to_make


class Role(StrEnum):
    """What a participant is to the visit (FHIR Patient, Practitioner, RelatedPerson)."""

    PATIENT = "patient"
    PRACTITIONER = "practitioner"
    COMPANION = "companion"
    INTERPRETER = "interpreter"
    STAFF = "staff"


class Capability(StrEnum):
    """What an access grant permits on the signalling connection."""

    WAIT = "wait"
    """enter the waiting room and be admitted from there"""
    TALK = "talk"
    """exchange offers, answers and candidates"""
    ADMIT = "admit"
    """let waiting participants in, invite back"""
    CLOSE = "close"
    """end the visit for everyone"""
    LIST = "list"
    """see the practice's visits of the day"""


CAPABILITIES: dict[Role, frozenset[Capability]] = {
    Role.PATIENT: frozenset({Capability.WAIT, Capability.TALK, Capability.CLOSE}),
    Role.COMPANION: frozenset({Capability.WAIT, Capability.TALK}),
    Role.INTERPRETER: frozenset({Capability.WAIT, Capability.TALK}),
    Role.PRACTITIONER: frozenset({Capability.TALK, Capability.ADMIT, Capability.CLOSE, Capability.LIST}),
    Role.STAFF: frozenset({Capability.LIST}),
}
"""Staff organise and never get ``talk``: no media for them (31b § 5 (1), second access)."""


@quick_to_make
@dataclass(frozen=True, slots=True)
class Participant:
    """One person of one visit. Personal data stay out of ``repr`` and so out of logs and tracebacks."""

    id: ParticipantId
    role: Role
    reference: str
    """FHIR reference of the actor, such as ``Patient/17``; empty when the appointment has none"""
    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    language: str = ""
    """BCP 47 tag; empty means the practice's language"""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return CAPABILITIES[self.role]
