"""Who is signed in for a practice, and the practice's own accounts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role

IDLE = timedelta(hours=1)
"""A sign-in ends when nothing was asked for so long; an open list asks every few minutes."""
LONGEST = timedelta(hours=12)
"""And at the latest after this: a working day."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One person on one device, from signing in to signing out. Of its secret only a hash is kept."""

    id: str
    practice_id: PracticeId
    subject: str
    """who, as the identity provider names them"""
    role: Role
    name: str = field(repr=False)
    provider: str
    device: str
    """browser and system, as far as they were told, such as ``Firefox, Windows``"""
    since: datetime
    used: datetime
    ends: datetime

    def valid(self, now: datetime) -> bool:
        return now < self.ends and now < self.used + IDLE


@dataclass(frozen=True, slots=True)
class Account:
    """Someone whom the practice itself lets in. ``login`` is unique within the practice, in lower case."""

    id: str
    practice_id: PracticeId
    login: str = field(repr=False)
    name: str = field(repr=False)
    role: Role
    password_hash: str = field(repr=False)
    """Argon2id (RFC 9106) in its own encoding; empty for someone who comes with a passkey only"""
    since: datetime


@dataclass(frozen=True, slots=True)
class Passkey:
    """A public key of an account (W3C Web Authentication). ``id`` is the credential's, as base64url."""

    id: str
    account_id: str
    public_key: bytes = field(repr=False)
    sign_count: int
    since: datetime


def device_of(user_agent: str) -> str:
    """Browser and system in two words, so that people know their devices again; empty when unknown."""
    browsers = {"Edg": "Edge", "Firefox": "Firefox", "Chrom": "Chrome", "Safari": "Safari"}
    systems = {
        "Android": "Android",
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Windows": "Windows",
        "Mac OS": "macOS",
        "Linux": "Linux",
    }
    found = (
        next((word for mark, word in names.items() if mark in user_agent), "")
        for names in (browsers, systems)
    )
    return ", ".join(filter(None, found))
