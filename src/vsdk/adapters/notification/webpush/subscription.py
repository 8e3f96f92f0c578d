"""What a browser hands over so that it can be sent pushes: a PushSubscription (W3C Push API, 8).

Pure functions. Its endpoint is an address that the browser chose and that we will call: so it may only be at
one of the push services that are configured, not at a machine of our own network, nor at anybody else's.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from vsdk.domain.errors import UsageError
from vsdk.hooks.json_text import parse

SERVICES = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
"""of Chrome and those made from it, Firefox, Safari and Edge"""
LONGEST = 4096
"""characters of a subscription as JSON"""
LONGEST_ENDPOINT = 2048
"""characters"""
AUTH_BYTES = 16
"""RFC 8291, 3.2"""

_SERVICE = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_PRINTABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where to send, and for whom only to read."""

    endpoint: str = field(repr=False)
    origin: str
    """of the push service"""
    p256dh: bytes = field(repr=False)
    """the browser's public key, an uncompressed point on P-256"""
    auth: bytes = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """What has to be kept, in the form in which it was given."""
        keys = {"p256dh": to_base64url(self.p256dh), "auth": to_base64url(self.auth)}
        return {"endpoint": self.endpoint, "keys": keys}


def subscription(given: str | Mapping[str, Any], services: Sequence[str] = SERVICES) -> Subscription:
    """The subscription of what ``PushSubscription.toJSON()`` gives, as JSON or decoded.

    Raises UsageError: ``push-subscription-invalid`` when nothing can be sent to it, and
    ``push-service-unknown`` when its endpoint is at none of the ``services``. These are hosts, with ``*.`` in
    front for all below, and with a port where it is another than 443.
    """
    value = _object(given) if isinstance(given, str) else given
    keys = value.get("keys")
    if not isinstance(keys, Mapping):
        raise _invalid("it has no keys")
    p256dh, auth = from_base64url(keys.get("p256dh")), from_base64url(keys.get("auth"))
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    except ValueError:
        raise _invalid("its key p256dh is none of P-256") from None
    if p256dh[0] != 4:
        raise _invalid("its key p256dh is not an uncompressed point")
    if len(auth) != AUTH_BYTES:
        raise _invalid("its secret auth has not 16 bytes")
    endpoint = value.get("endpoint")
    return Subscription(str(endpoint), _origin(endpoint, services), p256dh, auth)


def is_service(pattern: str) -> bool:
    """Whether this can stand in ``services``."""
    return bool(_SERVICE.fullmatch(pattern))


def from_base64url(value: object) -> bytes:
    """RFC 4648, 5, with or without padding. Raises UsageError ``push-subscription-invalid``."""
    if not isinstance(value, str) or not _BASE64URL.fullmatch(value):
        raise _invalid("its keys are not base64url")
    try:
        return base64.urlsafe_b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4))
    except binascii.Error:
        raise _invalid("its keys are not base64url") from None


def to_base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _object(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise _invalid("it is too long")
    try:
        value = parse(text)
    except ValueError:
        raise _invalid("it is not JSON") from None
    if not isinstance(value, dict):
        raise _invalid("it is no object")
    return value


def _origin(endpoint: object, services: Sequence[str]) -> str:
    if not isinstance(endpoint, str) or not _PRINTABLE.fullmatch(endpoint) or "\\" in endpoint:
        raise _invalid("its endpoint is no address")
    if len(endpoint) > LONGEST_ENDPOINT:
        raise _invalid("its endpoint is too long")
    try:
        parts = urlsplit(endpoint)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise _invalid("its endpoint is no address") from None
    if parts.scheme != "https" or not host or parts.fragment or "@" in parts.netloc:
        raise _invalid("its endpoint is no https address")
    place = host if port in (None, 443) else f"{host}:{port}"
    if not any(_is_at(place, service) for service in services):
        raise UsageError(
            "the push service of this subscription is not configured", code="push-service-unknown"
        )
    return f"https://{place}"


def _is_at(place: str, service: str) -> bool:
    if service.startswith("*."):
        return place.endswith(service[1:]) and len(place) > len(service[1:])
    return place == service


def _invalid(what: str) -> UsageError:
    return UsageError(f"this is not a subscription to pushes: {what}", code="push-subscription-invalid")
