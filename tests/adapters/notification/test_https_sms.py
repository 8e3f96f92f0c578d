"""SMS through any gateway: templates, what answers mean, and delivery reports, all by settings."""

import base64
import hashlib
import hmac
import json
import tomllib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from pydantic import SecretStr
from tests.adapters.notification.sms_gateway import Answer, Arrived, serving
from tests.adapters.notification.sms_messages import BASE, KEY, NOW, NUMBER, TEXT, a_message, a_report

from vsdk import Settings
from vsdk.adapters.http import HttpClient
from vsdk.adapters.notification.https_sms import (
    NAME,
    HttpsSms,
    HttpsSmsConfig,
    vsdk_notification_channels,
)
from vsdk.adapters.notification.https_sms_template import as_word, filled, found
from vsdk.adapters.notification.sms_receipts import token
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError, Refused, UsageError
from vsdk.domain.ids import PracticeId
from vsdk.domain.message import DeliveryReport, MessageState, Receipt
from vsdk.hooks.ports import Notification
from vsdk.settings import PluginConfig
from vsdk.testing.contracts import NotificationChannelContract, ReportingChannelContract
from vsdk.testing.fakes import FakeConfig, FakeHttp

API_KEY, RECEIPT_SECRET = "api-key-of-nobody", "receipt-secret-of-nobody"
SECTION: dict[str, Any] = {
    "url": "https://sms.example/v1/messages",
    "headers": {"X-Api-Key": SecretStr(API_KEY), "Idempotency-Key": "{key}"},
    "body": {"to": "{recipient}", "text": "{text}", "from": "{sender}", "reference": "{key}"},
    "sender": "PraxisPark",
    "id_path": "messages.0.id",
}
TAKEN = {"messages": [{"id": 4711, "status": "0"}]}
RECEIPTS: dict[str, Any] = {
    "secret": SecretStr(RECEIPT_SECRET),
    "state_path": "status.name",
    "key_path": "reference",
    "id_path": "id",
    "reason_path": "error.code",
    "sent": ["PENDING"],
    "delivered": ["DELIVERED"],
    "undelivered": ["EXPIRED", "REJECTED"],
    "reasons": {"5": "number-invalid", "EXPIRED": "message-expired"},
}
TOKEN = token(SecretStr(RECEIPT_SECRET), NAME)


def a_channel(http: FakeHttp | HttpClient, **changes: Any) -> HttpsSms:
    return HttpsSms(HttpsSmsConfig.model_validate(SECTION | changes), BASE, http, now=lambda: NOW)


class TestContractAsJson(NotificationChannelContract):
    secrets = (API_KEY,)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> HttpsSms:
        return a_channel(mock_http.answering(json=TAKEN))


class TestContractAsForm(NotificationChannelContract):
    secrets = (API_KEY,)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> HttpsSms:
        body = SECTION["body"] | {"to": "{recipient_digits}", "token": SecretStr(API_KEY)}
        return a_channel(mock_http.answering(json={}), encoding="form", headers={}, body=body, id_path="")


async def test_each_placeholder_gets_its_value(mock_http: FakeHttp) -> None:
    body = {
        "to": ["{recipient}", "00{recipient_digits}"],
        "content": {"text": "{text}", "unicode": True, "parts": 3, "token": SecretStr("t0ken")},
        "from": "{sender}",
        "reference": "vsdk-{key}",
        "until": "{expires}",
        "ttl": "{ttl_seconds}",
        "validity": "{ttl_seconds}s",
        "tag": "{practice}",
        "braces": "{{text}}",
        "callback": "{receipts}",
    }
    channel = a_channel(mock_http.answering(json=TAKEN), body=body, receipts=RECEIPTS, method="PUT")
    receipt = await channel.deliver(
        a_message(expires=NOW + timedelta(minutes=10), practice_id=PracticeId("park"), text="{key} {0}")
    )
    assert receipt == Receipt("4711")
    (request,) = mock_http.requests
    assert (request.method, request.url) == ("PUT", "https://sms.example/v1/messages")
    assert request.options["headers"] == {"X-Api-Key": API_KEY, "Idempotency-Key": KEY}
    assert request.options["json"] == {
        "to": [NUMBER, "00491713920099"],
        "content": {"text": "{key} {0}", "unicode": True, "parts": 3, "token": "t0ken"},
        "from": "PraxisPark",
        "reference": f"vsdk-{KEY}",
        "until": "2026-03-02T12:10:00+00:00",
        "ttl": 600,
        "validity": "600s",
        "tag": "park",
        "braces": "{text}",
        "callback": f"{BASE}/receipts/https_sms/{TOKEN}",
    }


async def test_a_field_whose_placeholder_has_no_value_is_left_out(mock_http: FakeHttp) -> None:
    body = {
        "to": "{recipient}",
        "text": "{text}",
        "from": "{sender}",
        "until": "{expires}",
        "options": {"ttl": "{ttl_seconds}"},
        "list": ["{ttl_seconds}", "x"],
    }
    headers = {"X-Expires": "{expires}"}
    await a_channel(mock_http.answering(json=TAKEN), body=body, headers=headers, sender="").deliver(
        a_message()
    )
    assert mock_http.requests[0].options["json"] == {
        "to": NUMBER,
        "text": TEXT,
        "options": {},
        "list": ["x"],
    }
    assert mock_http.requests[0].options["headers"] == {}


def test_a_brace_that_stands_for_itself_is_kept() -> None:
    assert filled({"a": "{{x}} {x}", "b": "{{{x}}}", "c": "{x}"}, {"x": 1}) == {
        "a": "{x} 1",
        "b": "{1}",
        "c": 1,
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", {"a": [{"b": 1}]}),
        ("a", [{"b": 1}]),
        ("a.0.b", 1),
        ("a.1.b", None),
        ("a.x", None),
        ("a.0.b.c", None),
        ("z.0", None),
    ],
)
def test_a_path_leads_to_a_value_or_to_nothing(path: str, value: Any) -> None:
    assert found({"a": [{"b": 1}]}, path) == value


@pytest.mark.parametrize(
    ("value", "word"),
    [("x", "x"), (7, "7"), (True, "true"), (False, "false"), (None, ""), ([1], ""), ({}, "")],
)
def test_a_word_is_written_as_in_json(value: Any, word: str) -> None:
    assert as_word(value) == word


JUDGED = {
    "success_path": "messages.0.status",
    "success_values": ["0", "ACCEPTED"],
    "error_path": "messages.0.reason",
    "errors": {"17": "number-invalid", "no-money": "gateway-credit", "busy": "gateway-trouble"},
}


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "of_message"),
    [
        ({"messages": [{"status": "1", "reason": 17}]}, "number-invalid", False, True),
        ({"messages": [{"status": "1", "reason": "no-money"}]}, "gateway-credit", False, False),
        ({"messages": [{"status": "1", "reason": "busy"}]}, "gateway-trouble", True, False),
        ({"messages": [{"status": "1"}]}, "gateway-request", False, False),
        ({"messages": []}, "gateway-request", False, False),
        ([], "gateway-request", False, False),
        (None, "gateway-request", False, False),
    ],
)
async def test_an_answer_that_says_no_is_a_failure_in_our_words(
    mock_http: FakeHttp, answer: Any, code: str, retryable: bool, of_message: bool
) -> None:
    with pytest.raises(PartnerError) as caught:
        await a_channel(mock_http.answering(json=answer), **JUDGED).deliver(a_message())
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert isinstance(caught.value, DeliveryFailed) is of_message


@pytest.mark.parametrize("status", ["0", 0, "ACCEPTED"])
async def test_an_answer_that_says_yes_is_a_success(mock_http: FakeHttp, status: Any) -> None:
    answer = {"messages": [{"id": "m1", "status": status}]}
    assert await a_channel(mock_http.answering(json=answer), **JUDGED).deliver(a_message()) == Receipt("m1")


async def test_the_reason_may_stand_where_success_would(mock_http: FakeHttp) -> None:
    changes = {"success_path": "code", "success_values": ["OK"], "errors": {"E9": "recipient-opted-out"}}
    with pytest.raises(DeliveryFailed) as caught:
        await a_channel(mock_http.answering(json={"code": "E9"}), **changes).deliver(a_message())
    assert caught.value.code == "recipient-opted-out"


async def test_where_nothing_is_looked_for_any_answer_will_do(mock_http: FakeHttp) -> None:
    assert await a_channel(mock_http.answering(text="OK"), id_path="").deliver(a_message()) == Receipt()


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "number-invalid", False),
        (401, "gateway-access", False),
        (402, "gateway-credit", False),
        (403, "gateway-access", False),
        (409, "partner-error", False),
        (422, "gateway-request", False),
        (500, "partner-error", True),
        (503, "gateway-credit", False),
    ],
)
async def test_a_status_means_what_the_settings_say_or_what_is_usual(
    mock_http: FakeHttp, status: int, code: str, retryable: bool
) -> None:
    changes = {"statuses": {"400": "number-invalid", "503": "gateway-credit"}}
    with pytest.raises(PartnerError) as caught:
        await a_channel(mock_http.answering(status=status), **changes).deliver(a_message())
    assert (caught.value.code, caught.value.retryable) == (code, retryable)


ONE = {"id": 4711, "reference": KEY, "status": {"name": "DELIVERED"}}


@pytest.mark.parametrize(
    ("report", "state", "code"),
    [
        (ONE, MessageState.DELIVERED, ""),
        (ONE | {"status": {"name": "PENDING"}}, MessageState.SENT, ""),
        (ONE | {"status": {"name": "EXPIRED"}}, MessageState.UNDELIVERED, "message-expired"),
        (ONE | {"status": {"name": "REJECTED"}}, MessageState.UNDELIVERED, "not-delivered"),
        (
            ONE | {"status": {"name": "REJECTED"}, "error": {"code": 5}},
            MessageState.UNDELIVERED,
            "number-invalid",
        ),
        (ONE | {"error": {"code": 5}}, MessageState.DELIVERED, ""),
    ],
)
async def test_each_state_of_a_report_is_understood(
    mock_http: FakeHttp, report: Any, state: MessageState, code: str
) -> None:
    channel = a_channel(mock_http, receipts=RECEIPTS)
    reports = await channel.reported(a_report(NAME, TOKEN, body=json.dumps(report).encode()))
    assert reports == (DeliveryReport(state, KEY, "4711", code),)


async def test_several_reports_may_come_at_once(mock_http: FakeHttp) -> None:
    channel = a_channel(mock_http, receipts=RECEIPTS | {"list_path": "results"})
    body = json.dumps({"results": [ONE, ONE | {"id": "2", "status": {"name": "PENDING"}}]}).encode()
    reports = await channel.reported(a_report(NAME, TOKEN, body=body))
    assert [report.state for report in reports] == [MessageState.DELIVERED, MessageState.SENT]


FORM = {"encoding": "form", "state_path": "dlr.state", "reason_path": "", "key_path": "ref"}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_report_may_be_a_form_or_a_query(mock_http: FakeHttp, method: str) -> None:
    channel = a_channel(mock_http, receipts=RECEIPTS | FORM)
    fields = {"dlr.state": "DELIVERED", "ref": KEY, "id": "4711"}
    query, body = (fields, b"") if method == "GET" else (None, urlencode(fields).encode())
    reports = await channel.reported(a_report(NAME, TOKEN, query=query, body=body, method=method))
    assert reports == (DeliveryReport(MessageState.DELIVERED, KEY, "4711"),)


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b"[1]", b"{}", b'"x"', json.dumps(ONE | {"status": "DELIVERED"}).encode()],
)
async def test_a_report_that_says_nothing_known_is_invalid(mock_http: FakeHttp, body: bytes) -> None:
    channel = a_channel(mock_http, receipts=RECEIPTS)
    with pytest.raises(UsageError) as caught:
        await channel.reported(a_report(NAME, TOKEN, body=body))
    assert caught.value.code == "receipt-invalid"


async def test_a_report_about_no_message_is_invalid(mock_http: FakeHttp) -> None:
    body = json.dumps({"status": {"name": "DELIVERED"}}).encode()
    with pytest.raises(UsageError) as caught:
        await a_channel(mock_http, receipts=RECEIPTS).reported(a_report(NAME, TOKEN, body=body))
    assert caught.value.code == "receipt-invalid"


class TestReportsToASecretAddress(ReportingChannelContract):
    secrets = (API_KEY, RECEIPT_SECRET, TOKEN)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> HttpsSms:
        return a_channel(mock_http, receipts=RECEIPTS)

    @pytest.fixture
    def good(self) -> Notification:
        return a_report(NAME, TOKEN, body=json.dumps(ONE | {"to": NUMBER}).encode())

    @pytest.fixture
    def expected(self) -> Sequence[DeliveryReport]:
        return [DeliveryReport(MessageState.DELIVERED, KEY, "4711")]

    @pytest.fixture
    def forged(self, good: Notification) -> Sequence[Notification]:
        paths = ("", TOKEN[:-1], TOKEN.upper(), "é", f"{TOKEN}/more")
        return [a_report(NAME, path, body=good.body) for path in paths]


class TestReportsAsQuery(TestReportsToASecretAddress):
    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> HttpsSms:
        return a_channel(mock_http, receipts=RECEIPTS | FORM)

    @pytest.fixture
    def good(self) -> Notification:
        query = {"dlr.state": "DELIVERED", "ref": KEY, "id": "4711", "to": NUMBER}
        return a_report(NAME, TOKEN, query=query, method="GET")


def with_hmac(body: bytes) -> Notification:
    return a_report(NAME, body=body, headers={"x-signature": digest("sha256", body).hex()})


class TestSignedReports(ReportingChannelContract):
    secrets = (API_KEY, RECEIPT_SECRET)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> HttpsSms:
        return a_channel(mock_http, receipts=RECEIPTS | {"header": "X-Signature"})

    @pytest.fixture
    def good(self) -> Notification:
        return with_hmac(json.dumps(ONE).encode())

    @pytest.fixture
    def expected(self) -> Sequence[DeliveryReport]:
        return [DeliveryReport(MessageState.DELIVERED, KEY, "4711")]

    @pytest.fixture
    def sign(self) -> Callable[[bytes], Notification]:
        return with_hmac

    @pytest.fixture
    def forged(self, good: Notification) -> Sequence[Notification]:
        stranger = hmac.new(b"another-key", good.body, hashlib.sha256).hexdigest()
        return [
            a_report(NAME, body=good.body),
            a_report(NAME, TOKEN, body=good.body),
            a_report(NAME, body=good.body, headers={"x-signature": stranger}),
            a_report(NAME, body=good.body + b" ", headers=dict(good.headers)),
            a_report(NAME, body=good.body, headers={"x-other": good.headers["x-signature"]}),
        ]


async def test_without_the_section_all_reports_are_refused(mock_http: FakeHttp) -> None:
    with pytest.raises(Refused):
        await a_channel(mock_http).reported(a_report(NAME, TOKEN, body=json.dumps(ONE).encode()))


def digest(algorithm: str, body: bytes) -> bytes:
    return hmac.new(RECEIPT_SECRET.encode(), body, getattr(hashlib, algorithm)).digest()


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
@pytest.mark.parametrize("digits", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha256="])
async def test_a_report_may_be_signed_in_a_header(
    mock_http: FakeHttp, algorithm: str, digits: str, prefix: str
) -> None:
    changes = {"header": "X-Signature", "algorithm": algorithm, "digits": digits, "prefix": prefix}
    channel = a_channel(mock_http, receipts=RECEIPTS | changes)
    body = json.dumps(ONE).encode()
    made = digest(algorithm, body)
    text = prefix + (made.hex() if digits == "hex" else base64.b64encode(made).decode())
    (report,) = await channel.reported(a_report(NAME, body=body, headers={"x-signature": text}))
    assert report.state is MessageState.DELIVERED
    for wrong in ("", text[:-1], text + "x", made.hex()[::-1], "é"):
        with pytest.raises(Refused):
            await channel.reported(a_report(NAME, body=body, headers={"x-signature": wrong}))
    with pytest.raises(Refused):
        await channel.reported(a_report(NAME, body=body + b" ", headers={"x-signature": text}))


async def test_a_query_that_nobody_signed_counts_for_nothing(mock_http: FakeHttp) -> None:
    channel = a_channel(mock_http, receipts=RECEIPTS | FORM | {"header": "X-Signature"})
    forged = {"dlr.state": "DELIVERED", "ref": KEY}
    headers = {"x-signature": digest("sha256", b"").hex()}
    with pytest.raises(UsageError):
        await channel.reported(a_report(NAME, query=forged, headers=headers, method="GET"))


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"body": {"to": "{recipent}", "text": "{text}"}}, r"body\.to: .*\{recipent\}"),
        ({"body": {"a": [{"b": "{name}"}], "to": "{recipient}", "text": "{text}"}}, r"body\.a\.0\.b"),
        ({"body": {"to": "{recipient", "text": "{text}"}}, r"body\.to: braces"),
        ({"body": {"to": "{recipient!r}", "text": "{text}"}}, r"body\.to: braces"),
        ({"body": {"to": "{recipient:>9}", "text": "{text}"}}, r"body\.to: braces"),
        ({"body": {"to": "{recipient.__class__}", "text": "{text}"}}, r"body\.to"),
        ({"body": {"to": "{}", "text": "{text}"}}, r"body\.to"),
        ({"body": {"to": "{recipient}", "text": "{text}", "at": NOW}}, r"body\.at: only"),
        ({"headers": {"X-To": "{recipient}"}}, r"headers\.X-To"),
        ({"body": {"to": "{recipient}"}}, r"\{text\}"),
        ({"body": {"text": "{text}"}}, r"\{recipient\}"),
        ({"body": {}}, "body"),
        ({"body": {"to": ["{recipient}"], "text": "{text}"}, "encoding": "form"}, "form"),
        ({"body": SECTION["body"] | {"cb": "{receipts}"}}, "receipts"),
        ({"success_path": "status"}, "success_values"),
        ({"errors": {"17": "wrong-number"}}, "wrong-number"),
        ({"statuses": {"400": "wrong-number"}}, "wrong-number"),
        ({"statuses": {"200": "number-invalid"}}, "statuses"),
        ({"method": "GET"}, "method"),
        ({"url": "http://sms.example/send"}, "https"),
        ({"url": "https://user:pass@sms.example/send"}, "url"),
        ({"senders": {"elsewhere": "Praxis"}}, "elsewhere"),
        ({"colour": "blue"}, "colour"),
        ({"receipts": RECEIPTS | {"secret": SecretStr("short")}}, "16 characters"),
        ({"receipts": RECEIPTS | {"key_path": "", "id_path": ""}}, "key_path"),
        ({"receipts": RECEIPTS | {"reasons": {"5": "wrong-number"}}}, "wrong-number"),
        ({"receipts": RECEIPTS | {"delivered": []}}, "delivered"),
        ({"receipts": RECEIPTS | {"algorithm": "md5"}}, "algorithm"),
    ],
)
def test_settings_that_cannot_work_stop_the_start_and_name_the_key(
    mock_http: FakeHttp, changes: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ConfigurationError, match=wrong) as caught:
        vsdk_notification_channels(FakeConfig({NAME: SECTION | changes}), mock_http)
    assert API_KEY not in str(caught.value)


def strict(request: Arrived) -> Answer:
    """A gateway that knows a key, answers a repeated one as it did before, and takes forms only."""
    if request.headers.get("x-api-key") != API_KEY:
        return 403, {"error": "…"}
    if request.headers["content-type"] != "application/x-www-form-urlencoded":
        return 415, {"error": "…"}
    fields = dict(parse_qsl(request.body.decode()))
    return 200, {"messages": [{"id": f"of-{request.headers['idempotency-key']}", "status": fields["to"]}]}


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.close()


async def test_a_real_server_takes_what_the_settings_of_a_file_say(
    http: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_API_KEY", API_KEY)
    with serving(strict) as gateway:
        file = tmp_path / "vsdk.toml"
        file.write_text(
            f"""
            plugins = ["https_sms"]
            [plugin.https_sms]
            url = "{gateway.url}/send"
            encoding = "form"
            headers = {{ "X-Api-Key" = {{ env = "SMS_API_KEY" }}, "Idempotency-Key" = "{{key}}" }}
            body = {{ to = "{{recipient}}", text = "{{text}}", ttl = "{{ttl_seconds}}" }}
            id_path = "messages.0.id"
            success_path = "messages.0.status"
            success_values = ["{NUMBER}"]
            """,
            encoding="utf-8",
        )
        (channel,) = vsdk_notification_channels(PluginConfig(Settings.load(file)), http)
        message = a_message(text="Grüße & « Où ? » 10 % 👋")
        assert await channel.deliver(message) == await channel.deliver(message) == Receipt(f"of-{KEY}")
    fields = dict(parse_qsl(gateway.arrived[0].body.decode()))
    assert fields == {"to": NUMBER, "text": "Grüße & « Où ? » 10 % 👋"}


async def test_a_real_server_refuses_another_key(http: HttpClient) -> None:
    with serving(strict) as gateway, pytest.raises(PartnerError) as caught:
        await a_channel(http, url=gateway.url, headers={"X-Api-Key": "k3y"}).deliver(a_message())
    assert (caught.value.code, caught.value.retryable) == ("gateway-access", False)


PAGE = Path(__file__).parents[3] / "docs" / "channels" / "sms.md"
BLOCKS = [block.partition("```")[0] for block in PAGE.read_text(encoding="utf-8").split("```toml\n")[1:]]


def with_secrets(value: Any) -> Any:
    """As the settings are when the environment has all that is referred to."""
    if isinstance(value, dict):
        if value.keys() in ({"env"}, {"file"}):
            return SecretStr("secret-of-nobody")
        return {key: with_secrets(inner) for key, inner in value.items()}
    return [with_secrets(inner) for inner in value] if isinstance(value, list) else value


def generic_sections() -> list[dict[str, Any]]:
    sections = (tomllib.loads(block).get("plugin", {}).get(NAME) for block in BLOCKS)
    return [with_secrets(section) for section in sections if section]


@pytest.mark.parametrize("section", generic_sections(), ids=lambda section: section["url"].split("/")[2])
async def test_the_settings_in_the_documentation_work(mock_http: FakeHttp, section: dict[str, Any]) -> None:
    (channel,) = vsdk_notification_channels(FakeConfig({NAME: section}), mock_http.failing())
    with pytest.raises(PartnerError):
        await channel.deliver(a_message())
    (request,) = mock_http.requests
    assert request.carries(TEXT)
    assert request.carries(NUMBER.lstrip("+"))


def test_the_documentation_has_settings_for_known_gateways() -> None:
    assert len(generic_sections()) >= 4
