"""How we are let in to a FHIR server: not at all, with fixed credentials, or by SMART Backend Services.

The latter is hl7.org/fhir/smart-app-launch/backend-services.html: an assertion, signed with our private key
and good for once (client-confidential-asymmetric), is exchanged for an access token.
"""

import asyncio
import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from vsdk.adapters.scheduling.fhir.rest.origin import is_same_origin
from vsdk.domain.errors import ConfigurationError, PartnerError
from vsdk.hooks.ports import Http

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE = timedelta(minutes=4)
"""SMART allows five; the rest is for clocks that disagree"""
USUAL_LIFE = timedelta(minutes=5)
"""of a token that does not say how long it lives (SMART's own recommendation)"""
LONGEST_LIFE = timedelta(days=1)
SMALLEST_RSA_KEY = 2048


class Access(Protocol):
    """What has to stand in the headers of every request."""

    async def headers(self) -> dict[str, str]:
        """May raise PartnerError, which then has no ``status``: it is not the FHIR server's answer."""

    def forget(self, headers: Mapping[str, str]) -> None:
        """These were not accepted: get others, if there are others."""


class FixedAccess:
    """The same headers always; none where nothing is asked for."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})

    async def headers(self) -> dict[str, str]:
        return dict(self._headers)

    def forget(self, headers: Mapping[str, str]) -> None:
        """There are no others."""


def bearer(token: str) -> FixedAccess:
    """RFC 6750, 2.1."""
    return FixedAccess({"authorization": f"Bearer {token}"})


def basic(user: str, password: str) -> FixedAccess:
    """RFC 7617, in UTF-8."""
    return FixedAccess({"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()})


class ClientKey:
    """Our private key: RSA from 2048 bits (signs RS384) or EC on P-384 (signs ES384), as PEM or as JWK.

    ``key_id`` is what the server knows it by; else the JWK's own, else its thumbprint (RFC 7638). Raises
    ConfigurationError for any other key.
    """

    def __init__(self, text: str, key_id: str = "") -> None:
        self._key = _imported(text)
        self.algorithm = _algorithm(self._key)
        self.key_id = key_id or self._key.kid or self._key.thumbprint()

    def assertion(self, client_id: str, audience: str, now: datetime) -> str:
        """A JWT of its own each time."""
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "exp": int((now + ASSERTION_LIFE).timestamp()),
            "jti": secrets.token_urlsafe(24),
        }
        header = {"alg": self.algorithm, "kid": self.key_id, "typ": "JWT"}
        return jwt.encode(header, claims, self._key, algorithms=[self.algorithm])

    def public_jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The key set to register at the server (RFC 7517); nothing in it is secret."""
        public = dict(self._key.as_dict(private=False))
        public |= {"kid": self.key_id, "alg": self.algorithm, "use": "sig", "key_ops": ["verify"]}
        return {"keys": [public]}


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: datetime

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.value}"}


class BackendServices:
    """Tokens by assertion, kept until shortly before they expire; who asks meanwhile waits for the same one.

    Without ``token_endpoint`` it is looked up at the FHIR server, and must then be on its origin.
    """

    def __init__(
        self,
        http: Http,
        base_url: str,
        *,
        client_id: str,
        key: ClientKey,
        scope: str,
        now: Callable[[], datetime],
        token_endpoint: str = "",
    ) -> None:
        self._http = http
        self._base = base_url.rstrip("/")
        self._client_id = client_id
        self._key = key
        self._scope = scope
        self._now = now
        self._endpoint = token_endpoint
        self._token: _Token | None = None
        self._renewing = asyncio.Lock()
        self._renewals = 0
        self._failure: PartnerError | None = None

    async def headers(self) -> dict[str, str]:
        """Raises PartnerError ``token-refused`` and ``token-endpoint-unknown``."""
        if self._token is None or self._now() >= self._token.renew_at:
            await self._renewed()
        if self._token is None:
            failure = self._failure or PartnerError("there is no access token", retryable=True)
            raise PartnerError(
                failure.detail,
                retryable=failure.retryable,
                retry_after=failure.retry_after,
                code=failure.code,
            )
        return self._token.headers

    def forget(self, headers: Mapping[str, str]) -> None:
        if self._token is not None and self._token.headers == headers:
            self._token = None

    def public_jwks(self) -> dict[str, list[dict[str, Any]]]:
        return self._key.public_jwks()

    async def _renewed(self) -> None:
        """One renewal for all who wait; they share its failure too."""
        before = self._renewals
        async with self._renewing:
            if self._renewals != before:
                return
            self._token = self._failure = None
            try:
                self._token = await self._exchange()
            except PartnerError as error:
                self._failure = error
            self._renewals += 1

    async def _exchange(self) -> _Token:
        now = self._now()
        endpoint = self._endpoint or await self._discovered()
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._key.assertion(self._client_id, endpoint, now),
        }
        host = urlsplit(endpoint).hostname or ""
        try:
            answer = await self._http.post(endpoint, data=form, headers={"accept": "application/json"})
            return _token(answer.json(), now)
        except PartnerError as error:
            if error.status in (400, 401, 403):
                raise PartnerError(
                    f"{host} gives us no access token: is the client known there, with this key and scope?",
                    retryable=False,
                    code="token-refused",
                ) from None
            raise PartnerError(
                error.detail,
                retryable=error.status is None or error.retryable,
                retry_after=error.retry_after,
                code=error.code,
            ) from None

    async def _discovered(self) -> str:
        """``token_endpoint`` of ``.well-known/smart-configuration`` (SMART App Launch, conformance)."""
        try:
            answer = await self._http.get(
                f"{self._base}/.well-known/smart-configuration", headers={"accept": "application/json"}
            )
            found = answer.json()
        except PartnerError as error:
            raise _unknown(error.detail, retryable=error.retryable) from None
        endpoint = found.get("token_endpoint") if isinstance(found, dict) else None
        if not isinstance(endpoint, str) or not endpoint:
            raise _unknown("the FHIR server names no token endpoint; set token_endpoint")
        if not is_same_origin(endpoint, self._base):
            raise _unknown("the FHIR server names a token endpoint elsewhere; set token_endpoint if so")
        self._endpoint = endpoint
        return endpoint


def _unknown(detail: str, *, retryable: bool = False) -> PartnerError:
    return PartnerError(detail, retryable=retryable, code="token-endpoint-unknown")


def _token(answer: Any, now: datetime) -> _Token:
    """RFC 6749, 5.1. It is renewed when a tenth of its life is left, at most a minute."""
    value = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or not value.isascii():
        raise PartnerError("the token endpoint answered without an access token", retryable=True)
    try:
        life = min(timedelta(seconds=max(0.0, float(answer.get("expires_in")))), LONGEST_LIFE)
    except (TypeError, ValueError, OverflowError):
        life = USUAL_LIFE
    return _Token(value, now + life - min(life / 10, timedelta(minutes=1)))


def _imported(text: str) -> RSAKey | ECKey:
    text = text.strip()
    given: Any = text
    if text.startswith("{"):
        try:
            given = json.loads(text)
        except ValueError:
            given = {}
    for kind in (RSAKey, ECKey):
        try:
            key = kind.import_key(given)
            usable = key.is_private and _is_strong(key) and _may_sign(key)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if usable:
            return key
    raise ConfigurationError(
        "the key for SMART Backend Services must be a private RSA key of at least 2048 bits, or a private EC "
        "key on P-384, as PEM without a password or as JWK, and no JWK that is meant for something else"
    )


def _is_strong(key: RSAKey | ECKey) -> bool:
    if isinstance(key, RSAKey):
        return key.private_key is not None and key.private_key.key_size >= SMALLEST_RSA_KEY
    return key.curve_name == "P-384"


def _may_sign(key: RSAKey | ECKey) -> bool:
    """A JWK may say otherwise: by ``use``, ``key_ops`` or ``alg`` (RFC 7517, 4). Raises JoseError then."""
    return bool(jwt.encode({"alg": _algorithm(key)}, {}, key, algorithms=[_algorithm(key)]))


def _algorithm(key: RSAKey | ECKey) -> str:
    return "RS384" if isinstance(key, RSAKey) else "ES384"
