"""Effects on their way, and the deadlines that give rise to some of them.

An effect that was performed is deleted: the audit trail and the record of the message say what happened, and
the table stays as small as what is still to be done. One that was given up stays, with the reason.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, delete, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vsdk.domain.effects import Audit, DurableEffect, Effect, Notify, WriteBack
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.domain.visit import Visit, next_deadline
from vsdk.hooks.store import Conclusion, Due, DueNotice, GivenUp, OutboxEntry, Performed, Postponed
from vsdk.store import mapping
from vsdk.store.database import Database, whole
from vsdk.store.message_log import put_progress, put_queued
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

    _database: Database

    @whole
    async def due(self, now: datetime, limit: int = 100) -> list[Due]:
        passed = select(deadline).where(deadline.c.at <= now)
        async with self._database.read() as connection:
            rows = await connection.execute(passed.order_by(deadline.c.at, deadline.c.id).limit(limit))
        return [mapping.due_from(row) for row in rows]

    @whole
    async def settle(
        self, due: Due, effects: Sequence[Effect], now: datetime, again: DueNotice | None = None
    ) -> None:
        """Does nothing when ``due`` was settled or replaced before, so that nothing is sent twice."""
        async with self._database.write() as connection:
            removed = await connection.execute(delete(deadline).where(deadline.c.id == due.id))
            if not removed.rowcount:
                return
            if again:
                values = mapping.deadline_values(again.visit_id, again.at, again)
                await connection.execute(insert(deadline).values(values))
            await enqueue(connection, effects, now)

    @whole
    async def claim(
        self, kind: type[DurableEffect], now: datetime, until: datetime, limit: int = 20
    ) -> list[OutboxEntry]:
        """The look before the transaction keeps an idle server from locking the database each second."""
        free = _ready(kind, now).where(or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= now))
        async with self._database.read() as connection:
            if not (await connection.execute(free.limit(1))).first():
                return []
        async with self._database.write() as connection:
            locked = free.limit(limit).with_for_update(skip_locked=True)
            rows = (await connection.execute(locked)).all()
            mine = outbox.c.seq.in_([row.seq for row in rows])
            await connection.execute(update(outbox).where(mine).values(claimed_until=until))
        return [mapping.entry_from(row) for row in rows]

    @whole
    async def release_claims(self) -> None:
        if not self._database.is_shared:
            async with self._database.write() as connection:
                await connection.execute(update(outbox).values(claimed_until=None))

    @whole
    async def next_effects(self, now: datetime, limit: int = 20) -> list[OutboxEntry]:
        """What could be claimed at that time, messages first, claimed or not; nothing is changed."""
        rows: list[Row[Any]] = []
        async with self._database.read() as connection:
            for kind in (Notify, WriteBack):
                ready = _ready(kind, now).limit(max(0, limit - len(rows)))
                rows += (await connection.execute(ready)).all()
        return [mapping.entry_from(row) for row in rows]

    @whole
    async def conclude(self, conclusions: Sequence[Conclusion], now: datetime) -> list[bool]:
        async with self._database.write() as connection:
            made_good = [await _makes_good(connection, conclusion) for conclusion in conclusions]
            await _put_verdicts(connection, conclusions)
            await put_progress(connection, [c.record for c in conclusions if c.record])
            await enqueue(connection, [effect for c in conclusions for effect in c.effects], now)
        return made_good

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


def _ready(kind: type[DurableEffect], now: datetime) -> Select[Any]:
    """The order is that of an index, so that a long queue is not sorted for each few of it."""
    ready = select(outbox).where(_PERFORMABLE, outbox.c.kind == kind.__name__, outbox.c.due_at <= now)
    return ready.order_by(outbox.c.due_at, outbox.c.seq)


async def _put_verdicts(connection: AsyncConnection, conclusions: Sequence[Conclusion]) -> None:
    done, later, over = list[str](), list[mapping.Values](), list[mapping.Values]()
    for conclusion in conclusions:
        entry = conclusion.entry
        match conclusion.verdict:
            case Performed():
                done.append(entry.id)
            case Postponed(until, attempts, without):
                effect = mapping.effect_body(entry.effect, without)
                later.append({"this": entry.id, "until": until, "attempts": attempts, "effect": effect})
            case GivenUp(reason):
                over.append({"this": entry.id, "reason": reason})
    this: ColumnElement[bool] = outbox.c.id == bindparam("this")
    if done:
        await connection.execute(delete(outbox).where(outbox.c.id.in_(done)))
    if later:
        put_off: mapping.Values = {"due_at": bindparam("until"), "claimed_until": None}
        await connection.execute(update(outbox).where(this).values(put_off), later)
    if over:
        abandoned: mapping.Values = {"state": "abandoned", "claimed_until": None}
        await connection.execute(update(outbox).where(this).values(abandoned), over)


async def _makes_good(connection: AsyncConnection, conclusion: Conclusion) -> bool:
    """A write-back that was performed replaces those that were given up for its appointment before."""
    effect = conclusion.entry.effect
    if not isinstance(effect, WriteBack) or conclusion.verdict != Performed(told=True):
        return False
    stream = mapping.stream(effect.practice_id, effect.appointment_id)
    given_up = and_(outbox.c.stream == stream, outbox.c.state == "abandoned")
    return bool((await connection.execute(delete(outbox).where(given_up))).rowcount)


async def enqueue(connection: AsyncConnection, effects: Sequence[Effect], now: datetime) -> None:
    """Durable effects go to the outbox, audit lines to the trail; ``Publish`` is for the caller."""
    durable = [(e, mapping.effect_values(e, now)) for e in effects if isinstance(e, Notify | WriteBack)]
    lines = [mapping.audit_values(e, now) for e in effects if isinstance(e, Audit)]
    if durable:
        await connection.execute(insert(outbox), [values for _, values in durable])
    if messages := [(values["id"], effect) for effect, values in durable if isinstance(effect, Notify)]:
        await put_queued(connection, messages, now)
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
        values = [mapping.deadline_values(visit_id, n.at, n) for n in notices]
        await connection.execute(insert(deadline), values)


async def put_waiting(connection: AsyncConnection, notices: Sequence[DueNotice]) -> None:
    """Adds notices for waiting; one of the same visit and key is replaced."""
    for notice in notices:
        key = deadline.c.notice["key"].as_string() == notice.notice.key
        old = and_(deadline.c.visit_id == notice.visit_id, deadline.c.notice.is_not(None), key)
        await connection.execute(delete(deadline).where(old))
        values = mapping.deadline_values(notice.visit_id, notice.at, notice)
        await connection.execute(insert(deadline).values(values))
