"""When links open, and who is told what at which time.

A plan is a practice's answer to "how do video visits work here"; plugins give plans, and several combine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vsdk.domain.participant import Role


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which a join link may be exchanged, ``opens <= now < closes``."""

    opens: datetime
    closes: datetime

    def overlaps(self, other: "Window") -> bool:
        return self.opens < other.closes and other.opens < self.closes


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that is due ``before`` the start of the appointment."""

    key: str
    """names the notice; a later plan's notice of the same key replaces an earlier one"""
    template: str
    before: timedelta
    to: Role = Role.PATIENT


@dataclass(frozen=True, slots=True)
class WaitingNotice:
    """A message that is sent while a patient waits: at once, and then again ``every`` so often.

    It stops when the patient is let in or goes away, when the practitioner is in a visit, and after ``most``.
    """

    key: str
    """names the notice; a later plan's notice of the same key replaces an earlier one"""
    template: str = "patient-waiting"
    every: timedelta = timedelta(minutes=2)
    most: int = 10
    to: Role = Role.PRACTITIONER


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """``opens_before`` and ``closes_after`` are both counted from the start of the appointment."""

    name: str
    opens_before: timedelta
    closes_after: timedelta
    notices: tuple[Notice, ...] = ()
    grace: timedelta = timedelta(minutes=30)
    """how long after hanging up the visit can still be gone back to"""
    waiting: tuple[WaitingNotice, ...] = ()
    invites: bool = False
    """whether everyone who comes through a link gets it as soon as the visit is planned"""

    def window(self, start: datetime) -> Window:
        return Window(opens=start - self.opens_before, closes=start + self.closes_after)


DEFAULT_PLAN = VisitPlan(
    name="default", opens_before=timedelta(minutes=15), closes_after=timedelta(minutes=60)
)
"""Holds when no plugin brings a plan."""


def combine(plans: Sequence[VisitPlan]) -> VisitPlan:
    """The plan that satisfies all of them: windows and grace intersect, notices are united by key.

    An invitation is sent where any plan wants it.
    """
    if not plans:
        return DEFAULT_PLAN
    notices = {notice.key: notice for plan in plans for notice in plan.notices}
    return VisitPlan(
        name="+".join(plan.name for plan in plans),
        opens_before=min(plan.opens_before for plan in plans),
        closes_after=min(plan.closes_after for plan in plans),
        notices=tuple(notices.values()),
        grace=min(plan.grace for plan in plans),
        waiting=tuple({notice.key: notice for plan in plans for notice in plan.waiting}.values()),
        invites=any(plan.invites for plan in plans),
    )
