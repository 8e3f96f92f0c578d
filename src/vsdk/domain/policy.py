"""Questions that rules answer, and how the answers become one decision.

Any violation denies; a rule that fails counts as a violation; nothing is allowed because a rule is missing
where the practice requires compliance. Adding a rule can therefore only ever deny more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from vsdk.domain.participant import Role
from vsdk.domain.plan import Window


@dataclass(frozen=True, slots=True)
class Schedule:
    """May links be issued for this window?"""

    start: datetime
    window: Window


@dataclass(frozen=True, slots=True)
class Join:
    """May this participant exchange a join link for an access grant?"""

    role: Role
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Admit:
    """May someone with this role let a participant in?"""

    by: Role
    role: Role


@dataclass(frozen=True, slots=True)
class Present:
    """May pages be shown that load parts from these origins? Asked once, at start-up."""

    origins: frozenset[str]
    """origins other than the server's own that any page would load something from"""


@dataclass(frozen=True, slots=True)
class Word:
    """May messages say this? Asked at start-up, for each text as it stands in the catalogue."""

    template: str
    """such as ``invitation``"""
    part: str
    """``sms``, ``email-subject``, ``email-text``, ``push``; other names for what several messages share"""
    language: str
    text: str
    """with its placeholders, such as ``{url}``"""


PolicyQuestion = Schedule | Join | Admit | Present | Word


class Outcome(StrEnum):
    SATISFIED = "satisfied"
    VIOLATED = "violated"
    NOT_APPLICABLE = "not-applicable"
    NEEDS_ATTESTATION = "needs-attestation"
    """software cannot verify it; a person must vouch for it"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's answer. ``reason`` is a stable kebab-case code; ``evidence`` holds no personal data."""

    rule: str
    clause: str
    edition: str
    outcome: Outcome
    reason: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class PolicyDecision:
    """``findings`` are the explanation and are kept in the audit trail."""

    allowed: bool
    findings: tuple[Finding, ...] = ()

    @property
    def violations(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.outcome is Outcome.VIOLATED)


def combine(findings: Sequence[Finding], *, compliance_required: bool = False) -> PolicyDecision:
    """Deny on any violation, and on an empty rule list where compliance is required."""
    unanswered = compliance_required and not findings
    violated = any(f.outcome is Outcome.VIOLATED for f in findings)
    return PolicyDecision(allowed=not (violated or unanswered), findings=tuple(findings))
