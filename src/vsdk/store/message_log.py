"""What became of messages, where else people can be reached, and who does not want that."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vsdk.domain.effects import Notify
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.message import MessageState
from vsdk.hooks.store import Briefing, DeadLetter, MessageRecord
from vsdk.store import mapping
from vsdk.store.database import Database, whole
from vsdk.store.tables import message, opt_out, outbox, push_subscription
from vsdk.store.tables import visit as visits

REPORTED = (MessageState.DELIVERED, MessageState.UNDELIVERED)
"""What a gateway said of it counts for more than that it took it, whichever we hear of first."""
TAKEN = (MessageState.SENT, *REPORTED)


class SqlMessageLog:
    """Most of the port `vsdk.hooks.store.MessageLog`, and the dead letters of the outbox."""

    _database: Database

    async def message(self, id_: str) -> MessageRecord | None:
        return await self._one(message.c.id == id_)

    async def message_of_provider(self, plugin: str, provider_id: str) -> MessageRecord | None:
        return await self._one(and_(message.c.plugin == plugin, message.c.provider_id == provider_id))

    @whole
    async def briefings(self, ids: Sequence[str]) -> dict[str, Briefing]:
        c, taken = message.c, [state.value for state in TAKEN]
        async with self._database.read() as connection:
            rows = await connection.execute(select(message).where(c.id.in_(ids)))
            records = [mapping.message_from(row) for row in rows]
            about = {record.visit_id for record in records}
            rows = await connection.execute(select(visits).where(visits.c.id.in_(about)))
            known = {row.id: mapping.visit_from(row) for row in rows}
            had = select(c.visit_id, c.participant_id, func.count().label("had"))
            counting = had.where(c.visit_id.in_(about), c.state.in_(taken))
            rows = await connection.execute(counting.group_by(c.visit_id, c.participant_id))
            counts = {(row.visit_id, row.participant_id): row.had for row in rows}
            p = push_subscription.c
            pushed = select(p.visit_id, p.participant_id, p.subscription).where(p.visit_id.in_(about))
            found: dict[tuple[str, str], list[str]] = {}
            for row in await connection.execute(pushed.order_by(p.seq.desc())):
                found.setdefault((row.visit_id, row.participant_id), []).append(row.subscription)
        who = {record.id: (record.visit_id, record.participant_id) for record in records}
        return {
            r.id: Briefing(r, known[r.visit_id], counts.get(who[r.id], 0), tuple(found.get(who[r.id], ())))
            for r in records
        }

    @whole
    async def messages_of(self, visit_ids: Sequence[VisitId]) -> dict[VisitId, list[MessageRecord]]:
        chosen = select(message).where(message.c.visit_id.in_(visit_ids)).order_by(message.c.seq)
        found: dict[VisitId, list[MessageRecord]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(chosen):
                found.setdefault(VisitId(row.visit_id), []).append(mapping.message_from(row))
        return found

    @whole
    async def dead_letters(self, practice_id: PracticeId | None = None, limit: int = 500) -> list[DeadLetter]:
        both = select(outbox, message.c.practice_id).join_from(
            outbox, message, message.c.id == outbox.c.id, isouter=True
        )
        of_write_back = outbox.c.effect["practice_id"].as_string()
        chosen = both.where(outbox.c.state == "abandoned").order_by(outbox.c.seq).limit(limit)
        if practice_id is not None:
            chosen = chosen.where(or_(message.c.practice_id == practice_id, of_write_back == practice_id))
        async with self._database.read() as connection:
            rows = (await connection.execute(chosen)).all()
            ids = [row.id for row in rows]
            of_messages = await connection.execute(select(message).where(message.c.id.in_(ids)))
            records = {row.id: mapping.message_from(row) for row in of_messages}
        return [mapping.dead_letter_from(row, records.get(row.id)) for row in rows]

    @whole
    async def retry(self, id_: str, now: datetime) -> bool:
        this = and_(outbox.c.id == id_, outbox.c.state == "abandoned")
        async with self._database.write() as connection:
            row = (await connection.execute(select(outbox).where(this))).first()
            if row is None:
                return False
            anew = {"state": "pending", "reason": "", "attempts": 0, "due_at": now, "claimed_until": None}
            effect = mapping.effect_body(mapping.entry_from(row).effect, ())
            await connection.execute(update(outbox).where(this).values(effect=effect, **anew))
            queued = {"state": MessageState.QUEUED.value, "code": "", "updated": now}
            await connection.execute(update(message).where(message.c.id == id_).values(queued))
            return True

    @whole
    async def drop(self, id_: str) -> bool:
        this = and_(outbox.c.id == id_, outbox.c.state == "abandoned")
        async with self._database.write() as connection:
            return bool((await connection.execute(delete(outbox).where(this))).rowcount)

    # Web Push

    @whole
    async def subscribe(
        self,
        visit_id: VisitId,
        participant_id: ParticipantId,
        endpoint: str,
        subscription: str,
        now: datetime,
    ) -> None:
        values = {
            "endpoint_hash": _hash(endpoint),
            "visit_id": visit_id,
            "participant_id": participant_id,
            "subscription": subscription,
            "since": now,
        }
        async with self._database.write() as connection:
            await connection.execute(_of_endpoint(endpoint))
            await connection.execute(insert(push_subscription).values(values))

    @whole
    async def unsubscribe(self, endpoint: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(_of_endpoint(endpoint))

    @whole
    async def subscriptions(self, visit_id: VisitId, participant_id: ParticipantId) -> list[str]:
        c = push_subscription.c
        chosen = select(c.subscription).where(c.visit_id == visit_id, c.participant_id == participant_id)
        async with self._database.read() as connection:
            return [*(await connection.execute(chosen.order_by(c.seq.desc()))).scalars()]

    # who wants no messages

    @whole
    async def set_opt_out(
        self, practice_id: PracticeId, address_hash: str, now: datetime, *, out: bool
    ) -> None:
        values = {"practice_id": practice_id, "address_hash": address_hash, "since": now}
        this = and_(opt_out.c.practice_id == practice_id, opt_out.c.address_hash == address_hash)
        async with self._database.write() as connection:
            await connection.execute(delete(opt_out).where(this))
            if out:
                await connection.execute(insert(opt_out).values(values))

    @whole
    async def opted_out(self, practice_id: PracticeId, address_hashes: Sequence[str]) -> set[str]:
        c = opt_out.c
        chosen = select(c.address_hash).where(
            c.practice_id == practice_id, c.address_hash.in_(address_hashes)
        )
        async with self._database.read() as connection:
            return {*(await connection.execute(chosen)).scalars()}

    @whole
    async def _one(self, condition: Any) -> MessageRecord | None:
        newest = select(message).where(condition).order_by(message.c.seq.desc()).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(newest)).first()
        return mapping.message_from(row) if row else None


def _hash(endpoint: str) -> str:
    return sha256(endpoint.encode()).hexdigest()


def _of_endpoint(endpoint: str) -> Any:
    return delete(push_subscription).where(push_subscription.c.endpoint_hash == _hash(endpoint))


async def put_queued(
    connection: AsyncConnection, messages: Sequence[tuple[str, Notify]], now: datetime
) -> None:
    """A record for each message, of which the first is the id; none for a visit that is not known."""
    ids = {notify.visit_id for _, notify in messages}
    of_visits = await connection.execute(
        select(visits.c.id, visits.c.practice_id).where(visits.c.id.in_(ids))
    )
    practices = {row.id: row.practice_id for row in of_visits}
    records = [
        mapping.message_values(notify, id_, practices[notify.visit_id], now)
        for id_, notify in messages
        if notify.visit_id in practices
    ]
    if records:
        await connection.execute(insert(message), records)


async def put_progress(connection: AsyncConnection, records: Sequence[MessageRecord]) -> None:
    """How far messages are. What a gateway reported meanwhile stays."""
    if not records:
        return
    names = mapping.progress_values(records[0])
    reported = or_(*(message.c.state == state.value for state in REPORTED))
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    for name in ("state", "code"):
        values[name] = case((reported, message.c[name]), else_=values[name])
    rows = [
        {"this": record.id} | {f"new_{k}": v for k, v in mapping.progress_values(record).items()}
        for record in records
    ]
    await connection.execute(update(message).where(message.c.id == bindparam("this")).values(values), rows)
