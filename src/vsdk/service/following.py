"""Follows schedule sources: what changed there is taken over here.

Each practice's source is asked at its own pace, so that a slow one holds up no other. What a notification
names is read again at once; it need not be kept on disk, as every start reads everything.
"""

import asyncio
from collections.abc import Mapping

from vsdk.domain.errors import NotFound, PartnerError
from vsdk.domain.ids import PracticeId
from vsdk.hooks.ports import Notification, NotifiedSource, ScheduleSource
from vsdk.service.follower import Follower
from vsdk.service.own_links import LostLinks
from vsdk.service.scheduling import SchedulingService

NOTIFIED_LIMIT = 10.0
"""seconds that a source may take to tell what a notification means; it need not ask anyone for that"""

NOBODY = "nobody takes notifications at this address"
"""the same for whatever is missing: the practice, its source, or the source's interest"""


class FollowingService:
    """Polls each practice's source until cancelled, and takes its notifications."""

    def __init__(
        self,
        scheduling: SchedulingService,
        lost_links: LostLinks,
        sources: Mapping[PracticeId, ScheduleSource],
        poll_seconds: float,
    ) -> None:
        self._sources = sources
        self._followers = {
            practice_id: Follower(scheduling, lost_links, practice_id, source, poll_seconds)
            for practice_id, source in sources.items()
        }

    async def run(self) -> None:
        async with asyncio.TaskGroup() as followers:
            for follower in self._followers.values():
                followers.create_task(follower.run())

    async def follow_once(self) -> int:
        """Asks each source once, and tells how many appointments were taken over."""
        return sum(await asyncio.gather(*(follower.follow_once() for follower in self._followers.values())))

    async def notified(self, practice_id: PracticeId, notification: Notification) -> None:
        """Returns as soon as the source knows what to read again; that is done in the background.

        Raises NotFound when there is no such practice, or no source of it that hears of changes, and what
        `NotifiedSource.notified` raises.
        """
        source: object = self._sources.get(practice_id)
        if not isinstance(source, NotifiedSource):
            raise NotFound(NOBODY)
        try:
            async with asyncio.timeout(NOTIFIED_LIMIT):
                notified = await source.notified(practice_id, notification)
        except NotFound:
            raise NotFound(NOBODY) from None
        except TimeoutError:
            raise PartnerError("the notification was not understood in time", retryable=True) from None
        self._followers[practice_id].told(notified)
