"""Runs a server's outbox in children that end at a chosen step; for ``test_outbox_crash.py``.

``python outbox_nursery.py FOLDER GATEWAY COUNT`` makes so many messages. Everything is imported once, and
each line ``N`` on standard input forks a child, which works through the outbox and kills itself (SIGKILL)
at its Nth step: before or after a claim, a statement or commit of the database, a request to the gateway or
its answer; ``N STEP`` counts only steps of that name. What it answers is a line of JSON: at which step it
ended (``done`` when nothing was left), and which messages were under way then.
"""

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import event

from vsdk import Settings, VideoSdk
from vsdk.domain.effects import Notify, WriteBack
from vsdk.domain.message import Message, Receipt
from vsdk.domain.participant import Participant, Role
from vsdk.service import outbox
from vsdk.service.bulk import BATCH, BulkScheduling
from vsdk.service.clock import SystemClock
from vsdk.testing.factories import PATIENT, PRACTITIONER, a_sourced_appointment

SIDE_BY_SIDE = 4
"""messages; with more, most of what a child does is lost with it"""
LONG = 30.0
"""seconds after which a child that does nothing gives up"""


def settings(folder: Path, gateway: str) -> Settings:
    body = {"to": "{recipient}", "text": "{text}", "key": "{key}"}
    return Settings.of(
        {
            "database": f"sqlite+aiosqlite:///{folder}/vsdk.sqlite3",
            "signing_key": SecretStr("a signing key of thirty-two characters"),
            "plugins": ["standard_plan", "https_sms"],
            "plugin": {
                "standard_plan": {"invite": True, "opens_before_minutes": 15},
                "https_sms": {"url": gateway, "body": body, "id_path": "id"},
            },
            "practices": [{"id": "practice", "name": "Praxis am Park", "channels": ["sms"]}],
        }
    )


class Steps:
    """Counts steps, and ends the process at the one that was chosen."""

    def __init__(self, report: int, chosen: str) -> None:
        last, _, self._name = chosen.strip().partition(" ")
        self._report, self._left = report, int(last)
        self.under_way: set[str] = set()

    def step(self, name: str) -> None:
        self._left -= self._name in ("", name)
        if self._left == 0:
            self.tell(name)
            os.kill(os.getpid(), signal.SIGKILL)

    def tell(self, name: str) -> None:
        line = json.dumps({"step": name, "under_way": sorted(self.under_way)})
        os.write(self._report, f"{line}\n".encode())


def watched(video: VideoSdk, steps: Steps) -> None:
    """Lets each step of the outbox count."""
    engine = video.store._database._writes.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *_: steps.step("before a statement"))
    event.listen(engine, "commit", lambda *_: steps.step("before a commit"))
    for name in ("claim", "conclude"):
        watch_store(video, steps, name)
    (registered,) = video.registry.channels
    deliver = registered.channel.deliver

    async def watched_deliver(message: Message) -> Receipt:
        steps.under_way.add(message.idempotency_key)
        steps.step("before a request")
        receipt = await deliver(message)
        steps.step("after an answer")
        return receipt

    registered.channel.deliver = watched_deliver  # type: ignore[method-assign]


def watch_store(video: VideoSdk, steps: Steps, name: str) -> None:
    method = getattr(video.store, name)

    async def watched_method(*args: Any) -> Any:
        result = await method(*args)
        if name == "conclude":
            steps.under_way -= {conclusion.entry.id for conclusion in args[0]}
        steps.step(f"after {name}")
        return result

    setattr(video.store, name, watched_method)


async def fill(video: VideoSdk, count: int) -> None:
    """That many visits, each with an invitation, written in one go as ``vsdk links`` does."""
    start = SystemClock().now().replace(microsecond=0) + timedelta(days=30)
    times = {"start": start, "end": start + timedelta(minutes=20)}
    appointments = [
        a_sourced_appointment(id=f"a{n}", participants=(person(n), PRACTITIONER), **times)
        for n in range(count)
    ]
    await video.store.open()
    bulk = BulkScheduling(video.scheduling, video.store, video.visits, video.clock)
    for first in range(0, count, BATCH):
        await bulk.schedule(appointments[first : first + BATCH])
    await video.store.close()


def person(number: int) -> Participant:
    return replace(PATIENT, role=Role.PATIENT, reference=f"Patient/{number}", phone=f"+4915{number:09}")


async def work(video: VideoSdk, steps: Steps) -> None:
    """As the server does from its start on, until nothing is left in the outbox."""
    await video.store.release_claims()
    watched(video, steps)
    outbox.WIDTHS.update(dict.fromkeys(outbox.WIDTHS, SIDE_BY_SIDE))
    running = asyncio.create_task(video.outbox.run())
    async with asyncio.timeout(LONG):
        while await left(video):
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await video.store.close()
    steps.tell("done")


async def left(video: VideoSdk) -> bool:
    far = SystemClock().now().replace(year=3000)
    return any(isinstance(e.effect, Notify | WriteBack) for e in await video.store.next_effects(far, 1))


def fork(video: VideoSdk, chosen: str, report: int) -> None:
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(work(video, Steps(report, chosen)))
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def main() -> None:
    folder, gateway, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    asyncio.run(fill(VideoSdk(settings(folder, gateway)), count))
    video = VideoSdk(settings(folder, gateway))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        fork(video, line, sys.stdout.fileno())


if __name__ == "__main__":
    main()
