"""From a Message to the bytes of a mail; pure functions.

Headers are those of RFC 5322, words beyond ASCII in them as RFC 2047 says, domains as IDNA 2008 (RFC 5891).
Where the part before the ``@`` is not ASCII, the whole mail is one of RFC 6532 and needs a server with
SMTPUTF8 (RFC 6531). All bodies are sent in lines of ASCII, so that no server on the way has to recode them.
"""

import hashlib
import re
import unicodedata
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

import idna

from vsdk.domain.message import Message

LONGEST = 254
"""characters of an address (RFC 5321, 4.5.3.1.3, without the angle brackets)"""
ATTACHED_AS = "visit.ics"

_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
"""dot-atom of RFC 5322, 3.2.3, with letters and digits of all scripts (RFC 6531, 3.3)"""
_NAMED = re.compile(r"(?P<name>[^<>]*?)\s*<(?P<address>[^<>]+)>")
_METHOD = re.compile(r"^METHOD:([A-Z-]+)\s*$", re.MULTILINE | re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,35}")
_WORD_BYTES = 39
"""so that an encoded word and the name of a header have room in a line of 76 characters (RFC 2047, 2)"""
_POLICY = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as it goes over the wire, and the name that people see."""

    local: str = field(repr=False)
    domain: str = field(repr=False)
    """in ASCII"""
    name: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        return f"{self.local}@{self.domain}"


def mailbox(text: str) -> Mailbox:
    """``praxis@bücher.example`` or ``Praxis am Park <praxis@park.example>``.

    Raises ValueError for anything else: no comments, no quoted local parts, no address literals, of which
    none occurs in practice, and each has been a way to smuggle something in.
    """
    text = text.strip()
    named = _NAMED.fullmatch(text)
    address, name = (named["address"], named["name"]) if named else (text, "")
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    local, _, domain = address.rpartition("@")
    if not _LOCAL.fullmatch(local) or _is_control(name):
        raise ValueError("this is not a mail address")
    try:
        domain = idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        raise ValueError("this is not the domain of a mail address") from None
    if domain.endswith(".") or ("." not in domain and domain != "localhost"):
        raise ValueError("the domain of a mail address has a dot, and does not end with one")
    if len(f"{local}@{domain}".encode()) > LONGEST or len(local.encode()) > 64:
        raise ValueError("this is too long for a mail address")
    return Mailbox(unicodedata.normalize("NFC", local), domain, name)


def needs_utf8(*mailboxes: Mailbox) -> bool:
    """Whether only a server with SMTPUTF8 can take a mail between these."""
    return not all(one.local.isascii() for one in mailboxes)


def message_id(idempotency_key: str, domain: str) -> str:
    """The same for each attempt, so that who gets a mail twice can know it again (RFC 5322, 3.6.4)."""
    return f"{hashlib.sha256(idempotency_key.encode()).hexdigest()[:40]}@{domain}"


def built(
    message: Message, *, sender: Mailbox, recipient: Mailbox, reply_to: Mailbox | None, now: datetime
) -> bytes:
    """The whole mail, with CRLF at the ends of lines.

    The header is written here, line by line: Python's own policies read encoded words in a subject again and
    write what is in them, line ends too.
    """
    header = {
        "From": shown(sender),
        "To": shown(recipient),
        "Reply-To": shown(reply_to) if reply_to else "",
        "Subject": words(in_one_line(message.subject)),
        "Date": format_datetime(now),
        "Message-ID": f"<{message_id(message.idempotency_key, sender.domain)}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: no machine should answer
        "Content-Language": message.language if _LANGUAGE.fullmatch(message.language) else "",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in header.items() if value)
    return lines.encode() + _content(message).as_bytes()


def _content(message: Message) -> EmailMessage:
    """multipart/alternative of text, HTML and calendar, as far as there are any; with a calendar, the same is
    attached once more as a file, for programs that do not understand iMIP (RFC 6047)."""
    content = EmailMessage(policy=_POLICY)
    content.set_content(_encodable(message.text))
    if message.html:
        content.add_alternative(_encodable(message.html), subtype="html")
    if message.calendar:
        calendar = _encodable(message.calendar)
        method = _METHOD.search(calendar)
        params = {"method": method[1].upper()} if method else {}
        content.add_alternative(calendar, subtype="calendar", params=params)
        content.add_attachment(calendar.encode(), maintype="application", subtype="ics", filename=ATTACHED_AS)
    return content


def shown(one: Mailbox) -> str:
    """``Praxis am Park <praxis@park.example>``, as it stands in a header."""
    if not one.name:
        return one.address
    plain = f'"{one.name}"' if '"' not in one.name and "\\" not in one.name else ""
    name = words(one.name, plain)
    return f"{name}\r\n <{one.address}>" if "\r\n" in name else f"{name} <{one.address}>"


def words(text: str, plain: str | None = None) -> str:
    """Short ASCII as ``plain``, which is the text itself unless it is given; else encoded words of RFC 2047,
    none longer than 75 characters, each on a line of its own."""
    plain = text if plain is None else plain
    if text.isascii() and len(text) <= 60 and "=?" not in text and (plain or not text):
        return plain
    parts = [b""]
    for character in text:
        encoded = character.encode()
        if len(parts[-1]) + len(encoded) > _WORD_BYTES:
            parts.append(b"")
        parts[-1] += encoded
    return "\r\n ".join(f"=?utf-8?B?{b64encode(part).decode()}?=" for part in parts)


def in_one_line(text: str) -> str:
    """Without line ends and other control characters: nothing can begin a header of its own."""
    return " ".join("".join(" " if _is_control(c) else c for c in _encodable(text)).split())


def _is_control(text: str) -> bool:
    return any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text)


def _encodable(text: str) -> str:
    """With question marks for half characters, which UTF-8 cannot hold, and without NUL (RFC 5321, 2.3.8)."""
    return text.encode(errors="replace").decode().replace("\0", "")
