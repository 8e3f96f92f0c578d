"""The server stops in the middle of its work, and leaves nothing behind that would keep the process alive."""

import asyncio
from datetime import timedelta
from typing import Any

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.testing.factories import NOON, a_sourced_appointment


async def test_no_task_outlives_a_server_that_stops_while_it_sends_and_writes_back(
    make_video: Any, clock: Any
) -> None:
    """Cut off between any two of its steps, within the few milliseconds that two effects take."""
    before = asyncio.all_tasks()
    for n in range(24):
        video = make_video(clock)
        async with video.lifespan():
            about = {
                "id": AppointmentId(f"a{n}"),
                "practice_id": PracticeId("park"),
                "start": NOON + timedelta(hours=1),
                "end": NOON + timedelta(hours=1, minutes=20),
            }
            await video.scheduling.schedule(a_sourced_appointment(**about))
            await video.scheduling.schedule(
                a_sourced_appointment(**about, status=AppointmentStatus.CANCELLED)
            )
            await asyncio.sleep(n / 1000)
        assert asyncio.all_tasks() == before
