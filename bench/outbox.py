"""Messages through the outbox to a gateway that answers in 50 ms, beside that gateway's own limit.

In turns, against the same gateway in a process of its own, with as many requests at a time: the outbox with
an SQLite file, from the first claim until nothing is left, in a process that does nothing else; the HTTP
library that it uses, bare, which knows neither a database nor a text; and bytes over bare sockets, which is
what the gateway can do.
"""

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bench.report import Section, spread
from bench.servers import REPOSITORY

MESSAGES = 1_000
ROUNDS = 5
ANSWERS_AFTER = 0.05
"""seconds"""

GATEWAY = f"""
import asyncio
async def talk(reader, writer):
    while True:
        try:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
        except asyncio.IncompleteReadError:
            return writer.close()
        length = next(int(l[15:]) for l in head.lower().split(b"\\r\\n") if l.startswith(b"content-length"))
        await reader.readexactly(length)
        await asyncio.sleep({ANSWERS_AFTER})
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 11\\r\\n\\r\\n" + b'{{"id": "x"}}')
async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
"""HTTP/1.1 with connections that stay, one request after the other on each"""


def measure() -> Section:
    from vsdk.domain.effects import Notify
    from vsdk.service.outbox import WIDTHS

    ours, bare, limit = [], [], []
    with _gateway() as url:
        for number in range(ROUNDS):
            with TemporaryDirectory() as folder:
                ours.append(MESSAGES / _run("product", url, folder))
            bare.append(MESSAGES / _run("bare", url, ""))
            limit.append(MESSAGES / _run("limit", url, ""))
            print(f"{number}: {ours[-1]:.0f}/s, bare {bare[-1]:.0f}/s, limit {limit[-1]:.0f}/s", flush=True)
    to_bare = [b / a for a, b in zip(ours, bare, strict=True)]
    to_limit = [b / a for a, b in zip(ours, limit, strict=True)]
    theory = WIDTHS[Notify] / ANSWERS_AFTER
    return Section(
        "Messages through the outbox",
        [f"{MESSAGES:,} messages, n = {ROUNDS}, in turns", "messages/s, median (min–max)", "ratio"],
        [
            [f"outbox, {WIDTHS[Notify]} at a time, SQLite on disk", spread(ours), ""],
            ["httpx, bare", spread(bare), spread(to_bare, 2)],
            ["the gateway's own limit", spread(limit), spread(to_limit, 2)],
        ],
        notes=[
            f"The gateway answers after {ANSWERS_AFTER * 1000:.0f} ms: {WIDTHS[Notify]} at a time are "
            f"{theory:.0f}/s at most. Each message of the outbox is claimed, looked at (visit, appointment, "
            "links, opt-out, earlier messages), put into words, handed over, and recorded with an audit line "
            "(WAL, synchronous FULL; what ends together is stored together)."
        ],
        versions=[f"SQLite {sqlite3.sqlite_version}"],
    )


@contextmanager
def _gateway() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", GATEWAY], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/send"
    finally:
        process.kill()
        process.wait()


def _run(what: str, url: str, folder: str) -> float:
    """The seconds that it took, as the process itself measured."""
    command = [sys.executable, "-m", "bench.outbox", what, url, folder]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


async def _product(url: str, folder: str) -> float:
    from vsdk import Settings, VideoSdk

    video = VideoSdk(Settings.of(_settings(url, folder)))
    await video.store.open()
    await _fill(video)
    far = video.clock.now() + timedelta(days=999)
    began = time.perf_counter()
    running = asyncio.create_task(video.outbox.run())
    while await video.store.next_effects(far, 1):
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - began
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await video.store.close()
    await video.http.close()
    return seconds


def _settings(url: str, folder: str) -> dict[str, object]:
    from pydantic import SecretStr

    body = {"to": "{recipient}", "text": "{text}", "key": "{key}"}
    return {
        "database": f"sqlite+aiosqlite:///{Path(folder)}/vsdk.sqlite3",
        "signing_key": SecretStr("a signing key of thirty-two characters"),
        "plugins": ["standard_plan", "https_sms"],
        "plugin": {
            "standard_plan": {"invite": True},
            "https_sms": {"url": url, "body": body, "id_path": "id"},
        },
        "practices": [{"id": "practice", "name": "Praxis am Park", "channels": ["sms"]}],
    }


async def _fill(video: object) -> None:
    """A visit for each message, and nothing else in the outbox."""
    from dataclasses import replace

    from sqlalchemy import delete

    from vsdk.service.bulk import BATCH, BulkScheduling
    from vsdk.store.tables import outbox
    from vsdk.testing.factories import PATIENT, PRACTITIONER, a_sourced_appointment

    start = video.clock.now().replace(microsecond=0) + timedelta(days=30)  # type: ignore[attr-defined]
    bulk = BulkScheduling(video.scheduling, video.store, video.visits, video.clock)  # type: ignore[attr-defined]
    everyone = [replace(PATIENT, reference=f"Patient/{n}", phone=f"+4915{n:09}") for n in range(MESSAGES)]
    appointments = [
        a_sourced_appointment(
            id=f"a{n}",
            start=start,
            end=start + timedelta(minutes=20),
            participants=(person, PRACTITIONER),
        )
        for n, person in enumerate(everyone)
    ]
    for first in range(0, MESSAGES, BATCH):
        await bulk.schedule(appointments[first : first + BATCH])
    async with video.store._database.write() as connection:  # type: ignore[attr-defined]
        await connection.execute(delete(outbox).where(outbox.c.kind == "WriteBack"))


async def _limit(url: str, _: str) -> float:
    from vsdk.domain.effects import Notify
    from vsdk.service.outbox import WIDTHS

    body = json.dumps({"to": "+4915100000001", "text": "x" * 120, "key": "k" * 32}).encode()
    request = b"POST /send HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    left = list(range(MESSAGES))

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        while left:
            left.pop()
            writer.write(request)
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(11)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(WIDTHS[Notify])))
    return time.perf_counter() - began


async def _bare(url: str, _: str) -> float:
    import httpx

    from vsdk.domain.effects import Notify
    from vsdk.service.outbox import WIDTHS

    body = {"to": "+4915100000001", "text": "x" * 120, "key": "k" * 32}
    width = WIDTHS[Notify]
    left = list(range(MESSAGES))
    limits = httpx.Limits(max_connections=width, max_keepalive_connections=width)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as client:

        async def work() -> None:
            while left:
                left.pop()
                (await client.post(url, json=body)).json()

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(width)))
        return time.perf_counter() - began


def main() -> None:
    what, url, folder = sys.argv[1:]
    seconds = asyncio.run({"product": _product, "bare": _bare, "limit": _limit}[what](url, folder))
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
