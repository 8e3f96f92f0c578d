"""Performs effects, at least once each and always under the same idempotency key.

An effect was stored in the transaction that caused it. It is claimed, performed, and only then marked as
done: a crash in between repeats it with the same key. What fails is tried again with growing pauses, and
given up with a reason that can be seen. Messages and write-backs have a lane each, so that neither waits for
the other.
"""

import asyncio
import logging
from collections import deque
from datetime import timedelta
from typing import assert_never

from vsdk.domain.effects import DurableEffect, Notify, WriteBack
from vsdk.domain.events import EffectGivenUp, MessageProgressed, WriteBackMadeGood
from vsdk.hooks.store import Conclusion, GivenUp, OutboxEntry, Store
from vsdk.service.clock import Clock
from vsdk.service.delivery import Delivery, code_of
from vsdk.service.visits import VisitService
from vsdk.service.write_back import WritingBack

log = logging.getLogger(__name__)

DELIVERY_LIMIT = 30.0
"""seconds that one attempt may take"""
LEASE = timedelta(seconds=3 * DELIVERY_LIMIT)
"""how long a claim holds; longer than what was claimed may wait here and then take"""
IDLE = 1.0
"""seconds between looks at the outbox when nobody woke it"""
WIDTHS: dict[type[DurableEffect], int] = {Notify: 32, WriteBack: 16}
"""how many effects of a kind are performed side by side"""


class OutboxService:
    """Works through the outbox until cancelled."""

    def __init__(
        self, store: Store, delivery: Delivery, writing_back: WritingBack, clock: Clock, visits: VisitService
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._writing_back = writing_back
        self._clock = clock
        self._visits = visits
        self._woken = {kind: asyncio.Event() for kind in WIDTHS}
        self._concluding: list[tuple[Conclusion, asyncio.Future[bool]]] = []
        self._concluder: asyncio.Task[None] | None = None

    def wake(self) -> None:
        for woken in self._woken.values():
            woken.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as lanes:
            for kind in WIDTHS:
                lanes.create_task(self._lane(kind))

    async def perform_due(self) -> int:
        """Performs what is due now, once, and tells how many effects that were."""
        entries = [entry for kind in WIDTHS for entry in await self._claim(kind, 20)]
        outcomes = await asyncio.gather(*map(self._perform, entries), return_exceptions=True)
        for failure in (outcome for outcome in outcomes if outcome):
            raise failure  # only now, so that none is left behind
        return len(entries)

    async def _lane(self, kind: type[DurableEffect]) -> None:
        """Keeps as many effects of its kind going as there is room for."""
        width, waiting, there_is_more = WIDTHS[kind], deque[OutboxEntry](), False
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._woken[kind].clear()
                if len(waiting) <= width // 2:
                    claimed = await self._claim_patiently(kind, width)
                    waiting += claimed
                    there_is_more = len(claimed) == width
                while waiting and len(running) < width:
                    task = asyncio.create_task(self._perform_patiently(waiting.popleft()))
                    running.add(task)
                    task.add_done_callback(running.discard)
                if waiting or there_is_more:
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await self._rest(kind)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _rest(self, kind: type[DurableEffect]) -> None:
        """Until something new comes, or a moment has passed: others may have put something there."""
        try:
            async with asyncio.timeout(IDLE):
                await self._woken[kind].wait()
        except TimeoutError:
            pass

    async def _claim(self, kind: type[DurableEffect], limit: int) -> list[OutboxEntry]:
        now = self._clock.now()
        return await self._store.claim(kind, now, now + LEASE, limit)

    async def _claim_patiently(self, kind: type[DurableEffect], limit: int) -> list[OutboxEntry]:
        try:
            return await self._claim(kind, limit)
        except Exception as error:
            log.error("the outbox cannot be read", extra={"error": type(error).__name__})
            return []

    async def _perform_patiently(self, entry: OutboxEntry) -> None:
        """What cannot even be concluded is free again when its claim ends."""
        try:
            await self._perform(entry)
        except Exception as error:
            log.error("the outbox failed", extra={"effect": entry.id, "error": type(error).__name__})

    async def _perform(self, entry: OutboxEntry) -> None:
        try:
            async with asyncio.timeout(DELIVERY_LIMIT):
                conclusion = await self._attempt(entry)
        except Exception as error:
            log.warning("effect failed", extra=_about(entry) | {"code": code_of(error)})
            conclusion = await self._failed(entry, error)
        made_good = await self._conclude(conclusion)
        await self._announce(conclusion, made_good=made_good)

    async def _attempt(self, entry: OutboxEntry) -> Conclusion:
        match entry.effect:
            case Notify():
                return await self._delivery.perform(entry, entry.effect)
            case WriteBack():
                return await self._writing_back.perform(entry, entry.effect)
            case _:
                assert_never(entry.effect)

    async def _failed(self, entry: OutboxEntry, error: Exception) -> Conclusion:
        match entry.effect:
            case Notify():
                return await self._delivery.failed(entry, entry.effect, error)
            case WriteBack():
                return await self._writing_back.failed(entry, entry.effect, error)
            case _:
                assert_never(entry.effect)

    async def _conclude(self, conclusion: Conclusion) -> bool:
        """Conclusions that come while others are being stored are stored together, in one transaction."""
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._concluding.append((conclusion, stored))
        if self._concluder is None or self._concluder.done():
            self._concluder = asyncio.create_task(self._store_conclusions())
        try:
            return await stored
        except asyncio.CancelledError:
            await asyncio.wait([self._concluder])
            raise

    async def _store_conclusions(self) -> None:
        while self._concluding:
            batch, self._concluding = self._concluding, []
            try:
                made_good = await self._store.conclude([c for c, _ in batch], self._clock.now())
            except Exception as error:
                for _, stored in batch:
                    if not stored.done():
                        stored.set_exception(error)
                continue
            for (_, stored), good in zip(batch, made_good, strict=True):
                if not stored.done():
                    stored.set_result(good)

    async def _announce(self, conclusion: Conclusion, *, made_good: bool) -> None:
        effect, verdict, record = conclusion.entry.effect, conclusion.verdict, conclusion.record
        if any(isinstance(follows, Notify | WriteBack) for follows in conclusion.effects):
            self.wake()
        if isinstance(verdict, GivenUp):
            log.warning("effect given up", extra=_about(conclusion.entry) | {"code": verdict.reason})
        if not (record or made_good or isinstance(verdict, GivenUp)):
            return
        visit = conclusion.visit
        if visit is None and isinstance(effect, WriteBack):
            visit = await self._store.visit_of(effect.practice_id, effect.appointment_id)
        if visit is None:
            return
        if record:
            event = MessageProgressed(record.template, record.participant_id, record.state, record.code)
            await self._visits.tell(visit, event)
        if isinstance(verdict, GivenUp):
            await self._visits.tell(visit, EffectGivenUp(type(effect).__name__, verdict.reason))
        if made_good:
            await self._visits.tell(visit, WriteBackMadeGood())


def _about(entry: OutboxEntry) -> dict[str, object]:
    return {"effect": entry.id, "kind": type(entry.effect).__name__}
