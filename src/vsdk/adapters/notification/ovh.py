"""SMS through OVHcloud (Roubaix, France).

Built from the public documents of the API (eu.api.ovh.com/1.0/sms.json, its guides in ovh/docs:
web_cloud/messaging/sms) and the official library ovh/python-ovh; not yet run against the service itself. The
settings::

    [plugin.ovh_sms]
    service = "sms-ab12345-1"
    application_key = "…"
    application_secret = { env = "OVH_APPLICATION_SECRET" }
    consumer_key = { env = "OVH_CONSUMER_KEY" }
    sender = "PraxisPark"
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from vsdk.adapters.notification import sms
from vsdk.adapters.notification.sms import Address, SmsConfig
from vsdk.adapters.notification.sms_receipts import (
    Reading,
    form,
    invalid,
    is_same,
    long_enough,
    refused,
    report,
    token,
)
from vsdk.domain.errors import PartnerError
from vsdk.domain.message import DeliveryReport, Message, MessageState, Receipt
from vsdk.domain.sms import measure
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Http, Notification

NAME = "ovh_sms"
_ASK_AGAIN = 3600.0
"""seconds after which the gateway is asked for its time again"""

_LOST = MessageState.UNDELIVERED
_BY_PTT: Mapping[str, Reading] = {
    "1": (MessageState.SENT, None),
    "2": (MessageState.SENT, None),
    "3": (MessageState.SENT, None),
    "4": (MessageState.DELIVERED, None),
    "5": (_LOST, sms.NOT_DELIVERED),
    "6": (MessageState.SENT, None),
    "8": (_LOST, sms.EXPIRED),
    "20": (_LOST, sms.NOT_DELIVERED),
    "21": (_LOST, sms.NUMBER_UNREACHABLE),
    "23": (_LOST, sms.NUMBER_INVALID),
    "24": (_LOST, sms.NUMBER_UNREACHABLE),
    "25": (_LOST, sms.NOT_DELIVERED),
    "26": (_LOST, sms.NUMBER_UNREACHABLE),
    "27": (_LOST, sms.NUMBER_UNREACHABLE),
    "28": (_LOST, sms.BLOCKED),
    "29": (_LOST, sms.BLOCKED),
    "33": (_LOST, sms.BLOCKED),
    "73": (_LOST, sms.NUMBER_UNREACHABLE),
    "74": (_LOST, sms.NUMBER_UNREACHABLE),
    "76": (_LOST, sms.BLOCKED),
    "202": (_LOST, sms.BLOCKED),
}
"""the main codes of the guide on SMS users, step 5, which says that the list is not complete"""

_BY_DESCRIPTION: Mapping[str, Reading] = {
    "0": (MessageState.SENT, None),
    "1": (MessageState.DELIVERED, None),
    "2": (_LOST, sms.NOT_DELIVERED),
    "4": (MessageState.SENT, None),
    "8": (MessageState.SENT, None),
    "16": (_LOST, sms.NOT_DELIVERED),
}
"""the same guide's coarser state, for any other code"""


class OvhConfig(SmsConfig):
    service: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="the SMS account, such as sms-ab12345-1")
    application_key: str = Field(min_length=1, description="names the application")
    application_secret: SecretStr = Field(description="belongs to that application")
    consumer_key: SecretStr = Field(description="with the right to POST /sms/SERVICE/jobs")
    receipt_secret: SecretStr | None = Field(
        None, description="makes the address for delivery reports; 16 characters or more"
    )
    url: Address = Field("https://eu.api.ovh.com/1.0", description="base address of the API")

    _long_enough = field_validator("receipt_secret")(long_enough)


class Clock(Protocol):
    async def now(self) -> int:
        """Seconds since 1970, as the gateway counts them."""


class GatewayClock:
    """Asks the gateway for its time, which signatures need, once an hour. Our own may be wrong."""

    def __init__(self, http: Http, url: str, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._url = f"{url}/auth/time"
        self._elapsed = elapsed
        self._known: tuple[float, int] | None = None
        """when it was asked, and what it said"""

    async def now(self) -> int:
        """Raises PartnerError."""
        if self._known is None or self._elapsed() - self._known[0] > _ASK_AGAIN:
            said = (await self._http.get(self._url)).json()
            if not isinstance(said, int):
                raise PartnerError("the gateway does not tell its time", retryable=False)
            self._known = (self._elapsed(), said)
        asked, said = self._known
        return said + int(self._elapsed() - asked)


class OvhSms:
    """A NotificationChannel and ReportingChannel."""

    channel = "sms"

    def __init__(
        self,
        settings: OvhConfig,
        http: Http,
        clock: Clock,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._now = now
        self._url = f"{settings.url}/sms/{settings.service}/jobs"

    async def deliver(self, message: Message) -> Receipt:
        """The idempotency key goes along as ``tag``. Raises PartnerError, DeliveryFailed."""
        body = json.dumps(self._job(message), separators=(",", ":"))
        stamp = str(await self._clock.now())
        headers = {
            "Content-Type": "application/json",
            "X-Ovh-Application": self._settings.application_key,
            "X-Ovh-Consumer": self._settings.consumer_key.get_secret_value(),
            "X-Ovh-Timestamp": stamp,
            "X-Ovh-Signature": signature(self._settings, "POST", self._url, body, stamp),
        }
        try:
            reply = await self._http.post(self._url, content=body.encode(), headers=headers)
        except PartnerError as error:
            raise sms.explained(error) from None
        return _receipt(reply.json())

    def _job(self, message: Message) -> dict[str, Any]:
        sender = self._settings.sender_of(message.practice_id)
        job = {
            "charset": "UTF-8",
            "coding": "7bit" if measure(message.text).encoding == "GSM-7" else "8bit",
            "message": message.text,
            "noStopClause": True,
            "priority": "high",
            "receivers": [message.recipient],
            "senderForResponse": not sender,
            "tag": message.idempotency_key,
        }
        minutes = sms.minutes_left(message.expires, self._now())
        return job | ({"sender": sender} if sender else {}) | ({"validityPeriod": minutes} if minutes else {})

    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        """OVHcloud signs nothing: the end of the address is a secret (`sms_receipts.token`).

        Raises Refused ``receipt-refused``, UsageError ``receipt-invalid``.
        """
        secret = self._settings.receipt_secret
        if secret is None or not is_same(notification.path.strip("/"), token(secret, NAME)):
            raise refused()
        query = urlsplit(notification.url).query
        values = dict(form(query, lambda: invalid("its address has too many fields")))
        reading = _BY_PTT.get(values.get("ptt", "")) or _BY_DESCRIPTION.get(values.get("description", ""))
        return (report(reading, provider_id=values.get("id", "")),)


def signature(settings: OvhConfig, method: str, url: str, body: str, stamp: str) -> str:
    """``$1$`` and the SHA-1 of six parts (ovh/python-ovh, ``Client.raw_call``)."""
    secrets = (settings.application_secret.get_secret_value(), settings.consumer_key.get_secret_value())
    text = "+".join((*secrets, method, url, body, stamp))
    return "$1$" + hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _receipt(answer: Any) -> Receipt:
    """A ``sms.SmsSendingReport``. Ours is the only receiver."""
    if not isinstance(answer, dict):
        raise PartnerError("the gateway's answer is no report on sending", retryable=False)
    if answer.get("invalidReceivers"):
        raise sms.NUMBER_INVALID.error()
    ids = answer.get("ids")
    if not isinstance(ids, list) or not ids or not isinstance(ids[0], int | str):
        raise PartnerError("the gateway's answer names no message", retryable=False)
    return Receipt(str(ids[0]))


@hookimpl
def vsdk_notification_channels(config: Config, http: Http) -> Sequence[OvhSms]:
    settings = config.plugin(NAME, OvhConfig)
    sms.check_practices(NAME, settings, config.practices)
    return [OvhSms(settings, http, GatewayClock(http, settings.url))]
