"""The contract of a ReportingChannel (see `vsdk.testing.contracts`)."""

import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from vsdk.domain.errors import Refused, UsageError, VsdkError
from vsdk.domain.message import DeliveryReport, MessageState
from vsdk.hooks.ports import Notification, ReportingChannel
from vsdk.testing.contract import KEBAB, Contract, Overheard, in_time

REPORTABLE = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.UNDELIVERED})
SENSELESS = (
    b"",
    b"not JSON",
    b"null",
    b"17",
    b'"text"',
    b"[]",
    b"{}",
    b"[[]]",
    b"[null]",
    b'{"a": 1e999}',
    b'"\\ud800"',
    b"=&=&%zz=%",
    b"<report/>",
    b"\xff\xfe\x00",
    b"9" * 10_000,
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"x" * 1_000_000,
)
WRONG_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    10**40,
    "",
    "\0",
    "x" * 10_000,
    [],
    [[]],
    {},
    {"a": None},
)
_NUMBER = re.compile(r"(?:\+|%2B|\b00)([1-9][0-9]{6,14})\b", re.IGNORECASE)


class ReportingChannelContract(Contract):
    """Give the fixtures

    - ``adapter``: the channel;
    - ``good``: a call that the gateway would make, signed as it would be, and ``expected``: the reports in
      it;
    - ``forged``: calls that no gateway made. Without a signature, with one of another key, with a body or
      an address that was altered afterwards, and, where the scheme knows times, one that is too old;
    - where the body is signed: ``sign``, which makes a call with a given body and the right signature, so
      that rubbish gets as far as to be read.

    ``secrets`` are the keys, ``private`` is what else in ``good`` no log may show; numbers with ``+`` are
    found.
    """

    private: ClassVar[Sequence[str]] = ()

    @pytest.fixture
    def adapter(self) -> ReportingChannel:
        raise NotImplementedError("give the channel under test")

    @pytest.fixture
    def good(self) -> Notification:
        raise NotImplementedError("give a call of the gateway, correctly signed")

    @pytest.fixture
    def expected(self) -> Sequence[DeliveryReport]:
        raise NotImplementedError("give the reports that stand in it")

    @pytest.fixture
    def forged(self) -> Sequence[Notification]:
        raise NotImplementedError("give calls that must be refused")

    @pytest.fixture
    def sign(self, good: Notification) -> Callable[[bytes], Notification]:
        return lambda body: replace(good, body=body)

    def test_it_is_a_reporting_channel(self, adapter: ReportingChannel) -> None:
        assert isinstance(adapter, ReportingChannel)
        assert inspect.iscoroutinefunction(adapter.reported)

    async def test_a_report_is_understood(
        self,
        adapter: ReportingChannel,
        good: Notification,
        expected: Sequence[DeliveryReport],
        overheard: Overheard,
    ) -> None:
        reports = await in_time(adapter.reported(good))
        assert list(reports) == list(expected)
        assert reports, "a report that says nothing proves nothing"
        for report in reports:
            assert report.state in REPORTABLE
            assert report.idempotency_key or report.provider_id, "nobody would know which message it is about"
            assert not report.code or KEBAB.fullmatch(report.code)
        self.assert_silent(self._private_in(good), overheard.text + repr(reports))

    async def test_what_is_forged_is_refused_and_not_shown(
        self, adapter: ReportingChannel, forged: Sequence[Notification], overheard: Overheard
    ) -> None:
        assert forged, "what nobody can forge is not signed"
        for number, notification in enumerate(forged):
            outcome = await self._outcome(adapter, notification, overheard)
            assert isinstance(outcome, Refused), f"forged[{number}] was read, and not refused"
            assert outcome.code == "receipt-refused"

    async def test_a_report_without_any_proof_is_not_believed(
        self, adapter: ReportingChannel, good: Notification, overheard: Overheard
    ) -> None:
        url = good.url.partition("?")[0].removesuffix(good.path)
        bare = Notification(good.method, "", {}, good.body, url)
        assert isinstance(await self._outcome(adapter, bare, overheard), VsdkError)

    async def test_rubbish_is_refused_or_a_mistake_of_the_caller(
        self,
        adapter: ReportingChannel,
        good: Notification,
        sign: Callable[[bytes], Notification],
        overheard: Overheard,
    ) -> None:
        for rubbish in SENSELESS:
            notification = sign(rubbish) if good.body else _asking(good, rubbish.decode("latin-1"))
            outcome = await self._outcome(adapter, notification, overheard)
            assert isinstance(outcome, VsdkError) or not outcome, f"{rubbish[:20]!r} was believed"

    async def test_values_of_any_type_are_understood_or_a_mistake_of_the_caller(
        self,
        adapter: ReportingChannel,
        good: Notification,
        sign: Callable[[bytes], Notification],
        overheard: Overheard,
    ) -> None:
        query = urlsplit(good.url).query
        varied = [*map(sign, _variations(good.body)), *(_asking(good, q) for q in _forms(query))]
        for notification in varied:
            await self._outcome(adapter, notification, overheard)

    async def _outcome(
        self, adapter: ReportingChannel, notification: Notification, overheard: Overheard
    ) -> Sequence[DeliveryReport] | Refused | UsageError:
        """Reports, or why there are none, with a code that is known; nothing else, and nothing shown."""
        outcome: Sequence[DeliveryReport] | Refused | UsageError
        try:
            outcome = await in_time(adapter.reported(notification))
        except (Refused, UsageError) as error:
            outcome = error
        except Exception as error:
            name = type(error).__name__
            raise AssertionError(f"{name}, where only Refused and UsageError are understood") from error
        if isinstance(outcome, VsdkError):
            assert outcome.code in ("receipt-refused", "receipt-invalid")
            self.assert_silent(self._private_in(notification), overheard.text, outcome)
        else:
            assert all(isinstance(report, DeliveryReport) for report in outcome)
            self.assert_silent(self._private_in(notification), overheard.text + repr(outcome))
        return outcome

    def _private_in(self, notification: Notification) -> list[str]:
        shown = notification.url + notification.body.decode(errors="replace")
        return [*self.private, *_NUMBER.findall(shown)]


def _asking(notification: Notification, query: str) -> Notification:
    return replace(notification, url=f"{notification.url.partition('?')[0]}?{query}")


def _variations(body: bytes) -> Iterator[bytes]:
    """A JSON text or a form in which one value after the other is missing, or of another type."""
    try:
        value = json.loads(body)
    except ValueError:
        yield from (form.encode() for form in _forms(body.decode(errors="replace")))
    else:
        yield from (json.dumps(changed).encode() for changed in _changed(value))


def _changed(value: Any) -> Iterator[Any]:
    yield from WRONG_VALUES
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield from (value | {name: changed} for changed in _changed(inner))
    elif isinstance(value, list) and value:
        yield from ([changed, *value[1:]] for changed in _changed(value[0]))


def _forms(form: str) -> Iterator[str]:
    pairs = parse_qsl(form, keep_blank_values=True)
    for place, (name, _) in enumerate(pairs):
        yield urlencode(pairs[:place] + pairs[place + 1 :])
        for wrong in ("", "\0", "-1", "9" * 5_000, "\ud7ff", "[]", "x" * 10_000):
            yield urlencode([*pairs[:place], (name, wrong), *pairs[place + 1 :]])
