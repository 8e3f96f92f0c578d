"""One connection to a mail server, and what its answers mean. The only module that knows aiosmtplib.

What a server says in words is neither logged nor handed on, since it may repeat the address; its codes are
(RFC 5321, 4.2 and RFC 3463).
"""

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException

from vsdk.adapters.notification.smtp.tokens import Tokens
from vsdk.domain.errors import DeliveryFailed, PartnerError

Security = Literal["starttls", "tls", "none"]
QUICK_SECONDS = 3.0
"""for an answer that takes no work: is the server still there, and good-bye"""

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
_SIGN_IN = frozenset({530, 534, 535, 538})
"""sign-in needed, too weak, wrong, to be encrypted (RFC 4954, 6)"""
_NO_MAILBOX = frozenset({550, 551, 553})
"""what servers without enhanced codes say of an address that is not there (RFC 5321, 4.2.3)"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to, how, and who we are there."""

    host: str
    port: int
    security: Security
    context: ssl.SSLContext
    greeting: str
    """our own name, in EHLO"""
    user: str = ""
    password: str = field(default="", repr=False)
    tokens: Tokens | None = None


class SmtpConnection:
    """Signed in, for one mail after the other. Made by `connected`; a `vsdk…kept.Connection`."""

    def __init__(self, smtp: SMTP, server: Server) -> None:
        self._smtp = smtp
        self._server = server
        self._between = True
        """whether the server waits for a mail, as far as we know"""

    @property
    def usable(self) -> bool:
        return self._between and self._smtp.is_connected

    @property
    def takes_utf8(self) -> bool:
        return self._smtp.supports_extension("smtputf8")

    async def send(self, mail: bytes, sender: str, recipient: str, *, utf8: bool) -> None:
        """One mail to one person. Raises DeliveryFailed and PartnerError."""
        options, encoding = (["SMTPUTF8"], "utf-8") if utf8 else ([], "ascii")
        self._between = False
        with _failures(self._server.host):
            with self._answer("sender"):
                await self._smtp.mail(sender, options=options, encoding=encoding)
            with self._answer("recipient"):
                await self._smtp.rcpt(recipient, encoding=encoding)
            with self._answer("mail"):
                await self._smtp.data(mail)
        self._between = True

    async def answers(self) -> bool:
        """Also forgets a mail that was refused half-way (RSET)."""
        try:
            await self._smtp.rset(timeout=QUICK_SECONDS)
        except (SMTPException, OSError):
            return False
        return True

    async def leave(self) -> None:
        with contextlib.suppress(SMTPException, OSError):
            await self._smtp.quit(timeout=QUICK_SECONDS)
        self.drop()

    def drop(self) -> None:
        transport = self._smtp.transport
        self._smtp.close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    @contextlib.contextmanager
    def _answer(self, about: str) -> Iterator[None]:
        try:
            yield
        except SMTPResponseException as reply:
            self._between = 400 <= reply.code < 600
            raise refusal(self._server.host, reply.code, reply.message, about) from None


async def connected(server: Server) -> SmtpConnection:
    """Raises PartnerError: ``mail-server-unreachable``, ``mail-not-encrypted``, ``mail-deferred``,
    ``mail-sign-in-failed``."""
    smtp = SMTP(
        hostname=server.host,
        port=server.port,
        local_hostname=server.greeting,
        use_tls=server.security == "tls",
        start_tls=False,
        tls_context=server.context,
        timeout=None,
    )
    connection = SmtpConnection(smtp, server)
    try:
        with _failures(server.host):
            await smtp.connect()
            await smtp.ehlo()
            if server.security == "starttls":
                await _encrypted(smtp, server.host)
                await smtp.ehlo()
            if server.user:
                await _signed_in(smtp, server)
    except BaseException:
        connection.drop()
        raise
    return connection


def refusal(host: str, status: int, words: str, about: str) -> PartnerError:
    """What a negative answer means. ``about`` says what it was given to: the ``connection``, the
    attempt to ``sign-in``, the ``sender``, the ``recipient`` or the ``mail``."""
    found = _ENHANCED.match(words)
    enhanced = found[1] if found else ""
    detail = f"{host} answered {status}{' ' if enhanced else ''}{enhanced}"
    if 400 <= status < 500:
        return PartnerError(detail, retryable=True, code="mail-deferred")
    if status in _SIGN_IN or (about == "sign-in" and 500 <= status < 600):
        return PartnerError(detail, retryable=False, code="mail-sign-in-failed")
    if about in ("connection", "sign-in") or not 500 <= status < 600:
        return unreachable(detail)
    if about == "sender":
        return PartnerError(detail, retryable=False, code="mail-sender-refused")
    no_mailbox = enhanced.startswith("5.1.") if enhanced else about == "recipient" and status in _NO_MAILBOX
    return DeliveryFailed(detail, code="mailbox-unknown" if no_mailbox else "mail-refused")


def unreachable(detail: str) -> PartnerError:
    return PartnerError(detail, retryable=True, code="mail-server-unreachable")


def _not_encrypted(detail: str) -> PartnerError:
    """Someone may be in between just now; so it is tried again, and nothing is sent meanwhile."""
    return PartnerError(detail, retryable=True, code="mail-not-encrypted")


@contextlib.contextmanager
def _failures(host: str) -> Iterator[None]:
    try:
        yield
    except SMTPResponseException as reply:
        raise refusal(host, reply.code, reply.message, "connection") from None
    except (SMTPException, OSError) as error:
        if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
            raise _not_encrypted(f"{host} has no TLS that we trust") from None
        raise unreachable(f"{host} cannot be reached, or hung up") from None


async def _encrypted(smtp: SMTP, host: str) -> None:
    if not smtp.supports_extension("starttls"):
        raise _not_encrypted(f"{host} does not offer STARTTLS")
    try:
        await smtp.starttls()
    except SMTPResponseException as reply:
        raise _not_encrypted(f"{host} offers STARTTLS and answers {reply.code}") from None


async def _signed_in(smtp: SMTP, server: Server) -> None:
    """By the first way that both sides know; never by several, since each failure counts as an attempt."""
    offered = smtp.server_auth_methods
    try:
        if server.tokens:
            await _signed_in_by_token(smtp, server, server.tokens)
        elif "plain" in offered:
            await smtp.auth_plain(server.user, server.password)
        elif "login" in offered:
            await smtp.auth_login(server.user, server.password)
        else:
            raise _no_way(server.host)
    except SMTPResponseException as reply:
        raise refusal(server.host, reply.code, reply.message, "sign-in") from None


async def _signed_in_by_token(smtp: SMTP, server: Server, tokens: Tokens) -> None:
    """OAUTHBEARER (RFC 7628), or the XOAUTH2 that it was made from, where only that is offered."""
    offered = smtp.server_auth_methods
    if not {"oauthbearer", "xoauth2"} & set(offered):
        raise _no_way(server.host)
    token, fresh = await tokens.token()
    try:
        if "oauthbearer" in offered:
            await _oauthbearer(smtp, server, token)
        else:
            await smtp.auth_xoauth2(server.user, token)
    except SMTPAuthenticationError as reply:
        tokens.forget(token)
        failure = refusal(server.host, reply.code, reply.message, "sign-in")
        if failure.code == "mail-sign-in-failed" and not fresh:
            failure.retryable = True  # it may have been withdrawn: once more, with a new one
        raise failure from None


async def _oauthbearer(smtp: SMTP, server: Server, token: str) -> None:
    """RFC 7628, 3.1; a refusal comes as a challenge that is answered with one byte (3.2.3)."""
    name = server.user.replace("=", "=3D").replace(",", "=2C")  # RFC 5801, 4
    first = f"n,a={name},\x01host={server.host}\x01port={server.port}\x01auth=Bearer {token}\x01\x01"
    reply = await smtp.execute_command(b"AUTH", b"OAUTHBEARER", base64.b64encode(first.encode()))
    if reply.code == 334:
        reply = await smtp.execute_command(base64.b64encode(b"\x01"))
    if reply.code != 235:
        raise SMTPAuthenticationError(reply.code, reply.message)


def _no_way(host: str) -> PartnerError:
    return PartnerError(
        f"{host} does not offer a way to sign in with what is configured",
        retryable=False,
        code="mail-sign-in-failed",
    )
