"""SMS through seven.io: requests, answers and delivery reports as its documents describe them."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from tests.adapters.notification.sms_gateway import Answer, Arrived, serving
from tests.adapters.notification.sms_messages import BASE, KEY, NOW, NUMBER, TEXT, a_message, a_report

from vsdk.adapters.http import HttpClient
from vsdk.adapters.notification.seven import (
    NAME,
    SevenConfig,
    SevenSms,
    signature,
    vsdk_notification_channels,
)
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError, Refused, UsageError
from vsdk.domain.ids import PracticeId
from vsdk.domain.message import DeliveryReport, MessageState, Receipt
from vsdk.hooks.ports import Notification
from vsdk.testing.contracts import NotificationChannelContract, ReportingChannelContract
from vsdk.testing.fakes import FakeConfig, FakeHttp

API_KEY = "api-key-of-nobody"
SIGNING_KEY = "signing-key-of-nobody"
TAKEN = {
    "success": "100",
    "total_price": 0.075,
    "balance": 12.5,
    "debug": "false",
    "sms_type": "direct",
    "messages": [
        {
            "id": "77149843739",
            "sender": "PraxisPark",
            "recipient": "491713920099",
            "text": "…",
            "encoding": "gsm",
            "label": None,
            "parts": 1,
            "udh": None,
            "is_binary": False,
            "price": 0.075,
            "success": True,
            "error": None,
            "error_text": None,
        }
    ],
}


def refusing(code: str) -> dict[str, Any]:
    """The whole was taken, and the one message was not."""
    failed = TAKEN["messages"][0] | {"success": False, "id": None, "error": code, "error_text": "…"}  # type: ignore[index]
    return TAKEN | {"messages": [failed]}


def a_channel(http: FakeHttp | HttpClient, **settings: Any) -> SevenSms:
    values = {"api_key": API_KEY, "sender": "PraxisPark"} | settings
    return SevenSms(SevenConfig.model_validate(values), http, now=lambda: NOW, nonce=lambda: "n0nce")


class TestContract(NotificationChannelContract):
    secrets = (API_KEY, SIGNING_KEY)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> SevenSms:
        return a_channel(mock_http.answering(json=TAKEN), signing_key=SIGNING_KEY)


async def test_a_message_is_one_post_with_all_that_the_gateway_needs(mock_http: FakeHttp) -> None:
    receipt = await a_channel(mock_http.answering(json=TAKEN)).deliver(
        a_message(expires=NOW + timedelta(minutes=95, seconds=59))
    )
    assert receipt == Receipt("77149843739")
    (request,) = mock_http.requests
    assert (request.method, request.url) == ("POST", "https://gateway.seven.io/api/sms")
    assert request.options["headers"]["X-Api-Key"] == API_KEY
    assert request.options["headers"]["Accept"] == "application/json"
    assert json.loads(request.options["content"]) == {
        "to": NUMBER,
        "text": TEXT,
        "from": "PraxisPark",
        "foreign_id": KEY,
        "ttl": 95,
    }


async def test_nothing_is_said_about_what_is_not_settled(mock_http: FakeHttp) -> None:
    await a_channel(mock_http.answering(json=TAKEN), sender="").deliver(a_message())
    assert json.loads(mock_http.requests[0].options["content"]).keys() == {"to", "text", "foreign_id"}


async def test_a_practice_may_have_a_sender_of_its_own(mock_http: FakeHttp) -> None:
    channel = a_channel(mock_http.answering(json=TAKEN), senders={"see": "PraxisSee"})
    await channel.deliver(a_message(practice_id=PracticeId("see")))
    await channel.deliver(a_message(practice_id=PracticeId("park")))
    senders = [json.loads(request.options["content"])["from"] for request in mock_http.requests]
    assert senders == ["PraxisSee", "PraxisPark"]


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "of_message"),
    [
        (refusing("202"), "number-invalid", False, True),
        (TAKEN | {"success": "202", "messages": []}, "number-invalid", False, True),
        (refusing("403"), "message-blocked", False, True),
        (refusing("500"), "gateway-credit", False, False),
        (500, "gateway-credit", False, False),
        (900, "gateway-access", False, False),
        ({"success": "900"}, "gateway-access", False, False),
        ("903", "gateway-access", False, False),
        (refusing("600"), "gateway-trouble", True, False),
        (refusing("201"), "gateway-request", False, False),
        ({"success": "401"}, "gateway-request", False, False),
        ([], "gateway-request", False, False),
        (None, "gateway-request", False, False),
        ({"success": "101", "messages": [{"success": False, "error": "202"}]}, "number-invalid", False, True),
    ],
)
async def test_a_failure_hides_in_an_answer_with_status_200(
    mock_http: FakeHttp, answer: Any, code: str, retryable: bool, of_message: bool
) -> None:
    with pytest.raises(PartnerError) as caught:
        await a_channel(mock_http.answering(json=answer)).deliver(a_message())
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert isinstance(caught.value, DeliveryFailed) is of_message


@pytest.mark.parametrize("answer", [TAKEN | {"success": "101"}, {"success": "100"}, 100, "100"])
async def test_whatever_says_that_it_was_taken_is_a_success(mock_http: FakeHttp, answer: Any) -> None:
    assert isinstance(await a_channel(mock_http.answering(json=answer)).deliver(a_message()), Receipt)


async def test_what_the_lock_of_the_gateway_holds_back_was_sent_before(mock_http: FakeHttp) -> None:
    assert await a_channel(mock_http.answering(json=refusing("402"))).deliver(a_message()) == Receipt()


@pytest.mark.parametrize(
    ("status", "code"), [(401, "gateway-access"), (402, "gateway-credit"), (400, "gateway-request")]
)
async def test_a_status_says_who_has_to_do_something(mock_http: FakeHttp, status: int, code: str) -> None:
    with pytest.raises(PartnerError) as caught:
        await a_channel(mock_http.answering(status=status)).deliver(a_message())
    assert (caught.value.code, caught.value.status, caught.value.retryable) == (code, status, False)


def test_the_signature_is_that_of_the_documents() -> None:
    """Request, time and nonce of docs.seven.io/en/rest-api/signing; the result was computed with openssl."""
    body = b'{"to": "49170123456789", "text": "Hello World! :-)", "from": "seven"}'
    made = signature(
        SecretStr(SIGNING_KEY),
        "1634641200",
        "fpPRhAd1s8GXacfR39mWqKPynmmXfJnc",
        "POST",
        "https://gateway.seven.io/api/sms",
        body,
    )
    assert made == "84ff595d4d2353e07fc20486385b18645696cb29becfa020410f53ecf534be62"


def signed(
    method: str, url: str, body: bytes, key: str = SIGNING_KEY, time: str = str(int(NOW.timestamp()))
) -> dict[str, str]:
    """Headers as the gateway makes them, written down here a second time."""
    to_sign = f"{time}\nn0nce\n{method}\n{url}\n{hashlib.md5(body).hexdigest()}"
    made = hmac.new(key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return {"x-signature": made, "x-timestamp": time, "x-nonce": "n0nce"}


def dlr(status: str = "DELIVERED", **data: Any) -> bytes:
    """A webhook of docs.seven.io/en/rest-api/webhooks, perhaps with the ``foreign_id`` of the message."""
    values = {"msg_id": "77149843739", "status": status, "timestamp": "2021-08-24 08:08:00.000000"} | data
    return json.dumps(
        {"data": values, "webhook_event": "dlr", "webhook_timestamp": "2021-08-24T08:08:00+02:00"}
    ).encode()


def report(body: bytes, url: str = f"{BASE}/receipts/{NAME}", **changes: str) -> Notification:
    return a_report(NAME, body=body, headers=signed("POST", url, body, **changes))


class TestReports(ReportingChannelContract):
    secrets = (API_KEY, SIGNING_KEY)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> SevenSms:
        return a_channel(mock_http, signing_key=SIGNING_KEY)

    @pytest.fixture
    def good(self) -> Notification:
        return report(dlr(foreign_id=KEY))

    @pytest.fixture
    def expected(self) -> Sequence[DeliveryReport]:
        return [DeliveryReport(MessageState.DELIVERED, KEY, "77149843739")]

    @pytest.fixture
    def sign(self) -> Callable[[bytes], Notification]:
        return report

    @pytest.fixture
    def forged(self) -> Sequence[Notification]:
        here = f"{BASE}/receipts/{NAME}"
        right = signed("POST", here, dlr())
        return [
            a_report(NAME, body=dlr()),
            a_report(NAME, body=dlr(), headers={"x-signature": right["x-signature"]}),
            report(dlr(), key="another-key-of-nobody"),
            report(dlr(), url="https://elsewhere.example/receipts/seven_sms"),
            report(dlr(), time=str(int(NOW.timestamp()) - 301)),
            report(dlr(), time=str(int(NOW.timestamp()) + 301)),
            report(dlr(), time="noon"),
            report(dlr(), time=""),
            report(dlr(), time="1" * 20),
            a_report(NAME, body=dlr("FAILED"), headers=right),
            a_report(NAME, body=dlr(), headers=signed("PUT", here, dlr())),
            a_report(NAME, body=dlr(), headers=right | {"x-timestamp": str(int(NOW.timestamp()) + 1)}),
            a_report(NAME, body=dlr(), headers=right | {"x-nonce": "another"}),
            a_report(NAME, body=dlr(), headers=right | {"x-signature": "é"}),
        ]


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        ("DELIVERED", MessageState.DELIVERED, ""),
        ("ACCEPTED", MessageState.SENT, ""),
        ("BUFFERED", MessageState.SENT, ""),
        ("TRANSMITTED", MessageState.SENT, ""),
        ("UNKNOWN", MessageState.SENT, ""),
        ("NOTDELIVERED", MessageState.UNDELIVERED, "not-delivered"),
        ("FAILED", MessageState.UNDELIVERED, "not-delivered"),
        ("EXPIRED", MessageState.UNDELIVERED, "message-expired"),
        ("REJECTED", MessageState.UNDELIVERED, "message-blocked"),
    ],
)
async def test_each_state_of_a_report_is_understood(
    mock_http: FakeHttp, status: str, state: MessageState, code: str
) -> None:
    channel = a_channel(mock_http, signing_key=SIGNING_KEY)
    reports = await channel.reported(report(dlr(status, foreign_id=KEY)))
    assert reports == (DeliveryReport(state, KEY, "77149843739", code),)


async def test_a_report_without_our_reference_names_that_of_the_gateway(mock_http: FakeHttp) -> None:
    (found,) = await a_channel(mock_http, signing_key=SIGNING_KEY).reported(report(dlr(foreign_id=None)))
    assert (found.idempotency_key, found.provider_id) == ("", "77149843739")


async def test_the_path_alone_may_be_signed_as_the_official_library_tests_it(mock_http: FakeHttp) -> None:
    channel = a_channel(mock_http, signing_key=SIGNING_KEY)
    assert await channel.reported(report(dlr(), url=f"/video/receipts/{NAME}"))


async def test_other_events_are_about_no_message_of_ours(mock_http: FakeHttp) -> None:
    body = json.dumps({"webhook_event": "sms_mo", "data": {"text": "STOP"}}).encode()
    assert await a_channel(mock_http, signing_key=SIGNING_KEY).reported(report(body)) == ()


async def test_without_a_signing_key_all_reports_are_refused(mock_http: FakeHttp) -> None:
    for notification in (a_report(NAME, body=dlr()), report(dlr(), key="")):
        with pytest.raises(Refused):
            await a_channel(mock_http).reported(notification)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"webhook_event": 1}',
        b'{"webhook_event": "dlr"}',
        b'{"webhook_event": "dlr", "data": []}',
        dlr("TELEPORTED"),
        dlr(status={}),  # type: ignore[arg-type]
        dlr(msg_id=None),
    ],
)
async def test_a_report_that_says_nothing_is_invalid(mock_http: FakeHttp, body: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        await a_channel(mock_http, signing_key=SIGNING_KEY).reported(report(body))
    assert caught.value.code == "receipt-invalid"


def strict(request: Arrived) -> Answer:
    """The gateway itself: right key, right signature if there is one, and a message to a number."""
    if request.headers.get("x-api-key") != API_KEY:
        return 200, 900
    if "x-signature" in request.headers:
        expected = signed(request.method, request.url, request.body, time=request.headers["x-timestamp"])
        if request.headers["x-signature"] != expected["x-signature"]:
            return 200, 900
    fields = request.json()
    if fields["to"] != NUMBER:
        return 200, refusing("202")
    return 200, TAKEN


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.close()


@pytest.mark.parametrize("signing_key", [None, SIGNING_KEY])
async def test_a_real_server_that_checks_key_and_signature_takes_the_message(
    http: HttpClient, signing_key: str | None
) -> None:
    with serving(strict) as gateway:
        channel = a_channel(http, url=f"{gateway.url}/api/sms", signing_key=signing_key)
        assert await channel.deliver(a_message(text="Grüße, 10 €: „Hier“ 👋")) == Receipt("77149843739")
    (arrived,) = gateway.arrived
    assert arrived.json()["text"] == "Grüße, 10 €: „Hier“ 👋"
    assert ("x-signature" in arrived.headers) is (signing_key is not None)


async def test_a_real_server_refuses_another_key_another_signature_and_a_wrong_number(
    http: HttpClient,
) -> None:
    with serving(strict) as gateway:
        url = f"{gateway.url}/api/sms"
        for channel, message, code in (
            (a_channel(http, url=url, api_key="k3y-of-a-stranger"), a_message(), "gateway-access"),
            (a_channel(http, url=url, signing_key="k3y-of-a-stranger"), a_message(), "gateway-access"),
            (a_channel(http, url=url), a_message(recipient="+49171"), "number-invalid"),
        ):
            with pytest.raises(PartnerError) as caught:
                await channel.deliver(message)
            assert caught.value.code == code


def test_the_hook_gives_one_channel_from_the_settings(mock_http: FakeHttp) -> None:
    (channel,) = vsdk_notification_channels(FakeConfig({NAME: {"api_key": API_KEY}}), mock_http)
    assert channel.channel == "sms"


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ({}, "api_key"),
        ({"api_key": API_KEY, "colour": "blue"}, "colour"),
        ({"api_key": API_KEY, "sender": "a name that is too long"}, "sender"),
        ({"api_key": API_KEY, "senders": {"elsewhere": "Praxis"}}, "elsewhere"),
        ({"api_key": API_KEY, "url": "http://gateway.seven.io/api/sms"}, "https"),
        ({"api_key": API_KEY, "url": "https://user:pass@gateway.seven.io/api/sms"}, "url"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(
    mock_http: FakeHttp, section: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ConfigurationError, match=wrong) as caught:
        vsdk_notification_channels(FakeConfig({NAME: section}), mock_http)
    assert API_KEY not in str(caught.value)
