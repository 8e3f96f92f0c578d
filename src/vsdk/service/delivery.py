"""Delivers one message: in which words, by which channel, and what follows from it."""

import json
import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from vsdk.domain.appointment import Appointment
from vsdk.domain.effects import Audit, Effect, Notify
from vsdk.domain.errors import Conflict, PartnerError, VsdkError
from vsdk.domain.ids import PracticeId
from vsdk.domain.message import Message, MessageState, MessageText
from vsdk.domain.messaging import PRACTICE, Reason, kind_of, masked, send_at
from vsdk.domain.participant import Participant, Role
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import NotificationChannel
from vsdk.hooks.store import Conclusion, GivenUp, MessageRecord, OutboxEntry, Performed, Postponed, Store
from vsdk.service.clock import Clock
from vsdk.service.coalesced import Coalesced
from vsdk.service.errands import Errand, Errands, addresses, left_out
from vsdk.service.grants import Grants
from vsdk.service.retries import SWITCH_AFTER, next_pause

log = logging.getLogger(__name__)


class MessageRenderer(Protocol):
    """Makes a text from a template, just before it is sent."""

    def render(
        self,
        template: str,
        language: str,
        kind: str,
        *,
        practice: Practice,
        appointment: Appointment,
        participant: Participant | None,
        url: str | None,
        list_url: str,
        now: datetime,
        values: Mapping[str, str],
        sequence: int,
    ) -> MessageText:
        """``participant`` is None for the practice's own team; ``kind`` is that of the channel."""

    def calendar(
        self,
        language: str,
        *,
        practice: Practice,
        appointment: Appointment,
        url: str,
        now: datetime,
        sequence: int,
    ) -> str:
        """The appointment as an iCalendar object (RFC 5545) with the link."""


@dataclass(frozen=True, slots=True)
class Way:
    """A channel, and which plugin gave it."""

    plugin: str
    channel: NotificationChannel

    @property
    def kind(self) -> str:
        return self.channel.channel

    @property
    def name(self) -> str:
        """A plugin may give channels of several kinds."""
        return way_name(self.plugin, self.kind)


def way_name(plugin: str, kind: str) -> str:
    return f"{plugin}/{kind}"


Tried = tuple[Way, str]
"""a way, and the address that it was tried with"""


class Delivery:
    """Makes one attempt for each outbox entry that it is handed."""

    def __init__(
        self,
        store: Store,
        errands: Errands,
        renderer: MessageRenderer,
        clock: Clock,
        ways: Mapping[PracticeId, Sequence[Way]],
        grants: Grants,
        teams: Container[PracticeId],
    ) -> None:
        """``teams`` are the practices that can be reached themselves."""
        self._store = store
        self._errands = errands
        self._renderer = renderer
        self._clock = clock
        self._ways = ways
        self._grants = grants
        self._teams = teams
        self._opted_out: Coalesced[tuple[PracticeId, str], bool] = Coalesced(self._who_opted_out)

    async def perform(self, entry: OutboxEntry, notify: Notify) -> Conclusion:
        """One attempt. What a channel answers to it is part of the conclusion."""
        errand = await self._errands.of(entry, notify)
        if errand is None:
            return Conclusion(entry, Performed(told=False))
        now = self._clock.now()
        if reason := left_out(errand, now):
            return self._left_out(errand, reason)
        practice = errand.practice
        due = send_at(notify.template, now, errand.expires, practice.messaging.quiet, practice.time_zone)
        if due > now:
            record = replace(errand.record, code=Reason.QUIET.value, updated=now)
            return Conclusion(
                entry, Postponed(due, entry.attempts, notify.without), record, visit=errand.visit
            )
        return await self._by_some_channel(errand)

    async def failed(self, entry: OutboxEntry, notify: Notify, error: Exception) -> Conclusion:
        """What follows from an attempt that ended in another error than a channel may have."""
        errand = await self._errands.of(entry, notify)
        code = code_of(error)
        if errand is None or (isinstance(error, VsdkError) and not isinstance(error, Conflict)):
            return self._given_up(errand, None, code) if errand else Conclusion(entry, GivenUp(code))
        return self._again(errand, None, PartnerError("", retryable=True, code=code), notify.without)

    async def _by_some_channel(self, errand: Errand) -> Conclusion:
        """The practice's channels in order; the next one where one will never deliver it, or is long down."""
        without = errand.notify.without
        code, tried = "message-undelivered" if without else "no-address", None
        for way in self._ways[errand.practice.id]:
            if way.name in without:
                continue
            for recipient in addresses(errand, way.kind):
                if await self._is_opted_out(errand, recipient):
                    code = Reason.OPTED_OUT.value
                    continue
                try:
                    return await self._deliver(errand, way, recipient)
                except PartnerError as error:
                    code, tried = error.code, (way, recipient)
                    about = {"effect": errand.entry.id, "kind": "Notify", "plugin": way.plugin, "code": code}
                    log.warning("effect failed", extra=about)
                    await self._learn(errand, recipient, error)
                    if error.retryable and not self._is_tired_of(errand, (*without, way.name)):
                        return self._again(errand, tried, error, without)
            without = (*without, way.name)
        if code == Reason.OPTED_OUT:
            return self._left_out(errand, Reason.OPTED_OUT)
        return self._given_up(errand, tried, code)

    def _is_tired_of(self, errand: Errand, without: tuple[str, ...]) -> bool:
        """Whether a channel was tried long enough, and there is another one."""
        if errand.entry.attempts + 1 < SWITCH_AFTER:
            return False
        others = (way for way in self._ways[errand.practice.id] if way.name not in without)
        return any(addresses(errand, way.kind) for way in others)

    async def _is_opted_out(self, errand: Errand, recipient: str) -> bool:
        key = (errand.practice.id, self._grants.address_hash(recipient))
        return bool(await self._opted_out.get(key))

    async def _who_opted_out(
        self, keys: Sequence[tuple[PracticeId, str]]
    ) -> dict[tuple[PracticeId, str], bool]:
        found = {
            practice_id: await self._store.opted_out(practice_id, [h for p, h in keys if p == practice_id])
            for practice_id in {practice_id for practice_id, _ in keys}
        }
        return {(practice_id, hashed): hashed in found[practice_id] for practice_id, hashed in keys}

    async def _learn(self, errand: Errand, recipient: str, error: PartnerError) -> None:
        """Some failures tell something about the address that holds for later messages too."""
        if error.code == "push-subscription-gone":
            await self._store.unsubscribe(json.loads(recipient)["endpoint"])
        elif error.code == Reason.OPTED_OUT:
            hashed = self._grants.address_hash(recipient)
            await self._store.set_opt_out(errand.practice.id, hashed, self._clock.now(), out=True)

    async def _deliver(self, errand: Errand, way: Way, recipient: str) -> Conclusion:
        person, template = errand.person, errand.notify.template
        language = (person and person.language) or errand.practice.language
        words = self._words(errand, way.kind, language)
        message = Message(
            recipient=recipient,
            text=words.text,
            idempotency_key=errand.entry.id,
            template=template,
            language=words.language or language,
            subject=words.subject,
            html=words.html,
            calendar=words.calendar,
            expires=errand.expires,
            practice_id=errand.practice.id,
            visit_id=errand.visit.id,
            appointment_id=errand.appointment.id,
            reference=person.reference if person else "",
            role=(person.role if person else Role.STAFF).value,
        )
        receipt = await way.channel.deliver(message)
        record = replace(
            self._progress(errand, MessageState.SENT, "", (way, recipient)),
            provider_id=receipt.provider_id[:255],
            segments=words.segments,
            attempts=errand.entry.attempts + 1,
        )
        sent = self._audit(errand, "message-sent", {"template": template, "channel": way.kind})
        return Conclusion(errand.entry, Performed(), record, (sent,), errand.visit)

    def _words(self, errand: Errand, kind: str, language: str) -> MessageText:
        return self._renderer.render(
            errand.notify.template,
            language,
            kind,
            practice=errand.practice,
            appointment=errand.appointment,
            participant=errand.person,
            url=errand.url,
            list_url=errand.practice.fhir.list_address,
            now=self._clock.now(),
            values=errand.notify.values,
            sequence=errand.scheduled.mirrored.version,
        )

    def _again(
        self, errand: Errand, tried: Tried | None, error: PartnerError, without: tuple[str, ...]
    ) -> Conclusion:
        attempts = errand.entry.attempts + 1
        pause = next_pause(attempts, error.retry_after)
        until = self._clock.now() + pause if pause else None
        if until is None or until >= errand.expires:
            return self._given_up(errand, tried, error.code)
        record = replace(self._progress(errand, MessageState.QUEUED, error.code, tried), attempts=attempts)
        return Conclusion(errand.entry, Postponed(until, attempts, without), record, visit=errand.visit)

    def _given_up(self, errand: Errand, tried: Tried | None, code: str) -> Conclusion:
        if tried is None:
            log.warning("effect failed", extra={"effect": errand.entry.id, "kind": "Notify", "code": code})
        record = self._progress(errand, MessageState.FAILED, code, tried)
        template = errand.notify.template
        effects: tuple[Effect, ...] = (
            self._audit(errand, "notify-given-up", {"code": code, "template": template}),
            *told_to_practice(errand.notify, code, has_team=errand.practice.id in self._teams),
        )
        counted = replace(record, attempts=errand.entry.attempts + 1)
        return Conclusion(errand.entry, GivenUp(code), counted, effects, errand.visit)

    def _left_out(self, errand: Errand, reason: Reason) -> Conclusion:
        state = MessageState.EXPIRED if reason is Reason.EXPIRED else MessageState.SUPPRESSED
        details: dict[str, object] = {"template": errand.notify.template, "code": reason.value}
        audit = self._audit(errand, "message-left-out", details)
        record = self._progress(errand, state, reason.value, None)
        return Conclusion(errand.entry, Performed(told=False), record, (audit,), errand.visit)

    def _progress(self, errand: Errand, state: MessageState, code: str, tried: Tried | None) -> MessageRecord:
        record = replace(errand.record, state=state, code=code, updated=self._clock.now())
        if tried is None:
            return record
        way, recipient = tried
        shown = masked(recipient) if way.kind in ("sms", "email") else ""
        return replace(record, channel=way.kind, plugin=way.plugin, recipient=shown)

    def _audit(self, errand: Errand, what: str, details: dict[str, object]) -> Audit:
        return Audit(errand.practice.id, errand.visit.id, what, errand.notify.participant_id, details)


def code_of(error: Exception) -> str:
    """The stable code that stands for an error."""
    if isinstance(error, VsdkError):
        return error.code
    code = "internal-error"
    if isinstance(error, TimeoutError):
        code = "timeout"
    return code


def told_to_practice(notify: Notify, code: str, *, has_team: bool) -> tuple[Notify, ...]:
    """That a message did not arrive, to the practice's team; nothing about those that go to the team."""
    if not has_team or kind_of(notify.template).to_team:
        return ()
    values = {"what": notify.template, "code": code}
    return (Notify(notify.visit_id, PRACTICE, "failed-delivery", values),)
