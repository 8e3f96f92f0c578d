"""Effects on their way, and the deadlines that give rise to some of them.

An effect that was performed is deleted: the audit trail says what happened, and the table stays as small as
what is still to be done. One that was given up stays, with the reason.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, delete, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vsdk.domain.effects import Audit, Effect, Notify, WriteBack
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.domain.visit import Visit, next_deadline
from vsdk.hooks.store import Due, DueNotice, OutboxEntry
from vsdk.store import mapping
from vsdk.store.database import Database, whole
from vsdk.store.tables import audit, deadline, outbox

_earlier = outbox.alias("earlier")
_PERFORMABLE = and_(
    outbox.c.state == "pending",
    not_(
        select(_earlier.c.seq)
        .where(
            _earlier.c.stream == outbox.c.stream,
            _earlier.c.state == "pending",
            _earlier.c.seq < outbox.c.seq,
        )
        .exists()
    ),
)
"""A later status of an appointment never overtakes an earlier one that is still being retried."""


class SqlOutbox:
    """The port `vsdk.hooks.store.Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @whole
    async def due(self, now: datetime, limit: int = 100) -> list[Due]:
        passed = select(deadline).where(deadline.c.at <= now)
        async with self._database.read() as connection:
            rows = await connection.execute(passed.order_by(deadline.c.at, deadline.c.id).limit(limit))
        return [mapping.due_from(row) for row in rows]

    @whole
    async def settle(self, due: Due, effects: Sequence[Effect], now: datetime) -> None:
        """Does nothing when ``due`` was settled or replaced before, so that nothing is sent twice."""
        async with self._database.write() as connection:
            removed = await connection.execute(delete(deadline).where(deadline.c.id == due.id))
            if removed.rowcount:
                await enqueue(connection, effects, now)

    @whole
    async def next_effects(self, now: datetime, limit: int = 20) -> list[OutboxEntry]:
        """Messages before write-backs, as somebody waits for them; of each what is due longest. Of the
        write-backs of one appointment, only the first that is not yet performed.

        The order is that of an index, so that a long queue is not sorted for each few of it.
        """
        ready = select(outbox).where(_PERFORMABLE, outbox.c.due_at <= now)
        ready = ready.order_by(outbox.c.due_at, outbox.c.seq)
        rows: list[Row[Any]] = []
        async with self._database.read() as connection:
            for kind in (Notify.__name__, WriteBack.__name__):
                of_kind = ready.where(outbox.c.kind == kind).limit(limit - len(rows))
                rows += (await connection.execute(of_kind)).all() if len(rows) < limit else []
        return [mapping.entry_from(row) for row in rows]

    @whole
    async def complete(self, entry: OutboxEntry, *, told: bool = True) -> bool:
        async with self._database.write() as connection:
            await connection.execute(delete(outbox).where(outbox.c.id == entry.id))
            if not told or not isinstance(entry.effect, WriteBack):
                return False
            stream = mapping.stream(entry.effect.practice_id, entry.effect.appointment_id)
            given_up = and_(outbox.c.stream == stream, outbox.c.state == "abandoned")
            return bool((await connection.execute(delete(outbox).where(given_up))).rowcount)

    @whole
    async def postpone(self, entry: OutboxEntry, until: datetime) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(outbox)
                .where(outbox.c.id == entry.id)
                .values(attempts=outbox.c.attempts + 1, due_at=until)
            )

    @whole
    async def abandon(self, entry: OutboxEntry, reason: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(outbox).where(outbox.c.id == entry.id).values(state="abandoned", reason=reason)
            )

    @whole
    async def write_back_again(self, effect: WriteBack, now: datetime) -> bool:
        stream = mapping.stream(effect.practice_id, effect.appointment_id)
        pending = select(outbox.c.seq).where(outbox.c.stream == stream, outbox.c.state == "pending")
        async with self._database.write() as connection:
            if (await connection.execute(pending.limit(1))).first():
                return False
            await enqueue(connection, [effect], now)
            return True

    @whole
    async def not_written_back(
        self, practice_id: PracticeId, appointment_ids: Sequence[AppointmentId]
    ) -> dict[AppointmentId, str]:
        streams = {mapping.stream(practice_id, id_): id_ for id_ in appointment_ids}
        if not streams:
            return {}
        given_up = select(outbox.c.stream, outbox.c.reason).where(
            outbox.c.state == "abandoned", outbox.c.stream.in_(sorted(streams))
        )
        async with self._database.read() as connection:
            rows = await connection.execute(given_up.order_by(outbox.c.seq))
        return {streams[row.stream]: row.reason for row in rows}


async def enqueue(connection: AsyncConnection, effects: Sequence[Effect], now: datetime) -> None:
    """Durable effects go to the outbox, audit lines to the trail; ``Publish`` is for the caller."""
    durable = [mapping.effect_values(e, now) for e in effects if isinstance(e, Notify | WriteBack)]
    lines = [mapping.audit_values(e, now) for e in effects if isinstance(e, Audit)]
    if durable:
        await connection.execute(insert(outbox), durable)
    if lines:
        await connection.execute(insert(audit), lines)


async def put_deadline(connection: AsyncConnection, visit: Visit) -> None:
    """Replaces the visit's own deadline by what time will do to it next."""
    own = and_(deadline.c.visit_id == visit.id, deadline.c.notice.is_(None))
    await connection.execute(delete(deadline).where(own))
    if upcoming := next_deadline(visit):
        await connection.execute(
            insert(deadline).values(mapping.deadline_values(visit.id, upcoming.at, None))
        )


async def put_notices(connection: AsyncConnection, visit_id: VisitId, notices: Sequence[DueNotice]) -> None:
    """Replaces the notices that are still due."""
    old = and_(deadline.c.visit_id == visit_id, deadline.c.notice.is_not(None))
    await connection.execute(delete(deadline).where(old))
    if notices:
        values = [mapping.deadline_values(visit_id, n.at, n.notice) for n in notices]
        await connection.execute(insert(deadline), values)
