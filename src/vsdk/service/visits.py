"""What can happen in a visit: arrive, admit, connect, leave, hang up, come back. One use case, one method."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from vsdk.domain import events as on
from vsdk.domain.appointment import Appointment
from vsdk.domain.errors import Conflict, NotFound, Refused
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.participant import Capability, Role
from vsdk.domain.plan import VisitPlan, Window
from vsdk.domain.policy import Admit
from vsdk.domain.visit import RUNNING, Visit, VisitState, next_deadline, permits, transition
from vsdk.domain.waiting_room import waiting_first
from vsdk.hooks.lifecycle import Happened
from vsdk.hooks.store import DueNotice, MirroredAppointment, Store, VisitChange
from vsdk.service.clock import Clock
from vsdk.service.listeners import Listeners
from vsdk.service.policy import PolicyService, explain

log = logging.getLogger(__name__)

Subscriber = Callable[[Visit, on.Occurrence], Awaitable[None]]
ATTEMPTS = 8
"""how often a change is tried again when someone else changed the visit first"""
INVITED_BACK_FOR = timedelta(minutes=30)


class VisitService:
    """Applies events to visits, and tells those who subscribed after each stored change."""

    def __init__(
        self, store: Store, policy: PolicyService, listeners: Listeners, clock: Clock, plan: VisitPlan
    ) -> None:
        self._store = store
        self._plan = plan
        self._policy = policy
        self._listeners = listeners
        self._clock = clock
        self._subscribers: list[Subscriber] = []
        self.wake: Callable[[], None] = lambda: None
        """called when there may be effects to perform"""

    def subscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.append(subscriber)

    async def get(self, visit_id: VisitId) -> Visit:
        visit = await self._store.visit(visit_id)
        if visit is None:
            raise NotFound("there is no such visit", code="visit-unknown")
        return visit

    async def appointment(self, visit: Visit) -> Appointment:
        mirrored = await self._store.appointment(visit.practice_id, visit.appointment_id)
        if mirrored is None:
            raise NotFound("the appointment of this visit is not known any more", code="appointment-unknown")
        return mirrored.appointment

    async def day(
        self, practice_id: PracticeId, start: datetime, end: datetime
    ) -> list[tuple[Visit, MirroredAppointment]]:
        """The practice's visits in ``[start, end)`` in the order of its list."""
        found = await self._store.visits_between(practice_id, start, end)
        mirrored = {visit.id: appointment for visit, appointment in found}
        order = waiting_first((visit, a.appointment.start) for visit, a in found)
        return [(visit, mirrored[visit.id]) for visit in order]

    async def not_written_back(
        self, practice_id: PracticeId, appointment_ids: Sequence[AppointmentId]
    ) -> dict[AppointmentId, str]:
        """Of which appointments the PMS could not be told, and the code of the reason."""
        return await self._store.not_written_back(practice_id, appointment_ids)

    async def arrive(self, visit_id: VisitId, participant: ParticipantId) -> Visit:
        return await self._apply(
            visit_id, on.ParticipantArrived(participant), unless=lambda v: v.arrival(participant) is not None
        )

    async def admit(self, visit_id: VisitId, participant: ParticipantId, by: Role) -> Visit:
        """Raises Refused by policy, IllegalTransition when this participant is not there."""
        visit = await self.get(visit_id)
        if visit.is_admitted(participant):
            return visit
        appointment = await self.appointment(visit)
        role = next((p.role for p in appointment.participants if p.id == participant), None)
        if role is None:
            raise NotFound("there is no such participant in this visit", code="participant-unknown")
        decision = self._policy.ask(Admit(by=by, role=role))
        if not decision.allowed:
            raise Refused(explain(decision), code="policy-denied", findings=decision.findings)
        return await self._apply(
            visit_id, on.PractitionerAdmitted(participant), unless=lambda v: v.is_admitted(participant)
        )

    async def connected(self, visit_id: VisitId) -> None:
        await self._apply_if_possible(visit_id, on.PeersConnected())

    async def connection_lost(self, visit_id: VisitId) -> None:
        await self._apply_if_possible(visit_id, on.ConnectionLost())

    async def left(
        self,
        visit_id: VisitId,
        participant: ParticipantId,
        *,
        anyone_else: bool,
        still_connected: bool = False,
    ) -> None:
        """Someone is gone for good. Who was admitted stays so while anyone is there: they may come back.

        ``still_connected``: two others see each other, so that the visit goes on.
        """
        visit = await self.get(visit_id)
        if visit.state in RUNNING and anyone_else and visit.is_admitted(participant):
            if not still_connected:
                await self._apply_if_possible(visit_id, on.ConnectionLost())
        elif visit.state in RUNNING and not anyone_else:
            await self._apply_if_possible(visit_id, on.ConnectionLost())
            await self._apply_if_possible(visit_id, on.EveryoneLeft())
        elif visit.arrival(participant):
            others = any(a.participant != participant for a in visit.arrivals)
            event = on.ParticipantLeft(participant) if others or anyone_else else on.EveryoneLeft()
            if visit.state is VisitState.WAITING and not others:
                event = on.EveryoneLeft()
            await self._apply_if_possible(visit_id, event)

    async def hang_up(self, visit_id: VisitId, by: Role) -> None:
        await self._apply_if_possible(visit_id, on.HungUp(by))

    async def close(self, visit_id: VisitId, by: Role) -> Visit:
        """From the practice's list: ends what runs, or what waits."""
        visit = await self.get(visit_id)
        event = on.HungUp(by) if visit.state in RUNNING else on.VisitClosed()
        return await self._apply(visit_id, event)

    async def invite_back(self, visit_id: VisitId, participant: ParticipantId) -> Visit:
        now = self._clock.now()
        return await self._apply(visit_id, on.InvitedBack(participant, Window(now, now + INVITED_BACK_FOR)))

    async def time_passed(self, visit_id: VisitId) -> None:
        """Reports the visit's own deadline, if it really has passed."""
        visit = await self._store.visit(visit_id)
        deadline = next_deadline(visit) if visit else None
        if deadline and deadline.at <= self._clock.now():
            await self._apply(visit_id, deadline.event, unless=lambda v: next_deadline(v) != deadline)

    async def announce(self, visit: Visit, event: on.Occurrence) -> None:
        """Tells of a change that was stored, and that there may be effects to perform."""
        self.wake()
        await self.tell(visit, event)

    async def tell(self, visit: Visit, event: on.Occurrence) -> None:
        """Tells subscribers and plugins."""
        for subscriber in self._subscribers:
            await subscriber(visit, event)
        self._listeners.tell_soon(Happened(visit.practice_id, visit.id, event, self._clock.now()))

    async def _apply_if_possible(self, visit_id: VisitId, event: on.VisitEvent) -> None:
        await self._apply(visit_id, event, unless=lambda v: not permits(v, type(event)))

    async def _apply(
        self, visit_id: VisitId, event: on.VisitEvent, *, unless: Callable[[Visit], bool] = lambda _: False
    ) -> Visit:
        """``unless`` says that nothing is left to be done; asked again whenever someone else was faster."""
        for _ in range(ATTEMPTS):
            visit = await self.get(visit_id)
            if unless(visit):
                return visit
            now = self._clock.now()
            changed, effects = transition(visit, event, now)
            waiting = self._waiting_notices(visit, event, now)
            try:
                await self._store.commit(VisitChange(changed, visit.version, effects, waiting=waiting), now)
            except Conflict:
                continue
            log.info("visit changed", extra={"visit": visit_id, "state": changed.state.value})
            await self.announce(changed, event)
            return changed
        raise Conflict("the visit kept changing; try again")

    def _waiting_notices(self, before: Visit, event: on.VisitEvent, now: datetime) -> tuple[DueNotice, ...]:
        """What the plan says is to be told from now on, because someone came to wait."""
        if not isinstance(event, on.ParticipantArrived) or before.arrival(event.participant):
            return ()
        return tuple(DueNotice(before.id, notice, now) for notice in self._plan.waiting)


def may_talk(visit: Visit, participant: ParticipantId, capabilities: frozenset[Capability]) -> bool:
    """Whether this participant is in the visit: admitted, or someone who needs no admission."""
    if visit.state not in RUNNING or Capability.TALK not in capabilities:
        return False
    return visit.is_admitted(participant) or Capability.WAIT not in capabilities
