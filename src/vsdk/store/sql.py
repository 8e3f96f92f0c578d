"""The store on SQLAlchemy Core: reading, and the one transaction in which a visit changes."""

from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, Table, and_, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from vsdk.domain.effects import Audit, Effect, Notify
from vsdk.domain.errors import Conflict, NotFound
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.visit import ACTIVE, Visit
from vsdk.hooks.ports import SourcedAppointment
from vsdk.hooks.store import AuditEntry, MessageRecord, MirroredAppointment, VisitChange
from vsdk.store import mapping, migrate, outbox
from vsdk.store.bulk import SqlBulk
from vsdk.store.database import Database, whole
from vsdk.store.message_log import REPORTED, SqlMessageLog
from vsdk.store.search import SqlSearch
from vsdk.store.sign_ins import SqlSignIns
from vsdk.store.tables import appointment, appointment_key, join_link, message
from vsdk.store.tables import audit as trail
from vsdk.store.tables import visit as visits

_ACTIVE = visits.c.state.in_(sorted(state.value for state in ACTIVE))


class SqlStore(SqlSearch, SqlBulk, SqlMessageLog, SqlSignIns, outbox.SqlOutbox):
    """The port `vsdk.hooks.store.Store`. ``database_url`` as in `vsdk.store.database.Database`.

    Nothing is connected before `open`. Exceptions of the database itself (`sqlalchemy.exc.SQLAlchemyError`)
    pass through; they never show the values of a statement.
    """

    def __init__(self, database_url: str) -> None:
        self._database = Database(database_url)

    @whole
    async def open(self) -> None:
        await self._database.open()
        async with self._database.write() as connection:
            await connection.run_sync(migrate.upgrade)

    @whole
    async def close(self) -> None:
        await self._database.close()

    @whole
    async def ready(self) -> None:
        async with self._database.read() as connection:
            await connection.execute(text("SELECT 1"))

    # visits

    @whole
    async def visit(self, visit_id: VisitId) -> Visit | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(visits).where(visits.c.id == visit_id))).first()
        return mapping.visit_from(row) if row else None

    @whole
    async def visit_of(self, practice_id: PracticeId, appointment_id: AppointmentId) -> Visit | None:
        newest = (
            select(visits)
            .where(visits.c.practice_id == practice_id, visits.c.appointment_id == appointment_id)
            .order_by(visits.c.seq.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(newest)).first()
        return mapping.visit_from(row) if row else None

    @whole
    async def visits_between(
        self, practice_id: PracticeId, start: datetime, end: datetime
    ) -> list[tuple[Visit, MirroredAppointment]]:
        """Ordered by the start of the appointment. A visit whose appointment is not mirrored is left out."""
        both = and_(
            visits.c.practice_id == appointment.c.practice_id,
            visits.c.appointment_id == appointment.c.appointment_id,
        )
        # Each half has an index of its own; an OR of both would look at all visits that there ever were.
        planned = select(visits.c.id).join(appointment, both)
        a = appointment.c
        then = planned.where(a.practice_id == practice_id, a.start >= start, a.start < end)
        chosen = visits.c.id.in_(then.union(select(visits.c.id).where(_ACTIVE)))
        # One statement: between two, others may plan visits, and pairs would be made of strangers.
        pairs = select(visits, appointment).join(appointment, both)
        ours = pairs.where(visits.c.practice_id == practice_id, chosen)
        async with self._database.read() as connection:
            rows = await connection.execute(ours.order_by(a.start, visits.c.seq))
        return [
            (mapping.visit_from(_part(row, visits)), mapping.mirrored_from(_part(row, appointment)))
            for row in rows
        ]

    @whole
    async def active_visits(self) -> list[Visit]:
        async with self._database.read() as connection:
            rows = await connection.execute(select(visits).where(_ACTIVE).order_by(visits.c.seq))
        return [mapping.visit_from(row) for row in rows]

    @whole
    async def commit(self, change: VisitChange, now: datetime) -> None:
        async with self._database.write() as connection:
            await _put_visit(connection, change)
            if change.appointment:
                await _put_appointment(connection, change.appointment, now, change.appointment_version)
            if change.revoke_links:
                await connection.execute(
                    update(join_link)
                    .where(join_link.c.visit_id == change.visit.id, join_link.c.revoked_at.is_(None))
                    .values(revoked_at=now)
                )
            if change.links:
                await connection.execute(insert(join_link), [mapping.link_values(x) for x in change.links])
            await outbox.put_deadline(connection, change.visit)
            if change.notices is not None:
                await outbox.put_notices(connection, change.visit.id, change.notices)
            await outbox.put_waiting(connection, change.waiting)
            await outbox.enqueue(connection, change.effects, now)

    # messages

    @whole
    async def ask(self, notify: Notify, now: datetime) -> MessageRecord:
        async with self._database.write() as connection:
            await outbox.enqueue(connection, [notify], now)
            newest = select(message).where(message.c.visit_id == notify.visit_id)
            row = (await connection.execute(newest.order_by(message.c.seq.desc()).limit(1))).first()
            if row is None:
                raise NotFound("there is no such visit", code="visit-unknown")
        return mapping.message_from(row)

    @whole
    async def report(self, record: MessageRecord, effects: Sequence[Effect], now: datetime) -> bool:
        later = {"state": record.state.value, "code": record.code, "updated": now}
        known = [state.value for state in (*REPORTED, record.state)]
        this = and_(message.c.id == record.id, message.c.state.not_in(known))
        async with self._database.write() as connection:
            changed = (await connection.execute(update(message).where(this).values(later))).rowcount
            if changed:
                await outbox.enqueue(connection, effects, now)
        return bool(changed)

    # the mirror of appointments

    @whole
    async def appointment(
        self, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> MirroredAppointment | None:
        async with self._database.read() as connection:
            return await _appointment(connection, practice_id, appointment_id)

    @whole
    async def save_appointment(
        self, sourced: SourcedAppointment, expected_version: int | None, now: datetime
    ) -> MirroredAppointment:
        async with self._database.write() as connection:
            found = await _appointment(connection, sourced.appointment.practice_id, sourced.appointment.id)
            if (found and found.version) != expected_version:
                raise Conflict("the appointment was changed meanwhile")
            version = await _put_appointment(connection, sourced, now)
        return MirroredAppointment(sourced, version, now)

    # links

    @whole
    async def link_by_hash(self, handle_hash: str) -> JoinLink | None:
        async with self._database.read() as connection:
            found = await connection.execute(select(join_link).where(join_link.c.handle_hash == handle_hash))
            row = found.first()
        return mapping.link_from(row) if row else None

    @whole
    async def links_of(self, visit_id: VisitId) -> list[JoinLink]:
        valid = select(join_link).where(join_link.c.visit_id == visit_id, join_link.c.revoked_at.is_(None))
        async with self._database.read() as connection:
            rows = await connection.execute(valid.order_by(join_link.c.participant_id, join_link.c.id))
        return [mapping.link_from(row) for row in rows]

    # the audit trail

    @whole
    async def record(self, audit: Audit, now: datetime) -> None:
        async with self._database.write() as connection:
            await outbox.enqueue(connection, [audit], now)

    @whole
    async def audit(
        self, practice_id: PracticeId | None = None, visit_id: VisitId | None = None, limit: int = 1000
    ) -> list[AuditEntry]:
        """The last ``limit`` entries, oldest first."""
        latest = select(trail).order_by(trail.c.seq.desc()).limit(limit)
        if practice_id is not None:
            latest = latest.where(trail.c.practice_id == practice_id)
        if visit_id is not None:
            latest = latest.where(trail.c.visit_id == visit_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(latest)).all()
        return [mapping.audit_from(row) for row in reversed(rows)]


async def _put_visit(connection: AsyncConnection, change: VisitChange) -> None:
    values = mapping.visit_values(change.visit)
    if change.expected_version is None:
        try:
            await connection.execute(insert(visits).values(values))
        except IntegrityError:
            raise Conflict("there is a visit with this id already") from None
        return
    result = await connection.execute(
        update(visits)
        .where(visits.c.id == change.visit.id, visits.c.version == change.expected_version)
        .values(values)
    )
    if result.rowcount == 0:
        raise Conflict("the visit was changed meanwhile")


async def _appointment(
    connection: AsyncConnection, practice_id: PracticeId, appointment_id: AppointmentId
) -> MirroredAppointment | None:
    this = (appointment.c.practice_id == practice_id, appointment.c.appointment_id == appointment_id)
    row = (await connection.execute(select(appointment).where(*this))).first()
    return mapping.mirrored_from(row) if row else None


async def _put_appointment(
    connection: AsyncConnection, sourced: SourcedAppointment, now: datetime, expected: int | None = None
) -> int:
    """Makes or replaces the mirror of this appointment; gives its version.

    Raises Conflict when it is not at the version ``expected``; 0 stands for: not there.
    """
    values = mapping.appointment_values(sourced) | {"updated": now}
    this = (
        appointment.c.practice_id == sourced.appointment.practice_id,
        appointment.c.appointment_id == sourced.appointment.id,
    )
    read = (appointment.c.version == expected,) if expected else ()
    there = 0
    if expected != 0:
        replacing = update(appointment).where(*this, *read)
        there = (
            await connection.execute(replacing.values(**values, version=appointment.c.version + 1))
        ).rowcount
    if not there and expected:
        raise Conflict("the appointment was changed meanwhile")
    if not there:
        try:
            await connection.execute(insert(appointment).values(**values, version=1))
        except IntegrityError:
            raise Conflict("the appointment was added meanwhile") from None
    old = (
        appointment_key.c.practice_id == sourced.appointment.practice_id,
        appointment_key.c.appointment_id == sourced.appointment.id,
    )
    await connection.execute(delete(appointment_key).where(*old))
    if keys := mapping.key_values(sourced.appointment):
        await connection.execute(insert(appointment_key), keys)
    if not there:
        return 1
    version: int = (await connection.execute(select(appointment.c.version).where(*this))).scalar_one()
    return version


def _part(row: Row[Any], table: Table) -> Any:
    """What a row of a join holds of one of its tables, as a row of that table alone."""
    return SimpleNamespace(**{column.name: row._mapping[column] for column in table.c})
