"""Messages as signed webhooks, and reports in the other direction; the reference library is the judge."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.ports import free_port

from vsdk.adapters.http import HttpClient
from vsdk.adapters.notification.webhook import WebhookMessages, vsdk_notification_channels
from vsdk.adapters.notification.webhook_signature import is_signed, key_of, signed_headers
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError, Refused, UsageError
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.domain.message import DeliveryReport, Message, MessageState, Receipt
from vsdk.hooks.ports import Notification
from vsdk.testing.contracts import NotificationChannelContract, ReportingChannelContract
from vsdk.testing.fakes import FakeConfig, FakeHttp

SECRET = "whsec_" + base64.b64encode(b"of-nobody-and-32-bytes-long-yes!").decode()
NEXT = "whsec_" + base64.b64encode(b"another-one-of-nobody-32-bytes!!").decode()
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def a_message(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "recipient": "Patient/4711",
        "text": "Größe „egal“ 👋: https://praxis.example/v/j#h4ndle-of-nobody",
        "idempotency_key": "key-5f0c1a",
        "template": "link-at-time",
        "language": "de",
        "subject": "Ihre Sprechstunde",
        "expires": NOW + timedelta(hours=1),
        "practice_id": PracticeId("practice"),
        "visit_id": VisitId("v1"),
        "appointment_id": AppointmentId("a1"),
        "reference": "Patient/4711",
        "role": "patient",
    }
    return Message(**(values | changes))


def channel(
    http: Any, *secrets: str, url: str = "https://pms.example/messages", now: datetime | None = None
) -> WebhookMessages:
    section = {"url": url, "secrets": secrets or [SECRET]}
    (made,) = vsdk_notification_channels(FakeConfig({"webhook_messages": {"practice": section}}), http)
    assert isinstance(made, WebhookMessages)
    if now:
        made._now = lambda: now
    return made


class TestContract(NotificationChannelContract):
    secrets = (SECRET, SECRET.removeprefix("whsec_"), "of-nobody-and-32-bytes-long-yes!")
    message = a_message(recipient="", reference="")

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> WebhookMessages:
        return channel(mock_http.answering(status=204, text=""))


class TestReports(ReportingChannelContract):
    secrets = TestContract.secrets

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> WebhookMessages:
        return channel(mock_http, now=NOW)

    @pytest.fixture
    def good(self) -> Notification:
        return report(delivered())

    @pytest.fixture
    def expected(self) -> Sequence[DeliveryReport]:
        return [DeliveryReport(MessageState.DELIVERED, idempotency_key="key-5f0c1a")]

    @pytest.fixture
    def forged(self, good: Notification) -> Sequence[Notification]:
        return [
            report(delivered(), secret=NEXT),
            report(delivered(), at=NOW - timedelta(minutes=6)),
            replace(good, body=good.body.replace(b"delivered", b"undelivered")),
            replace(good, path="another"),
            replace(good, headers={}),
        ]

    @pytest.fixture
    def sign(self) -> Callable[[bytes], Notification]:
        def signed(body: bytes) -> Notification:
            headers = signed_headers([key_of(SECRET)], "evt_1", NOW, body)
            return Notification("POST", "practice", headers, body)

        return signed


# what is sent


def sent(http: FakeHttp) -> tuple[dict[str, str], bytes]:
    (request,) = http.requests
    return request.options["headers"], request.options["content"]


async def test_all_that_the_vendor_needs_is_in_it(mock_http: FakeHttp) -> None:
    assert await channel(mock_http, now=NOW).deliver(a_message()) == Receipt()
    headers, body = sent(mock_http)
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "type": "message.requested",
        "timestamp": "2026-03-02T12:00:00Z",
        "data": {
            "id": "key-5f0c1a",
            "practice": "practice",
            "visit": "v1",
            "appointment": "a1",
            "participant": "Patient/4711",
            "role": "patient",
            "template": "link-at-time",
            "language": "de",
            "subject": "Ihre Sprechstunde",
            "text": "Größe „egal“ 👋: https://praxis.example/v/j#h4ndle-of-nobody",
            "expires": "2026-03-02T13:00:00Z",
        },
    }


async def test_html_is_handed_on_where_there_is_some(mock_http: FakeHttp) -> None:
    await channel(mock_http).deliver(a_message(html="<p>Hallo</p>", expires=None))
    data = json.loads(sent(mock_http)[1])["data"]
    assert data["html"] == "<p>Hallo</p>"
    assert "expires" not in data


@pytest.mark.parametrize("secret", [SECRET, NEXT])
async def test_each_of_several_secrets_verifies_at_the_vendor(mock_http: FakeHttp, secret: str) -> None:
    await channel(mock_http, SECRET, NEXT).deliver(a_message())
    headers, body = sent(mock_http)
    assert headers["webhook-id"] == "key-5f0c1a"
    assert Webhook(secret).verify(body, headers)["data"]["id"] == "key-5f0c1a"


async def test_the_vendor_finds_out_what_was_changed_on_the_way(mock_http: FakeHttp) -> None:
    await channel(mock_http).deliver(a_message())
    headers, body = sent(mock_http)
    for changed in (body.replace(b"4711", b"4712"), body + b" "):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(changed, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers | {"webhook-id": "another"})


async def test_an_endpoint_that_is_gone_gets_no_more(mock_http: FakeHttp) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await channel(mock_http.answering(status=410)).deliver(a_message())
    assert caught.value.code == "webhook-gone"


async def test_a_practice_without_a_section_is_not_reached(mock_http: FakeHttp) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await channel(mock_http).deliver(a_message(practice_id=PracticeId("another")))
    assert caught.value.code == "channel-not-set-up"


async def test_nobody_is_reached_of_whom_nothing_says_who_they_are(mock_http: FakeHttp) -> None:
    for reference in ("", "#p1"):
        with pytest.raises(DeliveryFailed) as caught:
            await channel(mock_http).deliver(a_message(recipient="", reference=reference))
        assert caught.value.code == "no-address"
    assert not mock_http.requests


async def test_the_practice_itself_has_a_role_and_no_reference(mock_http: FakeHttp) -> None:
    await channel(mock_http).deliver(a_message(recipient="practice", reference="", role="staff"))
    data = json.loads(sent(mock_http)[1])["data"]
    assert (data["role"], data["participant"]) == ("staff", "")


async def test_a_practitioner_without_a_number_is_told_by_reference(mock_http: FakeHttp) -> None:
    await channel(mock_http).deliver(
        a_message(recipient="practice", reference="Practitioner/4", role="practitioner")
    )
    assert json.loads(sent(mock_http)[1])["data"]["participant"] == "Practitioner/4"


# what comes back


def report(
    event: Any, *, secret: str = SECRET, at: datetime = NOW, path: str = "practice", headers: Any = None
) -> Notification:
    body = json.dumps(event)
    signed = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt_1", at, body),
    }
    return Notification("POST", path, signed | (headers or {}), body.encode())


def delivered(**data: Any) -> dict[str, Any]:
    return {"type": "message.delivered", "data": {"id": "key-5f0c1a"} | data}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("message.sent", MessageState.SENT),
        ("message.delivered", MessageState.DELIVERED),
        ("message.undelivered", MessageState.UNDELIVERED),
    ],
)
async def test_a_report_signed_by_the_reference_library_is_understood(
    mock_http: FakeHttp, kind: str, state: MessageState
) -> None:
    event = {
        "type": kind,
        "timestamp": "2026-03-02T12:00:00Z",
        "data": {"id": "k1", "code": "number-unknown"},
    }
    reports = await channel(mock_http, now=NOW).reported(report(event))
    assert reports == [DeliveryReport(state, idempotency_key="k1", code="number-unknown")]


async def test_both_secrets_are_good_while_one_replaces_the_other(mock_http: FakeHttp) -> None:
    adapter = channel(mock_http, NEXT, SECRET, now=NOW)
    for secret in (SECRET, NEXT):
        assert await adapter.reported(report(delivered(), secret=secret))
    several = report(delivered(), headers={"webhook-signature": "v1a,other v1,bm9uZQ== v2"})
    with pytest.raises(Refused):
        await adapter.reported(several)


@pytest.mark.parametrize("minutes", [-4.9, 4.9])
async def test_clocks_may_differ_a_little(mock_http: FakeHttp, minutes: float) -> None:
    at = NOW + timedelta(minutes=minutes)
    assert await channel(mock_http, now=NOW).reported(report(delivered(), at=at))


@pytest.mark.parametrize(
    "notification",
    [
        report(delivered(), at=NOW - timedelta(minutes=6)),
        report(delivered(), at=NOW + timedelta(minutes=6)),
        report(delivered(), secret=NEXT),
        report(delivered(), path="another"),
        report(delivered(), path=""),
        report(delivered(), headers={"webhook-id": "evt_2"}),
        report(delivered(), headers={"webhook-id": ""}),
        report(delivered(), headers={"webhook-timestamp": "now"}),
        report(delivered(), headers={"webhook-timestamp": "²"}),
        report(delivered(), headers={"webhook-timestamp": "9" * 5000}),
        report(delivered(), headers={"webhook-signature": ""}),
        report(delivered(), headers={"webhook-signature": "v1,"}),
        report(delivered(), headers={"webhook-signature": "v1,Größe"}),
        Notification("GET", "practice", {}, b""),
    ],
)
async def test_a_report_without_the_right_signature_is_refused(
    mock_http: FakeHttp, notification: Notification
) -> None:
    with pytest.raises(Refused) as caught:
        await channel(mock_http, now=NOW).reported(notification)
    assert caught.value.code == "receipt-refused"


async def test_our_own_message_sent_back_to_us_is_no_report(mock_http: FakeHttp) -> None:
    adapter = channel(mock_http, now=NOW)
    await adapter.deliver(a_message())
    headers, body = sent(mock_http)
    with pytest.raises(UsageError) as caught:
        await adapter.reported(Notification("POST", "practice", headers, body))
    assert caught.value.code == "receipt-invalid"


@pytest.mark.parametrize(
    "event",
    [
        b"\xff",
        b"",
        b"[" * 1000,
        [],
        {},
        {"type": "message.read", "data": {"id": "k1"}},
        {"type": ["message.sent"], "data": {"id": "k1"}},
        {"type": "message.sent"},
        {"type": "message.sent", "data": {"id": ""}},
        {"type": "message.sent", "data": {"id": 7}},
        {"type": "message.sent", "data": {"id": "k\0"}},
        {"type": "message.sent", "data": {"id": "k" * 256}},
        delivered(code="+4917139200"),
        delivered(code="4917139200"),
        delivered(code="The number is wrong"),
        delivered(code="a" * 65),
        delivered(code=None),
    ],
)
async def test_what_cannot_be_understood_is_invalid(mock_http: FakeHttp, event: Any) -> None:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    headers = signed_headers([key_of(SECRET)], "evt_1", NOW, body)
    with pytest.raises(UsageError) as caught:
        await channel(mock_http, now=NOW).reported(Notification("POST", "practice", headers, body))
    assert caught.value.code == "receipt-invalid"
    assert "17139200" not in str(caught.value)


def test_our_signature_is_that_of_the_reference_library() -> None:
    body = "Grüße".encode()
    ours = signed_headers([key_of(SECRET)], "msg_1", NOW, body)
    assert ours["webhook-signature"] == Webhook(SECRET).sign("msg_1", NOW, "Grüße")
    assert is_signed([key_of(SECRET)], ours, body, NOW)
    assert not is_signed([], ours, body, NOW)


# what the documentation says

PAGE = (Path(__file__).parents[3] / "docs" / "channels" / "webhooks.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(found) for found in re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL)]


async def test_what_is_sent_is_what_the_documentation_shows(mock_http: FakeHttp) -> None:
    await channel(mock_http).deliver(a_message())
    event = json.loads(sent(mock_http)[1])
    assert event.keys() == EXAMPLES[0].keys()
    assert list(event["data"]) == list(EXAMPLES[0]["data"])


async def test_the_report_that_the_documentation_shows_is_understood(mock_http: FakeHttp) -> None:
    (found,) = await channel(mock_http, now=NOW).reported(report(EXAMPLES[1]))
    assert (found.state, found.code) == (MessageState.UNDELIVERED, "number-unknown")
    assert found.idempotency_key == EXAMPLES[0]["data"]["id"]


# settings


@pytest.mark.parametrize(
    "section",
    [
        {"url": "http://pms.example/messages", "secrets": [SECRET]},
        {"url": "ftp://pms.example/messages", "secrets": [SECRET]},
        {"url": "https://", "secrets": [SECRET]},
        {"url": "https://user:secret-of-nobody@pms.example/", "secrets": [SECRET]},
        {"url": "https://pms.example/#part", "secrets": [SECRET]},
        {"url": "https://pms.example/", "secrets": []},
        {"url": "https://pms.example/", "secrets": ["secret-of-nobody"]},
        {"url": "https://pms.example/", "secrets": ["whsec_c2VjcmV0LW9mLW5vYm9keQ=="]},
        {"url": "https://pms.example/", "secrets": [SECRET + "?"]},
        {"url": "https://pms.example/", "secrets": ["whsec_" + base64.b64encode(bytes(65)).decode()]},
        {"url": "https://pms.example/", "secrets": [SECRET], "token": "secret-of-nobody"},
    ],
)
def test_settings_that_cannot_work_stop_the_start(section: dict[str, Any], mock_http: FakeHttp) -> None:
    with pytest.raises(ConfigurationError) as caught:
        vsdk_notification_channels(FakeConfig({"webhook_messages": {"practice": section}}), mock_http)
    assert "secret-of-nobody" not in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize("sections", [{}, {"nobody": {"url": "https://pms.example/", "secrets": [SECRET]}}])
def test_there_is_a_section_for_each_practice(sections: dict[str, Any], mock_http: FakeHttp) -> None:
    with pytest.raises(ConfigurationError):
        vsdk_notification_channels(FakeConfig({"webhook_messages": sections}), mock_http)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_on_ones_own_machine_plain_http_is_enough(host: str, mock_http: FakeHttp) -> None:
    assert channel(mock_http, url=f"http://{host}:8080/messages").channel == "webhook"


# the real thing


@pytest.fixture
async def vendor() -> AsyncIterator[tuple[str, list[Any]]]:
    """A vendor's endpoint over the loopback, which verifies with the reference library."""
    taken: list[Any] = []

    async def take(request: Request) -> Response:
        body = await request.body()
        try:
            taken.append(Webhook(SECRET).verify(body, dict(request.headers)))
        except WebhookVerificationError:
            return Response(status_code=401)
        return Response(status_code=204)

    app = Starlette(routes=[Route("/messages", take, methods=["POST"])])
    port = free_port()
    # The loggers belong to all tests, and so no level is set.
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    for _ in range(500):
        if server.started:
            break
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}/messages", taken
    server.should_exit = True
    await running


async def test_a_vendor_verifies_what_arrives_there(vendor: tuple[str, list[Any]]) -> None:
    url, taken = vendor
    http = HttpClient()
    try:
        await channel(http, url=url).deliver(a_message())
        with pytest.raises(PartnerError) as caught:
            await channel(http, NEXT, url=url).deliver(a_message(idempotency_key="other"))
    finally:
        await http.close()
    assert [event["data"]["text"] for event in taken] == [a_message().text]
    assert not caught.value.retryable
