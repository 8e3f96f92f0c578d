"""When a store will next have something to do, for tests: the product just looks every second."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from vsdk.hooks.store import Conclusion, GivenUp, OutboxEntry, Performed, Postponed
from vsdk.store.sql import SqlStore
from vsdk.store.tables import outbox
from vsdk.testing.factories import NOON

FAR = NOON + timedelta(days=365)


async def next_due(store: SqlStore) -> datetime | None:
    return min((due.at for due in await store.due(FAR)), default=None)


async def next_effect_at(store: SqlStore) -> datetime | None:
    """Of the effects that may be performed, the time of the first."""
    ids = [entry.id for entry in await store.next_effects(FAR, limit=1000)]
    first = select(func.min(outbox.c.due_at)).where(outbox.c.id.in_(ids))
    async with store._database.read() as connection:
        time: datetime | None = await connection.scalar(first)
    return time


async def conclude(store: SqlStore, entry: OutboxEntry, verdict: Any) -> bool:
    """Whether that makes something good."""
    (made_good,) = await store.conclude([Conclusion(entry, verdict)], NOON)
    return made_good


async def complete(store: SqlStore, entry: OutboxEntry) -> bool:
    return await conclude(store, entry, Performed())


async def postpone(store: SqlStore, entry: OutboxEntry, until: datetime) -> None:
    await conclude(store, entry, Postponed(until, entry.attempts + 1))


async def abandon(store: SqlStore, entry: OutboxEntry, reason: str) -> None:
    await conclude(store, entry, GivenUp(reason))
