"""The contract of delivery reports: good channels pass, and for each thing it asks a bad one is found out."""

import hmac
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.hooks.found_out import is_found_out, nowhere_used, run

from vsdk.domain.errors import Refused, UsageError
from vsdk.domain.message import DeliveryReport, Message, MessageState, Receipt
from vsdk.hooks.ports import Notification
from vsdk.testing.contract import Overheard
from vsdk.testing.contracts import ReportingChannelContract
from vsdk.testing.fakes import FakeClock

KEY = b"a-key-of-nobody-at-all"
NUMBER = "+4915123456789"
ADDRESS = "https://praxis.example/video/receipts/acme_sms"
TOO_OLD = timedelta(minutes=5)
STATES = {"ok": MessageState.DELIVERED, "lost": MessageState.UNDELIVERED}

CLOCK = FakeClock()


def invalid() -> UsageError:
    return UsageError("the report cannot be understood", code="receipt-invalid")


def refused() -> Refused:
    return Refused("the report is not signed as was agreed on", code="receipt-refused")


class GoodReports:
    """JSON, signed together with its time by HMAC-SHA256."""

    channel = "sms"

    async def deliver(self, message: Message) -> Receipt:
        return Receipt()

    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        self.check(notification)
        try:
            body = json.loads(notification.body)
        except (ValueError, RecursionError):
            raise invalid() from None
        return [self.read(body)]

    def check(self, notification: Notification) -> None:
        at, given = (notification.headers.get(name, "") for name in ("x-time", "x-signature"))
        expected = signature(notification.body, at)
        if not hmac.compare_digest(given.encode(), expected.encode()) or not self.is_fresh(at):
            raise refused()

    def is_fresh(self, at: str) -> bool:
        return abs(CLOCK.now().timestamp() - float(at)) < TOO_OLD.total_seconds()

    def read(self, body: Any) -> DeliveryReport:
        if not isinstance(body, dict):
            raise invalid()
        key, state = body.get("ref"), body.get("state")
        if not isinstance(key, str) or not key or not isinstance(state, str) or state not in STATES:
            raise invalid()
        return DeliveryReport(STATES[state], key, code="" if state == "ok" else "not-delivered")


class InTheAddress(GoodReports):
    """A GET with a secret in the path and the report in the query."""

    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        if not hmac.compare_digest(notification.path, KEY.decode()):
            raise refused()
        fields = parse_qs(urlsplit(notification.url).query)
        return [self.read({name: values[0] for name, values in fields.items()})]


def signature(body: bytes, at: str, key: bytes = KEY) -> str:
    return hmac.new(key, at.encode() + b"." + body, "sha256").hexdigest()


def signed(body: bytes, key: bytes = KEY, **ago: float) -> Notification:
    at = str(int((CLOCK.now() - timedelta(**ago)).timestamp()))
    headers = {"content-type": "application/json", "x-time": at, "x-signature": signature(body, at, key)}
    return Notification("POST", "", headers, body, ADDRESS)


GOOD = signed(json.dumps({"ref": "key-1", "state": "lost", "to": NUMBER}).encode())
FORGED = [
    replace(GOOD, headers={}),
    replace(GOOD, headers=dict(GOOD.headers) | {"x-signature": ""}),
    replace(GOOD, body=GOOD.body.replace(b"lost", b"ok")),
    replace(GOOD, headers=dict(GOOD.headers) | {"x-time": "1"}),
    signed(GOOD.body, b"another key"),
    signed(GOOD.body, minutes=6),
]
EXPECTED = [DeliveryReport(MessageState.UNDELIVERED, "key-1", code="not-delivered")]


class TestGoodReports(ReportingChannelContract):
    secrets = (KEY.decode(),)

    @pytest.fixture
    def adapter(self) -> GoodReports:
        return GoodReports()

    @pytest.fixture
    def good(self) -> Notification:
        return GOOD

    @pytest.fixture
    def expected(self) -> Sequence[DeliveryReport]:
        return EXPECTED

    @pytest.fixture
    def forged(self) -> Sequence[Notification]:
        return FORGED

    @pytest.fixture
    def sign(self) -> Callable[[bytes], Notification]:
        return signed


class TestReportsInTheAddress(ReportingChannelContract):
    secrets = (KEY.decode(),)

    @pytest.fixture
    def adapter(self) -> InTheAddress:
        return InTheAddress()

    @pytest.fixture
    def good(self) -> Notification:
        url = f"{ADDRESS}/{KEY.decode()}?ref=key-1&state=ok&to=%2B4915123456789"
        return Notification("GET", KEY.decode(), {}, b"", url)

    @pytest.fixture
    def expected(self) -> Sequence[DeliveryReport]:
        return [DeliveryReport(MessageState.DELIVERED, "key-1")]

    @pytest.fixture
    def forged(self, good: Notification) -> Sequence[Notification]:
        return [replace(good, path=path) for path in ("", "another-secret", KEY.decode().upper())]


class Unsigned(GoodReports):
    def check(self, notification: Notification) -> None:
        return


class AnyTime(GoodReports):
    def is_fresh(self, at: str) -> bool:
        return True


class WithoutTime(GoodReports):
    def check(self, notification: Notification) -> None:
        given, at = notification.headers.get("x-signature"), GOOD.headers["x-time"]
        if given != signature(notification.body, at):
            raise refused()


class NoneIsEnough(GoodReports):
    def check(self, notification: Notification) -> None:
        if notification.headers.get("x-signature"):
            super().check(notification)


class OtherCode(GoodReports):
    def check(self, notification: Notification) -> None:
        try:
            super().check(notification)
        except Refused:
            raise Refused("no") from None


class NamesTheNumber(GoodReports):
    def check(self, notification: Notification) -> None:
        try:
            super().check(notification)
        except Refused:
            raise Refused(f"no: {notification.body!r}", code="receipt-refused") from None


class LogsTheKey(GoodReports):
    def check(self, notification: Notification) -> None:
        logging.getLogger("acme").debug("checked with %s", KEY.decode())
        super().check(notification)


class Trusting(GoodReports):
    def read(self, body: Any) -> DeliveryReport:
        return DeliveryReport(STATES[body["state"]], body["ref"], code="not-delivered")


class TooDeep(GoodReports):
    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        self.check(notification)
        try:
            body = json.loads(notification.body)
        except ValueError:
            raise invalid() from None
        return [self.read(body)]


class BelievesAll(GoodReports):
    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        self.check(notification)
        return EXPECTED


class Halfway(GoodReports):
    """Crashes at what is of another type than it thinks."""

    def read(self, body: Any) -> DeliveryReport:
        if not isinstance(body, dict) or not body.get("ref") or not body.get("state"):
            raise invalid()
        if body["state"].lower() not in STATES:
            raise invalid()
        return super().read(body)


class Talkative(GoodReports):
    def read(self, body: Any) -> DeliveryReport:
        logging.getLogger("acme").info("got %s", body)
        return super().read(body)


class WithNumber(GoodReports):
    def read(self, body: Any) -> DeliveryReport:
        return replace(super().read(body), provider_id=body["to"])


class Nothing(GoodReports):
    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        await super().reported(notification)
        return []


class NotAsync(GoodReports):
    def reported(self, notification: Notification) -> Sequence[DeliveryReport]:  # type: ignore[override]
        return EXPECTED


CHANNEL = "test_it_is_a_reporting_channel"
GIVEN = "test_a_report_is_understood"
FORGERY = "test_what_is_forged_is_refused_and_not_shown"
BARE = "test_a_report_without_any_proof_is_not_believed"
RUBBISH = "test_rubbish_is_refused_or_a_mistake_of_the_caller"
TYPES = "test_values_of_any_type_are_understood_or_a_mistake_of_the_caller"

BAD: list[tuple[type[GoodReports], str]] = [
    (NotAsync, CHANNEL),
    (Nothing, GIVEN),
    (Talkative, GIVEN),
    (WithNumber, GIVEN),
    (LogsTheKey, GIVEN),
    (Unsigned, FORGERY),
    (AnyTime, FORGERY),
    (WithoutTime, FORGERY),
    (NoneIsEnough, FORGERY),
    (OtherCode, FORGERY),
    (NamesTheNumber, FORGERY),
    (LogsTheKey, FORGERY),
    (Unsigned, BARE),
    (NoneIsEnough, BARE),
    (Trusting, RUBBISH),
    (TooDeep, RUBBISH),
    (BelievesAll, RUBBISH),
    (Halfway, TYPES),
    (Trusting, TYPES),
]


@pytest.mark.parametrize(("bad", "caught_by"), BAD)
async def test_a_bad_channel_is_found_out(
    bad: type[GoodReports],
    caught_by: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {"good": GOOD, "expected": EXPECTED, "forged": FORGED, "sign": signed}
    with Overheard(caplog, capsys) as ears:
        await run(TestGoodReports(), caught_by, adapter=GoodReports(), overheard=ears, **given)
        assert await is_found_out(TestGoodReports(), caught_by, adapter=bad(), overheard=ears, **given)
    caplog.clear()


async def test_a_channel_that_nobody_can_forge_is_one_that_signs_nothing(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with Overheard(caplog, capsys) as ears:
        assert await is_found_out(
            TestGoodReports(), FORGERY, adapter=GoodReports(), forged=[], overheard=ears
        )


def test_for_each_thing_that_is_asked_there_is_a_bad_channel() -> None:
    assert nowhere_used(ReportingChannelContract, [test for _, test in BAD]) == set()
