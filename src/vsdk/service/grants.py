"""Signs and reads access grants (JWT, RFC 7519), and makes the handles of join links.

Both come from one signing key through HMAC with different labels (RFC 5869, expand only: the key has full
entropy already).

A handle is derived from its link's random id instead of being random itself, so that the same link can be
written into an SMS, an appointment and an answer at different times while the database only ever holds its
hash: ``docs/adr/0003-derived-handles.md``.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from vsdk.domain.errors import Refused
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.join import AccessGrant
from vsdk.domain.participant import Capability, Role

AUDIENCE = "signalling"
ALGORITHM = "HS256"


class Grants:
    """Access grants live ``lifetime``; ``key`` holds at least 32 bytes."""

    def __init__(self, key: bytes, lifetime: timedelta) -> None:
        self.lifetime = lifetime
        self._signing_key = OctKey.import_key(_derive(key, b"vsdk access grant"))
        self._handle_key = _derive(key, b"vsdk join link")
        self._address_key = _derive(key, b"vsdk address")

    def issue(
        self,
        *,
        practice_id: PracticeId,
        visit_id: VisitId | None,
        participant_id: ParticipantId,
        role: Role,
        capabilities: frozenset[Capability],
        now: datetime,
        sign_in: str = "",
    ) -> AccessGrant:
        """A new grant; microseconds are cut, as the token carries whole seconds."""
        issued = now.replace(microsecond=0)
        return AccessGrant(
            practice_id, visit_id, participant_id, role, capabilities, issued, issued + self.lifetime, sign_in
        )

    def sign(self, grant: AccessGrant) -> str:
        claims = {
            "aud": AUDIENCE,
            "iat": int(grant.issued.timestamp()),
            "exp": int(grant.expires.timestamp()),
            "practice": grant.practice_id,
            "visit": grant.visit_id,
            "sub": grant.participant_id,
            "role": grant.role.value,
            "can": sorted(c.value for c in grant.capabilities),
        } | ({"sid": grant.sign_in} if grant.sign_in else {})
        return jwt.encode({"alg": ALGORITHM}, claims, self._signing_key)

    def read(self, token: str, now: datetime) -> AccessGrant:
        """Raises Refused ``grant-invalid`` or ``grant-expired``."""
        try:
            claims = jwt.decode(token, self._signing_key, algorithms=[ALGORITHM]).claims
            if claims["aud"] != AUDIENCE:
                raise ValueError("audience")
            grant = AccessGrant(
                practice_id=PracticeId(claims["practice"]),
                visit_id=VisitId(claims["visit"]) if claims["visit"] else None,
                participant_id=ParticipantId(claims["sub"]),
                role=Role(claims["role"]),
                capabilities=frozenset(Capability(c) for c in claims["can"]),
                issued=datetime.fromtimestamp(claims["iat"], UTC),
                expires=datetime.fromtimestamp(claims["exp"], UTC),
                sign_in=str(claims.get("sid", "")),
            )
        except (JoseError, KeyError, ValueError, TypeError):
            raise Refused("this is not a valid access grant", code="grant-invalid") from None
        if now >= grant.expires:
            raise Refused("the access grant has expired; get a new one", code="grant-expired")
        return grant

    def handle(self, link_id: str) -> str:
        """The handle of that link: 128 bits, 22 characters of base64url."""
        digest = hmac.digest(self._handle_key, link_id.encode(), "sha256")
        return urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()

    def address_hash(self, address: str) -> str:
        """By what a phone number or mail address is known again without being kept."""
        return hmac.digest(self._address_key, address.strip().lower().encode(), "sha256").hex()


def handle_hash(handle: str) -> str:
    """What the database keeps of a handle."""
    return hashlib.sha256(handle.encode()).hexdigest()


def _derive(key: bytes, label: bytes) -> bytes:
    return hmac.digest(key, label + b"\x01", "sha256")
