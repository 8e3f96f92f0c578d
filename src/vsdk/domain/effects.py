"""What is to be done because something happened, one frozen dataclass each.

``Notify`` and ``WriteBack`` are kept in the outbox and performed at least once, always with the same
idempotency key. ``Audit`` is written with the visit. ``Publish`` is for whoever is connected now; who was
not connected gets a full picture when they come.
"""

from dataclasses import dataclass, field

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId


@dataclass(frozen=True, slots=True)
class Notify:
    """Send a message. The text is made from the template only when it is sent, so no name is kept here."""

    visit_id: VisitId
    participant_id: ParticipantId
    """`vsdk.domain.messaging.PRACTICE` for the practice's own team"""
    template: str
    values: dict[str, str] = field(default_factory=dict)
    """what the text needs beside the appointment, such as ``minutes``; nothing personal"""
    without: tuple[str, ...] = ()
    """ways that have failed to deliver it already, each ``plugin/kind``"""


@dataclass(frozen=True, slots=True)
class WriteBack:
    """Tell the PMS the link of its appointment as it stands then, and the new status if there is one."""

    practice_id: PracticeId
    appointment_id: AppointmentId
    status: AppointmentStatus | None


@dataclass(frozen=True, slots=True)
class Audit:
    """A line of the audit trail: what happened to which visit, by whom, without names."""

    practice_id: PracticeId
    visit_id: VisitId
    what: str
    participant_id: ParticipantId | None = None
    details: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publish:
    """The visit changed: those who are connected to it, and the practice's lists, are told."""

    practice_id: PracticeId
    visit_id: VisitId


DurableEffect = Notify | WriteBack
Effect = Notify | WriteBack | Audit | Publish
