"""The contract of channels: good ones of all kinds pass; for each thing it asks, a bad one is found out."""

import asyncio
import base64
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import http_ece  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.hooks.found_out import is_found_out, nowhere_used, run

from vsdk.domain.errors import DeliveryFailed, PartnerError
from vsdk.domain.message import Message, Receipt
from vsdk.hooks.ports import Http
from vsdk.testing import contract as module
from vsdk.testing.channel_contract import OUT_OF_REACH, TAKEN
from vsdk.testing.contract import Overheard
from vsdk.testing.contracts import AnyChannelContract, NotificationChannelContract
from vsdk.testing.fakes import FakeHttp, RecordingChannel
from vsdk.testing.loopback import LoopbackHttp

URL = "https://sms.example/v1/messages"
TOKEN = "t0ken-of-nobody"
BEARER = {"authorization": f"Bearer {TOKEN}"}


class GoodSms:
    channel = "sms"

    def __init__(self, http: Http) -> None:
        self.http = http

    async def deliver(self, message: Message) -> Receipt:
        reply = await self.http.post(URL, json=self.body(message), headers=BEARER)
        return Receipt(str(reply.json().get("id")))

    def body(self, message: Message) -> dict[str, Any]:
        return {"to": message.recipient, "text": message.text, "ref": message.idempotency_key}


class InAForm(GoodSms):
    """Numbers begin with 00, keys are UUIDs made from ours."""

    async def deliver(self, message: Message) -> Receipt:
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, message.idempotency_key))
        number = message.recipient.replace("+", "00")
        form = {"phone": number, "body": message.text, "time": str(time.time_ns())}
        await self.http.post(URL, data=form, auth=("anna", TOKEN), headers={"idempotency-key": key})
        return Receipt()


class AsAResource(GoodSms):
    """The key is the name of what is put there; the number has no sign in front."""

    async def deliver(self, message: Message) -> Receipt:
        text = f"number={message.recipient[1:]}\n{message.text}".encode("utf-16-le")
        headers = BEARER | {"content-type": "text/plain; charset=utf-16-le"}
        url = f"{URL}/{message.idempotency_key}"
        await self.http.request("PUT", url, content=text, headers=headers)
        return Receipt()


class AfterSigningIn(GoodSms):
    """Fetches a token first, and does not reach every country."""

    async def deliver(self, message: Message) -> Receipt:
        if not message.recipient.startswith("+49"):
            raise DeliveryFailed("no numbers of other countries", code="number-abroad")
        await self.http.post("https://login.example/token", data={"secret": TOKEN})
        return await super().deliver(message)


class Mail(GoodSms):
    channel = "email"


class Fax(GoodSms):
    channel = "pigeon"


class Push(GoodSms):
    channel = "push"

    async def deliver(self, message: Message) -> Receipt:
        subscription = json.loads(message.recipient)
        record = http_ece.encrypt(
            json.dumps({"text": message.text}).encode(),
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=_decoded(subscription["keys"]["p256dh"]),
            auth_secret=_decoded(subscription["keys"]["auth"]),
        )
        headers = {"content-encoding": "aes128gcm", "ttl": "60", "topic": message.idempotency_key}
        await self.http.post(subscription["endpoint"], content=record, headers=headers)
        return Receipt()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


class TestAGoodChannel(NotificationChannelContract):
    secrets = (TOKEN,)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> GoodSms:
        return GoodSms(mock_http.answering(json={"id": "1"}))


class TestTheRecordingChannel(AnyChannelContract):
    @pytest.fixture
    def adapter(self) -> RecordingChannel:
        return RecordingChannel()


# Channels that do one thing wrongly


def sending(**changes: Callable[[Message], Any]) -> type[GoodSms]:
    """Puts something else into the body."""

    class Bad(GoodSms):
        def body(self, message: Message) -> dict[str, Any]:
            return super().body(message) | {name: change(message) for name, change in changes.items()}

    return Bad


def posting(url: Callable[[Message], str], **options: Any) -> type[GoodSms]:
    """Sends it to another address, or in another way."""

    class Bad(GoodSms):
        async def deliver(self, message: Message) -> Receipt:
            await self.http.post(url(message), json=self.body(message), **options)
            return Receipt()

    return Bad


def beside(act: Callable[[Message], object]) -> type[GoodSms]:
    """Does something besides."""

    class Bad(GoodSms):
        async def deliver(self, message: Message) -> Receipt:
            act(message)
            return await super().deliver(message)

    return Bad


def after_failure(react: Callable[[GoodSms, Message, Exception], Awaitable[Receipt]]) -> type[GoodSms]:
    """Makes something else of every failure."""

    class Bad(GoodSms):
        async def deliver(self, message: Message) -> Receipt:
            try:
                return await super().deliver(message)
            except Exception as error:
                return await react(self, message, error)

    return Bad


def as_if(retryable: bool) -> type[GoodSms]:
    async def react(channel: GoodSms, message: Message, error: Exception) -> Receipt:
        raise PartnerError("it failed", retryable=retryable, retry_after=17) from None

    return after_failure(react)


async def _swallow(channel: GoodSms, message: Message, error: Exception) -> Receipt:
    return Receipt()


async def _crash(channel: GoodSms, message: Message, error: Exception) -> Receipt:
    raise KeyError("id") from None


async def _forget_the_wait(channel: GoodSms, message: Message, error: Exception) -> Receipt:
    assert isinstance(error, PartnerError)
    raise PartnerError("failed", retryable=error.retryable) from None


async def _name_the_recipient(channel: GoodSms, message: Message, error: Exception) -> Receipt:
    assert isinstance(error, PartnerError)
    raise PartnerError(f"cannot reach {message.recipient}", retryable=error.retryable) from error


async def _note_the_text(channel: GoodSms, message: Message, error: Exception) -> Receipt:
    error.add_note(message.text)
    raise error


async def _keep_the_token(channel: GoodSms, message: Message, error: Exception) -> Receipt:
    error.used = BEARER  # type: ignore[attr-defined]
    raise error


async def _come_from_something_private(channel: GoodSms, message: Message, error: Exception) -> Receipt:
    assert isinstance(error, PartnerError)
    try:
        int(message.recipient.replace("+", "n"))
    except ValueError as odd:
        raise PartnerError("failed", retryable=error.retryable) from odd
    return Receipt()


async def _insist(channel: GoodSms, message: Message, error: Exception) -> Receipt:
    await channel.http.post(URL, json=channel.body(message))
    return Receipt()


async def _go_elsewhere(channel: GoodSms, message: Message, error: Exception) -> Receipt:
    await channel.http.post("https://elsewhere.example/take", json=channel.body(message))
    return Receipt()


class Twice(GoodSms):
    async def deliver(self, message: Message) -> Receipt:
        await super().deliver(message)
        return await super().deliver(message)


class NeverCancelled(GoodSms):
    async def deliver(self, message: Message) -> Receipt:
        try:
            return await super().deliver(message)
        except asyncio.CancelledError:
            return Receipt()


class InThePast(GoodSms):
    """Takes a gateway's name for the message that shows whose it is."""

    async def deliver(self, message: Message) -> Receipt:
        await super().deliver(message)
        return Receipt(message.recipient)


APART = logging.getLogger("acme.apart")
APART.propagate = False


def _log_apart(message: Message) -> None:
    APART.debug("to %s", message.recipient)


def _log_in_groups(message: Message) -> None:
    number = message.recipient
    logging.getLogger("acme").info("to %s (%s) %s-%s", number[:3], number[3:6], number[6:9], number[9:])


def _log_a_field(message: Message) -> None:
    logging.getLogger("acme").debug("sent", extra={"words": message.text})


ARRIVE = "test_recipient_and_text_arrive_and_are_not_in_the_address"
LETTERS = "test_every_letter_arrives"
KEY = "test_each_attempt_carries_the_same_key_and_each_message_its_own"
REFUSAL = "test_a_refusal_is_retryable_only_where_it_may_pass"
WAIT = "test_how_long_to_wait_is_handed_on"
UNUSABLE = "test_a_gateway_that_cannot_be_used_is_tried_again"
TOOK = "test_what_the_gateway_took_is_not_sent_again"
REDIRECT = "test_a_message_follows_no_redirect_to_elsewhere"
CANCELLED = "test_a_cancelled_delivery_stops"
RECEIPT = "test_a_delivery_gives_a_receipt_and_shows_nothing"
CHANNEL = "test_it_is_a_notification_channel"

BAD: list[tuple[str, type[GoodSms], str, dict[str, Any]]] = [
    ("number-in-path", posting(lambda m: f"{URL}/{m.recipient}"), ARRIVE, {}),
    ("number-in-query", posting(lambda m: URL, params={"to": "+49 151-23456789"}), ARRIVE, {}),
    ("text-in-query", posting(lambda m: f"{URL}?t=Videosprechstunde"), ARRIVE, {}),
    ("token-in-query", posting(lambda m: f"{URL}?token={TOKEN}"), ARRIVE, {}),
    ("without-tls", posting(lambda m: URL.replace("https", "http")), ARRIVE, {}),
    ("national-number", sending(to=lambda m: m.recipient.replace("+49", "0")), ARRIVE, {}),
    ("another-number", sending(to=lambda m: m.recipient.replace("+33", "+49")), ARRIVE, {}),
    ("without-text", sending(text=lambda m: "…"), ARRIVE, {}),
    ("twice", Twice, ARRIVE, {}),
    ("ascii", sending(text=lambda m: m.text.encode("ascii", "replace").decode()), LETTERS, {}),
    ("decomposed", sending(text=lambda m: m.text.replace("ü", "u\u0308")), LETTERS, {}),
    ("without-emoji", sending(text=lambda m: m.text.encode("utf-16")[:20].decode("utf-16")), LETTERS, {}),
    ("one-line", sending(text=lambda m: " ".join(m.text.splitlines())), LETTERS, {}),
    ("without-key", sending(ref=lambda m: ""), KEY, {}),
    ("key-per-attempt", sending(ref=lambda m: uuid.uuid4().hex), KEY, {}),
    ("key-of-the-text", sending(ref=lambda m: m.text[:5]), KEY, {}),
    *((f"retries-{s}", as_if(retryable=True), REFUSAL, {"status": s}) for s in (400, 401, 403, 404)),
    *((f"gives-up-{s}", as_if(retryable=False), REFUSAL, {"status": s}) for s in (429, 500, 503)),
    *((f"content-with-{s}", after_failure(_swallow), REFUSAL, {"status": s}) for s in (401, 429, 503)),
    ("names-the-recipient", after_failure(_name_the_recipient), REFUSAL, {"status": 401}),
    ("notes-the-text", after_failure(_note_the_text), REFUSAL, {"status": 401}),
    ("keeps-the-token", after_failure(_keep_the_token), REFUSAL, {"status": 401}),
    ("private-cause", after_failure(_come_from_something_private), REFUSAL, {"status": 401}),
    ("insists", after_failure(_insist), REFUSAL, {"status": 500}),
    ("forgets-the-wait", after_failure(_forget_the_wait), WAIT, {"status": 429}),
    *((f"gives-up-when-it-{f}", as_if(retryable=False), UNUSABLE, {"fault": f}) for f in OUT_OF_REACH),
    *((f"content-when-it-{f}", after_failure(_swallow), UNUSABLE, {"fault": f}) for f in OUT_OF_REACH),
    *((f"retries-when-it-{a}", as_if(retryable=True), TOOK, {"answer": a}) for a in TAKEN),
    *((f"crashes-when-it-{a}", after_failure(_crash), TOOK, {"answer": a}) for a in TAKEN),
    *((f"follows-{s}", after_failure(_go_elsewhere), REDIRECT, {"status": s}) for s in (302, 307)),
    *((f"retries-{s}", as_if(retryable=True), REDIRECT, {"status": s}) for s in (302, 307)),
    ("never-cancelled", NeverCancelled, CANCELLED, {}),
    ("logs-apart", beside(_log_apart), RECEIPT, {}),
    ("logs-in-groups", beside(_log_in_groups), RECEIPT, {}),
    ("logs-a-field", beside(_log_a_field), RECEIPT, {}),
    ("prints", beside(lambda m: print(m.text)), RECEIPT, {}),  # noqa: T201
    ("receipt-with-number", InThePast, RECEIPT, {}),
    ("named-badly", type("Bad", (GoodSms,), {"channel": "SMS "}), CHANNEL, {}),
]


@pytest.mark.parametrize("good", [InAForm, AsAResource, AfterSigningIn, Mail, Fax, Push])
async def test_a_good_channel_of_any_form_is_not_found_out_by_mistake(
    good: type[GoodSms], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    for test, given in (
        (CHANNEL, {}),
        (RECEIPT, {}),
        (ARRIVE, {}),
        (LETTERS, {}),
        (KEY, {}),
        (REFUSAL, {"status": 401}),
        (WAIT, {"status": 503}),
        (UNUSABLE, {"fault": "breaks-off"}),
        (TOOK, {"answer": "has-it-already"}),
        (REDIRECT, {"status": 307}),
        (CANCELLED, {}),
    ):
        with LoopbackHttp() as http, Overheard(caplog, capsys) as ears:
            await run(TestAGoodChannel(), test, adapter=good(http), mock_http=http, overheard=ears, **given)


@pytest.mark.parametrize(("bad", "caught_by", "given"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
async def test_a_bad_channel_is_found_out(
    bad: type[GoodSms],
    caught_by: str,
    given: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    contract = TestAGoodChannel()
    with LoopbackHttp() as http:
        adapter = bad(http.answering(json={"id": "1"}))
        if given.get("twice"):
            first = adapter.deliver

            async def twice(message: Message) -> Receipt:
                await first(message)
                return await first(message)

            adapter.deliver = twice  # type: ignore[method-assign]
        logging.getLogger("acme.apart")
        with Overheard(caplog, capsys) as ears:
            assert await is_found_out(
                contract, caught_by, adapter=adapter, mock_http=http, overheard=ears, **given
            )
            caplog.clear()


def test_for_each_thing_that_is_asked_there_is_a_bad_channel() -> None:
    assert nowhere_used(NotificationChannelContract, [test for _, _, test, _ in BAD]) == set()


async def _block(seconds: float) -> None:
    time.sleep(seconds)


@pytest.mark.parametrize("wait", [asyncio.sleep, _block])
async def test_a_channel_that_takes_for_ever_is_found_out(
    wait: Callable[[float], Awaitable[object]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Slow(GoodSms):
        async def deliver(self, message: Message) -> Receipt:
            await wait(1.1)
            return Receipt()

    monkeypatch.setattr(module, "LONGEST", 0.05)
    with Overheard(caplog, capsys) as ears:
        assert await is_found_out(AnyChannelContract(), RECEIPT, adapter=Slow(FakeHttp()), overheard=ears)
