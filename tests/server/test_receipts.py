"""A vendor takes a message over HTTP, and reports what became of it: signed by the reference library."""

import base64
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook
from starlette.testclient import TestClient
from tests.server.conftest import CODE, MakeVideo, assert_problem, bearer, r4
from tests.server.draining import drained

from vsdk.sdk import VideoSdk

SECRET = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
ADDRESS = "/receipts/webhook_messages/park"


class Vendor(ThreadingHTTPServer):
    """Takes messages, and keeps those that were signed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.taken: list[dict[str, Any]] = []


class _Conversation(BaseHTTPRequestHandler):
    server: Vendor

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Webhook(SECRET).verify(body.decode(), {name.lower(): value for name, value in self.headers.items()})
        self.server.taken.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The test's output stays clean."""


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def served(make_video: MakeVideo, vendor: Vendor) -> Iterator[tuple[VideoSdk, TestClient]]:
    """A server on the time of now, as signatures are about time, with the vendor before its mail."""
    section = {"park": {"url": f"http://127.0.0.1:{vendor.server_port}/in", "secrets": [SecretStr(SECRET)]}}
    video = make_video(
        plugins=["standard_plan", "webhook_messages", "console_messages", "local_login"],
        plugin={"webhook_messages": section, "local_login": {"codes": {"park": SecretStr(CODE)}}},
        practices=[
            {
                "id": "park",
                "name": "Praxis am Park",
                "identity_provider": "local",
                "api_key": SecretStr("park-key-0123456789"),
                "channels": ["webhook", "sms"],
            }
        ],
    )
    with TestClient(video, raise_server_exceptions=False) as http:
        yield video, http


def planned(video: VideoSdk, http: TestClient) -> str:
    """A visit whose link is due at once, and was sent."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)
    people = [
        {"actor": {"reference": "Patient/17", "display": "Marlene Sommerfeld"}, "status": "accepted"},
        {"actor": {"reference": "Practitioner/berg", "display": "Dr. Katharina Berg"}, "status": "accepted"},
    ]
    appointment = r4(start=start, participant=people)
    reply = http.post("/api/v1/visits", json={"appointment": appointment}, headers=bearer())
    assert reply.status_code == 200, reply.text
    assert http.portal
    http.portal.call(video.deadlines.report_due)
    http.portal.call(drained, video)
    return str(reply.json()["visit"])


def report(type_: str, id_: str, *, secret: str = SECRET, at: datetime | None = None, **data: str) -> Any:
    """Body and headers of a report, as the library makes them."""
    at = at or datetime.now(UTC)
    body = json.dumps({"type": type_, "timestamp": at.isoformat(), "data": {"id": id_} | data})
    signature = Webhook(secret).sign("msg_1", at, body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }
    return {"content": body, "headers": headers}


def states(http: TestClient, visit: str) -> list[tuple[str, str, str]]:
    reply = http.get(f"/api/v1/visits/{visit}/messages", headers=bearer()).json()
    return [(m["channel"], m["state"], m["code"]) for m in reply["messages"]]


def test_a_signed_report_is_seen_by_the_practice(served: tuple[VideoSdk, TestClient], vendor: Vendor) -> None:
    video, http = served
    visit = planned(video, http)
    (taken,) = vendor.taken
    assert states(http, visit) == [("webhook", "sent", "")]
    reply = http.post(ADDRESS, **report("message.delivered", taken["data"]["id"]))
    assert reply.status_code == 200, reply.text
    assert states(http, visit) == [("webhook", "delivered", "")]


def test_what_did_not_arrive_there_goes_by_the_next_channel(
    served: tuple[VideoSdk, TestClient], vendor: Vendor
) -> None:
    video, http = served
    visit = planned(video, http)
    id_ = vendor.taken[0]["data"]["id"]
    for _ in range(2):
        http.post(ADDRESS, **report("message.undelivered", id_, code="number-unreachable"))
    assert http.portal
    http.portal.call(drained, video)
    first, second, third = states(http, visit)
    assert first == ("webhook", "undelivered", "number-unreachable")
    assert second[1:] == ("failed", "message-undelivered"), "this patient has no phone number"
    assert third == ("webhook", "sent", ""), "which the practice is told"
    assert [taken["data"]["template"] for taken in vendor.taken] == ["link-at-time", "failed-delivery"]


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"secret": f"whsec_{base64.b64encode(b'x' * 24).decode()}"}, 403, "receipt-refused"),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, 403, "receipt-refused"),
        ({"type_": "message.lost-in-space"}, 400, "receipt-invalid"),
    ],
)
def test_a_report_that_is_not_proven_or_not_understood_changes_nothing(
    served: tuple[VideoSdk, TestClient], vendor: Vendor, wrong: dict[str, Any], status: int, code: str
) -> None:
    video, http = served
    visit = planned(video, http)
    about = {"type_": "message.delivered", "id_": vendor.taken[0]["data"]["id"]} | wrong
    assert_problem(http.post(ADDRESS, **report(**about)), status, code)
    assert states(http, visit) == [("webhook", "sent", "")]


def test_nobody_takes_reports_for_other_plugins(served: tuple[VideoSdk, TestClient]) -> None:
    _, http = served
    for plugin in ("console_messages", "of_nobody", "standard_plan"):
        assert_problem(http.post(f"/receipts/{plugin}", content=b"{}"), 404, "not-found")
        assert_problem(http.get(f"/receipts/{plugin}/x?y=1"), 404, "not-found")
    assert http.put("/receipts/webhook_messages/park").status_code == 405


def test_a_report_on_an_unknown_message_is_taken_and_ignored(
    served: tuple[VideoSdk, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsdk.service.messages.LOOK_AGAIN", (0.01,))
    _, http = served
    assert http.post(ADDRESS, **report("message.delivered", "0" * 32)).status_code == 200
