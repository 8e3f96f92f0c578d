"""The port of the store: what services need kept, and the one transaction in which a visit changes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from vsdk.domain.appointment import Appointment
from vsdk.domain.effects import Audit, DurableEffect, Effect, WriteBack
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.plan import Notice
from vsdk.domain.visit import Visit
from vsdk.hooks.ports import SourcedAppointment


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
    """A notice of a visit's plan whose time is ``at``."""

    visit_id: VisitId
    notice: Notice
    at: datetime


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
class Due:
    """A deadline that has passed: a visit's own (``notice`` is None), or a notice."""

    id: str
    visit_id: VisitId
    at: datetime
    notice: Notice | None


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
    async def settle(self, due: Due, effects: Sequence[Effect], now: datetime) -> None:
        """Enqueues the effects and removes the notice, in one transaction."""

    async def next_effects(self, now: datetime, limit: int = 20) -> list[OutboxEntry]: ...
    async def complete(self, entry: OutboxEntry, *, told: bool = True) -> bool:
        """Whether it makes good what was given up before: an earlier write-back of the same appointment.

        Without ``told`` nothing was to be done, and nothing is made good.
        """

    async def postpone(self, entry: OutboxEntry, until: datetime) -> None:
        """Counts one more attempt."""

    async def abandon(self, entry: OutboxEntry, reason: str) -> None:
        """Gives up; the entry stays to be seen, with a stable reason code."""

    async def write_back_again(self, effect: WriteBack, now: datetime) -> bool:
        """Enqueues it, and tells so, unless that appointment is to be written back already."""

    async def not_written_back(
        self, practice_id: PracticeId, appointment_ids: Sequence[AppointmentId]
    ) -> dict[AppointmentId, str]:
        """For appointments whose last write-back was given up, the reason. A later success clears it."""


class AuditTrail(Protocol):
    async def record(self, audit: Audit, now: datetime) -> None:
        """A line of its own, for what changes no visit, such as a refused exchange."""

    async def audit(
        self, practice_id: PracticeId | None = None, visit_id: VisitId | None = None, limit: int = 1000
    ) -> list[AuditEntry]:
        """Oldest first."""


class Store(VisitStore, AppointmentMirror, LinkStore, Outbox, AuditTrail, Protocol):
    """One database."""

    async def open(self) -> None:
        """Creates or upgrades the tables."""

    async def close(self) -> None: ...
    async def ready(self) -> None:
        """Raises if the database does not answer."""
