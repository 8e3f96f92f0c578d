"""What one check found, and the grade that follows from all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    MISSING = "missing"
    NOT_CHECKED = "not checked"
    """it could not be found out, so nothing is claimed"""


class Tier(StrEnum):
    BASIC = "basic"
    GOOD = "good"
    EXCELLENT = "excellent"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``detail`` is a sentence: what was found, and where it is not ok, what to do."""

    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    tier: Tier
    verdict: Verdict

    @property
    def ok(self) -> bool:
        return self.verdict.state is State.OK


def ok(detail: str) -> Verdict:
    return Verdict(State.OK, detail)


def missing(detail: str) -> Verdict:
    return Verdict(State.MISSING, detail)


def not_checked(detail: str) -> Verdict:
    return Verdict(State.NOT_CHECKED, detail)


def grade(findings: Sequence[Finding]) -> Tier | None:
    """The highest tier of which, and of those below which, every check is ok."""
    reached: Tier | None = None
    for tier in Tier:
        if not all(finding.ok for finding in findings if finding.tier is tier):
            break
        reached = tier
    return reached
