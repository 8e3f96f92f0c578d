"""The two artefacts of joining, deliberately different.

A `JoinLink` is what an SMS carries: a handle of 128 unguessable bits after the ``#`` of the URL, of which
only the hash is stored. An `AccessGrant` is what the signalling connection shows: signed, minutes long,
with everything it permits written in it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.participant import Capability, Role
from vsdk.domain.visit import ACTIVE, Visit, VisitState


@dataclass(frozen=True, slots=True)
class JoinLink:
    """A link of one participant to one visit. ``handle_hash`` is SHA-256 of the handle, in hex."""

    id: str
    handle_hash: str
    visit_id: VisitId
    participant_id: ParticipantId
    revoked_at: datetime | None = None


class JoinProblem(StrEnum):
    """Why a link does not open now. The values are error codes (``docs/errors.md``)."""

    UNKNOWN = "join-link-unknown"
    REVOKED = "join-link-revoked"
    CANCELLED = "appointment-cancelled"
    USED_UP = "join-link-used-up"
    EARLY = "join-link-early"
    LATE = "join-link-late"


def check(link: JoinLink, visit: Visit, now: datetime) -> JoinProblem | None:
    """Why this link cannot be exchanged at ``now``, or None when it can.

    The window counts only while nobody is there: a visit that someone is in stays open to its participants.
    """
    if visit.state is VisitState.CANCELLED:
        return JoinProblem.CANCELLED
    if link.revoked_at is not None:
        return JoinProblem.REVOKED
    if visit.state is VisitState.CLOSED:
        return JoinProblem.USED_UP
    if visit.state is VisitState.NOSHOW:
        return JoinProblem.LATE
    if visit.state in ACTIVE:
        return None
    if now < visit.window.opens:
        return JoinProblem.EARLY
    if now >= visit.closes:
        return JoinProblem.LATE
    return None


@dataclass(frozen=True, slots=True)
class AccessGrant:
    """What the bearer may do, until ``expires``. ``visit_id`` is None for a practice's list."""

    practice_id: PracticeId
    visit_id: VisitId | None
    participant_id: ParticipantId
    role: Role
    capabilities: frozenset[Capability]
    issued: datetime
    expires: datetime
    sign_in: str = ""
    """the sign-in without which it is not renewed; empty where a join link or a PMS stands behind it"""

    def permits(self, capability: Capability) -> bool:
        return capability in self.capabilities
