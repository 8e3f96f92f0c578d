"""Appointment in, visit and links out; and what follows when the appointment changes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from vsdk.domain import events as on
from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.effects import Audit, Effect, WriteBack
from vsdk.domain.errors import Conflict, NotFound, Refused
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.participant import Participant
from vsdk.domain.plan import VisitPlan, Window
from vsdk.domain.policy import Schedule
from vsdk.domain.visit import FINAL, RUNNING, Visit, permits, transition
from vsdk.hooks.ports import SourcedAppointment
from vsdk.hooks.store import AppointmentQuery, DueNotice, MirroredAppointment, Store, VisitChange
from vsdk.service.appointment_changes import (
    is_someone_missing,
    says_the_same,
    starts_anew,
    takes_over_from_someone,
    told,
    told_of_cancelling,
    with_known_ids,
    with_status,
)
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
    def services(self) -> tuple[VirtualService, ...]:
        """The ways in. Which of them go into the appointment is for the practice's carrier to say."""
        return tuple(
            VirtualService(
                link.url,
                link.participant.role,
                link.participant.reference,
                link.window.opens,
                link.window.closes,
            )
            for link in self.links
        )


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
        without_links: Callable[[SourcedAppointment], SourcedAppointment],
    ) -> None:
        self.without_links = without_links
        """takes our own links out of what we are given: they are secrets, and are not kept"""
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
        sourced = self.without_links(sourced)
        appointment = sourced.appointment
        lock = self.turn(appointment.practice_id, appointment.id)
        for _ in range(ATTEMPTS):
            try:
                async with lock:
                    return await self._schedule(sourced, if_version)
            except Conflict as conflict:
                if conflict.code == "version-mismatch":
                    raise
        raise Conflict("the appointment kept changing; try again")

    def turn(self, practice_id: PracticeId, appointment_id: AppointmentId) -> asyncio.Lock:
        """Whoever holds it is alone with that appointment, in this process."""
        return self._locks.setdefault((practice_id, appointment_id), asyncio.Lock())

    async def knows(self, practice_id: PracticeId, appointment_id: AppointmentId) -> bool:
        mirrored = await self._store.appointment(practice_id, appointment_id)
        return mirrored is not None and not mirrored.deleted

    async def current(
        self, practice_id: PracticeId, appointment_id: AppointmentId, *, even_deleted: bool = False
    ) -> Scheduled:
        """The appointment as mirrored, with its links.

        Raises NotFound ``appointment-unknown``, or ``appointment-deleted`` where it was known once.
        """
        mirrored = await self._store.appointment(practice_id, appointment_id)
        if mirrored is None:
            raise NotFound("there is no such appointment", code="appointment-unknown")
        if mirrored.deleted and not even_deleted:
            raise NotFound("this appointment was deleted", code="appointment-deleted")
        return await self._scheduled(mirrored, await self._store.visit_of(practice_id, appointment_id))

    async def upcoming(self, practice_id: PracticeId, source: str) -> list[AppointmentId]:
        """The appointments of that schedule source that have a visit which is planned or going on."""
        return await self._store.upcoming_of(practice_id, source)

    async def vanished(self, practice_id: PracticeId, appointment_id: AppointmentId) -> None:
        """The source confirmed that this appointment is gone: it counts as cancelled."""
        mirrored = await self._store.appointment(practice_id, appointment_id)
        if mirrored is None or mirrored.deleted or not mirrored.appointment.status.takes_place:
            return
        await self.schedule(with_status(mirrored, AppointmentStatus.CANCELLED))

    async def delete(
        self, practice_id: PracticeId, appointment_id: AppointmentId, *, if_version: int | None = None
    ) -> None:
        """Forgets an appointment, as if it had been cancelled first: nobody gets in with its links any more.

        What runs goes on to its end. Does nothing where there is no such appointment; raises Conflict
        ``version-mismatch`` where ``if_version`` is given and is not that of our mirror.
        """
        for _ in range(ATTEMPTS):
            async with self.turn(practice_id, appointment_id):
                mirrored = await self._store.appointment(practice_id, appointment_id)
                if mirrored is None or mirrored.deleted:
                    return
                if if_version is not None and mirrored.version != if_version:
                    raise Conflict("the appointment was changed by someone else", code="version-mismatch")
                visit = await self._store.visit_of(practice_id, appointment_id)
                try:
                    if visit and permits(visit, on.AppointmentCancelled):
                        await self._cancel_visit(
                            with_status(mirrored, AppointmentStatus.ENTERED_IN_ERROR), visit
                        )
                    elif visit and visit.state not in FINAL:
                        await self._retire(visit)
                except Conflict:
                    continue
                await self._store.delete_appointment(practice_id, appointment_id, self._clock.now())
                return
        raise Conflict("the visit kept changing; try again")

    async def find(self, query: AppointmentQuery) -> list[Scheduled]:
        """One page of the appointments that a query asks for, each with its links."""
        found = [m.appointment.id for m in await self._store.find_appointments(query)]
        known = await self._store.known(query.practice_id, found)
        there = (known[id_] for id_ in found if id_ in known)
        return [
            self.issued(k.mirrored, k.visit, k.links) for k in there if k.mirrored and not k.mirrored.deleted
        ]

    async def count(self, query: AppointmentQuery) -> int:
        """How many there are on all pages."""
        return await self._store.count_appointments(query)

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
        if mirrored:
            sourced = with_known_ids(sourced, mirrored.appointment)
        if mirrored is None or mirrored.deleted or not says_the_same(mirrored.sourced, sourced):
            await self._take_over(sourced, mirrored, visit)
        elif mirrored.sourced != sourced:
            await self._store.save_appointment(sourced, mirrored.version, self._clock.now())
        return await self.current(appointment.practice_id, appointment.id)

    async def _take_over(
        self, sourced: SourcedAppointment, mirrored: MirroredAppointment | None, visit: Visit | None
    ) -> None:
        appointment = sourced.appointment
        wanted = appointment.is_video and appointment.status.takes_place
        window = self._plan.window(appointment.start)
        to_come = self.to_plan(appointment) is not None
        if to_come and (visit is None or starts_anew(visit, window)):
            await self._plan_visit(sourced, mirrored, window)
        elif wanted and visit and mirrored and takes_over_from_someone(visit, mirrored, appointment):
            await self._retire(visit)
            await self._plan_visit(sourced, mirrored, window)
        elif wanted and visit and mirrored and visit.state not in FINAL:
            await self._change_visit(sourced, visit, window, mirrored.appointment)
        elif visit and permits(visit, on.AppointmentCancelled):
            await self._cancel_visit(sourced, visit)
        else:
            version = mirrored.version if mirrored else None
            await self._store.save_appointment(sourced, version, self._clock.now())

    def to_plan(self, appointment: Appointment) -> Window | None:
        """The window of its visit, or None for an appointment that gets none: no video, cancelled, over."""
        window = self._plan.window(appointment.start)
        wanted = appointment.is_video and appointment.status.takes_place
        over = self._clock.now() >= window.closes or appointment.status is AppointmentStatus.FULFILLED
        return window if wanted and not over else None

    def new_visit(self, sourced: SourcedAppointment, window: Window) -> VisitChange:
        """A visit with all that belongs to it, not stored yet. Raises Refused ``policy-denied``."""
        appointment = sourced.appointment
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
        return VisitChange(
            visit,
            None,
            (
                self._audit(visit, "visit-planned", as_details(decision)),
                self._write_link(appointment),
                *(told(visit, appointment, "invitation") if self._plan.invites else ()),
            ),
            appointment=sourced,
            links=self._new_links(visit.id, appointment.participants),
            notices=self._notices(visit.id, appointment),
        )

    async def _plan_visit(
        self, sourced: SourcedAppointment, mirrored: MirroredAppointment | None, window: Window
    ) -> None:
        version = mirrored.version if mirrored else 0
        change = replace(self.new_visit(sourced, window), appointment_version=version)
        await self._store.commit(change, self._clock.now())
        await self._visits.announce(change.visit, on.VisitPlanned(window))

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
        replaced = is_someone_missing(before, appointment)
        elsewhere = moved and not window.overlaps(visit.window) and visit.state not in RUNNING
        renew = replaced or elsewhere
        known = {link.participant_id for link in await self._store.links_of(visit.id)}
        missing = tuple(p for p in appointment.participants if renew or p.id not in known)
        effects = (*effects, self._write_link(appointment))  # whoever changed it may have dropped the link
        if moved and now < appointment.start and visit.state not in RUNNING:
            effects = (*effects, *told(changed, appointment, "moved"))
        elif self._plan.invites:
            new = {participant.id for participant in missing}
            invited = told(changed, appointment, "invitation")
            effects = (*effects, *(notify for notify in invited if notify.participant_id in new))
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
        if sourced:
            effects = (*effects, *told_of_cancelling(visit, sourced.appointment, now))
            effects = (*effects, self._write_link(sourced.appointment))
        change = VisitChange(
            changed, visit.version, effects, appointment=sourced, revoke_links=True, notices=()
        )
        await self._store.commit(change, now)
        await self._visits.announce(changed, event)

    async def _scheduled(self, mirrored: MirroredAppointment, visit: Visit | None) -> Scheduled:
        return self.issued(mirrored, visit, await self._store.links_of(visit.id) if visit else ())

    def issued(
        self, mirrored: MirroredAppointment, visit: Visit | None, links: Sequence[JoinLink]
    ) -> Scheduled:
        """What is given out: of the links those of who still takes part, none when the visit is over."""
        if visit is None or visit.state in FINAL:
            return Scheduled(mirrored, visit)
        people = {p.id: p for p in mirrored.appointment.participants}
        given = (
            IssuedLink(people[link.participant_id], self._url(link), visit.window)
            for link in links
            if link.participant_id in people
        )
        return Scheduled(mirrored, visit, tuple(given))

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
