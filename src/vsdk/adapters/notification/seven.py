"""SMS through seven.io (Kiel, Germany), formerly sms77.

Built from the public documents docs.seven.io/en/rest-api (endpoints/sms, signing, webhooks) and the
official libraries seven-io/js-client and seven-io/go-client; not yet run against the service itself. The
settings::

    [plugin.seven_sms]
    api_key = { env = "SEVEN_API_KEY" }
    sender = "PraxisPark"
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from vsdk.adapters.notification import sms
from vsdk.adapters.notification.sms import Address, Failure, SmsConfig
from vsdk.adapters.notification.sms_receipts import Reading, invalid, is_same, refused, report
from vsdk.domain.errors import PartnerError
from vsdk.domain.message import DeliveryReport, Message, MessageState, Receipt
from vsdk.hooks import json_text
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Http, Notification

NAME = "seven_sms"
_ACCEPTED = ("100", "101")
"""all, and some of the recipients; ours is only one"""
_OLDEST = 300
"""seconds between our clock and a signature's; the official library allows as many"""
_SENT_BEFORE = "402"
"""the gateway's own lock: the same text went to the same number within the last three minutes"""

_FAILURES: Mapping[str, Failure] = {
    "11": sms.TROUBLE,
    "201": sms.REQUEST,
    "202": sms.NUMBER_INVALID,
    "300": sms.ACCESS,
    "403": sms.BLOCKED,
    "500": sms.CREDIT,
    "600": sms.TROUBLE,
    "700": sms.TROUBLE,
    "900": sms.ACCESS,
    "902": sms.ACCESS,
    "903": sms.ACCESS,
}
"""of go-client's StatusCodes, those that are not about the form of the request"""

_STATES: Mapping[str, Reading] = {
    "ACCEPTED": (MessageState.SENT, None),
    "BUFFERED": (MessageState.SENT, None),
    "TRANSMITTED": (MessageState.SENT, None),
    "UNKNOWN": (MessageState.SENT, None),
    "DELIVERED": (MessageState.DELIVERED, None),
    "EXPIRED": (MessageState.UNDELIVERED, sms.EXPIRED),
    "FAILED": (MessageState.UNDELIVERED, sms.NOT_DELIVERED),
    "NOTDELIVERED": (MessageState.UNDELIVERED, sms.NOT_DELIVERED),
    "REJECTED": (MessageState.UNDELIVERED, sms.BLOCKED),
}
"""js-client's StatusReportCode"""


class SevenConfig(SmsConfig):
    api_key: SecretStr = Field(description="an API key of the account")
    signing_key: SecretStr | None = Field(None, description="signs requests, and proves delivery reports")
    url: Address = Field("https://gateway.seven.io/api/sms", description="where messages are sent")


class SevenSms:
    """A NotificationChannel and ReportingChannel. ``now`` and ``nonce`` are for signatures."""

    channel = "sms"

    def __init__(
        self,
        settings: SevenConfig,
        http: Http,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._settings = settings
        self._http = http
        self._now = now
        self._nonce = nonce

    async def deliver(self, message: Message) -> Receipt:
        """The idempotency key goes along as ``foreign_id``. Raises PartnerError, DeliveryFailed."""
        ttl = sms.minutes_left(message.expires, self._now())
        fields = {
            "to": message.recipient,
            "text": message.text,
            "from": self._settings.sender_of(message.practice_id),
            "foreign_id": message.idempotency_key,
            "ttl": ttl,
        }
        body = json_text.write({name: value for name, value in fields.items() if value})
        try:
            reply = await self._http.post(self._settings.url, content=body, headers=self._headers(body))
        except PartnerError as error:
            raise sms.explained(error) from None
        return _receipt(reply.json())

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {
            "X-Api-Key": self._settings.api_key.get_secret_value(),
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        if self._settings.signing_key is None:
            return headers
        time, nonce = str(int(self._now().timestamp())), self._nonce()
        signed = signature(self._settings.signing_key, time, nonce, "POST", self._settings.url, body)
        return headers | {"X-Timestamp": time, "X-Nonce": nonce, "X-Signature": signed}

    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        """Webhooks with the event ``dlr`` and the method JSON; other events are about no message of ours.

        Raises Refused ``receipt-refused``, UsageError ``receipt-invalid``.
        """
        if not self._is_genuine(notification):
            raise refused()
        try:
            body = json_text.parse(notification.body)
        except ValueError:
            raise invalid("its body is not JSON") from None
        if not isinstance(body, dict) or not isinstance(body.get("webhook_event"), str):
            raise invalid("it names no event")
        if body["webhook_event"] != "dlr":
            return ()
        data = body["data"] if isinstance(body.get("data"), dict) else {}
        reading = _STATES.get(_word(data.get("status")).upper())
        return (report(reading, key=_word(data.get("foreign_id")), provider_id=_word(data.get("msg_id"))),)

    def _is_genuine(self, n: Notification) -> bool:
        """The documents say that the whole address is signed; the official library tests with its path."""
        key = self._settings.signing_key
        given, time, nonce = (n.headers.get(f"x-{name}", "") for name in ("signature", "timestamp", "nonce"))
        if key is None or not self._is_recent(time):
            return False
        parts = urlsplit(n.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return any(
            is_same(given.lower(), signature(key, time, nonce, n.method.upper(), url, n.body))
            for url in (n.url, path)
        )

    def _is_recent(self, time: str) -> bool:
        known = time.isascii() and time.isdigit() and len(time) < 12
        return known and abs(self._now().timestamp() - int(time)) <= _OLDEST


def signature(key: SecretStr, time: str, nonce: str, method: str, url: str, body: bytes) -> str:
    """HMAC-SHA256 in hex over five lines (docs.seven.io/en/rest-api/signing)."""
    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
    lines = "\n".join((time, nonce, method, url, digest))
    return hmac.new(key.get_secret_value().encode(), lines.encode(), "sha256").hexdigest()


def _receipt(answer: Any) -> Receipt:
    """A status of 200 may hold a failure: a bare code, ``success``, or that of the single message."""
    whole = answer if isinstance(answer, dict) else {"success": answer}
    code = _word(whole.get("success"))
    messages = whole.get("messages")
    first = messages[0] if isinstance(messages, list) and messages and isinstance(messages[0], dict) else {}
    if code in _ACCEPTED and first.get("success") is not False:
        return Receipt(_word(first.get("id")))
    if code in _ACCEPTED:
        code = _word(first.get("error"))
    if code == _SENT_BEFORE:
        return Receipt()
    raise _FAILURES.get(code, sms.REQUEST).error()


def _word(value: Any) -> str:
    return str(value) if isinstance(value, str | int) else ""


@hookimpl
def vsdk_notification_channels(config: Config, http: Http) -> Sequence[SevenSms]:
    settings = config.plugin(NAME, SevenConfig)
    sms.check_practices(NAME, settings, config.practices)
    return [SevenSms(settings, http)]
