"""The server's process is killed at every step of a thousand sends: none is lost, and what is sent twice is
known."""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

MESSAGES = 1000
STEPS = (
    "before a statement",
    "before a commit",
    "after claim",
    "before a request",
    "after an answer",
    "after conclude",
)
EACH = 5
"""kills at each step at least"""
FURTHEST = 300
"""steps of a child at most; on average half as many, in which it sends some fifteen messages"""


class Gateway(ThreadingHTTPServer):
    """Records every request, and what a gateway would have sent that knows a key again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.requests: list[dict[str, Any]] = []

    def handle_error(self, *_: object) -> None:
        """Connections of processes that were killed break off."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/send"

    @property
    def sent_by_key(self) -> Counter[str]:
        return Counter(request["key"] for request in self.requests)


class _Conversation(BaseHTTPRequestHandler):
    server: Gateway
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # the process ended in mid-request
        self.server.requests.append(json.loads(body))
        answer = b'{"id": "x"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """The test's output stays clean."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def nursery(tmp_path: Path, gateway: Gateway) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(Path(__file__).with_name("outbox_nursery.py")), str(tmp_path)]
    process = subprocess.Popen(
        [*command, gateway.url, str(MESSAGES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    with process:
        yield process
        process.kill()


def killed_at(nursery: "subprocess.Popen[str]", step: str) -> dict[str, Any]:
    """Lets a child live until that step; tells at which it ended, and what was under way."""
    assert nursery.stdin
    assert nursery.stdout
    nursery.stdin.write(f"{step}\n")
    nursery.stdin.flush()
    found: dict[str, Any] = json.loads(nursery.stdout.readline())
    return found


def test_of_a_thousand_messages_none_is_lost_however_often_the_process_is_killed(
    nursery: "subprocess.Popen[str]", gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(1000)
    kills: Counter[str] = Counter()
    perhaps_twice: Counter[str] = Counter()
    chosen = (f"{n} {step}" for n in range(1, EACH + 1) for step in STEPS)
    while True:
        end = killed_at(nursery, next(chosen, str(chance.randint(1, FURTHEST))))
        if end["step"] == "done":
            break
        kills[end["step"]] += 1
        perhaps_twice.update(end["under_way"])
        assert sum(kills.values()) < 2000, "it does not get anywhere"
    sent = gateway.sent_by_key
    assert len(sent) == MESSAGES, "none is lost"
    assert {request["to"] for request in gateway.requests} == {f"+4915{n:09}" for n in range(MESSAGES)}
    texts = {(request["key"], request["to"], request["text"]) for request in gateway.requests}
    assert len(texts) == MESSAGES, "a repeated message is the same, so that a gateway can know it again"
    again = {key: times - 1 for key, times in sent.items() if times > 1}
    assert all(times <= perhaps_twice[key] for key, times in again.items())
    for step in STEPS:
        assert kills[step] >= EACH, f"it was not killed {step}"
    with capsys.disabled():
        sys.stdout.write(
            f"\n{sum(kills.values())} kills in {MESSAGES} sends: a gateway that knows keys sends 0 twice, "
            f"one that does not {sum(again.values())}; {dict(kills)}\n"
        )
