"""Mail to a real server over loopback, and what came of it; then what can be said without one."""

import asyncio
import logging
import re
import socket
import ssl
import time
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.notification.mail_server import PASSWORD, USER, MailServer, mail_server

from vsdk.adapters.notification.smtp import SmtpMail, vsdk_notification_channels
from vsdk.adapters.notification.smtp.connection import refusal
from vsdk.adapters.notification.smtp.mail import Mailbox, built, in_one_line, mailbox
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError
from vsdk.domain.ids import PracticeId
from vsdk.domain.message import Message
from vsdk.testing.contracts import AnyChannelContract
from vsdk.testing.factories import a_practice
from vsdk.testing.fakes import FakeConfig, FakeHttp

LINK = "https://praxis.example/video/j#h4ndle-of-nobody"
CALENDAR = (
    "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Gespräch\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
MESSAGE = Message(
    recipient="erika@example.org",
    text=f"Guten Tag Zoë Łukasiewicz,\n\nIhr Weg in die Videosprechstunde:\n{LINK}\n",
    idempotency_key="key-5f0c1a",
    template="invitation",
    language="de",
    subject="Ihre Videosprechstunde am 2. März",
    practice_id=PracticeId("practice"),
)
FULL = replace(MESSAGE, html=f'<p>Grüße. <a href="{LINK}">Zur Sprechstunde</a></p>', calendar=CALENDAR)
PRIVATE = ("erika", "example.org", "Videosprechstunde", "h4ndle", "Zoë", PASSWORD, "t0ken", "s3cret")

Settings = dict[str, Any]


def channel(http: FakeHttp | None = None, **settings: Any) -> SmtpMail:
    settings = {"server": "localhost", "sender": "Praxis am Park <termine@park.example>", **settings}
    config = FakeConfig({"smtp_mail": settings}, practices=[a_practice(), a_practice(id=PracticeId("ufer"))])
    (made,) = vsdk_notification_channels(config, http or FakeHttp())
    return made


@asynccontextmanager
async def open_channel(at: MailServer, **settings: Any) -> AsyncIterator[SmtpMail]:
    made = channel(port=at.port, **settings)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def plain() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def mail(plain: MailServer) -> AsyncIterator[SmtpMail]:
    async with open_channel(plain, security="none") as made:
        yield made


def unix(part: Any) -> str:
    content = part.get_content()
    assert isinstance(content, str)
    assert "\n" not in content.replace("\r\n", "")
    return content.replace("\r\n", "\n")


async def failure(mail: SmtpMail, message: Message = MESSAGE) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await mail.deliver(message)
    shown = repr(caught.value) + str(caught.value) + caught.value.detail
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert not [text for text in PRIVATE if text in shown]
    return caught.value


class TestContract(AnyChannelContract):
    secrets = (PASSWORD,)

    @pytest.fixture
    async def adapter(self, server_context: ssl.SSLContext, ca_file: Path) -> AsyncIterator[SmtpMail]:
        async with (
            mail_server(server_context, auth_required=True) as server,
            open_channel(server, ca_file=ca_file, user=USER, password=PASSWORD) as made,
        ):
            yield made

    async def test_it_is_a_notification_channel(self, adapter: SmtpMail) -> None:  # type: ignore[override]
        super().test_it_is_a_notification_channel(adapter)  # in the loop of the fixture


# What arrives


async def test_text_html_and_calendar_arrive_each_as_its_own_part(plain: MailServer, mail: SmtpMail) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    receipt = await mail.deliver(FULL)
    (received,) = plain.received
    assert (received.sender, received.recipients) == ("termine@park.example", ["erika@example.org"])
    arrived = received.mail
    assert arrived["From"] == "Praxis am Park <termine@park.example>"
    assert arrived["To"] == "erika@example.org"
    assert arrived["Subject"] == "Ihre Videosprechstunde am 2. März"
    assert arrived["Message-ID"] == f"<{receipt.provider_id}>"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["Content-Language"] == "de"
    assert arrived["MIME-Version"] == "1.0"
    assert "Reply-To" not in arrived
    assert before <= parsedate_to_datetime(arrived["Date"]) <= datetime.now(UTC)
    alternative, attached = arrived.iter_parts()
    assert arrived.get_content_type() == "multipart/mixed"
    assert alternative.get_content_type() == "multipart/alternative"
    text, html, calendar = alternative.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert unix(text) == FULL.text
    assert html.get_content_type() == "text/html"
    assert unix(html) == FULL.html + "\n"
    assert calendar.get_content_type() == "text/calendar"
    assert calendar["Content-Type"].params == {"method": "REQUEST", "charset": "utf-8"}
    assert calendar.get_content().splitlines() == CALENDAR.splitlines()
    assert attached.get_filename() == "visit.ics"
    assert attached.is_attachment()
    assert attached.get_content() == CALENDAR.encode()


async def test_a_mail_without_html_or_calendar_is_plain_text(plain: MailServer, mail: SmtpMail) -> None:
    await mail.deliver(MESSAGE)
    arrived = plain.received[0].mail
    assert arrived["Content-Type"] == 'text/plain; charset="utf-8"'
    assert unix(arrived) == MESSAGE.text


async def test_everything_is_sent_in_lines_of_ascii(plain: MailServer, mail: SmtpMail) -> None:
    long_line = "ä" * 3000 + "\n" + "x" * 3000 + "\n.\n..\nFrom here on\n"
    await mail.deliver(replace(FULL, text=long_line, subject="Ö" * 300))
    (received,) = plain.received
    lines = received.content.split(b"\r\n")
    assert received.content.isascii()
    assert max(map(len, lines)) <= 78
    assert not [line for line in lines if b"\r" in line or b"\n" in line]
    arrived = received.mail
    assert arrived["Subject"] == "Ö" * 300
    body = arrived.get_body(("plain",))
    assert body is not None
    assert unix(body) == long_line


@pytest.mark.parametrize("end", ["\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n"])
async def test_no_text_can_end_a_mail_and_begin_another(end: str, plain: MailServer, mail: SmtpMail) -> None:
    text = f"one{end}MAIL FROM:<x@evil.example>\r\nRCPT TO:<y@evil.example>\r\nDATA\r\ntwo"
    await mail.deliver(replace(MESSAGE, text=text, html=text, calendar=text))
    assert len(plain.received) == 1
    body = plain.received[0].mail.get_body(("plain",))
    assert body is not None
    assert "two" in body.get_content()


HOSTILE = [
    "Termin\r\nBcc: x@evil.example",
    "Termin\nBcc: x@evil.example\n\nbody",
    "Termin\rBcc: x@evil.example",
    "Termin\x0bBcc: x@evil.example",
    "Termin\x85Bcc: x@evil.example",
    "Termin\u2028Bcc: x@evil.example",
    "Termin\x00Bcc: x@evil.example",
    "Termin ü\r\n Bcc: x@evil.example",
    "=?utf-8?q?Termin=0D=0ABcc:_x@evil.example?=",
    "Termin \ud800 Bcc: x@evil.example",
]


@pytest.mark.parametrize("subject", HOSTILE)
async def test_no_subject_or_language_can_begin_a_header(
    subject: str, plain: MailServer, mail: SmtpMail
) -> None:
    await mail.deliver(replace(MESSAGE, subject=subject, language=subject))
    (received,) = plain.received
    headers = received.content.partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc:" not in headers
    assert received.mail["Subject"] == in_one_line(subject), "it is read as it was written, and not twice"
    assert received.mail.keys() == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    ]
    assert received.recipients == ["erika@example.org"]


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "erika",
        "erika@",
        "@example.org",
        "erika@example.org\r\nRCPT TO:<x@evil.example>",
        "erika@example.org>\r\nRCPT TO:<x@evil.example",
        "erika@example.org\nBcc: x@evil.example",
        "erika@example.org, x@evil.example",
        "erika@example.org x@evil.example",
        "<x@evil.example> erika@example.org",
        '"erika x"@example.org',
        "x@evil.example@example.org",
        "erika@[127.0.0.1]",
        "erika@example..org",
        "erika@example.org.",
        "erika@intranet",
        "erika.@example.org",
        "erika\x00@example.org",
        "erika@exam\u2028ple.org",
        "+491713920099",
        "a" * 65 + "@example.org",
        "erika@" + "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 60,
    ],
)
async def test_what_is_no_address_gets_no_mail(recipient: str, plain: MailServer, mail: SmtpMail) -> None:
    error = await failure(mail, replace(MESSAGE, recipient=recipient))
    assert isinstance(error, DeliveryFailed)
    assert error.code == "mail-address-invalid"
    assert (plain.connections, plain.received) == (0, [])


@pytest.mark.parametrize(
    ("recipient", "on_the_wire"),
    [
        ("erika@BÜCHER.example", "erika@xn--bcher-kva.example"),
        ("erika@praxis-groß.example", "erika@xn--praxis-gro-f4a.example"),
        ("o'neil+termin@example.org", "o'neil+termin@example.org"),
        (" erika@example.org ", "erika@example.org"),
        ("erika@xn--bcher-kva.example", "erika@xn--bcher-kva.example"),
    ],
)
async def test_domains_go_over_the_wire_in_ascii(
    recipient: str, on_the_wire: str, plain: MailServer, mail: SmtpMail
) -> None:
    await mail.deliver(replace(MESSAGE, recipient=recipient))
    assert plain.received[0].recipients == [on_the_wire]
    assert plain.received[0].mail["To"] == on_the_wire
    assert plain.received[0].options == []


async def test_an_address_beyond_ascii_is_used_where_the_server_can(
    plain: MailServer, mail: SmtpMail
) -> None:
    await mail.deliver(replace(FULL, recipient="jörg@bücher.example"))
    (received,) = plain.received
    assert received.options == ["SMTPUTF8"]
    assert received.recipients == ["jörg@xn--bcher-kva.example"]
    assert "\r\nTo: jörg@xn--bcher-kva.example\r\n" in received.content.decode()
    assert received.mail["Subject"] == MESSAGE.subject


async def test_an_address_beyond_ascii_fails_where_the_server_cannot() -> None:
    async with mail_server(smtputf8=False) as server, open_channel(server, security="none") as mail:
        error = await failure(mail, replace(MESSAGE, recipient="jörg@bücher.example"))
        assert (type(error), error.code) == (DeliveryFailed, "mail-address-invalid")
        await mail.deliver(MESSAGE)
        assert len(server.received) == 1


async def test_a_practice_can_have_a_sender_of_its_own(plain: MailServer) -> None:
    senders = {"ufer": 'Praxis Dr. Müller, "Am Ufer" <hallo@üfer.example>'}
    reply_to = "Empfang <empfang@park.example>"
    async with open_channel(plain, security="none", senders=senders, reply_to=reply_to) as mail:
        await mail.deliver(MESSAGE)
        await mail.deliver(replace(MESSAGE, practice_id=PracticeId("ufer")))
        await mail.deliver(replace(MESSAGE, practice_id=PracticeId("")))
    first, own, of_none = (received.mail for received in plain.received)
    assert first["Reply-To"] == reply_to
    assert of_none["From"] == first["From"]
    assert "Reply-To" not in own
    (address,) = own["From"].addresses
    assert address.display_name == 'Praxis Dr. Müller, "Am Ufer"'
    assert address.addr_spec == plain.received[1].sender == "hallo@xn--fer-goa.example"
    assert own["Message-ID"].endswith("@xn--fer-goa.example>")


async def test_a_repeated_attempt_is_the_same_mail_and_another_message_is_not(
    plain: MailServer, mail: SmtpMail
) -> None:
    first, again = await mail.deliver(MESSAGE), await mail.deliver(MESSAGE)
    other = await mail.deliver(replace(MESSAGE, idempotency_key="key-another"))
    assert first == again != other
    ids = [received.mail["Message-ID"] for received in plain.received]
    assert ids == [f"<{receipt.provider_id}>" for receipt in (first, again, other)]
    assert MESSAGE.idempotency_key not in plain.received[0].content.decode()


# Encryption and signing in


async def test_starttls_is_used_before_anything_is_said(
    server_context: ssl.SSLContext, ca_file: Path
) -> None:
    async with (
        mail_server(server_context, auth_required=True) as server,
        open_channel(server, ca_file=ca_file, user=USER, password=PASSWORD) as mail,
    ):
        await mail.deliver(MESSAGE)
        assert len(server.received) == 1
        assert server.sign_ins == ["PLAIN"]
        assert set(server.names) == {"praxis.example"}
        session = server.protocols[0].session
        assert session is not None
        assert session.ssl is not None


async def test_tls_from_the_first_byte(server_context: ssl.SSLContext, ca_file: Path) -> None:
    async with (
        mail_server(server_context, implicit=True, offered=["LOGIN"]) as server,
        open_channel(server, security="tls", ca_file=ca_file, user=USER, password=PASSWORD) as mail,
    ):
        await mail.deliver(MESSAGE)
        assert (len(server.received), server.sign_ins) == (1, ["LOGIN"])


async def test_without_starttls_nothing_is_sent_and_it_is_tried_again(plain: MailServer) -> None:
    async with open_channel(plain, user=USER, password=PASSWORD) as mail:
        error = await failure(mail)
    assert (error.code, error.retryable) == ("mail-not-encrypted", True)
    assert (plain.received, plain.sign_ins) == ([], [])


@pytest.mark.parametrize("implicit", [False, True])
async def test_a_server_of_an_unknown_authority_gets_nothing(
    implicit: bool, server_context: ssl.SSLContext
) -> None:
    async with (
        mail_server(server_context, implicit=implicit) as server,
        open_channel(
            server, security="tls" if implicit else "starttls", user=USER, password=PASSWORD
        ) as mail,
    ):
        error = await failure(mail)
        assert (error.code, error.retryable) == ("mail-not-encrypted", True)
        assert (server.received, server.sign_ins) == ([], [])


@pytest.mark.parametrize("implicit", [False, True])
async def test_a_certificate_for_another_name_is_not_accepted(
    implicit: bool, server_context: ssl.SSLContext, ca_file: Path
) -> None:
    async with (
        mail_server(server_context, implicit=implicit) as server,
        open_channel(
            server, server="127.0.0.1", security="tls" if implicit else "starttls", ca_file=ca_file
        ) as mail,
    ):
        assert (await failure(mail)).code == "mail-not-encrypted"
        assert server.received == []


async def test_a_server_that_speaks_no_tls_on_the_port_for_it_gets_nothing(plain: MailServer) -> None:
    async with open_channel(plain, security="tls") as mail:
        error = await failure(mail)
    assert (error.code, error.retryable) == ("mail-not-encrypted", True)


async def test_a_wrong_password_is_tried_once_and_not_again(
    server_context: ssl.SSLContext, ca_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        mail_server(server_context, auth_required=True) as server,
        open_channel(server, ca_file=ca_file, user=USER, password="s3cret-and-wrong") as mail,
    ):
        error = await failure(mail)
        assert (error.code, error.retryable) == ("mail-sign-in-failed", False)
        assert error.detail == "localhost answered 535 5.7.8"
        assert server.sign_ins == ["PLAIN"], "a second attempt may lock the account"
    assert not [text for text in PRIVATE if text in caplog.text]


async def test_a_server_that_wants_a_sign_in_says_so(server_context: ssl.SSLContext, ca_file: Path) -> None:
    async with (
        mail_server(server_context, auth_required=True) as server,
        open_channel(server, ca_file=ca_file) as mail,
    ):
        error = await failure(mail)
    assert (error.code, error.retryable) == ("mail-sign-in-failed", False)


async def test_a_server_without_a_way_to_sign_in_that_we_know(
    server_context: ssl.SSLContext, ca_file: Path
) -> None:
    async with (
        mail_server(server_context, offered=["XOAUTH2"]) as server,
        open_channel(server, ca_file=ca_file, user=USER, password=PASSWORD) as mail,
    ):
        error = await failure(mail)
        assert (error.code, error.retryable) == ("mail-sign-in-failed", False)
        assert server.received == []


# OAuth 2.0

OAUTH: Settings = {
    "user": USER,
    "token_endpoint": "https://login.example/token",
    "client_id": "video",
    "client_secret": "s3cret-of-nobody",
    "scope": "https://mail.example/SMTP.Send",
}


@pytest.mark.parametrize(
    ("offered", "used"),
    [
        (["PLAIN", "XOAUTH2"], "XOAUTH2"),
        (["PLAIN", "XOAUTH2", "OAUTHBEARER"], "OAUTHBEARER"),
    ],
)
async def test_an_access_token_signs_in_and_is_kept(
    offered: list[str], used: str, server_context: ssl.SSLContext, ca_file: Path, mock_http: FakeHttp
) -> None:
    mock_http.answering(json={"access_token": "t0ken-of-nobody", "expires_in": 3600})
    async with (
        mail_server(server_context, offered=offered) as server,
        open_channel(server, ca_file=ca_file, http=mock_http, **OAUTH) as mail,
    ):
        await asyncio.gather(mail.deliver(MESSAGE), mail.deliver(MESSAGE))
        assert server.sign_ins == [used, used]
        assert len(server.received) == 2
    (request,) = mock_http.requests
    assert (request.method, request.url) == ("POST", "https://login.example/token")
    assert request.options["data"] == {
        "grant_type": "client_credentials",
        "client_id": "video",
        "client_secret": "s3cret-of-nobody",
        "scope": "https://mail.example/SMTP.Send",
    }


async def test_a_refresh_token_is_used_and_replaced_by_a_newer_one(
    server_context: ssl.SSLContext, ca_file: Path, mock_http: FakeHttp
) -> None:
    mock_http.answering(
        json={"access_token": "t0ken-of-nobody", "expires_in": 0, "refresh_token": "the-second"}
    )
    oauth = OAUTH | {"refresh_token": "the-first"}
    async with (
        mail_server(server_context, offered=["XOAUTH2"]) as server,
        open_channel(server, ca_file=ca_file, http=mock_http, **oauth) as mail,
    ):
        await mail.deliver(MESSAGE)
        await mail.close()
        await mail.deliver(MESSAGE)
    sent = [request.options["data"] for request in mock_http.requests]
    assert [form["grant_type"] for form in sent] == ["refresh_token", "refresh_token"]
    assert [form["refresh_token"] for form in sent] == ["the-first", "the-second"]


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
async def test_a_token_that_was_withdrawn_is_replaced_at_the_next_attempt(
    mechanism: str, server_context: ssl.SSLContext, ca_file: Path, mock_http: FakeHttp
) -> None:
    mock_http.answering(json={"access_token": "t0ken-of-nobody", "expires_in": 3600})
    async with (
        mail_server(server_context, offered=[mechanism]) as server,
        open_channel(server, ca_file=ca_file, http=mock_http, **OAUTH) as mail,
    ):
        await mail.deliver(MESSAGE)
        await mail.close()
        server.token = "t0ken-of-today"
        error = await failure(mail)
        assert (error.code, error.retryable) == ("mail-sign-in-failed", True)
        mock_http.answering(json={"access_token": "t0ken-of-today", "expires_in": 3600})
        await mail.deliver(MESSAGE)
        server.token = "t0ken-of-tomorrow"
        await mail.close()
        assert (await failure(mail)).retryable
        error = await failure(mail)
        assert (error.code, error.retryable) == ("mail-sign-in-failed", False), "a new one is refused too"


@pytest.mark.parametrize(
    ("status", "retryable", "code"),
    [
        (400, False, "mail-sign-in-failed"),
        (401, False, "mail-sign-in-failed"),
        (503, True, "partner-error"),
        (200, True, "partner-error"),
    ],
)
async def test_a_token_endpoint_that_gives_no_token(
    status: int,
    retryable: bool,
    code: str,
    server_context: ssl.SSLContext,
    ca_file: Path,
    mock_http: FakeHttp,
) -> None:
    mock_http.answering(status=status, json={"error": "s3cret"})
    async with (
        mail_server(server_context, offered=["XOAUTH2"]) as server,
        open_channel(server, ca_file=ca_file, http=mock_http, **OAUTH) as mail,
    ):
        error = await failure(mail)
        assert (error.code, error.retryable) == (code, retryable)
        assert server.sign_ins == []


# Refusals and failures


@pytest.mark.parametrize(
    ("command", "answer", "code", "retryable"),
    [
        ("RCPT", "550 5.1.1 <erika@example.org> is unknown", "mailbox-unknown", False),
        ("RCPT", "550 erika@example.org: no such mailbox", "mailbox-unknown", False),
        ("RCPT", "553 5.1.3 bad erika", "mailbox-unknown", False),
        ("RCPT", "550 5.7.1 erika does not want this", "mail-refused", False),
        ("RCPT", "552 5.2.2 erika has too much", "mail-refused", False),
        ("RCPT", "554 relaying to example.org denied", "mail-refused", False),
        ("RCPT", "451 4.7.1 greylisted, erika", "mail-deferred", True),
        ("RCPT", "450 erika is busy", "mail-deferred", True),
        ("RCPT", "421 4.3.2 shutting down", "mail-deferred", True),
        ("RCPT", "530 5.7.0 sign in", "mail-sign-in-failed", False),
        ("RCPT", "299 what", "mail-server-unreachable", True),
        ("MAIL", "550 5.7.60 not as this sender", "mail-sender-refused", False),
        ("MAIL", "452 4.3.1 full", "mail-deferred", True),
        ("DATA", "554 5.7.1 erika's Videosprechstunde is spam", "mail-refused", False),
        ("DATA", "550 5.1.1 erika is unknown", "mailbox-unknown", False),
        ("DATA", "550 no", "mail-refused", False),
        ("DATA", "432 4.3.2 too many", "mail-deferred", True),
    ],
)
async def test_what_a_negative_answer_means(
    command: str,
    answer: str,
    code: str,
    retryable: bool,
    plain: MailServer,
    mail: SmtpMail,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    plain.answers = {command: answer}
    error = await failure(mail)
    assert (error.code, error.retryable) == (code, retryable)
    assert isinstance(error, DeliveryFailed) == (code in ("mailbox-unknown", "mail-refused"))
    assert error.detail.startswith(f"localhost answered {answer[:3]}")
    assert not [text for text in PRIVATE if text in caplog.text]
    plain.answers = {}
    await mail.deliver(MESSAGE)
    assert len(plain.received) == 1, "the next mail is not affected"


def test_only_the_codes_of_an_answer_are_told() -> None:
    assert refusal("mx", 550, "5.1.1\nerika", "recipient").detail == "mx answered 550 5.1.1"
    assert refusal("mx", 550, "5.1.1erika", "recipient").detail == "mx answered 550"
    assert refusal("mx", 550, "", "recipient").detail == "mx answered 550"
    assert refusal("mx", -1, "erika", "recipient").code == "mail-server-unreachable"


async def test_a_refused_mail_leaves_the_connection_as_it_was(plain: MailServer, mail: SmtpMail) -> None:
    plain.answers = {"RCPT": "550 5.1.1 no"}
    await failure(mail)
    plain.answers = {}
    await mail.deliver(MESSAGE)
    assert (plain.connections, len(plain.received)) == (1, 1)


async def test_a_server_that_hangs_up_during_the_mail_gets_it_again(
    plain: MailServer, mail: SmtpMail
) -> None:
    plain.drops = 1
    error = await failure(mail)
    assert (error.code, error.retryable) == ("mail-server-unreachable", True)
    await mail.deliver(MESSAGE)
    assert (plain.connections, len(plain.received)) == (2, 1)


async def test_a_slow_server_is_given_up_in_time_and_the_connection_with_it(plain: MailServer) -> None:
    async with open_channel(plain, security="none", timeout=0.1) as mail:
        plain.delay = 30
        began = time.monotonic()
        error = await failure(mail)
        assert (error.code, error.retryable) == ("mail-server-unreachable", True)
        assert time.monotonic() - began < 2
        plain.delay = 0
        await mail.deliver(MESSAGE)
        assert plain.connections == 2


async def test_nobody_there(unused: int) -> None:
    mail = channel(port=unused, security="none")
    error = await failure(mail)
    assert (error.code, error.retryable) == ("mail-server-unreachable", True)


@pytest.mark.parametrize(
    "greeting", [b"554 5.7.1 your address is on a list\r\n", b"HTTP/1.1 400 Bad\r\n", b""]
)
async def test_a_server_that_does_not_want_to_talk(greeting: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    mail = channel(port=server.sockets[0].getsockname()[1], security="none")
    error = await failure(mail)
    assert (error.code, error.retryable) == ("mail-server-unreachable", True)
    server.close()
    await server.wait_closed()


async def test_a_cancelled_delivery_stops_and_its_connection_is_not_used_again(
    plain: MailServer, mail: SmtpMail
) -> None:
    plain.delay = 30
    delivery = asyncio.ensure_future(mail.deliver(MESSAGE))
    await asyncio.sleep(0.1)
    assert not delivery.done()
    delivery.cancel()
    await asyncio.wait([delivery], timeout=1)
    assert delivery.cancelled()
    plain.delay = 0
    await mail.deliver(replace(MESSAGE, idempotency_key="key-another"))
    assert plain.connections == 2


# Connections


async def test_a_batch_goes_over_few_connections_at_the_same_time(
    server_context: ssl.SSLContext, ca_file: Path
) -> None:
    async with (
        mail_server(server_context) as server,
        open_channel(server, ca_file=ca_file, user=USER, password=PASSWORD) as mail,
    ):
        server.delay = 0.1
        began = time.monotonic()
        await asyncio.gather(*(mail.deliver(replace(MESSAGE, idempotency_key=f"key-{n}")) for n in range(20)))
        took = time.monotonic() - began
        assert (server.connections, server.most_at_once) == (3, 3)
        assert len({received.mail["Message-ID"] for received in server.received}) == 20
        assert took < 20 * server.delay, "it was one after the other"


async def test_the_number_of_connections_can_be_set(plain: MailServer) -> None:
    async with open_channel(plain, security="none", connections=1) as mail:
        await asyncio.gather(*(mail.deliver(MESSAGE) for _ in range(5)))
    assert (plain.connections, len(plain.received)) == (1, 5)


async def test_an_idle_connection_is_left(plain: MailServer) -> None:
    server = channel(port=plain.port, security="none")._server
    mail = SmtpMail(server, mailbox("termine@park.example"), senders={}, idle=0.05)
    await mail.deliver(MESSAGE)
    async with asyncio.timeout(5):
        while plain.protocols[0].transport is not None:
            await asyncio.sleep(0.01)
    await mail.deliver(MESSAGE)
    assert plain.connections == 2
    await mail.close()


async def test_a_kept_connection_that_the_server_closed_costs_no_attempt(
    plain: MailServer, mail: SmtpMail
) -> None:
    await mail.deliver(MESSAGE)
    transport = plain.protocols[0].transport
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()
    await mail.deliver(MESSAGE)
    assert (plain.connections, len(plain.received)) == (2, 2)


# Settings

CORRECT: Settings = {"server": "mail.park.example", "sender": "termine@park.example"}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"security": "none"}, "same machine"),
        ({"security": "none", "server": "10.0.0.1"}, "same machine"),
        ({"security": "none", "server": "localhost.evil.example"}, "same machine"),
        ({"security": "none", "server": "localhost", "ca_file": "ca.pem"}, "ca_file"),
        ({"security": "opportunistic"}, "starttls"),
        ({"user": USER}, "belong together"),
        ({"password": "s3cret"}, "belong together"),
        (OAUTH | {"user": ""}, "belong together"),
        (OAUTH | {"password": "s3cret"}, "either a password"),
        (OAUTH | {"client_secret": None}, "client_secret or a refresh_token"),
        (OAUTH | {"client_id": ""}, "client_id"),
        (OAUTH | {"token_endpoint": "http://login.example/token"}, "https"),
        (OAUTH | {"token_endpoint": "login.example"}, "https"),
        ({"client_id": "video"}, "need a token_endpoint"),
        ({"sender": "Praxis"}, "mail address"),
        ({"sender": "Praxis\r\nBcc: x <x@park.example>"}, "mail address"),
        ({"reply_to": "nobody"}, "mail address"),
        ({"senders": {"practice": "nobody"}}, "mail address"),
        ({"senders": {"elsewhere": "x@park.example"}}, "no such practice: elsewhere"),
        ({"ca_file": "/there/is/no/such.pem"}, "ca_file"),
        ({"port": 0}, "port"),
        ({"timeout": 60}, "timeout"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: Settings, word: str) -> None:
    with pytest.raises(ConfigurationError, match=word) as caught:
        vsdk_notification_channels(FakeConfig({"smtp_mail": CORRECT | changes}), FakeHttp())
    assert "s3cret" not in str(caught.value)


def test_the_examples_of_the_documentation_are_valid() -> None:
    text = (Path(__file__).parents[3] / "docs/channels/mail.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        section = tomllib.loads(example)["plugin"]["smtp_mail"]
        revealed = {key: "s3cret" for key, value in section.items() if set(value) & {"env", "file"}}
        practices = [a_practice(), a_practice(id=PracticeId("see"))]
        config = FakeConfig({"smtp_mail": CORRECT | section | revealed}, practices)
        assert vsdk_notification_channels(config, FakeHttp())


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match="ca_file"):
        channel(ca_file=tmp_path / "ca.pem")


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_each_security_has_its_port(security: str, port: int) -> None:
    assert channel(security=security)._server.port == port


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://video.park.example/v", "video.park.example"),
        ("http://localhost:8000", "localhost"),
        ("http://127.0.0.1:8000", "[127.0.0.1]"),
        ("http://[::1]:8000", "[IPv6:::1]"),
        ("https://bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_we_greet_with_the_name_of_this_server(base_url: str, name: str) -> None:
    config = FakeConfig({"smtp_mail": CORRECT}, base_url=base_url)
    (made,) = vsdk_notification_channels(config, FakeHttp())
    assert made._server.greeting == name


def test_secrets_do_not_show_in_what_may_be_printed() -> None:
    made = channel(user=USER, password=PASSWORD)
    assert PASSWORD not in repr(made._server) + repr(vars(made))
    assert "park" not in repr(mailbox("Praxis am Park <termine@park.example>"))


def test_names_are_kept_as_they_are_written() -> None:
    found = mailbox('"Müller, Dr. Jörg" <praxis@park.example>')
    assert (found.name, found.address) == ("Müller, Dr. Jörg", "praxis@park.example")
    assert mailbox("praxis@park.example").name == ""


def test_a_calendar_without_a_method_names_none() -> None:
    mail = built(
        replace(MESSAGE, calendar="BEGIN:VCALENDAR\nEND:VCALENDAR"),
        sender=Mailbox("a", "park.example"),
        recipient=Mailbox("b", "park.example"),
        reply_to=None,
        now=datetime(2026, 3, 2, tzinfo=UTC),
    )
    assert b"Content-Type: text/calendar; charset" in mail
    assert b"method" not in mail


def test_one_line_is_one_line() -> None:
    assert in_one_line(" a\r\n\tb \x00 c ") == "a b c"


@pytest.fixture
def unused() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
