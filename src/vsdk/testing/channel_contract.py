"""What all contracts share, and the contract of a NotificationChannel (see `vsdk.testing.contracts`)."""

import asyncio
import inspect
import re
from collections.abc import Sequence
from typing import ClassVar

import pytest

from vsdk.domain.errors import PartnerError
from vsdk.domain.message import Message, Receipt
from vsdk.hooks.ports import NotificationChannel
from vsdk.testing.fakes import FakeHttp

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Contract:
    """Runs async tests on asyncio, whatever the plugin's own test settings are."""

    pytestmark: ClassVar[list[pytest.MarkDecorator]] = [pytest.mark.anyio]
    secrets: ClassVar[Sequence[str]] = ()
    """tokens and passwords of the adapter under test, which no log and no error may show"""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    def assert_silent(self, private: Sequence[str], log: str, error: BaseException | None) -> None:
        """Neither the log nor the error, as it would be logged, shows anything private."""
        shown = log
        while error is not None:
            shown += repr(error) + str(error)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        for text in (*private, *self.secrets):
            assert text not in shown, "a log line or an error shows what must stay private"


class AnyChannelContract(Contract):
    """Fixture ``adapter``: a channel that has another way out than the port Http."""

    message: ClassVar[Message] = Message(
        recipient="+491713920099",
        text="Zu Ihrer Videosprechstunde: https://praxis.example/v/j#h4ndle-of-nobody",
        idempotency_key="key-5f0c1a",
        template="link-at-time",
        language="de",
        subject="Ihre Videosprechstunde",
    )
    private: ClassVar[Sequence[str]] = (
        "+491713920099",
        "1713920099",
        "Videosprechstunde",
        "h4ndle-of-nobody",
    )

    @pytest.fixture
    def adapter(self) -> NotificationChannel:
        raise NotImplementedError("give the channel under test")

    def test_it_is_a_notification_channel(self, adapter: NotificationChannel) -> None:
        assert isinstance(adapter, NotificationChannel)
        assert inspect.iscoroutinefunction(adapter.deliver)
        assert KEBAB.fullmatch(adapter.channel)

    async def test_a_delivery_gives_a_receipt_and_shows_nothing(
        self,
        adapter: NotificationChannel,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level("DEBUG")
        receipt = await adapter.deliver(self.message)
        assert isinstance(receipt, Receipt)
        assert isinstance(receipt.provider_id, str)
        self.assert_silent(self.private, caplog.text + "".join(capsys.readouterr()), None)


class NotificationChannelContract(AnyChannelContract):
    """Fixture ``adapter``: the channel over ``mock_http``, answering as the gateway does when all is well."""

    async def test_number_text_and_idempotency_key_are_forwarded_and_not_in_the_address(
        self, adapter: NotificationChannel, mock_http: FakeHttp
    ) -> None:
        await adapter.deliver(self.message)
        assert len(mock_http.requests) == 1, "one message is one request"
        (request,) = mock_http.requests
        assert request.carries(self.message.idempotency_key), "a repeated attempt could not be recognised"
        assert request.carries(self.message.recipient.lstrip("+"))
        assert request.carries(self.message.text)
        address = request.url + repr(request.options.get("params"))
        assert not any(text in address for text in (*self.private, *self.secrets)), "URLs end up in logs"

    async def test_the_same_message_is_the_same_request(
        self, adapter: NotificationChannel, mock_http: FakeHttp
    ) -> None:
        await adapter.deliver(self.message)
        await adapter.deliver(self.message)
        first, second = mock_http.requests
        assert first == second

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 425, 429, 500, 502, 503])
    async def test_a_refusal_is_retryable_only_where_it_may_pass(
        self, status: int, adapter: NotificationChannel, mock_http: FakeHttp, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        mock_http.answering(status=status, json={"error": self.message.recipient, "text": self.message.text})
        error = await self._failure(adapter, caplog)
        assert error.retryable == (status >= 500 or status in (408, 425, 429))

    async def test_how_long_to_wait_is_handed_on(
        self, adapter: NotificationChannel, mock_http: FakeHttp, caplog: pytest.LogCaptureFixture
    ) -> None:
        mock_http.answering(status=429, headers={"Retry-After": "17"})
        assert (await self._failure(adapter, caplog)).retry_after == 17

    async def test_a_gateway_that_cannot_be_reached_is_tried_again(
        self, adapter: NotificationChannel, mock_http: FakeHttp, caplog: pytest.LogCaptureFixture
    ) -> None:
        mock_http.failing()
        assert (await self._failure(adapter, caplog)).retryable

    async def test_a_gateway_that_does_not_answer_in_time_is_tried_again(
        self, adapter: NotificationChannel, mock_http: FakeHttp, caplog: pytest.LogCaptureFixture
    ) -> None:
        mock_http.failing(PartnerError("no answer in time", retryable=True))
        assert (await self._failure(adapter, caplog)).retryable

    async def test_an_answer_that_is_not_json_is_understood_or_a_partner_error(
        self, adapter: NotificationChannel, mock_http: FakeHttp, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        mock_http.answering(text=f"<html>{self.message.recipient} {self.message.text}</html>")
        (outcome,) = await asyncio.gather(adapter.deliver(self.message), return_exceptions=True)
        if not isinstance(outcome, Receipt):
            assert isinstance(outcome, PartnerError)
            assert not outcome.retryable, "the gateway took the message: again would be a second one"
            self.assert_silent(self.private, caplog.text, outcome)

    async def test_a_cancelled_delivery_stops(
        self, adapter: NotificationChannel, mock_http: FakeHttp
    ) -> None:
        mock_http.hanging()
        delivery = asyncio.ensure_future(adapter.deliver(self.message))
        await asyncio.sleep(0.01)
        assert not delivery.done()
        delivery.cancel()
        await asyncio.wait([delivery], timeout=1)
        assert delivery.cancelled()

    async def _failure(self, adapter: NotificationChannel, caplog: pytest.LogCaptureFixture) -> PartnerError:
        with pytest.raises(PartnerError) as caught:
            await adapter.deliver(self.message)
        self.assert_silent(self.private, caplog.text, caught.value)
        return caught.value
