"""Signatures of Standard Webhooks (github.com/standard-webhooks/standard-webhooks, the specification there).

HMAC-SHA256 over ``ID.TIMESTAMP.BODY``, in base64 after ``v1,``; with several secrets, one signature of each.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""bytes of a secret, by the specification"""
TOLERANCE = timedelta(minutes=5)
"""how far the clocks of both sides may be apart, with the way between them"""


def key_of(secret: str) -> bytes:
    """The bytes of a secret as it is handed out, ``whsec_`` and base64. Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"a secret is {PREFIX} and the base64 of {SHORTEST} to {LONGEST} random bytes")
    return key


def signed_headers(keys: Sequence[bytes], id_: str, at: datetime, body: bytes) -> dict[str, str]:
    """What has to stand in the headers of a request with that body."""
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(key, id_, timestamp, body) for key in keys),
    }


def is_signed(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether one of the signatures is by one of the keys, and no older or newer than `TOLERANCE`.

    Names of headers are in lower case.
    """
    id_, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return False
    given = [one.encode(errors="replace") for one in headers.get("webhook-signature", "").split()]
    ours = [_signature(key, id_, timestamp, body).encode() for key in keys]
    return any(hmac.compare_digest(one, other) for one in given for other in ours)


def _signature(key: bytes, id_: str, timestamp: str, body: bytes) -> str:
    content = b".".join((id_.encode(errors="replace"), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
