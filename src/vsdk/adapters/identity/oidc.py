"""Signing in with OpenID Connect: authorization code flow with PKCE, nonce and discovery. The settings::

    [plugin.oidc.practices.park]
    issuer = "https://login.praxis.example"
    client_id = "vsdk"
    client_secret = { env = "OIDC_SECRET" }  # left out for a public client
    roles_claim = "realm_access.roles"  # where the roles are, by dots; "roles" by itself
    practitioner = ["doctors"]  # whoever has one of these
    staff = ["reception"]

The redirect URI to register is ``<base_url>/practice/<id>/signed-in``.
"""

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError

from vsdk.adapters.identity.keys import ALGORITHMS, Keys
from vsdk.adapters.identity.oidc_settings import OidcClient, OidcConfig
from vsdk.domain.errors import ConfigurationError, PartnerError, Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Http, Identity, Redirect

LEEWAY = 60
"""seconds that the clocks of two servers may differ"""
REMEMBER = 3600.0
"""seconds for which what an issuer says about itself is believed"""


@dataclass(frozen=True, slots=True)
class Begun:
    """What the browser keeps from asking to being answered."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    return_to: str

    def packed(self) -> str:
        values = [self.state, self.nonce, self.verifier, self.return_to]
        return urlsafe_b64encode(json.dumps(values).encode()).decode()

    @classmethod
    def of(cls, packed: str) -> "Begun | None":
        try:
            state, nonce, verifier, return_to = json.loads(urlsafe_b64decode(packed.encode()))
        except (ValueError, TypeError, RecursionError):
            return None
        return cls(str(state), str(nonce), str(verifier), str(return_to))


class Issuer:
    """What an OpenID provider says about itself, and its keys; asked for again when they may be old."""

    def __init__(self, url: str, http: Http) -> None:
        self._url = url
        self._http = http
        self._metadata: dict[str, Any] = {}
        self._read = -REMEMBER
        self._keys = Keys(self._read_keys)

    async def metadata(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, 4. Raises PartnerError."""
        if time.monotonic() - self._read >= REMEMBER:
            found = (await self._http.get(f"{self._url}/.well-known/openid-configuration")).json()
            if not isinstance(found, dict) or str(found.get("issuer", "")).rstrip("/") != self._url:
                raise PartnerError("the issuer names itself otherwise than the settings do", retryable=False)
            self._metadata, self._read = found, time.monotonic()
        return self._metadata

    async def claims(self, id_token: str, expected: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """Of an ID token that is whole, from here, for us, and for this sign-in.

        OpenID Connect Core 1.0, 3.1.3.7. Raises JoseError, ValueError, PartnerError.
        """
        decoded = jwt.decode(id_token, await self._keys.for_token(id_token), algorithms=ALGORITHMS)
        issuer = (await self.metadata())["issuer"]
        options = {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": expected["client_id"]},
        }
        claims = CodeIDToken(decoded.claims, decoded.header, options, {"nonce": nonce, **expected})
        claims.validate(leeway=LEEWAY)
        return dict(claims)

    async def _read_keys(self) -> Any:
        return (await self._http.get(str((await self.metadata())["jwks_uri"]))).json()


class OpenIdConnect:
    """An IdentityProvider: the browser goes to the practice's OpenID provider and comes back with a code."""

    name = "oidc"
    asks: tuple[str, ...] = ()

    def __init__(self, clients: Mapping[str, OidcClient], http: Http, base_url: str) -> None:
        self._clients = clients
        self._http = http
        self._base_url = base_url
        self._issuers = {id_: Issuer(client.issuer, http) for id_, client in clients.items()}

    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        client = self._client(practice_id)
        metadata = await self._issuers[practice_id].metadata()
        begun = Begun(generate_token(43), generate_token(43), generate_token(64), return_to)
        url = prepare_grant_uri(
            metadata["authorization_endpoint"],
            client.client_id,
            "code",
            redirect_uri=return_to,
            scope=" ".join(client.scopes),
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
        )
        return Redirect(url, begun.packed())

    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        """``params`` are those of the answer (RFC 6749, 4.1.2), and ``kept``. Raises Refused."""
        if "state" not in params:
            return None
        client = self._client(practice_id)
        issuer = self._issuers[practice_id]
        begun = Begun.of(params.get("kept", ""))
        given = params["state"].encode(errors="replace")
        if begun is None or not hmac.compare_digest(given, begun.state.encode(errors="replace")):
            raise Refused("this answer belongs to no sign-in of this browser", code="sign-in-refused")
        metadata = await issuer.metadata()
        named = params.get("iss")
        if named is None and metadata.get("authorization_response_iss_parameter_supported"):
            named = ""
        if named is not None and named.rstrip("/") != client.issuer:  # RFC 9207, 2.4
            raise Refused("this answer is from another issuer", code="sign-in-refused")
        if "code" not in params:
            raise Refused("the identity provider let nobody in", code="sign-in-refused")
        tokens = await self._tokens(client, metadata, params["code"], begun)
        expected = {"client_id": client.client_id, "access_token": tokens.get("access_token")}
        try:
            claims = await issuer.claims(str(tokens.get("id_token")), expected, begun.nonce)
        except (JoseError, ValueError, KeyError, TypeError):
            raise Refused("the identity provider's answer is not valid", code="sign-in-refused") from None
        if _at(claims, client.roles_claim) is None:
            claims = await self._with_user_info(metadata, tokens, claims)
        return Identity(
            subject=str(claims["sub"]),
            role=_role(client, _at(claims, client.roles_claim)),
            practice_id=practice_id,
            name=str(claims.get("name") or ""),
        )

    async def leave(self, practice_id: PracticeId) -> str:
        """OpenID Connect RP-Initiated Logout 1.0; empty where the provider has none."""
        client = self._client(practice_id)
        address = (await self._issuers[practice_id].metadata()).get("end_session_endpoint")
        back = f"{self._base_url}/practice/{practice_id}"
        query = urlencode({"client_id": client.client_id, "post_logout_redirect_uri": back})
        return f"{address}?{query}" if address else ""

    def _client(self, practice_id: PracticeId) -> OidcClient:
        if practice_id not in self._clients:
            raise Refused("this practice does not sign in here", code="sign-in-refused")
        return self._clients[practice_id]

    async def _tokens(
        self, client: OidcClient, metadata: Mapping[str, Any], code: str, begun: Begun
    ) -> dict[str, Any]:
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.return_to,
            "code_verifier": begun.verifier,
            "client_id": client.client_id,
        }
        options: dict[str, Any] = {"data": body, "answers": (400, 401)}
        if client.client_secret is not None:  # client_secret_basic (RFC 6749, 2.3.1)
            secret = client.client_secret.get_secret_value()
            options["auth"] = (quote(client.client_id, safe=""), quote(secret, safe=""))
        reply = await self._http.post(str(metadata["token_endpoint"]), **options)
        found = reply.json() if reply.status < 400 else None
        if not isinstance(found, dict):
            raise Refused("the identity provider does not take this code", code="sign-in-refused")
        return found

    async def _with_user_info(
        self, metadata: Mapping[str, Any], tokens: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """OpenID Connect Core 1.0, 5.3: of the same person, or not at all."""
        address, token = metadata.get("userinfo_endpoint"), tokens.get("access_token")
        if not address or not token:
            return claims
        reply = await self._http.get(str(address), headers={"Authorization": f"Bearer {token}"})
        found = reply.json()
        if not isinstance(found, dict) or found.get("sub") != claims["sub"]:
            raise Refused("the identity provider speaks of somebody else", code="sign-in-refused")
        return {**found, **claims}


def _at(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _role(client: OidcClient, found: Any) -> Role:
    """Practitioner before staff, where somebody is both."""
    roles = {found} if isinstance(found, str) else set(map(str, found)) if isinstance(found, list) else set()
    if roles & set(client.practitioner):
        return Role.PRACTITIONER
    if roles & set(client.staff):
        return Role.STAFF
    raise Refused("this person has no role in the practice", code="sign-in-refused")


@hookimpl
def vsdk_identity_providers(config: Config, http: Http) -> Sequence[OpenIdConnect]:
    clients = config.plugin("oidc", OidcConfig).practices
    if unknown := clients.keys() - {practice.id for practice in config.practices}:
        raise ConfigurationError(f"oidc: no such practice: {', '.join(sorted(unknown))}")
    return [OpenIdConnect(clients, http, config.base_url)]
