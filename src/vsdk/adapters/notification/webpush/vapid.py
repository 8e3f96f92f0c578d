"""Who we are to a push service: Voluntary Application Server Identification (RFC 8292)."""

from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from joserfc import jwt
from joserfc.jwk import ECKey

from vsdk.adapters.notification.webpush.subscription import from_base64url, to_base64url
from vsdk.domain.errors import UsageError

LIFE = timedelta(hours=12)
"""of a token; at most 24 hours (RFC 8292, 2)"""


class KeyPair(NamedTuple):
    """Both as base64url: the private key as 32 bytes, the public one as an uncompressed point."""

    private: str
    public: str


def new_key_pair() -> KeyPair:
    return _pair(ec.generate_private_key(ec.SECP256R1()))


class VapidKey:
    """Our key, from PEM or from 32 bytes as base64url. Raises ValueError for anything else."""

    def __init__(self, text: str) -> None:
        private = _from_pem(text) if "-----" in text else _from_base64url(text)
        pair = _pair(private)
        self.public = pair.public
        """what browsers call ``applicationServerKey``"""
        point = from_base64url(pair.public)
        self._key = ECKey.import_key(
            {
                "kty": "EC",
                "crv": "P-256",
                "x": to_base64url(point[1:33]),
                "y": to_base64url(point[33:]),
                "d": pair.private,
            }
        )

    def authorization(self, origin: str, subject: str, now: datetime) -> str:
        """The header for a push service (RFC 8292, 3): a JWT for its origin, and our public key."""
        claims = {"aud": origin, "exp": int((now + LIFE).timestamp()), "sub": subject}
        token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, self._key, algorithms=["ES256"])
        return f"vapid t={token}, k={self.public}"


def _pair(private: ec.EllipticCurvePrivateKey) -> KeyPair:
    number = private.private_numbers().private_value
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return KeyPair(to_base64url(number.to_bytes(32, "big")), to_base64url(point))


def _from_pem(text: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(text.strip().encode(), password=None)
    except (ValueError, TypeError):
        raise _unusable() from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _unusable()
    return key


def _from_base64url(text: str) -> ec.EllipticCurvePrivateKey:
    try:
        raw = from_base64url(text.strip())
        if len(raw) != 32:
            raise _unusable()
        return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    except (ValueError, UsageError):
        raise _unusable() from None


def _unusable() -> ValueError:
    return ValueError("the key is a private one on P-256, as PEM without a password or 32 bytes as base64url")
