"""What people do with messages: look what became of them, send one, send it again, take it off the list of
those that were given up; and what gateways report."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vsdk.domain.effects import Audit, Effect, Notify
from vsdk.domain.errors import Conflict, NotFound, PartnerError, Refused, UsageError
from vsdk.domain.events import DelayAnnounced, MessageProgressed
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.message import DeliveryReport, MessageState
from vsdk.domain.messaging import PRACTICE, masked
from vsdk.domain.participant import Capability
from vsdk.domain.visit import FINAL, Visit
from vsdk.hooks.ports import Notification, ReportingChannel
from vsdk.hooks.store import DeadLetter, MessageRecord, Store, VisitChange
from vsdk.service.clock import Clock
from vsdk.service.delivery import way_name
from vsdk.service.grants import Grants
from vsdk.service.visits import ATTEMPTS, VisitService

log = logging.getLogger(__name__)

REPORT_LIMIT = 10.0
"""seconds that a channel may take to understand a report"""
LOOK_AGAIN = (0.2, 0.8, 2.0)
"""seconds after which a message is looked for again: a report may come before its sending is recorded"""
LONGEST_DELAY = 180
"""minutes"""


class MessageService:
    """``reporting`` are the channels that understand reports, by plugin."""

    def __init__(
        self,
        store: Store,
        visits: VisitService,
        clock: Clock,
        grants: Grants,
        reporting: Mapping[str, Sequence[ReportingChannel]],
    ) -> None:
        self._store = store
        self._visits = visits
        self._clock = clock
        self._grants = grants
        self._reporting = reporting

    async def of_visits(self, visit_ids: Sequence[VisitId]) -> dict[VisitId, list[MessageRecord]]:
        return await self._store.messages_of(visit_ids)

    async def of_visit(self, practice_id: PracticeId, visit_id: VisitId) -> list[MessageRecord]:
        """Oldest first. Raises NotFound ``visit-unknown``, also for visits of other practices."""
        await self._own(practice_id, visit_id)
        return (await self._store.messages_of([visit_id])).get(visit_id, [])

    async def send_again(self, practice_id: PracticeId, message_id: str) -> MessageRecord:
        """The same template to the same person, in words of now. Raises NotFound ``message-unknown``, Refused
        ``visit-state`` where the visit is over."""
        record = await self._store.message(message_id)
        if record is None or record.practice_id != practice_id:
            raise NotFound("there is no such message", code="message-unknown")
        return await self.send(
            practice_id, record.visit_id, record.participant_id, record.template, record.details
        )

    async def send(
        self,
        practice_id: PracticeId,
        visit_id: VisitId,
        participant_id: ParticipantId,
        template: str,
        values: Mapping[str, str],
    ) -> MessageRecord:
        """Raises NotFound ``visit-unknown``, ``participant-unknown``, Refused ``visit-state``."""
        visit = await self._own(practice_id, visit_id)
        if visit.state in FINAL and template != "cancelled":
            raise Refused("this visit is over", code="visit-state")
        appointment = await self._visits.appointment(visit)
        if participant_id != PRACTICE and participant_id not in [p.id for p in appointment.participants]:
            raise NotFound("there is no such participant in this visit", code="participant-unknown")
        notify = Notify(visit_id, participant_id, template, dict(values))
        record = await self._store.ask(notify, self._clock.now())
        event = MessageProgressed(record.template, record.participant_id, record.state)
        await self._visits.announce(visit, event)
        return record

    async def announce_delay(self, practice_id: PracticeId, visit_id: VisitId, minutes: int) -> Visit:
        """Everyone who comes through a link is told, and reads it in the waiting room; 0 takes it back and
        tells nobody. Raises UsageError ``delay-invalid``, NotFound ``visit-unknown``, Refused
        ``visit-state``."""
        if not 0 <= minutes <= LONGEST_DELAY:
            raise UsageError(f"a delay has 0 to {LONGEST_DELAY} minutes", code="delay-invalid")
        for _ in range(ATTEMPTS):
            visit = await self._own(practice_id, visit_id)
            if visit.state in FINAL:
                raise Refused("this visit is over", code="visit-state")
            change = await self._delayed(visit, minutes)
            try:
                await self._store.commit(change, self._clock.now())
            except Conflict:
                continue
            await self._visits.announce(change.visit, DelayAnnounced(minutes))
            return change.visit
        raise Conflict("the visit kept changing; try again")

    async def _delayed(self, visit: Visit, minutes: int) -> VisitChange:
        appointment = await self._visits.appointment(visit)
        coming = (p for p in appointment.participants if Capability.WAIT in appointment.capabilities(p))
        values = {"minutes": str(minutes)}
        line = Audit(visit.practice_id, visit.id, "delay-announced", None, {"minutes": minutes})
        told = [Notify(visit.id, person.id, "delay", values) for person in coming] if minutes else []
        changed = replace(visit, delay_minutes=minutes, version=visit.version + 1)
        return VisitChange(changed, visit.version, (line, *told))

    # those that were given up

    async def dead_letters(self, practice_id: PracticeId) -> list[DeadLetter]:
        return await self._store.dead_letters(practice_id)

    async def retry(self, practice_id: PracticeId, id_: str) -> None:
        """Raises NotFound ``message-unknown``."""
        letter = await self._dead_letter(practice_id, id_)
        await self._store.retry(id_, self._clock.now())
        await self._tell(letter, MessageState.QUEUED)

    async def drop(self, practice_id: PracticeId, id_: str) -> None:
        """Raises NotFound ``message-unknown``."""
        letter = await self._dead_letter(practice_id, id_)
        await self._store.drop(id_)
        await self._tell(letter, MessageState.FAILED)

    async def _dead_letter(self, practice_id: PracticeId, id_: str) -> DeadLetter:
        letters = await self._store.dead_letters(practice_id)
        letter = next((letter for letter in letters if letter.entry.id == id_), None)
        if letter is None:
            raise NotFound("nothing of this id was given up", code="message-unknown")
        return letter

    async def _tell(self, letter: DeadLetter, state: MessageState) -> None:
        effect = letter.entry.effect
        if isinstance(effect, Notify):
            visit = await self._store.visit(effect.visit_id)
        else:
            visit = await self._store.visit_of(effect.practice_id, effect.appointment_id)
        if visit:
            template = effect.template if isinstance(effect, Notify) else "write-back"
            who = effect.participant_id if isinstance(effect, Notify) else PRACTICE
            await self._visits.announce(visit, MessageProgressed(template, who, state, letter.reason))

    # what gateways report

    async def reported(self, plugin: str, notification: Notification) -> None:
        """Raises NotFound where nobody takes reports at this address, and what
        `vsdk.hooks.ports.ReportingChannel.reported` raises. What it says of unknown messages is ignored."""
        if plugin not in self._reporting:
            raise NotFound("nobody takes reports at this address")
        reports: Sequence[DeliveryReport] = ()
        try:
            async with asyncio.timeout(REPORT_LIMIT):
                for channel in self._reporting[plugin]:
                    reports = [*reports, *await channel.reported(notification)]
        except TimeoutError:
            raise PartnerError("the report was not understood in time", retryable=True) from None
        for report in reports:
            await self._take(plugin, report)

    async def _take(self, plugin: str, report: DeliveryReport) -> None:
        record = await self._find(plugin, report)
        for seconds in LOOK_AGAIN:
            if record:
                break
            await self._clock.sleep(seconds)
            record = await self._find(plugin, report)
        if record is None:
            log.warning("report on an unknown message", extra={"plugin": plugin})
            return
        now = self._clock.now()
        changed = replace(record, state=report.state, code=report.code[:64], updated=now)
        effects = self._after(changed) if report.state is MessageState.UNDELIVERED else ()
        if not await self._store.report(changed, effects, now):
            return
        visit = await self._store.visit(record.visit_id)
        if visit:
            event = MessageProgressed(record.template, record.participant_id, report.state, report.code)
            await self._visits.announce(visit, event)

    def _after(self, record: MessageRecord) -> tuple[Effect, ...]:
        """What was taken and did not arrive goes by the next channel; its end is told like any other's."""
        without = (*record.without, way_name(record.plugin, record.channel))
        again = Notify(record.visit_id, record.participant_id, record.template, record.details, without)
        line = {"template": record.template, "channel": record.channel, "code": record.code}
        return (
            Audit(
                record.practice_id, record.visit_id, "message-undelivered", record.participant_id, {**line}
            ),
            again,
        )

    async def _find(self, plugin: str, report: DeliveryReport) -> MessageRecord | None:
        record = await self._store.message(report.idempotency_key) if report.idempotency_key else None
        if record is None and report.provider_id:
            record = await self._store.message_of_provider(plugin, report.provider_id)
        return record if record and record.plugin in ("", plugin) else None

    # how people can be reached

    async def subscribe(
        self, visit_id: VisitId, participant_id: ParticipantId, subscription: dict[str, Any]
    ) -> None:
        """Keeps a PushSubscription that was found valid."""
        endpoint = subscription["endpoint"]
        await self._store.subscribe(
            visit_id, participant_id, endpoint, json.dumps(subscription), self._clock.now()
        )

    async def addresses(self, visit_id: VisitId, participant_id: ParticipantId) -> tuple[list[str], bool]:
        """Where that person gets messages, masked, and whether they want none."""
        visit = await self._visits.get(visit_id)
        addresses = await self._addresses(visit, participant_id)
        hashes = [self._grants.address_hash(address) for address in addresses]
        out = await self._store.opted_out(visit.practice_id, hashes)
        return [masked(address) for address in addresses], bool(hashes) and set(hashes) <= out

    async def opt_out(self, visit_id: VisitId, participant_id: ParticipantId, *, out: bool) -> None:
        """For all addresses of that person that the appointment names, and all messages of that practice."""
        visit = await self._visits.get(visit_id)
        for address in await self._addresses(visit, participant_id):
            hashed = self._grants.address_hash(address)
            await self._store.set_opt_out(visit.practice_id, hashed, self._clock.now(), out=out)
        what = "messages-refused" if out else "messages-wanted"
        await self._store.record(Audit(visit.practice_id, visit.id, what, participant_id), self._clock.now())

    async def _addresses(self, visit: Visit, participant_id: ParticipantId) -> list[str]:
        appointment = await self._visits.appointment(visit)
        person = next((p for p in appointment.participants if p.id == participant_id), None)
        return [address for address in (person.phone, person.email) if address] if person else []

    async def _own(self, practice_id: PracticeId, visit_id: VisitId) -> Visit:
        visit = await self._visits.get(visit_id)
        if visit.practice_id != practice_id:
            raise NotFound("there is no such visit", code="visit-unknown")
        return visit
