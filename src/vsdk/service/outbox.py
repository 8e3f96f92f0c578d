"""Performs effects, at least once each and always under the same idempotency key.

An effect was stored in the transaction that caused it. It is performed, and only then marked as done: a
crash in between repeats it with the same key. What fails is tried again with growing pauses, and given up
with a reason that can be seen.
"""

import asyncio
import logging
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, assert_never

from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.effects import Audit, Notify, WriteBack
from vsdk.domain.errors import Conflict, DeliveryFailed, InvalidAppointment, NotFound, PartnerError, VsdkError
from vsdk.domain.events import EffectGivenUp, WriteBackMadeGood
from vsdk.domain.ids import ParticipantId, PracticeId
from vsdk.domain.message import Message
from vsdk.domain.participant import Participant
from vsdk.domain.practice import Practice
from vsdk.domain.progress import goes_on
from vsdk.domain.visit import FINAL, VisitState
from vsdk.hooks.ports import NotificationChannel, ScheduleSource
from vsdk.hooks.store import OutboxEntry, Store
from vsdk.service.clock import Clock
from vsdk.service.scheduling import SchedulingService
from vsdk.service.visits import VisitService

log = logging.getLogger(__name__)

PAUSES = (1, 5, 30, 120, 600, 1800, 3600)
"""seconds before each further attempt; after the last one an effect is given up"""
LONGEST_WAIT = 86_400.0
"""seconds that the other side can put off one attempt"""
DELIVERY_LIMIT = 30.0
"""seconds that one attempt may take"""
NOBODY_CAME = (AppointmentStatus.PROPOSED, AppointmentStatus.PENDING, AppointmentStatus.BOOKED)
"""what an appointment still is when not even its patient came"""
IDLE = 1.0
"""seconds between looks at the outbox when nobody woke it"""


class MessageRenderer(Protocol):
    """Makes a text from a template, just before it is sent."""

    def render(
        self,
        template: str,
        language: str,
        channel: str,
        *,
        practice: Practice,
        appointment: Appointment,
        participant: Participant,
        url: str | None,
        now: datetime,
    ) -> tuple[str, str]:
        """Subject (may be empty) and text."""


class OutboxService:
    """Works through the outbox until cancelled."""

    def __init__(
        self,
        store: Store,
        scheduling: SchedulingService,
        renderer: MessageRenderer,
        clock: Clock,
        practices: Mapping[PracticeId, Practice],
        channels: Mapping[PracticeId, tuple[NotificationChannel, ...]],
        sources: Mapping[PracticeId, ScheduleSource],
        visits: VisitService,
    ) -> None:
        self._visits = visits
        self._store = store
        self._scheduling = scheduling
        self._renderer = renderer
        self._clock = clock
        self._practices = practices
        self._channels = channels
        self._sources = sources
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        while True:
            self._woken.clear()
            try:
                performed = await self.perform_due()
            except Exception as error:
                log.error("the outbox failed", extra={"error": type(error).__name__})
                performed = 0
            if performed == 0:
                try:
                    async with asyncio.timeout(IDLE):
                        await self._woken.wait()
                except TimeoutError:
                    pass

    async def perform_due(self) -> int:
        """Performs what is due now, side by side, and tells how many effects that were."""
        entries = await self._store.next_effects(self._clock.now())
        work = (self._perform(entry) for entry in entries)
        outcomes = await asyncio.gather(*work, return_exceptions=True)  # so that none is left behind
        for failure in (outcome for outcome in outcomes if outcome):
            raise failure
        return len(entries)

    async def _perform(self, entry: OutboxEntry) -> None:
        told = True
        try:
            async with asyncio.timeout(DELIVERY_LIMIT):
                match entry.effect:
                    case Notify():
                        await self._notify(entry, entry.effect)
                    case WriteBack():
                        told = await self._write_back(entry.effect)
                    case _:
                        assert_never(entry.effect)
        except Exception as error:
            await self._failed(entry, error)
        else:
            if await self._store.complete(entry, told=told):
                await self._tell_made_good(entry.effect)

    async def _failed(self, entry: OutboxEntry, error: Exception) -> None:
        code = error.code if isinstance(error, VsdkError) else "internal-error"
        final = isinstance(error, VsdkError) and not isinstance(error, Conflict)
        if isinstance(error, PartnerError):
            final = not error.retryable
        if isinstance(error, TimeoutError):
            code = "timeout"
        kind = type(entry.effect).__name__
        log.warning("effect failed", extra={"effect": entry.id, "kind": kind, "code": code})
        if final or entry.attempts >= len(PAUSES):
            await self._store.abandon(entry, code)
            await self._tell_practice(entry.effect, code)
            return
        pause = PAUSES[entry.attempts] * random.uniform(0.8, 1.2)  # noqa: S311 (jitter)
        if isinstance(error, PartnerError) and error.retry_after:
            pause = max(pause, min(error.retry_after, LONGEST_WAIT))
        await self._store.postpone(entry, self._clock.now() + timedelta(seconds=pause))

    async def _tell_practice(self, effect: Notify | WriteBack, code: str) -> None:
        details: dict[str, object] = {"code": code}
        match effect:
            case Notify(visit_id, participant_id, _):
                visit = await self._store.visit(visit_id)
                if visit is None:
                    return
                who = ParticipantId(participant_id)
                audit = Audit(visit.practice_id, visit.id, "notify-given-up", who, details)
            case WriteBack(practice_id, appointment_id, _):
                visit = await self._store.visit_of(practice_id, appointment_id)
                if visit is None:
                    return
                audit = Audit(visit.practice_id, visit.id, "write-back-given-up", None, details)
            case _:
                assert_never(effect)
        await self._store.record(audit, self._clock.now())
        await self._visits.announce(visit, EffectGivenUp(type(effect).__name__, code))

    async def _tell_made_good(self, effect: Notify | WriteBack) -> None:
        if isinstance(effect, WriteBack):
            visit = await self._store.visit_of(effect.practice_id, effect.appointment_id)
            if visit:
                await self._visits.announce(visit, WriteBackMadeGood())

    async def _notify(self, entry: OutboxEntry, effect: Notify) -> None:
        visit = await self._store.visit(effect.visit_id)
        if visit is None:
            return
        scheduled = await self._scheduling.current(visit.practice_id, visit.appointment_id, even_deleted=True)
        cancelled = effect.template == "cancelled" and visit.state is VisitState.CANCELLED
        if scheduled.visit != visit or (visit.state in FINAL and not cancelled):
            return  # it is over, or the appointment has another visit by now
        appointment = scheduled.mirrored.appointment
        participant = next((p for p in appointment.participants if p.id == effect.participant_id), None)
        if participant is None:
            return
        practice = self._practices[visit.practice_id]
        language = participant.language or practice.language
        url = next((link.url for link in scheduled.links if link.participant == participant), None)
        failure: DeliveryFailed | None = None
        for channel in self._channels[visit.practice_id]:
            recipient = participant.phone if channel.channel == "sms" else participant.email
            if not recipient:
                continue
            subject, text = self._renderer.render(
                effect.template,
                language,
                channel.channel,
                practice=practice,
                appointment=appointment,
                participant=participant,
                url=url,
                now=self._clock.now(),
            )
            message = Message(recipient, text, entry.id, effect.template, language, subject)
            try:
                await channel.deliver(message)
            except PartnerError as error:
                if error.retryable:
                    raise
                failure = DeliveryFailed(error.detail, code=error.code)
                continue
            details: dict[str, object] = {"template": effect.template, "channel": channel.channel}
            audit = Audit(visit.practice_id, visit.id, "message-sent", participant.id, details)
            await self._store.record(audit, self._clock.now())
            return
        raise failure or DeliveryFailed("there is no address to send this to", code="no-address")

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
