"""The ICE servers that a browser is given, with short-lived credentials for the practice's TURN server.

The scheme is the TURN REST API (draft-uberti-behave-turn-rest-00), as coturn has it with ``use-auth-secret``:
the user name carries the time of expiry, and the password is its HMAC-SHA1 under a shared secret.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any

LIFETIME = 3600
"""seconds for which the credentials of a visit are accepted; what was allocated by then lives on"""
TEST_LIFETIME = 600
"""seconds, for a connection check before it"""


def ice_servers(
    urls: Sequence[str], secret: str, now: datetime, subject: str, lifetime: int = LIFETIME
) -> list[dict[str, Any]]:
    """A list of RTCIceServer dictionaries (W3C WebRTC 4.2.4) with at most one entry; empty without ``urls``.

    ``lifetime`` is in seconds. ``urls`` are ``turn:`` or ``turns:`` addresses (RFC 7065), ``secret`` is
    coturn's static-auth-secret.
    ``subject`` tells holders of credentials apart. It is hashed, so that the user name, which coturn logs,
    says nothing about it. There is no STUN server by default: whoever runs one sees every patient's address.
    """
    if not urls:
        return []
    key = secret.encode()
    pseudonym = hmac.digest(key, subject.encode(), hashlib.sha256).hex()[:24]
    username = f"{int(now.timestamp()) + lifetime}:{pseudonym}"
    password = base64.b64encode(hmac.digest(key, username.encode(), hashlib.sha1)).decode()
    return [{"urls": list(urls), "username": username, "credential": password}]
