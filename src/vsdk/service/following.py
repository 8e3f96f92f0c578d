"""Follows schedule sources: what changed there is taken over here."""

import asyncio
import logging
from collections.abc import Mapping

from vsdk.domain.errors import Conflict, VsdkError
from vsdk.domain.ids import PracticeId
from vsdk.hooks.ports import ScheduleSource
from vsdk.service.scheduling import SchedulingService

log = logging.getLogger(__name__)
SOURCE_LIMIT = 60.0
"""seconds that a source may take to answer, as the others wait meanwhile"""


class FollowingService:
    """Polls each practice's source until cancelled."""

    def __init__(
        self,
        scheduling: SchedulingService,
        sources: Mapping[PracticeId, ScheduleSource],
        poll_seconds: float,
    ) -> None:
        self._scheduling = scheduling
        self._sources = sources
        self._poll_seconds = poll_seconds
        self._cursors: dict[PracticeId, str] = {}

    async def run(self) -> None:
        while True:
            await self.follow_once()
            await asyncio.sleep(self._poll_seconds)

    async def follow_once(self) -> int:
        """Asks each source once, and tells how many appointments were taken over."""
        taken = 0
        for practice_id, source in self._sources.items():
            try:
                async with asyncio.timeout(SOURCE_LIMIT):
                    changes = await source.changed_since(practice_id, self._cursors.get(practice_id))
            except Exception as error:
                log.warning("schedule source failed", extra={"practice": practice_id, "code": _code(error)})
                continue
            missed = False
            for sourced in changes.appointments:
                try:
                    await self._scheduling.schedule(sourced)
                    taken += 1
                except Exception as error:
                    missed = missed or isinstance(error, Conflict) or not isinstance(error, VsdkError)
                    log.warning(
                        "appointment was not taken over",
                        extra={"practice": practice_id, "code": _code(error)},
                    )
            for code in changes.unreadable:
                log.warning("appointment is unreadable", extra={"practice": practice_id, "code": code})
            if not missed:  # what may work next time is asked for again
                self._cursors[practice_id] = changes.cursor
        return taken


def _code(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    return error.code if isinstance(error, VsdkError) else VsdkError.default_code
