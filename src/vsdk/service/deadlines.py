"""What must happen at a time: notices of the plan, and the ends of windows. Kept in the store, so that a
restart forgets none of them."""

import asyncio
import logging

from vsdk.domain.effects import Notify
from vsdk.domain.visit import FINAL
from vsdk.hooks.store import Due, Store
from vsdk.service.clock import Clock
from vsdk.service.outbox import OutboxService
from vsdk.service.visits import VisitService

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
"""seconds"""


class DeadlineService:
    """Reports passed deadlines until cancelled."""

    def __init__(self, store: Store, visits: VisitService, outbox: OutboxService, clock: Clock) -> None:
        self._store = store
        self._visits = visits
        self._outbox = outbox
        self._clock = clock

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
                if deadline.notice is None:
                    await self._visits.time_passed(deadline.visit_id)
                else:
                    await self._notify(deadline)
            except Exception as error:
                log.error(
                    "deadline failed", extra={"visit": deadline.visit_id, "error": type(error).__name__}
                )
        return len(due)

    async def _notify(self, due: Due) -> None:
        assert due.notice is not None
        visit = await self._store.visit(due.visit_id)
        effects = []
        if visit and visit.state not in FINAL:
            appointment = await self._visits.appointment(visit)
            effects = [
                Notify(visit.id, p.id, due.notice.template)
                for p in appointment.participants
                if p.role is due.notice.to
            ]
        await self._store.settle(due, effects, self._clock.now())
        self._outbox.wake()
