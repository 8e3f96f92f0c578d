"""A mail server over loopback for tests: it takes mails, refuses, is slow or hangs up, as a test wants it."""

import asyncio
import base64
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER, PASSWORD = "praxis@park.example", "pa55-of-nobody"
MECHANISMS = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the server's own, which names addresses


@dataclass
class Received:
    """A mail as it came, and its envelope."""

    sender: str
    recipients: list[str]
    content: bytes
    options: list[str]

    @property
    def mail(self) -> EmailMessage:
        parsed = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        assert not [part.defects for part in parsed.walk() if part.defects]
        return parsed


@dataclass
class MailServer:
    """What it received, and how it behaves (a handler of aiosmtpd)."""

    received: list[Received] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    """to MAIL, RCPT or DATA, where it is not to take something"""
    delay: float = 0
    """seconds before it takes a mail"""
    drops: int = 0
    """how many times it hangs up while a mail is being sent"""
    token: str = "t0ken-of-nobody"
    """the access token that it accepts"""
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    """mails that it took at the same time"""
    sign_ins: list[str] = field(default_factory=list)
    """mechanisms, of attempts that failed too"""
    names: list[str] = field(default_factory=list)
    """what was said in EHLO"""
    port: int = 0
    protocols: list[SMTP] = field(default_factory=list)

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, name: str, responses: list[str]
    ) -> list[str]:
        session.host_name = name
        self.names.append(name)
        return responses

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 fine"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.delay)
        self.at_once -= 1
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.received.append(
            Received(envelope.mail_from, envelope.rcpt_tos, envelope.original_content, envelope.mail_options)
        )
        return "250 2.0.0 queued"

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        self.sign_ins.append("XOAUTH2")
        right = f"user={USER}\x01auth=Bearer {self.token}\x01\x01"
        return await self._by_token(server, right, args)

    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:
        self.sign_ins.append("OAUTHBEARER")
        right = f"n,a={USER},\x01host=localhost\x01port={self.port}\x01auth=Bearer {self.token}\x01\x01"
        return await self._by_token(server, right, args)

    async def _by_token(self, server: SMTP, right: str, args: list[str]) -> AuthResult:
        if base64.b64decode(args[1]).decode() == right:
            return AuthResult(success=True)
        await server.challenge_auth(b'{"status":"invalid_token"}')
        return AuthResult(success=False, handled=False)

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.sign_ins.append(mechanism)
        right = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=right, handled=False)


class _Dropping(SMTP):
    async def smtp_DATA(self, arg: str) -> None:
        if self.event_handler.drops:
            self.event_handler.drops -= 1
            await self.push("354 go on")
            assert isinstance(self.transport, asyncio.WriteTransport)
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


@asynccontextmanager
async def mail_server(
    context: ssl.SSLContext | None = None,
    *,
    implicit: bool = False,
    offered: Sequence[str] = ("PLAIN", "LOGIN"),
    auth_required: bool = False,
    smtputf8: bool = True,
) -> AsyncIterator[MailServer]:
    """With STARTTLS where it has a TLS context, which it then requires; or TLS from the first byte."""
    state, loop = MailServer(), asyncio.get_running_loop()

    def one() -> SMTP:
        state.connections += 1
        made = _Dropping(
            state,
            hostname="mail.park.example",
            enable_SMTPUTF8=smtputf8,
            tls_context=None if implicit else context,
            require_starttls=context is not None and not implicit,
            auth_require_tls=context is not None and not implicit,
            auth_required=auth_required,
            auth_exclude_mechanism=[name for name in MECHANISMS if name not in offered],
            authenticator=state.authenticate,
            loop=loop,
        )
        state.protocols.append(made)
        return made

    listening = await loop.create_server(one, "127.0.0.1", ssl=context if implicit else None)
    state.port = listening.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        listening.close()
        for protocol in state.protocols:
            if isinstance(protocol.transport, asyncio.WriteTransport):
                protocol.transport.abort()
        await asyncio.sleep(0.01)
