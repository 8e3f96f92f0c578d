"""Tells the PMS the link and the status of its appointment."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.effects import Audit, WriteBack
from vsdk.domain.errors import Conflict, InvalidAppointment, NotFound, PartnerError, VsdkError
from vsdk.domain.ids import PracticeId
from vsdk.domain.practice import Practice
from vsdk.domain.progress import goes_on
from vsdk.domain.visit import VisitState
from vsdk.hooks.ports import ScheduleSource
from vsdk.hooks.store import Conclusion, GivenUp, OutboxEntry, Performed, Postponed, Store
from vsdk.service.clock import Clock
from vsdk.service.delivery import code_of
from vsdk.service.retries import next_pause
from vsdk.service.scheduling import SchedulingService

log = logging.getLogger(__name__)

NOBODY_CAME = (AppointmentStatus.PROPOSED, AppointmentStatus.PENDING, AppointmentStatus.BOOKED)
"""what an appointment still is when not even its patient came"""


class WritingBack:
    """Makes one attempt for each outbox entry that it is handed."""

    def __init__(
        self,
        store: Store,
        scheduling: SchedulingService,
        clock: Clock,
        practices: Mapping[PracticeId, Practice],
        sources: Mapping[PracticeId, ScheduleSource],
    ) -> None:
        self._store = store
        self._scheduling = scheduling
        self._clock = clock
        self._practices = practices
        self._sources = sources

    async def perform(self, entry: OutboxEntry, effect: WriteBack) -> Conclusion:
        return Conclusion(entry, Performed(told=await self._write_back(effect)))

    async def failed(self, entry: OutboxEntry, effect: WriteBack, error: Exception) -> Conclusion:
        """Tried again later, or given up, which the audit trail then says."""
        partner = error if isinstance(error, PartnerError) else None
        final = isinstance(error, VsdkError) and not isinstance(error, Conflict)
        if partner:
            final = not partner.retryable
        attempts = entry.attempts + 1
        pause = None if final else next_pause(attempts, partner.retry_after if partner else None)
        if pause:
            return Conclusion(entry, Postponed(self._clock.now() + pause, attempts))
        code = code_of(error)
        visit = await self._store.visit_of(effect.practice_id, effect.appointment_id)
        details: dict[str, object] = {"code": code}
        lines = (Audit(visit.practice_id, visit.id, "write-back-given-up", None, details),) if visit else ()
        return Conclusion(entry, GivenUp(code), effects=lines)

    async def _write_back(self, effect: WriteBack) -> bool:
        """False for a no-show that is not to be told."""
        scheduled = await self._scheduling.current(
            effect.practice_id, effect.appointment_id, even_deleted=True
        )
        services: tuple[VirtualService, ...] | None = scheduled.services
        if scheduled.visit and scheduled.visit.state in (VisitState.CLOSED, VisitState.NOSHOW):
            services = None  # what was written stays, as a record
        practice = self._practices.get(effect.practice_id)
        if effect.status is AppointmentStatus.NOSHOW and not (
            practice and practice.reports_noshow and scheduled.mirrored.appointment.status in NOBODY_CAME
        ):
            return False
        stands = scheduled.mirrored.appointment.status.takes_place
        if not stands and effect.status is not AppointmentStatus.FULFILLED:
            effect = replace(effect, status=None)  # cancelled meanwhile, which is not for us to undo
        if effect.status:
            await self._update_mirror(effect, scheduled.mirrored.version)
        source = self._sources.get(effect.practice_id)
        if source:
            try:
                await _tell(source, effect, services)
            except NotFound:
                log.info(
                    "appointment is not from the schedule source", extra={"practice": effect.practice_id}
                )
        return True

    async def _update_mirror(self, effect: WriteBack, version: int) -> None:
        mirrored = await self._store.appointment(effect.practice_id, effect.appointment_id)
        if mirrored is None or effect.status is None:
            return
        if not goes_on(mirrored.appointment.status, effect.status):
            return
        if mirrored.sourced.release == "STU3" and effect.status is AppointmentStatus.CHECKED_IN:
            return  # that release has no such status
        sourced = mirrored.sourced
        original = {**sourced.original, "status": effect.status.value}
        appointment = replace(sourced.appointment, status=effect.status)
        changed = replace(sourced, appointment=appointment, original=original)
        await self._store.save_appointment(changed, version, self._clock.now())


async def _tell(
    source: ScheduleSource, effect: WriteBack, services: tuple[VirtualService, ...] | None
) -> None:
    """Where the appointment has no room for our link, at least the status is told."""
    try:
        await source.write_back(effect.practice_id, effect.appointment_id, services, effect.status)
    except InvalidAppointment:
        if effect.status:
            await source.write_back(effect.practice_id, effect.appointment_id, None, effect.status)
        raise
