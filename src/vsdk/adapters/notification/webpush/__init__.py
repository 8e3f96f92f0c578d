"""Notifications in browsers that people switched on (Web Push, RFC 8030). Channel ``push``.

The push service of the browser's vendor carries the message and cannot read it (RFC 8291); it learns when,
how large and how urgent it is. Without a mailbox of its own there is no telling whether it was read.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import http_ece  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from vsdk.adapters.notification.webpush.payload import LARGEST_BODY, payload
from vsdk.adapters.notification.webpush.subscription import (
    SERVICES,
    Subscription,
    is_service,
    subscription,
)
from vsdk.adapters.notification.webpush.vapid import KeyPair, VapidKey, new_key_pair
from vsdk.domain.errors import DeliveryFailed, PartnerError, UsageError
from vsdk.domain.message import Message, Receipt
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Http

__all__ = [
    "KeyPair",
    "Subscription",
    "WebPush",
    "WebPushSettings",
    "new_key_pair",
    "public_key",
    "subscription",
]

URGENT = frozenset({"link-at-time", "invited-back", "delay", "patient-waiting"})
"""templates that are of use only if they are seen at once"""
USUAL_LIFE = timedelta(days=1)
"""how long a push service keeps what does not expire by itself"""


class WebPushSettings(BaseModel):
    """``[plugin.web_push]``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    private_key: SecretStr = Field(description="our VAPID key on P-256: PEM, or 32 bytes as base64url")
    subject: str = Field(
        pattern=r"^(mailto:[^\s@]+@[^\s@]+|https://\S+)$",
        description="how a push service reaches whoever runs this server: mailto: or https:",
    )
    services: list[str] = Field(
        list(SERVICES), min_length=1, description="hosts of push services that are used"
    )

    @field_validator("private_key")
    @classmethod
    def _is_key(cls, value: SecretStr) -> SecretStr:
        VapidKey(value.get_secret_value())
        return value

    @field_validator("services")
    @classmethod
    def _are_hosts(cls, services: list[str]) -> list[str]:
        if not all(map(is_service, services)):
            raise ValueError("services are hosts in small letters, such as *.push.apple.com")
        return services


class WebPush:
    """A NotificationChannel, and what a page needs so that browsers can subscribe."""

    channel = "push"

    def __init__(
        self,
        http: Http,
        key: VapidKey,
        subject: str,
        *,
        titles: Callable[[Message], str],
        services: Sequence[str] = SERVICES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.key = key.public
        """``applicationServerKey`` for ``PushManager.subscribe``"""
        self._http = http
        self._key = key
        self._subject = subject
        self._titles = titles
        self._services = services
        self._now = now

    async def deliver(self, message: Message) -> Receipt:
        """The receipt names nothing: the address that a push service gives back would let whoever has it
        withdraw the message (RFC 8030, 5.3).

        Raises DeliveryFailed ``push-subscription-invalid``, ``push-service-unknown``,
        ``push-subscription-gone`` and ``push-too-large``; PartnerError, ``push-refused`` where the service
        does not accept us.
        """
        try:
            target = subscription(message.recipient, self._services)
        except UsageError as error:
            raise DeliveryFailed(error.detail, code=error.code) from None
        now, topic = self._now(), topic_of(message)
        title = message.subject or self._titles(message)
        content = payload(title, message.text, language=message.language, tag=topic)
        expires = message.expires or now + USUAL_LIFE
        headers = {
            "authorization": self._key.authorization(target.origin, self._subject, now),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(max(0, int((expires - now).total_seconds()))),
            "urgency": "high" if message.template in URGENT else "normal",
            "topic": topic,
        }
        try:
            await self._http.post(target.endpoint, content=encrypted(content, target), headers=headers)
        except PartnerError as error:
            raise _meaning(error) from None
        return Receipt()

    def validate_subscription(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is to be kept of what a browser hands over. Raises UsageError as `subscription` does."""
        return subscription(given, self._services).to_json()


def topic_of(message: Message) -> str:
    """32 characters of base64url (RFC 8030, 5.4): a push that still waits for the browser is replaced by the
    next one of the same topic.

    That is the visit and the template, so that of two reminders the newer one is seen, and an attempt
    that is made twice is seen once; but a delay does not push out the invitation, which holds the link.
    A message without a visit has a topic of its own.
    """
    about = f"{message.visit_id}\n{message.template}" if message.visit_id else message.idempotency_key
    digest = hashlib.sha256(about.encode()).hexdigest()
    return digest[:32]


def encrypted(content: bytes, target: Subscription, **fixed: Any) -> bytes:
    """RFC 8291: under a key pair and a salt made for this one message; ``fixed`` is for known answers."""
    made = {"private_key": ec.generate_private_key(ec.SECP256R1())} | fixed
    secrets = {"dh": target.p256dh, "auth_secret": target.auth}
    return bytes(http_ece.encrypt(content, version="aes128gcm", rs=LARGEST_BODY, **secrets, **made))


def public_key(config: Config) -> str:
    """What a browser needs to subscribe (``applicationServerKey``): an uncompressed point as base64url."""
    settings = config.plugin("web_push", WebPushSettings)
    return VapidKey(settings.private_key.get_secret_value()).public


def _meaning(error: PartnerError) -> PartnerError:
    match error.status:
        case 404 | 410:
            return DeliveryFailed("this browser no longer takes pushes", code="push-subscription-gone")
        case 413:
            return DeliveryFailed("the push service finds this too large", code="push-too-large")
        case 400 | 401 | 403:
            return PartnerError(error.detail, retryable=False, status=error.status, code="push-refused")
        case _:
            return error


@hookimpl
def vsdk_notification_channels(config: Config, http: Http) -> Sequence[WebPush]:
    settings = config.plugin("web_push", WebPushSettings)
    called = {practice.id: practice.messaging.name or practice.name for practice in config.practices}
    return [
        WebPush(
            http,
            VapidKey(settings.private_key.get_secret_value()),
            settings.subject,
            titles=lambda message: called.get(message.practice_id, ""),
            services=settings.services,
        )
    ]
