"""The contracts of a NotificationChannel (see `vsdk.testing.contracts`)."""

import asyncio
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import pytest

from vsdk.domain.errors import DeliveryFailed, PartnerError
from vsdk.domain.message import Message, Receipt
from vsdk.hooks.ports import NotificationChannel
from vsdk.testing.contract import KEBAB, Contract, Overheard, appears, in_time
from vsdk.testing.loopback import LoopbackHttp
from vsdk.testing.recipients import private_of, reaches, recipients, texts_of
from vsdk.testing.sent import ArrivedRequest

EVERY_LETTER = "Grüß Gott, Zoë Łuć – 10 €: «dès 9 h» 👋🏽 100 % & + = \"ja\" <b>'nein'</b>\n2. Zeile"
ELSEWHERE = "elsewhere.example"

OUT_OF_REACH: dict[str, Callable[[LoopbackHttp], LoopbackHttp]] = {
    "refuses-connections": LoopbackHttp.failing,
    "does-not-answer": LoopbackHttp.silent,
    "drips": LoopbackHttp.dripping,
    "breaks-off": LoopbackHttp.breaking_off,
    "has-a-certificate-of-a-stranger": LoopbackHttp.untrusted,
    "speaks-no-tls": LoopbackHttp.without_tls,
}
TAKEN: dict[str, Callable[[LoopbackHttp, Message], LoopbackHttp]] = {
    "answers-no-json": lambda http, message: http.answering(text=f"<p>{message.recipient} {message.text}"),
    "answers-nothing": lambda http, _: http.answering(text=""),
    "answers-too-much": lambda http, _: http.oversized(),
    "has-it-already": lambda http, message: http.answering(status=409, json={"error": message.recipient}),
}


class AnyChannelContract(Contract):
    """For a channel that has another way out than the port Http. Give:

    - fixture ``adapter``: the channel, ready to deliver;
    - ``secrets``: its tokens and passwords.

    ``message`` may be replaced by one that suits better; without a recipient it gets one of the channel's
    kind. ``private`` is what of its text no log may show.
    """

    message: ClassVar[Message] = Message(
        recipient="",
        text="Zu Ihrer Videosprechstunde: https://praxis.example/v/j#h4ndle-of-nobody",
        idempotency_key="3b5c7f0e9a5d4d7c8f1e2a3b4c5d6e7f",
        template="link-at-time",
        language="de",
        subject="Ihre Videosprechstunde",
    )
    private: ClassVar[Sequence[str]] = ("Videosprechstunde", "h4ndle-of-nobody")

    @pytest.fixture
    def adapter(self) -> NotificationChannel:
        raise NotImplementedError("give the channel under test")

    def test_it_is_a_notification_channel(self, adapter: NotificationChannel) -> None:
        assert isinstance(adapter, NotificationChannel)
        assert inspect.iscoroutinefunction(adapter.deliver)
        assert KEBAB.fullmatch(adapter.channel)

    async def test_a_delivery_gives_a_receipt_and_shows_nothing(
        self, adapter: NotificationChannel, overheard: Overheard
    ) -> None:
        outcome = await self.deliver(adapter, self.message_to(adapter), overheard)
        assert isinstance(outcome, Receipt), f"{outcome!r} where all is well"

    def message_to(self, adapter: NotificationChannel, recipient: str = "", **changes: str) -> Message:
        usual = self.message.recipient or recipients(adapter.channel)[0]
        return replace(self.message, recipient=recipient or usual, **changes)  # type: ignore[arg-type]

    async def deliver(
        self, adapter: NotificationChannel, message: Message, overheard: Overheard
    ) -> Receipt | PartnerError:
        """The outcome of one attempt, which came in time and showed nothing private."""
        outcome: Receipt | PartnerError
        try:
            outcome = await in_time(adapter.deliver(message))
        except PartnerError as error:
            outcome = error
        except Exception as error:
            name = type(error).__name__
            raise AssertionError(
                f"{name}, where only PartnerError or DeliveryFailed are understood"
            ) from error
        private = (*private_of(message.recipient, adapter.channel), *self.private, message.text)
        if isinstance(outcome, PartnerError):
            assert KEBAB.fullmatch(outcome.code)
            self.assert_silent(private, overheard.text + repr(message), outcome)
        else:
            assert isinstance(outcome, Receipt)
            assert isinstance(outcome.provider_id, str)
            self.assert_silent(private, overheard.text + repr(message) + repr(outcome))
        return outcome


class NotificationChannelContract(AnyChannelContract):
    """For a channel whose way out is the port Http. Give:

    - fixture ``adapter``: the channel over ``mock_http``, which you let answer as the gateway does when all
      is well: ``AcmeSms(AcmeConfig(token="t"), mock_http.answering(json={"id": "1"}))``;
    - ``secrets``: its tokens and passwords.

    ``mock_http`` is here a `LoopbackHttp`: every request goes through vsdk's own HTTP code and TLS to a
    server on this machine, which then fails in all the ways that gateways do. Where a gateway reads its
    requests in a form of its own, override ``texts``.
    """

    @pytest.fixture
    def mock_http(self) -> Iterator[LoopbackHttp]:
        with LoopbackHttp() as http:
            yield http

    def texts(self, request: ArrivedRequest, channel: str) -> Sequence[str]:
        """What the gateway reads in a request, apart from its address."""
        return texts_of(request, channel)

    async def test_recipient_and_text_arrive_and_are_not_in_the_address(
        self, adapter: NotificationChannel, mock_http: LoopbackHttp, overheard: Overheard
    ) -> None:
        for recipient in recipients(adapter.channel):
            mock_http.arrived.clear()
            message = self.message_to(adapter, recipient)
            outcome = await self.deliver(adapter, message, overheard)
            if isinstance(outcome, DeliveryFailed) and recipient != recipients(adapter.channel)[0]:
                continue  # a gateway need not reach every country
            assert isinstance(outcome, Receipt)
            request = self._first_with(message, adapter, mock_http)
            assert len(self._with(message, adapter, mock_http)) == 1, "one message is one request"
            assert any(message.text in text for text in self.texts(request, adapter.channel))
            self._assert_addresses_are_clean(message, adapter, mock_http)

    async def test_every_letter_arrives(
        self, adapter: NotificationChannel, mock_http: LoopbackHttp, overheard: Overheard
    ) -> None:
        message = self.message_to(adapter, text=EVERY_LETTER)
        await self.deliver(adapter, message, overheard)
        request = self._first_with(message, adapter, mock_http)
        assert any(message.text in text for text in self.texts(request, adapter.channel)), (
            "the text is not what it was (umlauts, signs, emoji, lines)"
        )

    async def test_each_attempt_carries_the_same_key_and_each_message_its_own(
        self, adapter: NotificationChannel, mock_http: LoopbackHttp, overheard: Overheard
    ) -> None:
        usual, message = mock_http.manner, self.message_to(adapter)
        other = self.message_to(adapter, idempotency_key=message.idempotency_key[::-1])
        away = mock_http.answering(status=503).manner
        same = [
            await self._carried(message, adapter, mock_http.behaving(manner), overheard)
            for manner in (away, usual, usual)
        ]
        different = await self._carried(other, adapter, mock_http, overheard)
        attempts = [texts for texts in same if texts]  # the first may have ended where one signs in
        assert len(attempts) >= 2
        assert different
        key = message.idempotency_key
        verbatim = all(any(key in text for text in texts) for texts in attempts)
        assert verbatim or set.intersection(*attempts) - different, (
            "the gateway could not recognise a repeated attempt"
        )

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
    async def test_a_refusal_is_retryable_only_where_it_may_pass(
        self, status: int, adapter: NotificationChannel, mock_http: LoopbackHttp, overheard: Overheard
    ) -> None:
        message = self.message_to(adapter)
        mock_http.answering(status=status, json={"error": message.recipient, "text": message.text})
        error = await self._failure(adapter, mock_http, overheard)
        assert error.retryable == (status >= 500 or status == 429)

    @pytest.mark.parametrize("status", [429, 503])
    async def test_how_long_to_wait_is_handed_on(
        self, status: int, adapter: NotificationChannel, mock_http: LoopbackHttp, overheard: Overheard
    ) -> None:
        mock_http.answering(status=status, headers={"Retry-After": "17"})
        assert (await self._failure(adapter, mock_http, overheard)).retry_after == 17

    @pytest.mark.parametrize("fault", OUT_OF_REACH)
    async def test_a_gateway_that_cannot_be_used_is_tried_again(
        self, fault: str, adapter: NotificationChannel, mock_http: LoopbackHttp, overheard: Overheard
    ) -> None:
        OUT_OF_REACH[fault](mock_http)
        assert (await self._failure(adapter, mock_http, overheard)).retryable

    @pytest.mark.parametrize("answer", TAKEN)
    async def test_what_the_gateway_took_is_not_sent_again(
        self, answer: str, adapter: NotificationChannel, mock_http: LoopbackHttp, overheard: Overheard
    ) -> None:
        message = self.message_to(adapter)
        TAKEN[answer](mock_http, message)
        outcome = await self.deliver(adapter, message, overheard)
        assert isinstance(outcome, Receipt) or not outcome.retryable, "it would be a second message"

    @pytest.mark.parametrize("status", [302, 307])
    async def test_a_message_follows_no_redirect_to_elsewhere(
        self, status: int, adapter: NotificationChannel, mock_http: LoopbackHttp, overheard: Overheard
    ) -> None:
        mock_http.redirecting(f"https://{ELSEWHERE}/take", status)
        outcome = await self.deliver(adapter, self.message_to(adapter), overheard)
        assert ELSEWHERE not in [request.host for request in mock_http.arrived], "a stranger got the message"
        assert isinstance(outcome, PartnerError), "nobody took the message"
        assert not outcome.retryable, "the gateway has moved for good: a person must see to it"

    async def test_a_cancelled_delivery_stops(
        self, adapter: NotificationChannel, mock_http: LoopbackHttp
    ) -> None:
        mock_http.hanging()
        delivery = asyncio.ensure_future(adapter.deliver(self.message_to(adapter)))
        for _ in range(200):
            if mock_http.arrived or delivery.done():
                break
            await asyncio.sleep(0.01)
        assert not delivery.done()
        delivery.cancel()
        await asyncio.wait([delivery], timeout=1)
        assert delivery.cancelled(), "it went on, or hid that it was stopped"

    async def _carried(
        self, message: Message, adapter: NotificationChannel, mock_http: LoopbackHttp, overheard: Overheard
    ) -> set[str]:
        """All that one attempt tells the gateway, nothing where it did not get so far."""
        mock_http.arrived.clear()
        await self.deliver(adapter, message, overheard)
        texts: set[str] = set()
        for request in self._with(message, adapter, mock_http)[:1]:
            texts = {request.target, *self.texts(request, adapter.channel)}
        return texts

    async def _failure(
        self, adapter: NotificationChannel, mock_http: LoopbackHttp, overheard: Overheard
    ) -> PartnerError:
        message = self.message_to(adapter)
        error = await self.deliver(adapter, message, overheard)
        assert isinstance(error, PartnerError), "a failure was taken for a success"
        repeated = [r for r in self._with(message, adapter, mock_http) if r.method == "POST"][1:]
        assert not repeated, "trying again is the affair of the outbox"
        self._assert_addresses_are_clean(message, adapter, mock_http)
        return error

    def _with(
        self, message: Message, adapter: NotificationChannel, mock_http: LoopbackHttp
    ) -> list[ArrivedRequest]:
        """The requests that name the recipient of the message."""
        kind = adapter.channel
        return [r for r in mock_http.arrived if reaches(r, self.texts(r, kind), message.recipient, kind)]

    def _first_with(
        self, message: Message, adapter: NotificationChannel, mock_http: LoopbackHttp
    ) -> ArrivedRequest:
        found = self._with(message, adapter, mock_http)
        assert found, "no request names the recipient as it was given (numbers in E.164)"
        return found[0]

    def _assert_addresses_are_clean(
        self, message: Message, adapter: NotificationChannel, mock_http: LoopbackHttp
    ) -> None:
        recipient = () if adapter.channel == "push" else private_of(message.recipient, adapter.channel)
        for request in mock_http.arrived:
            assert request.encrypted, "it was sent without TLS, for all to read"
            for text in (*recipient, *self.private, *self.secrets):
                assert not appears(text, request.address), "URLs end up in logs"
