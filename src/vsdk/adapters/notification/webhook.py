"""Messages that the PMS vendor sends by its own means: handed over as signed webhooks (kind ``webhook``).

::

    [plugin.webhook_messages.park]  # one section for each practice
    url = "https://pms.example/vsdk/messages"
    secrets = [{ env = "PARK_WEBHOOK_SECRET" }]

The vendor may report what became of a message, in the same way in the other direction, at
``/receipts/webhook_messages/PRACTICE``. A report that is sent again changes nothing: states only go forwards.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, SecretStr

from vsdk.adapters.notification.addressee import is_for_team, person_of
from vsdk.adapters.notification.webhook_signature import is_signed, key_of, signed_headers
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError, Refused, UsageError
from vsdk.domain.ids import PracticeId
from vsdk.domain.message import DeliveryReport, Message, MessageState, Receipt
from vsdk.hooks import json_text
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Http, Notification

REPORTS = {
    "message.sent": MessageState.SENT,
    "message.delivered": MessageState.DELIVERED,
    "message.undelivered": MessageState.UNDELIVERED,
}
_ID = re.compile(r"[!-~]{1,255}", re.ASCII)
_CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*", re.ASCII)
_LONGEST_CODE = 64


def _is_endpoint(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise ValueError("this is an absolute https address without fragment")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address holds no user and no password; what is sent is signed")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("messages go over https; http is for one's own machine only")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_secret(value: SecretStr) -> SecretStr:
    key_of(value.get_secret_value())
    return value


class WebhookSettings(BaseModel):
    """``[plugin.webhook_messages.PRACTICE]``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_is_endpoint)] = Field(description="where the vendor takes messages")
    secrets: list[Annotated[SecretStr, AfterValidator(_is_secret)]] = Field(
        min_length=1, description="`whsec_…`; several while one replaces another"
    )


@dataclass(frozen=True, slots=True)
class Target:
    url: str
    keys: tuple[bytes, ...] = field(repr=False)


class WebhookMessages:
    """A NotificationChannel and ReportingChannel over one endpoint for each practice."""

    channel = "webhook"

    def __init__(self, http: Http, targets: Mapping[str, Target], now: Callable[[], datetime]) -> None:
        self._http = http
        self._targets = targets
        self._now = now

    async def deliver(self, message: Message) -> Receipt:
        """Raises PartnerError, or DeliveryFailed ``channel-not-set-up``, ``no-address``, ``webhook-gone``."""
        target = self._targets.get(message.practice_id)
        if target is None:
            raise DeliveryFailed("the practice has no section in webhook_messages", code="channel-not-set-up")
        if not person_of(message) and not is_for_team(message):
            raise DeliveryFailed("nothing says who this person is in the PMS", code="no-address")
        now = self._now()
        body = json_text.write(_event(message, now))
        headers = {"content-type": "application/json"}
        headers |= signed_headers(target.keys, message.idempotency_key, now, body)
        try:
            await self._http.post(target.url, content=body, headers=headers)
        except PartnerError as error:
            if error.status == 410:
                raise DeliveryFailed("the endpoint wants no messages any more", code="webhook-gone") from None
            raise
        return Receipt()

    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        """One report. Raises Refused ``receipt-refused`` and UsageError ``receipt-invalid``."""
        target = self._targets.get(notification.path.strip("/"))
        if target is None or not is_signed(target.keys, notification.headers, notification.body, self._now()):
            raise Refused("the report is not signed as was agreed on", code="receipt-refused")
        return [_report(notification.body)]


def _event(message: Message, now: datetime) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": message.idempotency_key,
        "practice": message.practice_id,
        "visit": message.visit_id,
        "appointment": message.appointment_id,
        "participant": person_of(message),
        "role": message.role,
        "template": message.template,
        "language": message.language,
        "subject": message.subject,
        "text": message.text,
    }
    if message.html:
        data["html"] = message.html
    if message.expires:
        data["expires"] = _instant(message.expires)
    return {"type": "message.requested", "timestamp": _instant(now), "data": data}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _report(body: bytes) -> DeliveryReport:
    try:
        event = json_text.parse(body)
    except ValueError:
        event = None
    event = event if isinstance(event, dict) else {}
    data = event.get("data")
    data = data if isinstance(data, dict) else {}
    kind, id_, code = event.get("type"), data.get("id"), data.get("code", "")
    if not isinstance(kind, str) or kind not in REPORTS:
        raise UsageError(f"the type of a report is one of {', '.join(REPORTS)}", code="receipt-invalid")
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise UsageError("data.id of a report is that of the message", code="receipt-invalid")
    if not isinstance(code, str) or len(code) > _LONGEST_CODE or (code and not _CODE.fullmatch(code)):
        raise UsageError("data.code of a report is like number-unknown", code="receipt-invalid")
    return DeliveryReport(REPORTS[kind], idempotency_key=id_, code=code)


@hookimpl
def vsdk_notification_channels(config: Config, http: Http) -> Sequence[WebhookMessages]:
    sections = config.plugin("webhook_messages", RootModel[dict[str, WebhookSettings]]).root
    practices: set[PracticeId] = {practice.id for practice in config.practices}
    if not sections or not sections.keys() <= practices:
        raise ConfigurationError("webhook_messages: give a section for each practice that uses it, by its id")
    targets = {
        id_: Target(section.url, tuple(key_of(s.get_secret_value()) for s in section.secrets))
        for id_, section in sections.items()
    }
    return [WebhookMessages(http, targets, _now)]


def _now() -> datetime:
    return datetime.now(UTC)
