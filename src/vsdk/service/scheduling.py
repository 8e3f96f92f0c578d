"""Appointment in, visit and links out; and what follows when the appointment changes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from vsdk.domain import events as on
from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.effects import Audit, Effect, WriteBack
from vsdk.domain.errors import Conflict, NotFound, Refused
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.participant import Participant, Role
from vsdk.domain.plan import VisitPlan, Window
from vsdk.domain.policy import Schedule
from vsdk.domain.visit import ACTIVE, FINAL, RUNNING, Visit, VisitState, permits, transition
from vsdk.hooks.ports import SourcedAppointment
from vsdk.hooks.store import DueNotice, MirroredAppointment, Store, VisitChange
from vsdk.service.clock import Clock
from vsdk.service.grants import Grants, handle_hash
from vsdk.service.policy import PolicyService, as_details, explain
from vsdk.service.visits import ATTEMPTS, VisitService


@dataclass(frozen=True, slots=True)
class IssuedLink:
    """A link as it is given out, once, to whoever may pass it on."""

    participant: Participant
    url: str = field(repr=False)
    window: Window


@dataclass(frozen=True, slots=True)
class Scheduled:
    """``links`` is empty for an appointment that is no video visit, is cancelled, or is over."""

    mirrored: MirroredAppointment
    visit: Visit | None = None
    links: tuple[IssuedLink, ...] = ()

    @property
    def patient_service(self) -> VirtualService | None:
        """What belongs into the appointment: the patient's link, never the practitioner's beside it."""
        link = next((link for link in self.links if link.participant.role is Role.PATIENT), None)
        return VirtualService(link.url) if link else None


class SchedulingService:
    """Keeps visits in step with appointments. All methods can be repeated without harm."""

    def __init__(
        self,
        store: Store,
        visits: VisitService,
        policy: PolicyService,
        grants: Grants,
        plan: VisitPlan,
        clock: Clock,
        base_url: str,
    ) -> None:
        self._store = store
        self._visits = visits
        self._policy = policy
        self._grants = grants
        self._plan = plan
        self._clock = clock
        self._base_url = base_url
        self._locks: WeakValueDictionary[tuple[PracticeId, AppointmentId], asyncio.Lock] = (
            WeakValueDictionary()
        )
        """an appointment that is new to us gets one visit, even when it comes twice at the same time"""

    async def schedule(self, sourced: SourcedAppointment, *, if_version: int | None = None) -> Scheduled:
        """Takes over a new or changed appointment.

        ``if_version`` must be the version of our mirror, where given. Raises Conflict ``version-mismatch``
        when it is not, Refused ``policy-denied`` when a rule forbids such a window.
        """
        appointment = sourced.appointment
        lock = self._locks.setdefault((appointment.practice_id, appointment.id), asyncio.Lock())
        for _ in range(ATTEMPTS):
            try:
                async with lock:
                    return await self._schedule(sourced, if_version)
            except Conflict as conflict:
                if conflict.code == "version-mismatch":
                    raise
        raise Conflict("the appointment kept changing; try again")

    async def knows(self, practice_id: PracticeId, appointment_id: AppointmentId) -> bool:
        return await self._store.appointment(practice_id, appointment_id) is not None

    async def current(self, practice_id: PracticeId, appointment_id: AppointmentId) -> Scheduled:
        """The appointment as mirrored, with its links. Raises NotFound ``appointment-unknown``."""
        mirrored = await self._store.appointment(practice_id, appointment_id)
        if mirrored is None:
            raise NotFound("there is no such appointment", code="appointment-unknown")
        return await self._scheduled(mirrored, await self._store.visit_of(practice_id, appointment_id))

    async def replace_links(self, practice_id: PracticeId, visit_id: VisitId) -> Scheduled:
        """Revokes the links of a visit, as when one got into wrong hands, and issues new ones."""
        for _ in range(ATTEMPTS):
            visit = await self._visits.get(visit_id)
            if visit.practice_id != practice_id:
                raise NotFound("there is no such visit", code="visit-unknown")
            if visit.state in FINAL:
                raise Refused("this visit is over", code="visit-state")
            appointment = await self._visits.appointment(visit)
            now = self._clock.now()
            change = VisitChange(
                replace(visit, version=visit.version + 1),
                visit.version,
                (self._audit(visit, "links-replaced"), self._write_link(appointment)),
                links=self._new_links(visit.id, appointment.participants),
                revoke_links=True,
            )
            try:
                await self._store.commit(change, now)
            except Conflict:
                continue
            self._visits.wake()
            return await self.current(practice_id, visit.appointment_id)
        raise Conflict("the visit kept changing; try again")

    async def _schedule(self, sourced: SourcedAppointment, if_version: int | None) -> Scheduled:
        appointment = sourced.appointment
        mirrored = await self._store.appointment(appointment.practice_id, appointment.id)
        if if_version is not None and (mirrored is None or mirrored.version != if_version):
            raise Conflict("the appointment was changed by someone else", code="version-mismatch")
        visit = await self._store.visit_of(appointment.practice_id, appointment.id)
        unchanged = mirrored is not None and mirrored.sourced == sourced
        if mirrored is None or not unchanged:
            await self._take_over(sourced, mirrored, visit)
        return await self.current(appointment.practice_id, appointment.id)

    async def _take_over(
        self, sourced: SourcedAppointment, mirrored: MirroredAppointment | None, visit: Visit | None
    ) -> None:
        appointment = sourced.appointment
        wanted = appointment.is_video and appointment.status.takes_place
        window = self._plan.window(appointment.start)
        over = self._clock.now() >= window.closes or appointment.status is AppointmentStatus.FULFILLED
        if wanted and not over and (visit is None or _starts_anew(visit, window)):
            await self._plan_visit(sourced, window)
        elif wanted and visit and mirrored and _takes_over_from_someone(visit, mirrored, appointment):
            await self._retire(visit)
            await self._plan_visit(sourced, window)
        elif wanted and visit and mirrored and visit.state not in FINAL:
            await self._change_visit(sourced, visit, window, mirrored.appointment)
        elif visit and permits(visit, on.AppointmentCancelled):
            await self._cancel_visit(sourced, visit)
        else:
            version = mirrored.version if mirrored else None
            await self._store.save_appointment(sourced, version, self._clock.now())

    async def _plan_visit(self, sourced: SourcedAppointment, window: Window) -> None:
        appointment, now = sourced.appointment, self._clock.now()
        decision = self._policy.ask(Schedule(start=appointment.start, window=window))
        if not decision.allowed:
            raise Refused(explain(decision), code="policy-denied", findings=decision.findings)
        visit = Visit(
            id=VisitId(self._clock.token()),
            practice_id=appointment.practice_id,
            appointment_id=appointment.id,
            window=window,
            grace=self._plan.grace,
        )
        change = VisitChange(
            visit,
            None,
            (self._audit(visit, "visit-planned", as_details(decision)), self._write_link(appointment)),
            appointment=sourced,
            links=self._new_links(visit.id, appointment.participants),
            notices=self._notices(visit.id, appointment),
        )
        await self._store.commit(change, now)
        await self._visits.announce(visit, on.VisitPlanned(window))

    async def _change_visit(
        self,
        sourced: SourcedAppointment,
        visit: Visit,
        window: Window,
        before: Appointment,
    ) -> None:
        appointment, now = sourced.appointment, self._clock.now()
        moved = before.start != appointment.start
        event: on.Rescheduled | on.AppointmentChanged = on.AppointmentChanged()
        if moved and permits(visit, on.Rescheduled):
            event = on.Rescheduled(window)
            decision = self._policy.ask(Schedule(start=appointment.start, window=window))
            if not decision.allowed:
                raise Refused(explain(decision), code="policy-denied", findings=decision.findings)
            changed, effects = transition(visit, event, now)
        else:
            changed, effects = replace(visit, version=visit.version + 1), ()
        replaced = not _who(before).items() <= _who(appointment).items()
        elsewhere = moved and not window.overlaps(visit.window) and visit.state not in RUNNING
        renew = replaced or elsewhere
        known = {link.participant_id for link in await self._store.links_of(visit.id)}
        missing = tuple(p for p in appointment.participants if renew or p.id not in known)
        if missing:
            effects = (*effects, self._write_link(appointment))
        change = VisitChange(
            changed,
            visit.version,
            effects,
            appointment=sourced,
            links=self._new_links(visit.id, missing),
            revoke_links=renew,
            notices=self._notices(visit.id, appointment) if moved else None,
        )
        await self._store.commit(change, now)
        await self._visits.announce(changed, event)

    async def _retire(self, visit: Visit) -> None:
        """Its links are revoked. Who waits is told; what runs goes on to its end."""
        if permits(visit, on.AppointmentCancelled):
            await self._cancel_visit(None, visit)
            return
        changed = replace(visit, version=visit.version + 1)
        change = VisitChange(changed, visit.version, revoke_links=True, notices=())
        await self._store.commit(change, self._clock.now())

    async def _cancel_visit(self, sourced: SourcedAppointment | None, visit: Visit) -> None:
        now, event = self._clock.now(), on.AppointmentCancelled()
        changed, effects = transition(visit, event, now)
        change = VisitChange(
            changed, visit.version, effects, appointment=sourced, revoke_links=True, notices=()
        )
        await self._store.commit(change, now)
        await self._visits.announce(changed, event)

    async def _scheduled(self, mirrored: MirroredAppointment, visit: Visit | None) -> Scheduled:
        if visit is None or visit.state in FINAL:
            return Scheduled(mirrored, visit)
        people = {p.id: p for p in mirrored.appointment.participants}
        links = tuple(
            IssuedLink(people[link.participant_id], self._url(link), visit.window)
            for link in await self._store.links_of(visit.id)
            if link.participant_id in people
        )
        return Scheduled(mirrored, visit, links)

    def _url(self, link: JoinLink) -> str:
        return f"{self._base_url}/j#{self._grants.handle(link.id)}"

    def _new_links(self, visit_id: VisitId, participants: Sequence[Participant]) -> tuple[JoinLink, ...]:
        links = []
        for participant in participants:
            link_id = self._clock.token()
            hashed = handle_hash(self._grants.handle(link_id))
            links.append(JoinLink(link_id, hashed, visit_id, participant.id))
        return tuple(links)

    def _notices(self, visit_id: VisitId, appointment: Appointment) -> tuple[DueNotice, ...]:
        return tuple(DueNotice(visit_id, n, appointment.start - n.before) for n in self._plan.notices)

    def _audit(self, visit: Visit, what: str, findings: Sequence[dict[str, str]] = ()) -> Effect:
        return Audit(
            visit.practice_id, visit.id, what, None, {"findings": list(findings)} if findings else {}
        )

    def _write_link(self, appointment: Appointment) -> Effect:
        return WriteBack(appointment.practice_id, appointment.id, None)


def _takes_over_from_someone(visit: Visit, mirrored: MirroredAppointment, appointment: Appointment) -> bool:
    """Whether someone would inherit the arrival, and even the admission, of the one in whose place they are.

    Participants are numbered by their place in the appointment, so another patient gets the same id.
    """
    before, after = _who(mirrored.appointment), _who(appointment)
    here = (arrival.participant for arrival in visit.arrivals)
    return visit.state in ACTIVE and any(before.get(p) != after.get(p) for p in here)


def _who(appointment: Appointment) -> dict[ParticipantId, str]:
    return {p.id: p.reference or p.name for p in appointment.participants}


def _starts_anew(visit: Visit, window: Window) -> bool:
    """Whether an appointment that still takes place needs another visit than this, which is over."""
    if visit.state is VisitState.ENDED:
        return not window.overlaps(visit.window)
    return visit.state is VisitState.CANCELLED or (visit.state in FINAL and visit.window != window)
