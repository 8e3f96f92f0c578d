"""SMS through OVHcloud: requests, signatures, answers and callbacks as its documents describe them."""

import hashlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.adapters.notification.sms_gateway import Answer, Arrived, serving
from tests.adapters.notification.sms_messages import KEY, NOW, NUMBER, TEXT, a_message, a_report

from vsdk.adapters.http import HttpClient
from vsdk.adapters.notification.ovh import (
    NAME,
    GatewayClock,
    OvhConfig,
    OvhSms,
    signature,
    vsdk_notification_channels,
)
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError, Refused, UsageError
from vsdk.domain.ids import PracticeId
from vsdk.domain.message import DeliveryReport, MessageState, Receipt
from vsdk.hooks.ports import Notification
from vsdk.testing.contracts import NotificationChannelContract, ReportingChannelContract
from vsdk.testing.fakes import FakeConfig, FakeHttp

APPLICATION_SECRET, CONSUMER_KEY = "9ufkBmLaTQ9nz5yMUlg79taH0GNnzDjk", "5mBuy6SUQcRw2ZUxg0cG68BoDKpED4KY"
"""of the tests of ovh/python-ovh, from which the vectors below are"""
RECEIPT_SECRET = "receipt-secret-of-nobody"
TOKEN = "52739fe3cb90b9d8e8075029d6f97990c24f88ead781dc56313774f5f82c4d11"
"""``printf receipts/ovh_sms | openssl dgst -sha256 -hmac receipt-secret-of-nobody``"""
THEN = 1457018875
SECTION: dict[str, Any] = {
    "service": "sms-ab12345-1",
    "application_key": "TDPKJdwZwAQPwKX2",
    "application_secret": APPLICATION_SECRET,
    "consumer_key": CONSUMER_KEY,
    "sender": "PraxisPark",
}
TAKEN = {"totalCreditsRemoved": 1, "invalidReceivers": [], "ids": [123456789], "validReceivers": [NUMBER]}


class StillClock:
    async def now(self) -> int:
        return THEN


def settings(**changes: Any) -> OvhConfig:
    return OvhConfig.model_validate(SECTION | changes)


def a_channel(http: FakeHttp | HttpClient, **changes: Any) -> OvhSms:
    return OvhSms(settings(**changes), http, StillClock(), now=lambda: NOW)


def job_of(http: FakeHttp, number: int = 0) -> Any:
    return json.loads(http.requests[number].options["content"])


class TestContract(NotificationChannelContract):
    secrets = (APPLICATION_SECRET, CONSUMER_KEY)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> OvhSms:
        return a_channel(mock_http.answering(json=TAKEN))


async def test_a_message_is_one_job_for_one_receiver(mock_http: FakeHttp) -> None:
    receipt = await a_channel(mock_http.answering(json=TAKEN)).deliver(
        a_message(expires=NOW + timedelta(minutes=95, seconds=59))
    )
    assert receipt == Receipt("123456789")
    (request,) = mock_http.requests
    assert (request.method, request.url) == ("POST", "https://eu.api.ovh.com/1.0/sms/sms-ab12345-1/jobs")
    assert job_of(mock_http) == {
        "charset": "UTF-8",
        "coding": "7bit",
        "message": TEXT,
        "noStopClause": True,
        "priority": "high",
        "receivers": [NUMBER],
        "sender": "PraxisPark",
        "senderForResponse": False,
        "tag": KEY,
        "validityPeriod": 95,
    }


async def test_letters_outside_the_short_alphabet_are_sent_as_they_are(mock_http: FakeHttp) -> None:
    channel = a_channel(mock_http.answering(json=TAKEN))
    await channel.deliver(a_message(text="À 9 h : café, Grüße, 10 €"))
    await channel.deliver(a_message(text="Grüße für ñÜàéè"))
    assert [job_of(mock_http, number)["coding"] for number in (0, 1)] == ["8bit", "7bit"]


async def test_without_a_sender_the_gateway_uses_a_short_number(mock_http: FakeHttp) -> None:
    channel = a_channel(mock_http.answering(json=TAKEN), sender="", senders={"lac": "CabinetLac"})
    await channel.deliver(a_message())
    await channel.deliver(a_message(practice_id=PracticeId("lac")))
    assert job_of(mock_http)["senderForResponse"] is True
    assert "sender" not in job_of(mock_http)
    assert (job_of(mock_http, 1)["sender"], job_of(mock_http, 1)["senderForResponse"]) == (
        "CabinetLac",
        False,
    )


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("GET", "", "$1$e9556054b6309771395efa467c22e627407461ad"),
        ("POST", '{"a":"b","c":"d"}', "$1$ec2fb5c7a81f64723c77d2e5b609ae6f58a84fc1"),
        ("PUT", '{"a":"b","c":"d"}', "$1$8a75a9e7c8e7296c9dbeda6a2a735eb6bd58ec4b"),
        ("DELETE", "", "$1$a1eecd00b3b02b6cf5708b84b9ff42059a950d85"),
    ],
)
def test_the_signature_is_that_of_the_official_library(method: str, body: str, expected: str) -> None:
    """Vectors of ovh/python-ovh, tests/test_client.py."""
    assert signature(settings(), method, "https://eu.api.ovh.com/1.0/auth", body, str(THEN)) == expected


@pytest.mark.parametrize(
    ("answer", "code", "of_message"),
    [
        (TAKEN | {"ids": [], "invalidReceivers": [NUMBER], "validReceivers": []}, "number-invalid", True),
        (TAKEN | {"ids": []}, "partner-error", False),
        ({}, "partner-error", False),
        ([], "partner-error", False),
        (None, "partner-error", False),
        ({"ids": "12"}, "partner-error", False),
        ({"ids": [{}]}, "partner-error", False),
    ],
)
async def test_an_answer_with_status_200_may_be_a_failure(
    mock_http: FakeHttp, answer: Any, code: str, of_message: bool
) -> None:
    with pytest.raises(PartnerError) as caught:
        await a_channel(mock_http.answering(json=answer)).deliver(a_message())
    assert (caught.value.code, caught.value.retryable) == (code, False)
    assert isinstance(caught.value, DeliveryFailed) is of_message


@pytest.mark.parametrize(
    ("status", "code"), [(400, "gateway-request"), (401, "gateway-access"), (403, "gateway-access")]
)
async def test_a_status_says_who_has_to_do_something(mock_http: FakeHttp, status: int, code: str) -> None:
    with pytest.raises(PartnerError) as caught:
        await a_channel(mock_http.answering(status=status)).deliver(a_message())
    assert (caught.value.code, caught.value.retryable) == (code, False)


async def test_the_gateway_is_asked_for_its_time_once_an_hour(mock_http: FakeHttp) -> None:
    elapsed = [1000.0]
    clock = GatewayClock(mock_http.answering(json=THEN), "https://eu.api.ovh.com/1.0", lambda: elapsed[0])
    assert await clock.now() == THEN
    elapsed[0] += 3599
    assert await clock.now() == THEN + 3599
    assert [request.url for request in mock_http.requests] == ["https://eu.api.ovh.com/1.0/auth/time"]
    elapsed[0] += 2
    assert await clock.now() == THEN
    assert len(mock_http.requests) == 2


@pytest.mark.parametrize("answer", ["noon", None, {}, 1.5])
async def test_a_gateway_that_does_not_tell_its_time_is_a_failure(mock_http: FakeHttp, answer: Any) -> None:
    channel = OvhSms(
        settings(), mock_http.answering(json=answer), GatewayClock(mock_http, "https://x.example")
    )
    with pytest.raises(PartnerError) as caught:
        await channel.deliver(a_message())
    assert not caught.value.retryable


async def test_while_its_time_cannot_be_had_nothing_is_sent(mock_http: FakeHttp) -> None:
    channel = OvhSms(settings(), mock_http.failing(), GatewayClock(mock_http, "https://x.example"))
    with pytest.raises(PartnerError) as caught:
        await channel.deliver(a_message())
    assert caught.value.retryable
    assert [request.method for request in mock_http.requests] == ["GET"]


def called(ptt: str, description: str = "", **more: str) -> dict[str, str]:
    """The query of a callback, in the guide on SMS users, step 5."""
    values = {"id": "123456789", "ptt": ptt, "date": "2026-03-02 13:00:07", "description": description}
    return values | {"descriptionDlr": "…"} | more


class TestReports(ReportingChannelContract):
    secrets = (APPLICATION_SECRET, CONSUMER_KEY, RECEIPT_SECRET, TOKEN)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> OvhSms:
        return a_channel(mock_http, receipt_secret=RECEIPT_SECRET)

    @pytest.fixture
    def good(self) -> Notification:
        return a_report(NAME, TOKEN, query=called("4", "1"), method="GET")

    @pytest.fixture
    def expected(self) -> Sequence[DeliveryReport]:
        return [DeliveryReport(MessageState.DELIVERED, "", "123456789")]

    @pytest.fixture
    def forged(self) -> Sequence[Notification]:
        paths = ("", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "é", f"{TOKEN}/more")
        return [a_report(NAME, path, query=called("4"), method="GET") for path in paths]


@pytest.mark.parametrize(
    ("query", "state", "code"),
    [
        (called("4", "1"), MessageState.DELIVERED, ""),
        (called("1", "4"), MessageState.SENT, ""),
        (called("2"), MessageState.SENT, ""),
        (called("3", "8"), MessageState.SENT, ""),
        (called("6"), MessageState.SENT, ""),
        (called("5", "2"), MessageState.UNDELIVERED, "not-delivered"),
        (called("8"), MessageState.UNDELIVERED, "message-expired"),
        (called("23"), MessageState.UNDELIVERED, "number-invalid"),
        (called("24"), MessageState.UNDELIVERED, "number-unreachable"),
        (called("28"), MessageState.UNDELIVERED, "message-blocked"),
        (called("999", "1"), MessageState.DELIVERED, ""),
        (called("999", "2"), MessageState.UNDELIVERED, "not-delivered"),
        (called("", "0"), MessageState.SENT, ""),
    ],
)
async def test_each_state_of_a_callback_is_understood(
    mock_http: FakeHttp, query: dict[str, str], state: MessageState, code: str
) -> None:
    channel = a_channel(mock_http, receipt_secret=RECEIPT_SECRET)
    reports = await channel.reported(a_report(NAME, TOKEN, query=query, method="GET"))
    assert reports == (DeliveryReport(state, "", "123456789", code),)


async def test_without_a_secret_all_callbacks_are_refused(mock_http: FakeHttp) -> None:
    for path in ("", TOKEN):
        with pytest.raises(Refused):
            await a_channel(mock_http).reported(a_report(NAME, path, query=called("4"), method="GET"))


@pytest.mark.parametrize(
    "query", [{}, called("999"), called("4") | {"id": ""}, {f"f{n}": "" for n in range(200)}]
)
async def test_a_callback_that_says_nothing_is_invalid(mock_http: FakeHttp, query: dict[str, str]) -> None:
    channel = a_channel(mock_http, receipt_secret=RECEIPT_SECRET)
    with pytest.raises(UsageError) as caught:
        await channel.reported(a_report(NAME, TOKEN, query=query, method="GET"))
    assert caught.value.code == "receipt-invalid"


AHEAD = 900
"""seconds by which the clock of the real server below is ahead of ours"""


def strict(request: Arrived) -> Answer:
    """The API itself: its own clock, and a signature that it makes again from what arrived."""
    now = int(time.time()) + AHEAD
    if request.path == "/1.0/auth/time":
        return 200, now
    stamp = request.headers.get("x-ovh-timestamp", "0")
    if abs(int(stamp) - now) > 30:
        return 400, {"errorCode": "QUERY_TIME_OUT", "httpCode": "400 Bad Request", "message": "…"}
    parts = [APPLICATION_SECRET, CONSUMER_KEY, request.method, request.url, request.body.decode(), stamp]
    expected = "$1$" + hashlib.sha1("+".join(parts).encode()).hexdigest()
    if request.headers.get("x-ovh-signature") != expected:
        return 400, {"errorCode": "INVALID_SIGNATURE", "httpCode": "400 Bad Request", "message": "…"}
    if request.headers.get("x-ovh-application") != SECTION["application_key"]:
        return 403, {"errorCode": "INVALID_KEY", "httpCode": "403 Forbidden", "message": "…"}
    return 200, TAKEN


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.close()


async def test_a_real_server_with_another_clock_takes_what_is_signed(http: HttpClient) -> None:
    with serving(strict) as gateway:
        section = SECTION | {"url": f"{gateway.url}/1.0"}
        (channel,) = vsdk_notification_channels(FakeConfig({NAME: section}), http)
        for text in ("Grüße, 10 €", "« Où ? » 👋"):
            assert await channel.deliver(a_message(text=text)) == Receipt("123456789")
    assert [arrived.path for arrived in gateway.arrived] == [
        "/1.0/auth/time",
        "/1.0/sms/sms-ab12345-1/jobs",
        "/1.0/sms/sms-ab12345-1/jobs",
    ]
    assert gateway.arrived[2].json()["message"] == "« Où ? » 👋"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"consumer_key": "another-consumer-key"}, "gateway-request"),
        ({"application_key": "another-application"}, "gateway-access"),
    ],
)
async def test_a_real_server_refuses_what_is_signed_by_another(
    http: HttpClient, changes: dict[str, str], code: str
) -> None:
    with serving(strict) as gateway:
        section = SECTION | {"url": f"{gateway.url}/1.0"} | changes
        (channel,) = vsdk_notification_channels(FakeConfig({NAME: section}), http)
        with pytest.raises(PartnerError) as caught:
            await channel.deliver(a_message())
    assert (caught.value.code, caught.value.retryable) == (code, False)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"service": "sms/../me"}, "service"),
        ({"service": ""}, "service"),
        ({"application_key": ""}, "application_key"),
        ({"consumer_key": None}, "consumer_key"),
        ({"receipt_secret": "short"}, "16 characters"),
        ({"url": "http://eu.api.ovh.com/1.0"}, "https"),
        ({"sender": "Cabinet médical"}, "sender"),
        ({"senders": {"elsewhere": "Cabinet"}}, "elsewhere"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(
    mock_http: FakeHttp, changes: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ConfigurationError, match=wrong) as caught:
        vsdk_notification_channels(FakeConfig({NAME: SECTION | changes}), mock_http)
    assert APPLICATION_SECRET not in str(caught.value)
