"""SMS through any gateway that takes one HTTPS request for a message: its form is a template in the settings.

docs/channels/sms.md explains the keys and shows settings for known gateways. In short::

    [plugin.https_sms]
    url = "https://sms.example/v1/messages"
    headers = { "X-Api-Key" = { env = "SMS_API_KEY" } }
    body = { to = "{recipient}", text = "{text}", from = "{sender}", reference = "{key}" }
    sender = "PraxisPark"
    id_path = "id"
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from vsdk.adapters.notification import sms
from vsdk.adapters.notification.https_sms_receipts import Receipts, ReceiptSettings, known_codes
from vsdk.adapters.notification.https_sms_template import (
    IN_BODY,
    IN_HEADERS,
    Words,
    as_word,
    filled,
    found,
    problems,
    uses,
)
from vsdk.adapters.notification.sms import FAILURES, Address, Failure, SmsConfig
from vsdk.adapters.notification.sms_receipts import refused
from vsdk.domain.errors import PartnerError
from vsdk.domain.message import DeliveryReport, Message, Receipt
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Http, Notification

NAME = "https_sms"


class HttpsSmsConfig(SmsConfig):
    url: Address = Field(description="where messages are sent")
    method: Literal["POST", "PUT"] = Field(
        "POST", description="PUT is repeated at once when a connection fails"
    )
    headers: dict[str, str | SecretStr] = Field({}, description="templates, and secrets")
    encoding: Literal["json", "form"] = Field("json", description="how the body is written")
    body: dict[str, Any] = Field(min_length=1, description="template of the body; values may be secrets")
    id_path: str = Field("", description="where an answer says what the gateway calls the message")
    success_path: str = Field("", description="where an answer says whether the message was taken")
    success_values: list[str] = Field([], description="what stands there if it was")
    error_path: str = Field("", description="where it says why not; else success_path")
    errors: dict[str, str] = Field({}, description="our code for what stands there")
    statuses: dict[str, str] = Field(
        {}, description="our code for an HTTP status, where it is not the usual one"
    )
    receipts: ReceiptSettings | None = Field(
        None, description="[plugin.https_sms.receipts], delivery reports"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        wrong = [*problems(self.headers, IN_HEADERS, "headers"), *problems(self.body, IN_BODY, "body")]
        if wrong:
            raise ValueError("; ".join(wrong))
        for needed in ("text", "recipient"):
            if not uses(self.body, needed) and not uses(self.body, f"{needed}_digits"):
                raise ValueError(f"body: there is no {{{needed}}} in it")
        if self.encoding == "form" and any(isinstance(value, dict | list) for value in self.body.values()):
            raise ValueError("body: a form has neither tables nor lists")
        if uses(self.body, "receipts") and self.receipts is None:
            raise ValueError("body: {receipts} needs the section [plugin.https_sms.receipts]")
        if bool(self.success_path) != bool(self.success_values):
            raise ValueError("success_path and success_values belong together")
        if any(not (status.isdecimal() and 400 <= int(status) <= 599) for status in self.statuses):
            raise ValueError("statuses: these are HTTP statuses from 400 to 599")
        known_codes(self.errors)
        known_codes(self.statuses)
        return self

    @property
    def failures_by_status(self) -> Mapping[int, Failure]:
        own = {int(status): FAILURES[code] for status, code in self.statuses.items()}
        return {**sms.BY_STATUS, **own}


class HttpsSms:
    """A NotificationChannel and ReportingChannel. ``base_url`` is where this server is reached."""

    channel = "sms"

    def __init__(
        self,
        settings: HttpsSmsConfig,
        base_url: str,
        http: Http,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._http = http
        self._now = now
        self._failures = settings.failures_by_status
        self._receipts = Receipts(settings.receipts, base_url, NAME) if settings.receipts else None

    async def deliver(self, message: Message) -> Receipt:
        """Raises PartnerError, DeliveryFailed."""
        settings, words = self._settings, self._words(message)
        body = filled(settings.body, words)
        headers = {name: str(value) for name, value in filled(settings.headers, words).items()}
        content = {"json": body} if settings.encoding == "json" else {"data": body}
        try:
            reply = await self._http.request(settings.method, settings.url, headers=headers, **content)
        except PartnerError as error:
            raise sms.explained(error, self._failures) from None
        if not settings.success_path and not settings.id_path:
            return Receipt()
        return self._receipt(reply.json())

    def _words(self, message: Message) -> Words:
        return {
            "recipient": message.recipient,
            "recipient_digits": message.recipient.lstrip("+"),
            "text": message.text,
            "sender": self._settings.sender_of(message.practice_id) or None,
            "key": message.idempotency_key,
            "expires": message.expires.isoformat() if message.expires else None,
            "ttl_seconds": sms.seconds_left(message.expires, self._now()),
            "practice": message.practice_id,
            "receipts": self._receipts.address if self._receipts else None,
        }

    def _receipt(self, answer: Any) -> Receipt:
        settings = self._settings
        taken = as_word(found(answer, settings.success_path)) if settings.success_path else ""
        if settings.success_path and taken not in settings.success_values:
            reason = as_word(found(answer, settings.error_path)) if settings.error_path else taken
            raise FAILURES[settings.errors.get(reason, sms.REQUEST.code)].error()
        return Receipt(as_word(found(answer, settings.id_path)) if settings.id_path else "")

    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        """Raises Refused ``receipt-refused``, UsageError ``receipt-invalid``."""
        if self._receipts is None:
            raise refused()
        return self._receipts.read(notification)


@hookimpl
def vsdk_notification_channels(config: Config, http: Http) -> Sequence[HttpsSms]:
    settings = config.plugin(NAME, HttpsSmsConfig)
    sms.check_practices(NAME, settings, config.practices)
    return [HttpsSms(settings, config.base_url, http)]
