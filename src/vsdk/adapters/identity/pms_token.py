"""Opening the list, or a visit, with a token that the practice management system signed. The settings::

    [plugin.pms_token.practices.park]
    issuer = "https://pms.example"
    jwks_uri = "https://pms.example/keys"  # or jwks_file = "/etc/vsdk/pms.jwks"

The system opens ``<base_url>/practice/park#token=…``, and with ``&visit=…`` a visit at once. The token is a
JWT (RFC 7519) with ``iss``, ``aud`` (the base URL), ``sub`` (who, as the system knows them), ``practice``,
``role`` (``practitioner`` or ``staff``), ``iat``, ``exp`` (at most five minutes later), ``jti`` (used
once), and perhaps ``name``.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from vsdk.adapters.identity.keys import ALGORITHMS, Keys
from vsdk.adapters.identity.pms_token_settings import PmsIssuer, PmsTokenConfig
from vsdk.domain.errors import ConfigurationError, Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Http, Identity, Redirect

LONGEST = 300
"""seconds that a token may live"""
LEEWAY = 30
"""seconds that the clocks of two servers may differ"""
ROLES = {"practitioner": Role.PRACTITIONER, "staff": Role.STAFF}


class PmsToken:
    """An IdentityProvider beside that of the page: who comes with a token is not asked for anything."""

    name = "pms-token"
    asks: tuple[str, ...] = ()

    def __init__(self, issuers: Mapping[str, PmsIssuer], http: Http, base_url: str) -> None:
        self._issuers = issuers
        self._base_url = base_url
        self._keys = {id_: Keys(_reader(issuer, http)) for id_, issuer in issuers.items()}
        self._used: dict[tuple[str, str], float] = {}

    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        """Only the practice management system knows the way."""
        return Redirect(return_to)

    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        """``params`` hold ``token``. Raises Refused ``sign-in-refused``, whatever is wrong with it."""
        if "token" not in params:
            return None
        issuer = self._issuers.get(practice_id)
        if issuer is None:
            raise Refused("no system signs for this practice", code="sign-in-refused")
        token = params["token"]
        try:
            keys = await self._keys[practice_id].for_token(token)
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            self._check(claims, issuer.issuer, practice_id)
            role = ROLES[claims["role"]]
            subject = str(claims["sub"])
        except (JoseError, ValueError, KeyError, TypeError, RecursionError):
            raise Refused("this token is not valid here, or not any more", code="sign-in-refused") from None
        return Identity(subject, role, practice_id, str(claims.get("name") or ""))

    def _check(self, claims: Mapping[str, Any], issuer: str, practice_id: PracticeId) -> None:
        now, audience = time.time(), claims["aud"]
        issued, expires = float(claims["iat"]), float(claims["exp"])
        if claims["iss"] != issuer or claims["practice"] != practice_id or not claims["sub"]:
            raise ValueError("not for this practice")
        if self._base_url not in (audience if isinstance(audience, list) else [audience]):
            raise ValueError("not for this server")
        if not issued - LEEWAY <= now < expires + LEEWAY or expires - issued > LONGEST:
            raise ValueError("not now")
        used = (issuer, str(claims["jti"]))
        self._used = {key: until for key, until in self._used.items() if until > now}
        if used in self._used:
            raise ValueError("used")
        self._used[used] = expires + LEEWAY


def _reader(issuer: PmsIssuer, http: Http) -> Any:
    async def of_uri() -> Any:
        return (await http.get(str(issuer.jwks_uri))).json()

    async def of_file() -> Any:
        assert issuer.jwks_file
        return json.loads(issuer.jwks_file.read_text(encoding="utf-8"))

    return of_uri if issuer.jwks_uri else of_file


@hookimpl
def vsdk_identity_providers(config: Config, http: Http) -> Sequence[PmsToken]:
    issuers = config.plugin("pms_token", PmsTokenConfig).practices
    if unknown := issuers.keys() - {practice.id for practice in config.practices}:
        raise ConfigurationError(f"pms_token: no such practice: {', '.join(sorted(unknown))}")
    return [PmsToken(issuers, http, config.base_url)]
