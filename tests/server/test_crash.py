"""A server that is killed at any moment forgets nothing that it had confirmed."""

import json
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.ports import free_port
from tests.server.conftest import XVER, bearer, r4

pytestmark = pytest.mark.e2e

KILLS = 2
RECORDER = '''
"""An SMS gateway that writes down what it is given, and is slow enough to be killed in between."""
import asyncio, json, os
from vsdk import Receipt, hookimpl

class Recorder:
    channel = "sms"
    async def deliver(self, message):
        with open(os.environ["RECORDER_FILE"], "a") as file:
            line = [message.idempotency_key, message.recipient, message.text]
            file.write(json.dumps(line) + "\\n")
        await asyncio.sleep(0.3)
        return Receipt()

@hookimpl
def vsdk_notification_channels():
    return [Recorder()]
'''


@dataclass
class Killable:
    """``vsdk serve`` as a process that can be killed and started again."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    acknowledged: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("vsdk")), "serve", "--port", str(self.port)]
        environment = os.environ | {
            "VSDK_CONFIG": str(self.folder / "vsdk.toml"),
            "PYTHONPATH": f"{self.folder / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "RECORDER_FILE": str(self.folder / "sent.ndjson"),
            "CRASH_API_KEY": "park-key-0123456789",
        }
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        log.close()

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def post(self, http: httpx2.Client, id_: str, phone: str, start: datetime) -> bool:
        """Whether the server confirmed it; what it said is kept."""
        try:
            reply = http.post(
                "/api/v1/visits", json={"appointment": booked(id_, phone, start)}, headers=bearer()
            )
        except httpx2.TransportError:
            return False
        assert reply.status_code == 200, reply.text
        self.acknowledged[id_] = phone, start, reply.json()
        return True

    def next_sent(self) -> str:
        """The idempotency key of the first message that is handed over from now on."""
        before, deadline = len(self.sent()), time.monotonic() + 30
        while len(self.sent()) == before:
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.01)
        return self.sent()[before][0]

    def sent(self) -> list[tuple[str, str, str]]:
        """Whole lines: the last one may be being written."""
        file = self.folder / "sent.ndjson"
        text = file.read_text() if file.exists() else ""
        return [tuple(json.loads(line)) for line in text.rpartition("\n")[0].splitlines()]


def booked(id_: str, phone: str, start: datetime) -> dict[str, Any]:
    resource = r4(id_, start=start)
    resource["contained"][0]["telecom"][0]["value"] = phone
    return resource


@pytest.fixture
def killable(tmp_path: Path) -> Iterator[Killable]:
    site = tmp_path / "site"
    info = site / "recorder-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "recorder.py").write_text(RECORDER)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: recorder\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[vsdk]\nrecorder = recorder\n")
    (tmp_path / "appointments" / "r4").mkdir(parents=True)
    (tmp_path / "vsdk.toml").write_text(
        f"""
database = "sqlite+aiosqlite:///{tmp_path}/vsdk.sqlite3"
plugins = ["standard_plan", "folder_schedule", "recorder"]
poll_seconds = 0.2

[plugin.folder_schedule]
directory = "{tmp_path}/appointments"

[[practices]]
id = "park"
name = "Praxis am Park"
schedule_source = "folder"
channels = ["sms"]
api_key = {{ env = "CRASH_API_KEY" }}
"""
    )
    server = Killable(tmp_path, free_port())
    yield server
    server.kill()


def test_what_was_confirmed_survives_being_killed_and_is_sent_under_one_key(killable: Killable) -> None:
    chance = random.Random()
    now = datetime.now(UTC).replace(microsecond=0)
    start = now + timedelta(minutes=10)  # links are open, so the notice is due at once
    file = killable.folder / "appointments" / "r4" / "f.json"
    file.write_text(json.dumps(booked("from-folder", "+491710000000", start)))
    number = 0
    with httpx2.Client(base_url=f"http://127.0.0.1:{killable.port}", timeout=5) as http:
        for _ in range(KILLS):
            killable.start()
            answered = 0.0
            lives = chance.uniform(0.05, 0.8)
            deadline = time.monotonic() + 30
            while not answered or time.monotonic() < answered + lives:
                assert time.monotonic() < deadline, (killable.folder / "log").read_text()
                if killable.post(http, f"v{number}", f"+49171{1000000 + number}", start):
                    answered = answered or time.monotonic()
                    number += 1
                else:
                    time.sleep(0.05)
            killable.kill()
            json.loads(file.read_text())
        killable.start()
        in_flight = killable.next_sent()  # being delivered, and not yet marked as done
        killable.kill()
        killable.start()
        deadline = time.monotonic() + 30
        while not killable.post(http, "last", "+491719999999", start):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for id_, (phone, when, before) in list(killable.acknowledged.items()):
            assert killable.post(http, id_, phone, when)
            after = killable.acknowledged[id_][2]
            assert (after["visit"], after["links"]) == (before["visit"], before["links"])
        expected = {phone for phone, _, _ in killable.acknowledged.values()} | {"+491710000000"}
        deadline = time.monotonic() + 20
        while not expected <= {recipient for _, recipient, _ in killable.sent()}:
            assert time.monotonic() < deadline, "not every notice was sent"
            time.sleep(0.1)
    keys, texts = defaultdict(set), defaultdict(set)
    for key, recipient, text in killable.sent():
        keys[recipient].add(key)
        texts[key].add((recipient, text))
    assert [key for key, _, _ in killable.sent()].count(in_flight) >= 2
    assert all(len(found) == 1 for found in keys.values())
    assert all(len(found) == 1 for found in texts.values())
    for phone, _, planned in killable.acknowledged.values():
        (_, text) = next(iter(texts[next(iter(keys[phone]))]))
        assert planned["links"][0]["join_url"] in text
    while XVER not in file.read_text():
        assert time.monotonic() < deadline, "the link was not written into the file"
        time.sleep(0.1)
    assert "+49171" not in (killable.folder / "log").read_text()
