"""Named clients of the FHIR face: who they are, and the access tokens that they get.

SMART Backend Services: hl7.org/fhir/smart-app-launch/backend-services.html. A client proves itself with a
JWT that it signed (client-confidential-asymmetric.html, RFC 7523), or with a secret (RFC 6749 section 2.3.1).
"""

import binascii
import hmac
import json
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet, OctKey

from vsdk.domain.errors import ConfigurationError, Refused
from vsdk.domain.ids import PracticeId
from vsdk.service.clock import Clock
from vsdk.service.join import same_secret
from vsdk.service.scopes import all_letters, granted

ASSERTION_ALGORITHMS = ("RS384", "ES384")
ASSERTION_LIFE = timedelta(minutes=5)
"""the longest that an assertion may still live when it arrives"""
SKEW = timedelta(seconds=10)
"""how far a client's clock may be off"""
TOKEN_LIFE = timedelta(minutes=5)
AUDIENCE = "fhir"
_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Client:
    """A program that may use the FHIR face of one practice. ``id`` is unique over all practices."""

    id: str
    practice_id: PracticeId
    scopes: tuple[str, ...]
    """SMART scopes such as ``system/Appointment.rs``"""
    secret: str = field(default="", repr=False)
    keys: dict[str, Any] = field(default_factory=dict)
    """its public keys, a JWK Set (RFC 7517)"""


@dataclass(frozen=True, slots=True)
class AccessToken:
    text: str = field(repr=False)
    expires_in: int
    """seconds"""
    scope: str


@dataclass(frozen=True, slots=True)
class Access:
    """What a valid access token stands for. ``letters`` as in `vsdk.service.scopes`."""

    practice_id: PracticeId
    letters: frozenset[str]


class ClientService:
    """Recognises clients, and signs and reads their access tokens.

    ``key`` holds at least 32 bytes; ``token_url`` is the audience of assertions. Raises ConfigurationError
    ``client-invalid`` for clients that could never get in. Which assertions were used is kept in memory, for
    as long as they live.
    """

    def __init__(self, clients: Sequence[Client], key: bytes, clock: Clock, token_url: str) -> None:
        self.token_url = token_url
        self._clients = {client.id: client for client in clients}
        if len(self._clients) != len(clients):
            raise ConfigurationError("two clients have the same id", code="client-invalid")
        self._keys = {client.id: _key_set(client) for client in clients}
        self._letters = {client.id: all_letters(client.scopes) for client in clients}
        for id_, permitted in self._letters.items():
            if not permitted:
                raise ConfigurationError(
                    f"client {id_!r} has no scope that is understood, such as system/Appointment.rs",
                    code="client-invalid",
                )
        self._signing_key = OctKey.import_key(hmac.digest(key, b"vsdk client access\x01", "sha256"))
        self._clock = clock
        self._used: dict[tuple[str, str], float] = {}

    def by_secret(self, client_id: str, secret: str) -> Client:
        """Raises Refused ``invalid-client``."""
        client = self._clients.get(client_id)
        expected = client.secret if client else ""
        right = same_secret(secret, expected or "none")
        if client is None or not expected or not right:
            raise _invalid_client()
        return client

    def by_assertion(self, assertion: str) -> Client:
        """Raises Refused ``invalid-client``, whatever is wrong with the assertion."""
        client = self._clients.get(_claimed_issuer(assertion))
        keys = self._keys[client.id] if client else None
        if client is None or keys is None:
            raise _invalid_client()
        try:
            token = jwt.decode(assertion, keys, algorithms=list(ASSERTION_ALGORITHMS))
            claims = token.claims
            audience = claims["aud"]
            if not token.header.get("kid"):
                raise ValueError("kid")
            if not claims["iss"] == claims["sub"] == client.id:
                raise ValueError("issuer")
            if self.token_url not in (audience if isinstance(audience, list) else [audience]):
                raise ValueError("audience")
            self._check_times(claims)
            self._use_once(client.id, claims)
        except (JoseError, KeyError, ValueError, TypeError, RecursionError):
            raise _invalid_client() from None
        return client

    def issue(self, client: Client, scope: str) -> AccessToken:
        """Raises Refused ``invalid-scope`` when nothing of what is asked for may be given."""
        given = " ".join(granted(scope, self._letters[client.id]))
        if not given:
            raise Refused("none of these scopes can be given to this client", code="invalid-scope")
        now = int(self._clock.now().timestamp())
        claims = {
            "aud": AUDIENCE,
            "sub": client.id,
            "practice": client.practice_id,
            "scope": given,
            "iat": now,
            "exp": now + int(TOKEN_LIFE.total_seconds()),
        }
        text = jwt.encode({"alg": _ALGORITHM}, claims, self._signing_key)
        return AccessToken(text, int(TOKEN_LIFE.total_seconds()), given)

    def read(self, token: str) -> Access:
        """Raises Refused ``access-token-invalid`` or ``access-token-expired``."""
        try:
            claims = jwt.decode(token, self._signing_key, algorithms=[_ALGORITHM]).claims
            client = self._clients[claims["sub"]]
            if claims["aud"] != AUDIENCE or claims["practice"] != client.practice_id:
                raise ValueError("not for this")
            permitted = all_letters(claims["scope"].split()) & self._letters[client.id]
            expires = datetime.fromtimestamp(claims["exp"], UTC)
        except (JoseError, KeyError, ValueError, TypeError, AttributeError, RecursionError):
            raise Refused("this is not a valid access token", code="access-token-invalid") from None
        if self._clock.now() >= expires:
            raise Refused("the access token has expired; get a new one", code="access-token-expired")
        return Access(client.practice_id, permitted)

    def _check_times(self, claims: dict[str, Any]) -> None:
        now, skew = self._clock.now().timestamp(), SKEW.total_seconds()
        if not now - skew < claims["exp"] <= now + ASSERTION_LIFE.total_seconds() + skew:
            raise ValueError("exp")
        for name in ("iat", "nbf"):
            if name in claims and not claims[name] <= now + skew:
                raise ValueError(name)

    def _use_once(self, client_id: str, claims: dict[str, Any]) -> None:
        now, jti = self._clock.now().timestamp(), claims["jti"]
        if not isinstance(jti, str) or not 0 < len(jti) <= 255:
            raise ValueError("jti")
        for used in [used for used, until in self._used.items() if until <= now]:
            del self._used[used]
        if (client_id, jti) in self._used:
            raise ValueError("used before")
        self._used[client_id, jti] = claims["exp"] + SKEW.total_seconds()


def _key_set(client: Client) -> KeySet | None:
    if not client.keys and not client.secret:
        raise ConfigurationError(f"client {client.id!r} has neither a secret nor keys", code="client-invalid")
    if not client.keys:
        return None
    try:
        if not all(
            key["kid"] and key["kty"] in ("RSA", "EC") and "d" not in key for key in client.keys["keys"]
        ):
            raise ValueError("kind of key")
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)
            return KeySet.import_key_set({"keys": client.keys["keys"]})
    except (JoseError, SecurityWarning, LookupError, ValueError, TypeError, AttributeError):
        text = f"the keys of client {client.id!r} must be public RSA (2048 bits) or EC keys, with kid"
        raise ConfigurationError(text, code="client-invalid") from None


def _claimed_issuer(assertion: str) -> str:
    """Whose assertion it says it is; nothing of it is proved yet."""
    try:
        payload = assertion.split(".")[1]
        issuer = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["iss"]
    except (IndexError, KeyError, ValueError, TypeError, binascii.Error, RecursionError):
        return ""
    return issuer if isinstance(issuer, str) else ""


def _invalid_client() -> Refused:
    return Refused("the client could not be recognised", code="invalid-client")
