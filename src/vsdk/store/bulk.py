"""Many appointments at once: what is known of them, and new ones in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from vsdk.domain.errors import Conflict
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.visit import next_deadline
from vsdk.hooks.ports import SourcedAppointment
from vsdk.hooks.store import Known, VisitChange
from vsdk.store import mapping, outbox
from vsdk.store.database import Database, whole
from vsdk.store.tables import appointment, appointment_key, deadline, join_link
from vsdk.store.tables import visit as visits


class SqlBulk:
    """The part of the port `vsdk.hooks.store.VisitStore` that deals with many appointments."""

    _database: Database

    @whole
    async def known(
        self, practice_id: PracticeId, appointment_ids: Sequence[AppointmentId]
    ) -> dict[AppointmentId, Known]:
        c, v = appointment.c, visits.c
        of_mirrors = select(appointment).where(
            c.practice_id == practice_id, c.appointment_id.in_(appointment_ids)
        )
        of_visits = select(visits).where(v.practice_id == practice_id, v.appointment_id.in_(appointment_ids))
        async with self._database.read() as connection:
            mirror_rows = (await connection.execute(of_mirrors)).all()
            visit_rows = (await connection.execute(of_visits.order_by(v.seq))).all()
            newest = {row.appointment_id: mapping.visit_from(row) for row in visit_rows}
            links = await _links(connection, [visit.id for visit in newest.values()]) if newest else {}
        mirrored = {row.appointment_id: mapping.mirrored_from(row) for row in mirror_rows}
        return {
            id_: Known(mirrored.get(id_), visit, tuple(links.get(visit.id, ())) if visit else ())
            for id_, visit in ((i, newest.get(i)) for i in appointment_ids if i in mirrored or i in newest)
        }

    @whole
    async def commit_new(
        self, changes: Sequence[VisitChange], unplanned: Sequence[SourcedAppointment], now: datetime
    ) -> None:
        mirrors = [*(change.appointment for change in changes if change.appointment), *unplanned]
        if not mirrors:
            return
        keys = [values for sourced in mirrors for values in mapping.key_values(sourced.appointment)]
        async with self._database.write() as connection:
            try:
                await connection.execute(
                    insert(appointment),
                    [mapping.appointment_values(s) | {"version": 1, "updated": now} for s in mirrors],
                )
                if changes:
                    await connection.execute(
                        insert(visits), [mapping.visit_values(change.visit) for change in changes]
                    )
            except IntegrityError:
                raise Conflict("one of the appointments was added meanwhile") from None
            if keys:
                await connection.execute(insert(appointment_key), keys)
            if links := [mapping.link_values(link) for change in changes for link in change.links]:
                await connection.execute(insert(join_link), links)
            if deadlines := [values for change in changes for values in _deadlines(change)]:
                await connection.execute(insert(deadline), deadlines)
            await outbox.enqueue(connection, [effect for c in changes for effect in c.effects], now)


async def _links(connection: AsyncConnection, visit_ids: list[VisitId]) -> dict[VisitId, list[JoinLink]]:
    c = join_link.c
    valid = select(join_link).where(c.visit_id.in_(visit_ids), c.revoked_at.is_(None))
    found: dict[VisitId, list[JoinLink]] = {}
    for row in await connection.execute(valid.order_by(c.participant_id, c.id)):
        found.setdefault(row.visit_id, []).append(mapping.link_from(row))
    return found


def _deadlines(change: VisitChange) -> list[mapping.Values]:
    upcoming = next_deadline(change.visit)
    own = [mapping.deadline_values(change.visit.id, upcoming.at, None)] if upcoming else []
    return own + [mapping.deadline_values(n.visit_id, n.at, n) for n in change.notices or ()]
