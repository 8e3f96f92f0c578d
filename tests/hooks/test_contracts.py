"""The contracts themselves: good adapters pass over a fake and over the real HTTP client, bad ones fail."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx
import pytest

from vsdk.adapters.http import HttpClient
from vsdk.domain.errors import PartnerError
from vsdk.domain.message import Message, Receipt
from vsdk.hooks.ports import Http
from vsdk.testing.contracts import AnyChannelContract, NotificationChannelContract
from vsdk.testing.fakes import FakeHttp, RecordingChannel, SentRequest

URL = "https://sms.example/v1/messages"


class GoodSms:
    channel = "sms"

    def __init__(self, http: Http) -> None:
        self.http = http

    async def deliver(self, message: Message) -> Receipt:
        body = {"to": message.recipient, "text": message.text, "ref": message.idempotency_key}
        reply = await self.http.post(URL, json=body, headers={"authorization": "Bearer t0ken"})
        return Receipt(str(reply.json().get("id")))


class RealHttp(FakeHttp):
    """The real client of `vsdk.adapters.http` over a transport function, steered like `FakeHttp`."""

    def __init__(self) -> None:
        self._real = HttpClient(transport=httpx.MockTransport(self._transport))
        super().__init__()

    def answering(
        self,
        *,
        status: int = 200,
        json: Any = None,
        text: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        body: dict[str, Any] = {"json": json} if text is None else {"text": text}
        self._respond: Callable[[], httpx.Response] = lambda: httpx.Response(status, headers=headers, **body)
        self._silent = False
        return self

    def failing(self, error: PartnerError | None = None) -> Self:
        def refuse() -> httpx.Response:
            raise httpx.ConnectTimeout("too slow") if error else httpx.ConnectError("refused")

        self._respond = refuse
        return self

    def hanging(self) -> Self:
        self._silent = True
        return self

    async def _transport(self, request: httpx.Request) -> httpx.Response:
        if self._silent:
            await asyncio.sleep(60)
        return self._respond()

    async def request(self, method: str, url: str, **options: Any) -> Any:
        self.requests.append(SentRequest(method, url, dict(options)))
        return await self._real.request(method, url, **options)


class TestAGoodChannelOverTheFake(NotificationChannelContract):
    secrets = ("t0ken",)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> GoodSms:
        return GoodSms(mock_http.answering(json={"id": "1"}))


class TestAGoodChannelOverTheRealClient(TestAGoodChannelOverTheFake):
    @pytest.fixture
    def mock_http(self) -> RealHttp:
        return RealHttp()


class TestTheRecordingChannel(AnyChannelContract):
    @pytest.fixture
    def adapter(self) -> RecordingChannel:
        return RecordingChannel()


class NumberInAddress(GoodSms):
    async def deliver(self, message: Message) -> Receipt:
        await self.http.post(f"{URL}?to={message.recipient}", json={"all": repr(message.text)})
        return Receipt()


class WithoutKey(GoodSms):
    async def deliver(self, message: Message) -> Receipt:
        await self.http.post(URL, json={"to": message.recipient, "text": message.text})
        return Receipt()


class Talkative(GoodSms):
    async def deliver(self, message: Message) -> Receipt:
        try:
            return await super().deliver(message)
        except PartnerError as error:
            raise PartnerError(f"cannot reach {message.recipient}", retryable=error.retryable) from error


class AlwaysAgain(GoodSms):
    async def deliver(self, message: Message) -> Receipt:
        try:
            return await super().deliver(message)
        except PartnerError:
            raise PartnerError("failed", retryable=True) from None


class Swallowing(GoodSms):
    async def deliver(self, message: Message) -> Receipt:
        try:
            return await super().deliver(message)
        except (PartnerError, asyncio.CancelledError):
            return Receipt()


CONTRACT = [
    (name, test) for name, test in inspect.getmembers(NotificationChannelContract) if name.startswith("test_")
]


@pytest.mark.parametrize(
    ("bad", "caught_by"),
    [
        (NumberInAddress, "test_number_text_and_idempotency_key_are_forwarded_and_not_in_the_address"),
        (WithoutKey, "test_number_text_and_idempotency_key_are_forwarded_and_not_in_the_address"),
        (Talkative, "test_a_refusal_is_retryable_only_where_it_may_pass"),
        (AlwaysAgain, "test_a_refusal_is_retryable_only_where_it_may_pass"),
        (AlwaysAgain, "test_an_answer_that_is_not_json_is_understood_or_a_partner_error"),
        (Swallowing, "test_a_refusal_is_retryable_only_where_it_may_pass"),
        (Swallowing, "test_a_cancelled_delivery_stops"),
        (AlwaysAgain, "test_how_long_to_wait_is_handed_on"),
    ],
)
async def test_a_bad_channel_is_found_out(
    bad: type[GoodSms], caught_by: str, caplog: pytest.LogCaptureFixture
) -> None:
    http = FakeHttp().answering(json={"id": "1"})
    contract, adapter = NotificationChannelContract(), bad(http)
    available = {"adapter": adapter, "mock_http": http, "caplog": caplog, "status": 401}
    test = dict(CONTRACT)[caught_by]
    arguments = {name: available[name] for name in inspect.signature(test).parameters if name != "self"}
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await test(contract, **arguments)


async def test_a_good_channel_is_not_found_out_by_mistake(caplog: pytest.LogCaptureFixture) -> None:
    for _, test in CONTRACT:
        http = FakeHttp().answering(json={"id": "1"})
        available = {"adapter": GoodSms(http), "mock_http": http, "caplog": caplog, "status": 401}
        names = set(inspect.signature(test).parameters) - {"self"}
        if names <= available.keys() and inspect.iscoroutinefunction(test):
            await test(NotificationChannelContract(), **{name: available[name] for name in names})
