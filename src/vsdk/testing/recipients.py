"""Whom contracts send messages to: nobody, in the form that each kind of channel needs."""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    example_number_for_type,
    format_number,
    parse,
)

from vsdk.testing.sent import ArrivedRequest, read

COUNTRIES = ("DE", "FR", "CH", "GB", "US")
MAILBOXES = ("erika.beispiel@example.org", "o'neill+video@post.example", "JOERG@example.org")
PEOPLE = ("Patient/4711", "RelatedPerson/0815")
_NUMBER = re.compile(r"(?:\+|\b00|\b)[1-9][0-9]{6,14}\b")
_AUTH = bytes(range(16))


class Browser:
    """A push subscription and the keys behind it: reads what a push service would hand over (RFC 8291)."""

    def __init__(self, endpoint: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._point = _point(self._key.public_key())
        keys = {"p256dh": _base64url(self._point), "auth": _base64url(_AUTH)}
        self.endpoint = endpoint
        self.subscription = json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": keys})

    def read(self, body: bytes) -> bytes:
        """The text of one record in the coding ``aes128gcm`` (RFC 8188, 2). Raises ValueError, InvalidTag."""
        salt, sender, record = body[:16], body[21 : 21 + body[20]], body[21 + body[20] :]
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self._key.exchange(ec.ECDH(), theirs)
        secret = _derive(shared, _AUTH, b"WebPush: info\0" + self._point + sender, 32)
        key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
        return AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0").removesuffix(b"\x02")


@cache
def browser() -> Browser:
    return Browser("https://push.example/send/c4pability-of-nobody")


@cache
def numbers() -> tuple[str, ...]:
    """Numbers for examples, of mobile phones where a country tells them apart, in E.164."""
    found = (example_number_for_type(country, PhoneNumberType.MOBILE) for country in COUNTRIES)
    return tuple(format_number(number, PhoneNumberFormat.E164) for number in found if number)


def recipients(channel: str) -> Sequence[str]:
    """One or more that a channel of that kind must be able to reach."""
    match channel:
        case "sms":
            return numbers()
        case "email":
            return MAILBOXES
        case "push":
            return (browser().subscription,)
        case _:
            return PEOPLE


def private_of(recipient: str, channel: str) -> tuple[str, ...]:
    """What of an address no log may show. The FHIR reference of a person is none: it names nobody."""
    match channel:
        case "sms":
            return (recipient, recipient.lstrip("+"), str(parse(recipient).national_number))
        case "email":
            return (recipient, recipient.partition("@")[0])
        case "push":
            subscription = json.loads(recipient)
            return (subscription["endpoint"], *subscription["keys"].values())
        case _:
            return ()


def reaches(request: ArrivedRequest, texts: Sequence[str], recipient: str, channel: str) -> bool:
    """Whether the request names the recipient: the same number, mailbox, person, or push resource."""
    match channel:
        case "sms":
            wanted = parse(recipient)
            return any(number == wanted for text in texts for number in _numbers(text))
        case "push":
            return bool(json.loads(recipient)["endpoint"] == f"https://{request.host}{request.target}")
        case _:
            return any(recipient in text for text in texts)


def texts_of(request: ArrivedRequest, channel: str) -> tuple[str, ...]:
    """All values in headers and body; of a push message, as the browser reads it."""
    if channel != "push" or request.headers.get("content-encoding") != "aes128gcm":
        return request.texts
    plain = browser().read(request.body)
    return (*request.headers.values(), *read({"content-type": "application/json"}, plain))


def _numbers(text: str) -> Iterator[object]:
    """Numbers in E.164, with or without ``+`` or ``00`` in front."""
    for found in _NUMBER.findall(text):
        try:
            yield parse("+" + found.lstrip("+0"))
        except NumberParseException:
            continue


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
