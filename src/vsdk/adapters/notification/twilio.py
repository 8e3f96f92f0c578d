"""SMS through Twilio, in many countries.

Built from the public documents twilio.com/docs (messaging/api/message-resource, usage/security, api/errors)
and the official library twilio/twilio-python; not yet run against the service itself. The settings::

    [plugin.twilio_sms]
    account_sid = "AC…"
    auth_token = { env = "TWILIO_AUTH_TOKEN" }
    sender = "+4915735980000"
    receipts = true
"""

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import groupby
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, SecretStr, model_validator

from vsdk.adapters.notification import sms
from vsdk.adapters.notification.sms import Address, Failure, SmsConfig
from vsdk.adapters.notification.sms_receipts import (
    Reading,
    form,
    invalid,
    is_same,
    receipts_address,
    refused,
    report,
)
from vsdk.domain.errors import PartnerError
from vsdk.domain.message import DeliveryReport, Message, MessageState, Receipt
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Http, HttpReply, Notification

NAME = "twilio_sms"
_LONGEST_VALIDITY = 14_400
"""seconds that every edition of the documents allows for ``ValidityPeriod``; a message that is of use for
longer is sent without"""

_FAILURES: Mapping[str, Failure] = {
    "21211": sms.NUMBER_INVALID,
    "21214": sms.NUMBER_INVALID,
    "21217": sms.NUMBER_INVALID,
    "21614": sms.NUMBER_INVALID,
    "30005": sms.NUMBER_INVALID,
    "30006": sms.NUMBER_INVALID,
    "21610": sms.OPTED_OUT,
    "30003": sms.NUMBER_UNREACHABLE,
    "30004": sms.BLOCKED,
    "30007": sms.BLOCKED,
    "30036": sms.EXPIRED,
    "30001": sms.TROUBLE,
    "30002": sms.ACCESS,
    "30008": sms.NOT_DELIVERED,
}
"""twilio.com/docs/api/errors. Twilio makes them finer from time to time: any other is understood too"""

_UNDER_WAY: Reading = (MessageState.SENT, None)
_ARRIVED: Reading = (MessageState.DELIVERED, None)
_STATES: Mapping[str, Reading] = {
    "accepted": _UNDER_WAY,
    "scheduled": _UNDER_WAY,
    "queued": _UNDER_WAY,
    "sending": _UNDER_WAY,
    "sent": _UNDER_WAY,
    "delivered": _ARRIVED,
    "partially_delivered": _ARRIVED,
    "read": _ARRIVED,
}
_LOST = ("undelivered", "failed", "canceled")


class TwilioConfig(SmsConfig):
    account_sid: str = Field(pattern=r"^AC[0-9A-Za-z]{32}$", description="the account, which begins with AC")
    auth_token: SecretStr | None = Field(None, description="the account's auth token, which signs reports")
    api_key: str = Field("", description="name of an API key, which begins with SK, to send with")
    api_secret: SecretStr | None = Field(None, description="what belongs to that API key")
    messaging_service: str = Field(
        "", pattern=r"^(MG[0-9A-Za-z]{32})?$", description="a Messaging Service, which begins with MG"
    )
    receipts: bool = Field(False, description="ask for delivery reports; needs auth_token")
    url: Address = Field("https://api.twilio.com", description="another host for another region")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.api_key) != bool(self.api_secret) or not (self.api_key or self.auth_token):
            raise ValueError("give auth_token, or api_key and api_secret, or all of them")
        if self.receipts and self.auth_token is None:
            raise ValueError("receipts are signed with auth_token")
        if not self.sender and not self.messaging_service:
            raise ValueError("give a sender or a messaging_service")
        return self

    @property
    def credentials(self) -> tuple[str, str]:
        secret = self.api_secret or self.auth_token
        return self.api_key or self.account_sid, secret.get_secret_value() if secret else ""


class TwilioSms:
    """A NotificationChannel and ReportingChannel. ``base_url`` is where this server is reached."""

    channel = "sms"

    def __init__(
        self,
        settings: TwilioConfig,
        base_url: str,
        http: Http,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._base_url = base_url
        self._http = http
        self._now = now
        self._url = f"{settings.url}/2010-04-01/Accounts/{settings.account_sid}/Messages.json"

    async def deliver(self, message: Message) -> Receipt:
        """The idempotency key goes along in the address for reports. Raises PartnerError, DeliveryFailed."""
        try:
            reply = await self._http.post(
                self._url, data=self._form(message), auth=self._settings.credentials, answers=(400,)
            )
        except PartnerError as error:
            raise sms.explained(error) from None
        answer = _decoded(reply)
        answer = answer if isinstance(answer, dict) else {}
        if reply.status == HTTPStatus.BAD_REQUEST:
            raise _FAILURES.get(str(answer.get("code")), sms.REQUEST).error(reply.status)
        if answer.get("status") in _LOST:
            raise _why(answer.get("error_code")).error()
        if not isinstance(answer.get("sid"), str):
            raise PartnerError("the gateway's answer names no message", retryable=False)
        return Receipt(answer["sid"])

    def _form(self, message: Message) -> dict[str, str]:
        settings = self._settings
        fields = {
            "To": message.recipient,
            "From": settings.sender_of(message.practice_id),
            "MessagingServiceSid": settings.messaging_service,
            "Body": message.text,
        }
        seconds = sms.seconds_left(message.expires, self._now())
        if seconds is not None and seconds < _LONGEST_VALIDITY:
            fields["ValidityPeriod"] = str(seconds)
        if settings.receipts:
            fields["StatusCallback"] = receipts_address(self._base_url, NAME, message.idempotency_key)
        return {name: value for name, value in fields.items() if value}

    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        """A status callback, to the address that holds the idempotency key.

        Raises Refused ``receipt-refused``, UsageError ``receipt-invalid``.
        """
        fields = form(notification.body, refused)
        given, token = notification.headers.get("x-twilio-signature", ""), self._settings.auth_token
        if token is None or not any(
            is_same(given, signature(token, url, fields)) for url in _ports(notification.url)
        ):
            raise refused()
        values = dict(fields)
        status = values.get("MessageStatus", "").lower()
        reading = _STATES.get(status)
        if status in _LOST:
            reading = (MessageState.UNDELIVERED, _why(values.get("ErrorCode")))
        return (report(reading, key=notification.path.strip("/"), provider_id=values.get("MessageSid", "")),)


def signature(token: SecretStr, url: str, fields: Sequence[tuple[str, str]]) -> str:
    """HMAC-SHA1 in Base64 over the address and the sorted fields (twilio.com/docs/usage/security).

    A field that comes twice counts once for each of its values, as in `twilio.request_validator`.
    """
    text = url + "".join(name + value for (name, value), _ in groupby(sorted(fields)))
    made = hmac.new(token.get_secret_value().encode(), text.encode(errors="replace"), "sha1")
    return base64.b64encode(made.digest()).decode()


def _ports(url: str) -> tuple[str, ...]:
    """The address without and with its port: Twilio signs either (the same library)."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise invalid("the address that it came to is none") from None
    host = f"[{host}]" if ":" in host else host
    return tuple(urlunsplit(parts._replace(netloc=netloc)) for netloc in (host, f"{host}:{port}"))


def _decoded(reply: HttpReply) -> Any:
    """A refusal need not be JSON; what is taken is."""
    try:
        return reply.json()
    except PartnerError:
        if reply.status == HTTPStatus.BAD_REQUEST:
            return {}
        raise


def _why(code: Any) -> Failure:
    return _FAILURES.get(str(code), sms.NOT_DELIVERED)


@hookimpl
def vsdk_notification_channels(config: Config, http: Http) -> Sequence[TwilioSms]:
    settings = config.plugin(NAME, TwilioConfig)
    sms.check_practices(NAME, settings, config.practices)
    return [TwilioSms(settings, config.base_url, http)]
