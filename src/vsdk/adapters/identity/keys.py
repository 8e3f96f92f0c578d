"""The public keys of somebody who signs tokens, asked for again when one is not known."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from typing import Any

from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "RS384", "RS512", "ES384", "PS384", "PS512", "ES512"]
"""Signatures only: whoever shares a secret with the signer must not be able to make a token."""
REMEMBER = 3600.0
"""seconds for which keys are believed"""
AGAIN = 30.0
"""seconds between two looks for a key that is not known"""


class Keys:
    """``read`` gives a JWK Set (RFC 7517) as it is now."""

    def __init__(self, read: Callable[[], Awaitable[Any]]) -> None:
        self._read = read
        self._keys = KeySet([])
        self._since = -REMEMBER

    async def for_token(self, token: str) -> KeySet:
        """A key that is not known may be a new one: it is asked for, but not for each token.

        Raises ValueError or TypeError for what is no token, JoseError for what is no JWK Set.
        """
        wanted = _header(token).get("kid")
        known = {key.kid for key in self._keys.keys}
        age = time.monotonic() - self._since
        if age >= REMEMBER or (wanted not in known and age >= AGAIN):
            self._keys = KeySet.import_key_set(await self._read())
            self._since = time.monotonic()
        return self._keys


def _header(token: str) -> dict[str, Any]:
    part = token.partition(".")[0]
    header = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(header, dict):
        raise TypeError("no header")
    return header
