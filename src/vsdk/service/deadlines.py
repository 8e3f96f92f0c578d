"""What must happen at a time: notices of the plan, and the ends of windows. Kept in the store, so that a
restart forgets none of them."""

import asyncio
import logging
from collections.abc import Container

from vsdk.domain.appointment import Appointment
from vsdk.domain.effects import Notify
from vsdk.domain.ids import ParticipantId, PracticeId
from vsdk.domain.messaging import PRACTICE
from vsdk.domain.participant import Role
from vsdk.domain.plan import Notice, WaitingNotice
from vsdk.domain.visit import FINAL, RUNNING, Visit, VisitState
from vsdk.hooks.store import Due, DueNotice, Store
from vsdk.service.clock import Clock
from vsdk.service.outbox import OutboxService
from vsdk.service.visits import VisitService

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
"""seconds"""


class DeadlineService:
    """Reports passed deadlines until cancelled."""

    def __init__(
        self,
        store: Store,
        visits: VisitService,
        outbox: OutboxService,
        clock: Clock,
        teams: Container[PracticeId],
    ) -> None:
        """``teams`` are the practices that can be reached themselves."""
        self._store = store
        self._visits = visits
        self._outbox = outbox
        self._clock = clock
        self._teams = teams

    async def run(self) -> None:
        while True:
            try:
                await self.report_due()
            except Exception as error:
                log.error("deadlines cannot be read", extra={"error": type(error).__name__})
            await asyncio.sleep(LOOK_EVERY)

    async def report_due(self) -> int:
        """Reports all deadlines that have passed by now, and tells how many there were."""
        due = await self._store.due(self._clock.now())
        for deadline in due:
            try:
                match deadline.notice:
                    case None:
                        await self._visits.time_passed(deadline.visit_id)
                    case Notice() as notice:
                        await self._notify(deadline, notice)
                    case WaitingNotice() as waiting:
                        await self._remind(deadline, waiting)
            except Exception as error:
                log.error(
                    "deadline failed", extra={"visit": deadline.visit_id, "error": type(error).__name__}
                )
        return len(due)

    async def _notify(self, due: Due, notice: Notice) -> None:
        visit = await self._store.visit(due.visit_id)
        effects: list[Notify] = []
        if visit and visit.state not in FINAL:
            effects = await self._to_everyone(visit, notice)
        await self._store.settle(due, effects, self._clock.now())
        self._outbox.wake()

    async def _remind(self, due: Due, notice: WaitingNotice) -> None:
        """Tells that someone waits, unless that disturbs another visit, and looks again later."""
        visit = await self._store.visit(due.visit_id)
        now = self._clock.now()
        if visit is None or not _waits(visit):
            await self._store.settle(due, [], now)
            return
        disturbs = await self._is_in_a_visit(visit)
        effects = [] if disturbs else await self._to_everyone(visit, notice)
        sent = due.sent + (0 if disturbs else 1)
        again = DueNotice(visit.id, notice, now + notice.every, sent) if sent < notice.most else None
        await self._store.settle(due, effects, now, again)
        self._outbox.wake()

    async def _to_everyone(self, visit: Visit, notice: Notice | WaitingNotice) -> list[Notify]:
        appointment = await self._visits.appointment(visit)
        to = recipients(appointment, notice.to, has_team=visit.practice_id in self._teams)
        since = visit.waiting_since
        waited = (self._clock.now() - since).total_seconds() if since else 0
        values = {"minutes": str(int(waited // 60))} if isinstance(notice, WaitingNotice) else {}
        return [Notify(visit.id, participant, notice.template, values) for participant in to]

    async def _is_in_a_visit(self, visit: Visit) -> bool:
        """Whether the practitioner sees someone else just now, and is not to be disturbed (31b § 5)."""
        busy = [v for v in await self._store.active_visits() if v.state in RUNNING]
        if any(other.id == visit.id for other in busy):
            return True
        own = _practitioners(await self._visits.appointment(visit))
        for other in (v for v in busy if v.practice_id == visit.practice_id):
            if own & _practitioners(await self._visits.appointment(other)):
                return True
        return False


def recipients(appointment: Appointment, role: Role, *, has_team: bool) -> list[ParticipantId]:
    """All of that role. For practitioners of whom no address is known, the practice's own team, where it can
    be reached: nobody needs to know that nobody could be told."""
    people = [p for p in appointment.participants if p.role is role]
    if role not in (Role.PRACTITIONER, Role.STAFF):
        return [person.id for person in people]
    reachable = [person.id for person in people if person.phone or person.email]
    return reachable or ([PRACTICE] if has_team else [])


def _waits(visit: Visit) -> bool:
    return visit.state is VisitState.WAITING and any(not a.admitted for a in visit.arrivals)


def _practitioners(appointment: Appointment) -> set[str]:
    people = (p for p in appointment.participants if p.role is Role.PRACTITIONER)
    return {person.reference or person.name for person in people}
