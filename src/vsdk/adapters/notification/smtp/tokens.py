"""Access tokens for a mail server that asks for them instead of a password (OAuth 2.0, RFC 6749)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vsdk.domain.errors import PartnerError
from vsdk.hooks.ports import Http

USUAL_LIFE = timedelta(minutes=5)
"""of a token that does not say how long it lives"""
LONGEST_LIFE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is asked for with: a refresh token where there is one (RFC 6749, 6), else only our own
    credentials (4.4)."""

    endpoint: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    scope: str = ""

    def form(self, refresh_token: str) -> dict[str, str]:
        kind = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return {
            **(kind if refresh_token else {"grant_type": "client_credentials"}),
            "client_id": self.client_id,
            **({"client_secret": self.client_secret} if self.client_secret else {}),
            **({"scope": self.scope} if self.scope else {}),
        }


class Tokens:
    """One token at a time, kept until shortly before it expires; all who ask meanwhile wait for the same."""

    def __init__(self, http: Http, grant: Grant, now: Callable[[], datetime]) -> None:
        self._http = http
        self._grant = grant
        self._now = now
        self._refresh_token = grant.refresh_token
        self._token = ""
        self._renew_at: datetime | None = None
        self._renewing = asyncio.Lock()

    async def token(self) -> tuple[str, bool]:
        """The token, and whether it was made just now. Raises PartnerError, ``mail-sign-in-failed`` where
        the token endpoint refuses."""
        async with self._renewing:
            fresh = self._renew_at is None or self._now() >= self._renew_at
            if fresh:
                await self._renew()
            return self._token, fresh

    def forget(self, token: str) -> None:
        """It was not accepted: the next one who asks gets another."""
        if token == self._token:
            self._renew_at = None

    async def _renew(self) -> None:
        asked = self._now()
        try:
            answer = (
                await self._http.post(
                    self._grant.endpoint,
                    data=self._grant.form(self._refresh_token),
                    headers={"accept": "application/json"},
                )
            ).json()
        except PartnerError as error:
            refused = error.status in (400, 401, 403)
            raise PartnerError(
                "the token endpoint for mail gives us no access token" if refused else error.detail,
                retryable=not refused and (error.status is None or error.retryable),
                retry_after=error.retry_after,
                status=error.status,
                code="mail-sign-in-failed" if refused else error.code,
            ) from None
        self._token, life = _read(answer)
        self._renew_at = asked + life - min(life / 10, timedelta(minutes=1))
        renewed = answer.get("refresh_token")
        if self._refresh_token and isinstance(renewed, str) and renewed:
            self._refresh_token = renewed  # the old one may be worthless from now on (RFC 6749, 6)


def _read(answer: Any) -> tuple[str, timedelta]:
    """Token and how long it lives (RFC 6749, 5.1)."""
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise PartnerError("the token endpoint for mail answered without an access token", retryable=True)
    try:
        life = timedelta(seconds=max(0.0, float(answer.get("expires_in"))))
    except (TypeError, ValueError, OverflowError):
        life = USUAL_LIFE
    return token, min(life, LONGEST_LIFE)
