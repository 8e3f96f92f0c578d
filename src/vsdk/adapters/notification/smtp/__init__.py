"""Mail over the SMTP server of one's own mail provider (message submission, RFC 6409). Channel ``email``.

Always encrypted: with STARTTLS too, nothing is sent where it is not offered, for whoever sits in between can
take the offer away. Only to a server on the same machine may it be left out.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import idna
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from vsdk.adapters.notification.smtp.connection import (
    Security,
    Server,
    SmtpConnection,
    connected,
    unreachable,
)
from vsdk.adapters.notification.smtp.kept import KeptConnections
from vsdk.adapters.notification.smtp.mail import Mailbox, built, mailbox, message_id, needs_utf8
from vsdk.adapters.notification.smtp.tokens import Grant, Tokens
from vsdk.domain.errors import ConfigurationError, DeliveryFailed
from vsdk.domain.ids import PracticeId
from vsdk.domain.message import Message, Receipt
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Http

IDLE_SECONDS = 15.0
"""how long a connection is kept for the next mail"""
PORTS: Mapping[Security, int] = {"starttls": 587, "tls": 465, "none": 25}


class SmtpMailSettings(BaseModel):
    """``[plugin.smtp_mail]``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    server: str = Field(min_length=1, description="name of the mail server")
    port: int | None = Field(None, ge=1, le=65535, description="else 587, 465 with tls, 25 with none")
    security: Security = Field("starttls", description="starttls, tls, or none for a server on this machine")
    ca_file: Path | None = Field(None, description="whom to trust instead of the system's authorities; PEM")
    user: str = Field("", description="without, nobody signs in")
    password: SecretStr | None = Field(None, description="what belongs to the user")
    token_endpoint: str = Field("", description="instead of a password: where access tokens come from")
    client_id: str = Field("", description="what the token endpoint knows us by")
    client_secret: SecretStr | None = Field(None, description="what belongs to it")
    refresh_token: SecretStr | None = Field(None, description="what someone's consent gave us")
    scope: str = Field("", description="what to ask for, separated by blanks")
    sender: str = Field(description="address, or Name <address>")
    senders: dict[str, str] = Field({}, description="practice id = its own sender, in the same form")
    reply_to: str = Field("", description="where answers to sender go, in the same form")
    connections: int = Field(3, ge=1, le=20, description="how many at a time")
    timeout: float = Field(20, gt=0, le=29, description="seconds that one mail may take")

    @field_validator("sender", "reply_to")
    @classmethod
    def _is_mailbox(cls, value: str) -> str:
        if value:
            mailbox(value)
        return value

    @field_validator("senders")
    @classmethod
    def _are_mailboxes(cls, senders: dict[str, str]) -> dict[str, str]:
        for sender in senders.values():
            mailbox(sender)
        return senders

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        if self.security == "none" and not _is_loopback(self.server):
            raise ValueError('security "none" is for a server on the same machine; use "starttls" or "tls"')
        if self.security == "none" and self.ca_file:
            raise ValueError('ca_file has no use with security "none"')
        return self

    @model_validator(mode="after")
    def _can_sign_in(self) -> Self:
        if bool(self.user) != bool(self.password or self.token_endpoint):
            raise ValueError("a user and either a password or a token_endpoint belong together")
        oauth = self.client_id, self.client_secret, self.refresh_token, self.scope
        if not self.token_endpoint:
            if any(oauth):
                raise ValueError("client_id, client_secret, refresh_token and scope need a token_endpoint")
            return self
        if self.password:
            raise ValueError("there is either a password or a token_endpoint")
        if not self.client_id or not (self.client_secret or self.refresh_token):
            raise ValueError("a token_endpoint needs a client_id, and a client_secret or a refresh_token")
        endpoint = urlsplit(self.token_endpoint)
        host = endpoint.hostname or ""
        if not host or (endpoint.scheme, _is_loopback(host)) not in (
            ("https", True),
            ("https", False),
            ("http", True),
        ):
            raise ValueError("the token_endpoint is an https address")
        return self


class SmtpMail:
    """A NotificationChannel. It can be closed, and used again."""

    channel = "email"

    def __init__(
        self,
        server: Server,
        sender: Mailbox,
        *,
        senders: Mapping[PracticeId, Mailbox],
        reply_to: Mailbox | None = None,
        connections: int = 3,
        seconds: float = 20,
        idle: float = IDLE_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._server = server
        self._sender = sender
        self._senders = senders
        self._reply_to = reply_to
        self._seconds = seconds
        self._now = now
        self._connections: KeptConnections[SmtpConnection] = KeptConnections(
            lambda: connected(server), most=connections, idle=idle
        )

    async def deliver(self, message: Message) -> Receipt:
        """``provider_id`` of the receipt is the Message-ID, the same at each attempt.

        The time limit counts from when a connection may be used. Raises DeliveryFailed
        ``mail-address-invalid``, ``mailbox-unknown`` and ``mail-refused``; PartnerError
        ``mail-server-unreachable``, ``mail-not-encrypted`` and ``mail-deferred``, which are retryable,
        ``mail-sign-in-failed`` and ``mail-sender-refused``, which are not.
        """
        try:
            recipient = mailbox(message.recipient)
        except ValueError as error:
            raise DeliveryFailed(str(error), code="mail-address-invalid") from None
        own = self._senders.get(message.practice_id)
        sender = own or self._sender
        mail = built(
            message,
            sender=sender,
            recipient=recipient,
            reply_to=None if own else self._reply_to,
            now=self._now(),
        )
        async with self._connections.turn():
            try:
                async with asyncio.timeout(self._seconds):
                    await self._send(mail, sender, recipient)
            except TimeoutError:
                raise unreachable(f"{self._server.host} did not answer in time") from None
        return Receipt(message_id(message.idempotency_key, sender.domain))

    async def close(self) -> None:
        await self._connections.close()

    async def _send(self, mail: bytes, sender: Mailbox, recipient: Mailbox) -> None:
        utf8 = needs_utf8(sender, recipient)
        async with self._connections.one() as connection:
            if utf8 and not connection.takes_utf8:
                raise DeliveryFailed(
                    f"{self._server.host} takes no mail for addresses beyond ASCII",
                    code="mail-address-invalid",
                )
            await connection.send(mail, sender.address, recipient.address, utf8=utf8)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _greeting(base_url: str) -> str:
    """Our own name in EHLO: a domain, or an address in brackets (RFC 5321, 4.1.3)."""
    host = urlsplit(base_url).hostname or "localhost"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    return f"[{'IPv6:' if address.version == 6 else ''}{address}]"


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigurationError(
            f"smtp_mail: no certificates can be read from ca_file: {error.strerror or 'not PEM'}"
        ) from None


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _tokens(settings: SmtpMailSettings, http: Http, now: Callable[[], datetime]) -> Tokens | None:
    if not settings.token_endpoint:
        return None
    grant = Grant(
        settings.token_endpoint,
        settings.client_id,
        _revealed(settings.client_secret),
        _revealed(settings.refresh_token),
        settings.scope,
    )
    return Tokens(http, grant, now)


@hookimpl
def vsdk_notification_channels(config: Config, http: Http) -> Sequence[SmtpMail]:
    settings = config.plugin("smtp_mail", SmtpMailSettings)
    if unknown := settings.senders.keys() - {practice.id for practice in config.practices}:
        raise ConfigurationError(f"smtp_mail: no such practice: {', '.join(sorted(unknown))}")
    server = Server(
        settings.server,
        settings.port or PORTS[settings.security],
        settings.security,
        _context(settings.ca_file),
        _greeting(config.base_url),
        settings.user,
        _revealed(settings.password),
        _tokens(settings, http, lambda: datetime.now(UTC)),
    )
    return [
        SmtpMail(
            server,
            mailbox(settings.sender),
            senders={PracticeId(practice): mailbox(text) for practice, text in settings.senders.items()},
            reply_to=mailbox(settings.reply_to) if settings.reply_to else None,
            connections=settings.connections,
            seconds=settings.timeout,
        )
    ]
