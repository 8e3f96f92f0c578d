"""Waiting until a server's outbox has nothing left that is due."""

import asyncio

from vsdk.sdk import VideoSdk


async def drained(video: VideoSdk) -> None:
    """The server's own worker may have claimed what is still to be done: then it is waited for."""
    for _ in range(1000):
        await video.outbox.perform_due()
        if not await video.store.next_effects(video.clock.now(), 1):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the outbox does not come to an end")
