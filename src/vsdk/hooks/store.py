"""The port of the store: what services need kept, and the one transaction in which a visit changes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from vsdk.domain.appointment import Appointment
from vsdk.domain.effects import Audit, DurableEffect, Effect, Notify, WriteBack
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.message import MessageState
from vsdk.domain.plan import Notice, WaitingNotice
from vsdk.domain.visit import Visit
from vsdk.hooks.ports import SourcedAppointment
from vsdk.hooks.sign_ins import SignIns


@dataclass(frozen=True, slots=True)
class MirroredAppointment:
    """Our copy of an appointment. ``version`` counts our own writes, from 1, and is the entity tag."""

    sourced: SourcedAppointment
    version: int
    updated: datetime
    deleted: bool = False
    """deleted over the FHIR face: known no more, except for what still has to be done because of it"""

    @property
    def appointment(self) -> Appointment:
        return self.sourced.appointment


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` until before ``until``; None is open."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AppointmentQuery:
    """Which mirrored appointments: all conditions hold together, of the values of one any."""

    practice_id: PracticeId
    releases: tuple[str, ...]
    ids: tuple[AppointmentId, ...] = ()
    statuses: tuple[str, ...] = ()
    start: tuple[Span, ...] = ()
    """appointments that begin in all of these"""
    updated: tuple[Span, ...] = ()
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """``patient``, ``practitioner`` and ``actor`` (either) with references, ``identifier`` with tokens as
    FHIR writes them: ``system|value``, ``|value``, ``system|``, ``value``; a bar within them is ``\\|``, a
    backslash ``\\\\``"""
    after: AppointmentId | None = None
    """pages go in the order of ids"""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice of a visit's plan whose time is ``at``; one for waiting was sent ``sent`` times before."""

    visit_id: VisitId
    notice: Notice | WaitingNotice
    at: datetime
    sent: int = 0


@dataclass(frozen=True, slots=True)
class VisitChange:
    """All that changes together with a visit, in one transaction."""

    visit: Visit
    expected_version: int | None
    """the version it was read at; None for a new visit"""
    effects: Sequence[Effect] = ()
    appointment: SourcedAppointment | None = None
    """a new state of the mirror"""
    links: Sequence[JoinLink] = ()
    """links to add"""
    revoke_links: bool = False
    """revoke the links that exist, before adding ``links``"""
    notices: Sequence[DueNotice] | None = None
    """replaces the notices that are still due; None leaves them"""
    waiting: Sequence[DueNotice] = ()
    """notices for waiting to add; one of the same key is replaced"""
    appointment_version: int | None = None
    """the version that the mirror was read at, 0 where there was none; None: whichever it is now"""


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of one appointment: the newest visit and its links, without those that were revoked."""

    mirrored: MirroredAppointment | None = None
    visit: Visit | None = None
    links: tuple[JoinLink, ...] = ()


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An effect that waits to be performed. ``id`` is the idempotency key, the same at every attempt."""

    id: str
    effect: DurableEffect
    attempts: int
    created: datetime


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """What became of one message. ``id`` is its idempotency key, and that of its outbox entry."""

    id: str
    practice_id: PracticeId
    visit_id: VisitId
    participant_id: ParticipantId
    template: str
    state: MessageState
    created: datetime
    updated: datetime
    details: dict[str, str] = field(default_factory=dict)
    """the values of its text that are not of the appointment, such as ``minutes``"""
    without: tuple[str, ...] = ()
    """ways that failed to deliver an earlier message of the same content, each ``plugin/kind``"""
    channel: str = ""
    """kind of the channel that took it, or that was tried last"""
    plugin: str = ""
    recipient: str = ""
    """masked: ``+49 … 01``"""
    code: str = ""
    """stable code of why it is where it is"""
    provider_id: str = ""
    segments: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Briefing:
    """What is known of a message before it is sent, beside its appointment."""

    record: MessageRecord
    visit: Visit
    had: int
    """how many messages about the visit the same person got before"""
    subscriptions: tuple[str, ...] = ()
    """PushSubscriptions of that person for that visit, newest first"""


@dataclass(frozen=True, slots=True)
class Performed:
    """Done, or nothing was left to do. ``told`` is False where another system was not told anything."""

    told: bool = True


@dataclass(frozen=True, slots=True)
class Postponed:
    """To be tried again. ``attempts`` counts those made so far, by the channel that is tried now; ``without``
    are ways that are not to be tried any more, each ``plugin/kind``."""

    until: datetime
    attempts: int
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Kept, with a stable reason code, until someone retries or drops it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How one attempt ended, and what is kept of it, in one transaction."""

    entry: OutboxEntry
    verdict: Performed | Postponed | GivenUp
    record: MessageRecord | None = None
    effects: tuple[Effect, ...] = ()
    """audit lines, and effects that follow from it"""
    visit: Visit | None = None
    """the one that it is about, where that is known already; not kept"""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An effect that was given up. ``record`` belongs to a message."""

    entry: OutboxEntry
    practice_id: PracticeId
    reason: str
    record: MessageRecord | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline that has passed: a visit's own (``notice`` is None), or a notice."""

    id: str
    visit_id: VisitId
    at: datetime
    notice: Notice | WaitingNotice | None
    sent: int = 0
    """how often one for waiting was sent before"""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    at: datetime
    practice_id: PracticeId
    visit_id: VisitId
    what: str
    participant_id: ParticipantId | None
    details: dict[str, Any] = field(default_factory=dict)


class VisitStore(Protocol):
    """Visits, their links and the mirror of their appointments."""

    async def visit(self, visit_id: VisitId) -> Visit | None: ...
    async def visit_of(self, practice_id: PracticeId, appointment_id: AppointmentId) -> Visit | None:
        """The newest visit of that appointment."""

    async def visits_between(
        self, practice_id: PracticeId, start: datetime, end: datetime
    ) -> list[tuple[Visit, MirroredAppointment]]:
        """Visits whose appointment starts in ``[start, end)``, and whatever their time all active ones."""

    async def active_visits(self) -> list[Visit]:
        """Visits in which someone was, when the server last ran."""

    async def commit(self, change: VisitChange, now: datetime) -> None:
        """Stores everything of ``change`` in one transaction, and the visit's next deadline with it.

        Raises Conflict when the visit is no longer at ``expected_version``, or already exists, and when the
        mirror is no longer at ``appointment_version``.
        """

    # many at once

    async def known(
        self, practice_id: PracticeId, appointment_ids: Sequence[AppointmentId]
    ) -> dict[AppointmentId, Known]:
        """What is kept of them, for at most a thousand; without those of which nothing is."""

    async def commit_new(
        self, changes: Sequence[VisitChange], unplanned: Sequence[SourcedAppointment], now: datetime
    ) -> None:
        """Stores new appointments in one transaction: those with a new visit, and those ``unplanned``.

        Raises Conflict, and stores nothing, when there is a mirror of any of them already.
        """


class AppointmentMirror(Protocol):
    """The one place where personal data of appointments are kept."""

    async def appointment(
        self, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> MirroredAppointment | None: ...
    async def save_appointment(
        self, sourced: SourcedAppointment, expected_version: int | None, now: datetime
    ) -> MirroredAppointment:
        """Without a visit. Raises Conflict when it is not at ``expected_version`` (None: must be new)."""

    async def find_appointments(self, query: AppointmentQuery) -> list[MirroredAppointment]:
        """One page, without what was deleted."""

    async def count_appointments(self, query: AppointmentQuery) -> int:
        """How many there are on all pages."""

    async def delete_appointment(
        self, practice_id: PracticeId, appointment_id: AppointmentId, now: datetime
    ) -> None:
        """Marks it as deleted; whoever hands it over again makes it known again."""

    async def upcoming_of(self, practice_id: PracticeId, source: str) -> list[AppointmentId]:
        """The appointments of that source that have a visit which is planned or going on."""


class LinkStore(Protocol):
    async def link_by_hash(self, handle_hash: str) -> JoinLink | None: ...
    async def links_of(self, visit_id: VisitId) -> list[JoinLink]:
        """The links that are not revoked."""


class Outbox(Protocol):
    """Effects on their way, and the deadlines that give rise to some of them."""

    async def due(self, now: datetime, limit: int = 100) -> list[Due]: ...
    async def settle(
        self, due: Due, effects: Sequence[Effect], now: datetime, again: DueNotice | None = None
    ) -> None:
        """Enqueues the effects and removes the notice, or puts it off as ``again``, in one transaction."""

    async def claim(
        self, kind: type[DurableEffect], now: datetime, until: datetime, limit: int = 20
    ) -> list[OutboxEntry]:
        """What is to be performed next, due longest first. Nobody else gets it before ``until``, unless it
        was concluded by then. Of the write-backs of one appointment, only the first that is not performed.
        """

    async def release_claims(self) -> None:
        """After a crash, where no other process can hold claims: all is free again at once."""

    async def conclude(self, conclusions: Sequence[Conclusion], now: datetime) -> list[bool]:
        """Whether each makes good what was given up before: an earlier write-back of the same appointment."""

    async def dead_letters(self, practice_id: PracticeId | None = None, limit: int = 500) -> list[DeadLetter]:
        """What was given up, oldest first."""

    async def retry(self, id_: str, now: datetime) -> bool:
        """Makes it due again, with all attempts ahead. False when there is no such dead letter."""

    async def drop(self, id_: str) -> bool:
        """Removes it for good; its record stays. False when there is no such dead letter."""

    async def write_back_again(self, effect: WriteBack, now: datetime) -> bool:
        """Enqueues it, and tells so, unless that appointment is to be written back already."""

    async def not_written_back(
        self, practice_id: PracticeId, appointment_ids: Sequence[AppointmentId]
    ) -> dict[AppointmentId, str]:
        """For appointments whose last write-back was given up, the reason. A later success clears it."""


class MessageLog(Protocol):
    """What became of messages, where else people can be reached, and who does not want that."""

    async def message(self, id_: str) -> MessageRecord | None: ...
    async def message_of_provider(self, plugin: str, provider_id: str) -> MessageRecord | None: ...
    async def briefings(self, ids: Sequence[str]) -> dict[str, Briefing]:
        """By id of the message; without those that are not known."""

    async def messages_of(self, visit_ids: Sequence[VisitId]) -> dict[VisitId, list[MessageRecord]]:
        """Oldest first; a visit without any is left out."""

    async def report(self, record: MessageRecord, effects: Sequence[Effect], now: datetime) -> bool:
        """Takes over a later state, and enqueues what follows from it, in one transaction.

        False, and nothing is changed, where that state or a later one is known already.
        """

    async def ask(self, notify: Notify, now: datetime) -> MessageRecord:
        """Enqueues a message that someone asked for. Raises NotFound ``visit-unknown``."""

    async def subscribe(
        self,
        visit_id: VisitId,
        participant_id: ParticipantId,
        endpoint: str,
        subscription: str,
        now: datetime,
    ) -> None:
        """Keeps a PushSubscription; one with the same endpoint is replaced."""

    async def unsubscribe(self, endpoint: str) -> None: ...
    async def subscriptions(self, visit_id: VisitId, participant_id: ParticipantId) -> list[str]:
        """As they were given, newest first."""

    async def set_opt_out(
        self, practice_id: PracticeId, address_hash: str, now: datetime, *, out: bool
    ) -> None: ...
    async def opted_out(self, practice_id: PracticeId, address_hashes: Sequence[str]) -> set[str]:
        """Those of them whose owners want no messages from that practice."""


class AuditTrail(Protocol):
    async def record(self, audit: Audit, now: datetime) -> None:
        """A line of its own, for what changes no visit, such as a refused exchange."""

    async def audit(
        self, practice_id: PracticeId | None = None, visit_id: VisitId | None = None, limit: int = 1000
    ) -> list[AuditEntry]:
        """Oldest first."""


class Store(VisitStore, AppointmentMirror, LinkStore, Outbox, MessageLog, AuditTrail, SignIns, Protocol):
    """One database."""

    async def open(self) -> None:
        """Creates or upgrades the tables."""

    async def close(self) -> None: ...
    async def ready(self) -> None:
        """Raises if the database does not answer."""
