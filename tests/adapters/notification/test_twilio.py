"""SMS through Twilio: requests, answers and status callbacks as its documents describe them."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from pydantic import SecretStr
from tests.adapters.notification.sms_gateway import Answer, Arrived, serving
from tests.adapters.notification.sms_messages import BASE, KEY, NOW, NUMBER, TEXT, a_message, a_report

from vsdk.adapters.http import HttpClient
from vsdk.adapters.notification.twilio import (
    NAME,
    TwilioConfig,
    TwilioSms,
    signature,
    vsdk_notification_channels,
)
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError, Refused, UsageError
from vsdk.domain.ids import PracticeId
from vsdk.domain.message import DeliveryReport, MessageState, Receipt
from vsdk.hooks.ports import Notification
from vsdk.testing.contracts import NotificationChannelContract, ReportingChannelContract
from vsdk.testing.fakes import FakeConfig, FakeHttp

ACCOUNT, TOKEN = "AC" + "0a" * 16, "auth-token-of-nobody"
SID, SERVICE = "SM" + "1b" * 16, "MG" + "2c" * 16
SECTION: dict[str, Any] = {
    "account_sid": ACCOUNT,
    "auth_token": TOKEN,
    "sender": "+4915735980000",
    "receipts": True,
}
TAKEN = {"sid": SID, "status": "queued", "error_code": None, "error_message": None, "num_segments": "1"}


def a_channel(http: FakeHttp | HttpClient, **changes: Any) -> TwilioSms:
    return TwilioSms(TwilioConfig.model_validate(SECTION | changes), BASE, http, now=lambda: NOW)


class TestContract(NotificationChannelContract):
    secrets = (TOKEN,)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> TwilioSms:
        return a_channel(mock_http.answering(status=201, json=TAKEN))


async def test_a_message_is_one_form_and_its_key_is_in_the_address_for_reports(mock_http: FakeHttp) -> None:
    receipt = await a_channel(mock_http.answering(status=201, json=TAKEN)).deliver(a_message())
    assert receipt == Receipt(SID)
    (request,) = mock_http.requests
    assert (request.method, request.url) == (
        "POST",
        f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
    )
    assert request.options == {
        "answers": (400,),
        "auth": (ACCOUNT, TOKEN),
        "data": {
            "To": NUMBER,
            "From": "+4915735980000",
            "Body": TEXT,
            "StatusCallback": f"{BASE}/receipts/twilio_sms/{KEY}",
        },
    }


async def test_an_api_key_sends_and_a_messaging_service_chooses_the_sender(mock_http: FakeHttp) -> None:
    changes = {"auth_token": None, "receipts": False, "sender": "", "messaging_service": SERVICE}
    channel = a_channel(
        mock_http.answering(json=TAKEN),
        api_key="SK1",
        api_secret="s3cret",
        **changes,
        senders={"see": "Praxis"},
    )
    await channel.deliver(a_message())
    await channel.deliver(a_message(practice_id=PracticeId("see")))
    first, second = mock_http.requests
    assert first.options == {
        "answers": (400,),
        "auth": ("SK1", "s3cret"),
        "data": {"To": NUMBER, "MessagingServiceSid": SERVICE, "Body": TEXT},
    }
    assert second.options["data"]["From"] == "Praxis"


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(seconds=-5), "1"),
        (timedelta(minutes=10), "600"),
        (timedelta(hours=3, minutes=59), "14340"),
        (timedelta(hours=4), None),
        (timedelta(days=3), None),
    ],
)
async def test_a_message_that_expires_soon_does_not_wait_longer_at_the_gateway(
    mock_http: FakeHttp, left: timedelta, expected: str | None
) -> None:
    await a_channel(mock_http.answering(json=TAKEN)).deliver(a_message(expires=NOW + left))
    assert mock_http.requests[0].options["data"].get("ValidityPeriod") == expected


@pytest.mark.parametrize(
    ("answer", "code", "of_message"),
    [
        (TAKEN | {"status": "failed", "error_code": 21610}, "recipient-opted-out", True),
        (TAKEN | {"status": "undelivered", "error_code": 30006}, "number-invalid", True),
        (TAKEN | {"status": "failed", "error_code": 30002}, "gateway-access", False),
        (TAKEN | {"status": "failed", "error_code": 39999}, "not-delivered", True),
        (TAKEN | {"sid": None}, "partner-error", False),
        ({}, "partner-error", False),
        ([], "partner-error", False),
        (None, "partner-error", False),
    ],
)
async def test_an_answer_with_status_201_may_be_a_failure(
    mock_http: FakeHttp, answer: Any, code: str, of_message: bool
) -> None:
    with pytest.raises(PartnerError) as caught:
        await a_channel(mock_http.answering(status=201, json=answer)).deliver(a_message())
    assert (caught.value.code, caught.value.retryable) == (code, False)
    assert isinstance(caught.value, DeliveryFailed) is of_message


PARAMS = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
TWICE = "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234"
ADDRESS = "https://mycompany.com/myapp.php?foo=1&bar=2"


@pytest.mark.parametrize(
    ("url", "fields", "expected"),
    [
        (ADDRESS, list(PARAMS.items()), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (ADDRESS, parse_qsl(TWICE), "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        (ADDRESS.replace(".com", ".com:443"), list(PARAMS.items()), "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (
            ADDRESS.replace("https", "http").replace(".com", ".com:80"),
            list(PARAMS.items()),
            "0ZXoZLH/DfblKGATFgpif+LLRf4=",
        ),
    ],
)
def test_the_signature_is_that_of_the_official_library(
    url: str, fields: Sequence[tuple[str, str]], expected: str
) -> None:
    """Vectors of twilio/twilio-python, tests/unit/test_request_validator.py; the token there is 12345."""
    assert signature(SecretStr("12345"), url, fields) == expected


def signed(url: str, fields: dict[str, str], token: str = TOKEN) -> str:
    """As the documents describe it, written down here a second time."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def fields_of(status: str, **more: str) -> dict[str, str]:
    """A status callback of the guide "Track the message status of outbound messages"."""
    values = {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "From": "+4915735980000",
        "MessageSid": SID,
        "MessageStatus": status,
        "SmsSid": SID,
        "SmsStatus": status,
        "To": NUMBER,
    }
    return values | more


def report(
    fields: dict[str, str],
    *,
    path: str = KEY,
    url: str = f"{BASE}/receipts/{NAME}/{KEY}",
    token: str = TOKEN,
) -> Notification:
    headers = {"x-twilio-signature": signed(url, fields, token)}
    return a_report(NAME, path, body=urlencode(fields).encode(), headers=headers)


def raw(body: bytes) -> Notification:
    """Any body with the signature that Twilio would make for it."""
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        fields = {}
    headers = {"x-twilio-signature": signed(f"{BASE}/receipts/{NAME}/{KEY}", fields)}
    return a_report(NAME, KEY, body=body, headers=headers)


class TestReports(ReportingChannelContract):
    secrets = (TOKEN,)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> TwilioSms:
        return a_channel(mock_http)

    @pytest.fixture
    def good(self) -> Notification:
        return report(fields_of("delivered"))

    @pytest.fixture
    def expected(self) -> Sequence[DeliveryReport]:
        return [DeliveryReport(MessageState.DELIVERED, KEY, SID)]

    @pytest.fixture
    def sign(self) -> Callable[[bytes], Notification]:
        return raw

    @pytest.fixture
    def forged(self) -> Sequence[Notification]:
        elsewhere = f"{BASE}/receipts/{NAME}/of-another-message"
        right = report(fields_of("delivered"))
        altered = urlencode(fields_of("failed")).encode()
        return [
            report(fields_of("delivered"), token="t0ken-of-a-stranger"),
            report(fields_of("delivered"), url=elsewhere),
            replace(right, path="of-another-message", url=elsewhere),
            replace(right, headers={}),
            replace(right, body=altered),
            replace(right, body=right.body + b"&Added=1"),
            replace(right, headers={"x-twilio-signature": "é"}),
            replace(right, body=b"\xff\xfe"),
            replace(right, body=b"&".join([b"f=1"] * 200)),
        ]


@pytest.mark.parametrize(
    ("fields", "state", "code"),
    [
        (fields_of("queued"), MessageState.SENT, ""),
        (fields_of("sent"), MessageState.SENT, ""),
        (fields_of("delivered"), MessageState.DELIVERED, ""),
        (fields_of("delivered", RawDlrDoneDate="2603021300"), MessageState.DELIVERED, ""),
        (fields_of("read"), MessageState.DELIVERED, ""),
        (fields_of("undelivered", ErrorCode="30003"), MessageState.UNDELIVERED, "number-unreachable"),
        (fields_of("undelivered", ErrorCode="30005"), MessageState.UNDELIVERED, "number-invalid"),
        (fields_of("undelivered", ErrorCode="30007"), MessageState.UNDELIVERED, "message-blocked"),
        (fields_of("failed", ErrorCode="21610"), MessageState.UNDELIVERED, "recipient-opted-out"),
        (fields_of("failed", ErrorCode="30036"), MessageState.UNDELIVERED, "message-expired"),
        (fields_of("failed"), MessageState.UNDELIVERED, "not-delivered"),
    ],
)
async def test_each_state_of_a_callback_is_understood(
    mock_http: FakeHttp, fields: dict[str, str], state: MessageState, code: str
) -> None:
    assert await a_channel(mock_http).reported(report(fields)) == (DeliveryReport(state, KEY, SID, code),)


async def test_twilio_may_sign_the_address_with_its_port(mock_http: FakeHttp) -> None:
    url = f"{BASE}/receipts/{NAME}/{KEY}".replace(".example/", ".example:443/")
    assert await a_channel(mock_http).reported(report(fields_of("delivered"), url=url))


async def test_without_an_auth_token_all_callbacks_are_refused(mock_http: FakeHttp) -> None:
    changes = {"auth_token": None, "receipts": False, "api_key": "SK1", "api_secret": "s3cret"}
    with pytest.raises(Refused):
        await a_channel(mock_http, **changes).reported(report(fields_of("delivered"), token=""))


@pytest.mark.parametrize("fields", [{}, {"MessageStatus": "teleported"}, {"MessageSid": SID}])
async def test_a_callback_that_says_nothing_is_invalid(mock_http: FakeHttp, fields: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        await a_channel(mock_http).reported(report(fields))
    assert caught.value.code == "receipt-invalid"


REFUSALS = {
    "+49171": (400, {"code": 21211, "message": "…", "status": 400}),
    "+491710000610": (400, {"code": 21610, "message": "…", "status": 400}),
    "+491710000000": (400, {"code": 99999, "message": "…", "status": 400}),
    "+491710000001": (400, ["not", "an", "object"]),
    "+491719999999": (429, {"code": 20429, "message": "…", "status": 429}),
}


def strict(request: Arrived) -> Answer:
    """The API itself: Basic with account and token, the account in the path, a form."""
    expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    if request.headers.get("authorization") != f"Basic {expected}":
        return 401, {"code": 20003, "message": "Authenticate", "status": 401}
    if request.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
        return 404, {"code": 20404, "message": "…", "status": 404}
    fields = dict(parse_qsl(request.body.decode()))
    return REFUSALS.get(fields["To"], (201, TAKEN))


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.close()


async def test_a_real_server_that_checks_the_credentials_takes_the_message(http: HttpClient) -> None:
    with serving(strict) as gateway:
        config = FakeConfig({NAME: SECTION | {"url": gateway.url}}, base_url=BASE)
        (channel,) = vsdk_notification_channels(config, http)
        assert await channel.deliver(a_message(text="Grüße & « Où ? » 10 % 👋")) == Receipt(SID)
    fields = dict(parse_qsl(gateway.arrived[0].body.decode()))
    assert fields["Body"] == "Grüße & « Où ? » 10 % 👋"
    assert fields["StatusCallback"] == f"{BASE}/receipts/{NAME}/{KEY}"


@pytest.mark.parametrize(
    ("changes", "recipient", "code", "retryable"),
    [
        ({"auth_token": "t0ken-of-a-stranger"}, NUMBER, "gateway-access", False),
        ({}, "+491719999999", "partner-error", True),
        ({}, "+49171", "number-invalid", False),
        ({}, "+491710000610", "recipient-opted-out", False),
        ({}, "+491710000000", "gateway-request", False),
        ({}, "+491710000001", "gateway-request", False),
    ],
)
async def test_a_real_refusal_says_whether_to_try_again(
    http: HttpClient, changes: dict[str, str], recipient: str, code: str, retryable: bool
) -> None:
    with serving(strict) as gateway, pytest.raises(PartnerError) as caught:
        await a_channel(http, url=gateway.url, **changes).deliver(a_message(recipient=recipient))
    assert (caught.value.code, caught.value.retryable) == (code, retryable)


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ({}, "account_sid"),
        (SECTION | {"account_sid": "AC/../x"}, "account_sid"),
        (SECTION | {"auth_token": None, "receipts": False}, "auth_token"),
        (SECTION | {"auth_token": None, "api_key": "SK1", "api_secret": "s"}, "receipts"),
        (SECTION | {"api_key": "SK1"}, "api_secret"),
        (SECTION | {"sender": ""}, "sender"),
        (SECTION | {"messaging_service": "MG1"}, "messaging_service"),
        (SECTION | {"senders": {"elsewhere": "Praxis"}}, "elsewhere"),
        (SECTION | {"url": "http://api.twilio.com"}, "https"),
        (SECTION | {"colour": "blue"}, "colour"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(
    mock_http: FakeHttp, section: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ConfigurationError, match=wrong) as caught:
        vsdk_notification_channels(FakeConfig({NAME: section}), mock_http)
    assert TOKEN not in str(caught.value)
