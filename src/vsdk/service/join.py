"""From a join link to an access grant, and from a practice's list to one for a visit."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime

from vsdk.domain.appointment import Appointment
from vsdk.domain.effects import Audit
from vsdk.domain.errors import NotFound, Refused
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.join import AccessGrant, JoinLink, JoinProblem, check
from vsdk.domain.participant import CAPABILITIES, Capability, Participant, Role
from vsdk.domain.policy import Join
from vsdk.domain.visit import Visit
from vsdk.hooks.store import Store
from vsdk.service.clock import Clock
from vsdk.service.grants import Grants, handle_hash
from vsdk.service.policy import PolicyService, as_details, explain

_DETAILS = {
    JoinProblem.UNKNOWN: "this join link does not exist",
    JoinProblem.REVOKED: "this join link was replaced by another one",
    JoinProblem.CANCELLED: "the appointment was cancelled",
    JoinProblem.USED_UP: "this visit is over",
    JoinProblem.EARLY: "this join link does not open yet",
    JoinProblem.LATE: "the time for this visit has passed",
}


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a join link stands for. Looking at it changes nothing."""

    link: JoinLink
    visit: Visit
    appointment: Appointment
    participant: Participant
    problem: JoinProblem | None
    version: int = 1
    """grows with every change of the appointment"""


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant, signed, with what its bearer needs to know."""

    token: str = field(repr=False)
    grant: AccessGrant


class JoinService:
    """Exchanges secrets for grants. Every refusal has a stable code."""

    def __init__(
        self,
        store: Store,
        grants: Grants,
        policy: PolicyService,
        clock: Clock,
    ) -> None:
        self._store = store
        self._grants = grants
        self._policy = policy
        self._clock = clock

    async def look(self, handle: str) -> Invitation:
        """Raises NotFound ``join-link-unknown``."""
        link = await self._store.link_by_hash(handle_hash(handle))
        visit = await self._store.visit(link.visit_id) if link else None
        mirrored = visit and await self._store.appointment(visit.practice_id, visit.appointment_id)
        if not (link and visit and mirrored):
            raise NotFound(_DETAILS[JoinProblem.UNKNOWN], code=JoinProblem.UNKNOWN)
        appointment = mirrored.appointment
        participant = next((p for p in appointment.participants if p.id == link.participant_id), None)
        if participant is None:
            raise NotFound(_DETAILS[JoinProblem.UNKNOWN], code=JoinProblem.UNKNOWN)
        problem = check(link, visit, self._clock.now())
        return Invitation(link, visit, appointment, participant, problem, mirrored.version)

    async def look_ahead(self, handle: str) -> Invitation:
        """Of a link that opens now or later. Raises as `look`, and Refused with a `JoinProblem`."""
        invitation = await self.look(handle)
        if invitation.problem not in (None, JoinProblem.EARLY):
            raise Refused(_DETAILS[invitation.problem], code=invitation.problem)
        return invitation

    async def exchange(self, handle: str) -> Granted:
        """The one step that a join link is for. Raises Refused with a `JoinProblem` or ``policy-denied``."""
        invitation = await self.look(handle)
        if invitation.problem:
            raise Refused(_DETAILS[invitation.problem], code=invitation.problem)
        visit, participant = invitation.visit, invitation.participant
        decision = self._policy.ask(Join(role=participant.role, name=participant.name))
        await self._store.record(
            Audit(
                visit.practice_id,
                visit.id,
                "join-link-exchanged" if decision.allowed else "join-denied",
                participant.id,
                {"role": participant.role.value, "findings": as_details(decision)},
            ),
            self._clock.now(),
        )
        if not decision.allowed:
            raise Refused(explain(decision), code="policy-denied", findings=decision.findings)
        return self._grant(visit, participant.id, participant.role, _of(invitation))

    def grant_list(self, practice_id: PracticeId, role: Role, subject: str, *, sign_in: str = "") -> Granted:
        """For someone whom the practice's identity provider, or its PMS, vouches for."""
        grant = self._grants.issue(
            practice_id=practice_id,
            visit_id=None,
            participant_id=ParticipantId(subject),
            role=role,
            capabilities=CAPABILITIES[role],
            now=self._clock.now(),
            sign_in=sign_in,
        )
        return Granted(self._grants.sign(grant), grant)

    async def enter(self, list_token: str, visit_id: VisitId) -> Granted:
        """A grant for one visit, for the practitioner who holds a grant for the list."""
        holder = self.read(list_token)
        await self.stands(holder)
        visit = await self._store.visit(visit_id)
        if visit is None or visit.practice_id != holder.practice_id or holder.visit_id is not None:
            raise NotFound("there is no such visit", code="visit-unknown")
        if not holder.permits(Capability.TALK):
            raise Refused("this role organises visits and does not take part in them", code="not-permitted")
        mirrored = await self._store.appointment(visit.practice_id, visit.appointment_id)
        practitioner = mirrored.appointment.first(Role.PRACTITIONER) if mirrored else None
        participant = practitioner.id if practitioner else ParticipantId("practice")
        return self._grant(visit, participant, holder.role, CAPABILITIES[holder.role], holder.sign_in)

    def read(self, token: str) -> AccessGrant:
        """Raises Refused ``grant-invalid`` or ``grant-expired``."""
        return self._grants.read(token, self._clock.now())

    async def stands(self, grant: AccessGrant) -> None:
        """Raises Refused ``sign-in-over`` when the sign-in behind it has ended."""
        if not grant.sign_in:
            return
        found = await self._store.sign_in(id_=grant.sign_in)
        if found is None or not found.valid(self._clock.now()):
            raise Refused("please sign in again", code="sign-in-over")

    async def renew(self, grant: AccessGrant) -> Granted:
        """The same permissions for another lifetime, for someone who is connected.

        Raises Refused ``sign-in-over`` when the sign-in behind it has ended.
        """
        await self.stands(grant)
        if grant.sign_in:
            await self._store.use_sign_in(grant.sign_in, self._clock.now())
        renewed = self._grants.issue(
            practice_id=grant.practice_id,
            visit_id=grant.visit_id,
            participant_id=grant.participant_id,
            role=grant.role,
            capabilities=grant.capabilities,
            now=self._clock.now(),
            sign_in=grant.sign_in,
        )
        return Granted(self._grants.sign(renewed), renewed)

    def needs_renewal(self, grant: AccessGrant, now: datetime) -> bool:
        return now >= grant.issued + self._grants.lifetime / 2

    def _grant(
        self,
        visit: Visit,
        participant: ParticipantId,
        role: Role,
        capabilities: frozenset[Capability],
        sign_in: str = "",
    ) -> Granted:
        grant = self._grants.issue(
            practice_id=visit.practice_id,
            visit_id=visit.id,
            participant_id=participant,
            role=role,
            capabilities=capabilities - {Capability.LIST},
            now=self._clock.now(),
            sign_in=sign_in,
        )
        return Granted(self._grants.sign(grant), grant)


def _of(invitation: Invitation) -> frozenset[Capability]:
    return invitation.appointment.capabilities(invitation.participant)


def same_secret(given: str, expected: str) -> bool:
    """Compares without telling by its duration how much was right."""
    return hmac.compare_digest(given.encode(), expected.encode())
