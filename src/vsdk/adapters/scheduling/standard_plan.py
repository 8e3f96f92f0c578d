"""The plan of a practice that wants nothing special. The settings, with their defaults::

[plugin.standard_plan]
opens_before_minutes = 15
closes_after_minutes = 60
grace_minutes = 30
notice_at_opening = true  # the link is sent to the patient when it opens
invite = false  # the link is sent as soon as the visit is planned
remind_hours = 0  # a reminder so many hours before the start; 0 is none
waiting_every_minutes = 2  # how often the practice is told that a patient waits; 0 is never
waiting_most = 10  # how often at most
"""

from collections.abc import Sequence
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from vsdk.domain.plan import Notice, VisitPlan, WaitingNotice
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config


class StandardPlanConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    opens_before_minutes: int = Field(default=15, ge=0)
    closes_after_minutes: int = Field(default=60, gt=0)
    grace_minutes: int = Field(default=30, ge=0)
    notice_at_opening: bool = True
    invite: bool = False
    remind_hours: int = Field(default=0, ge=0, le=24 * 14)
    waiting_every_minutes: int = Field(default=2, ge=0, le=60)
    waiting_most: int = Field(default=10, ge=1, le=100)

    def plan(self) -> VisitPlan:
        opens_before = timedelta(minutes=self.opens_before_minutes)
        every = timedelta(minutes=self.waiting_every_minutes)
        notices = []
        if self.remind_hours:
            notices.append(Notice("reminder", "reminder", timedelta(hours=self.remind_hours)))
        if self.notice_at_opening:
            notices.append(Notice("link", "link-at-time", opens_before))
        waiting = (WaitingNotice("waiting", every=every, most=self.waiting_most),) if every else ()
        return VisitPlan(
            name="standard",
            opens_before=opens_before,
            closes_after=timedelta(minutes=self.closes_after_minutes),
            notices=tuple(notices),
            grace=timedelta(minutes=self.grace_minutes),
            waiting=waiting,
            invites=self.invite,
        )


@hookimpl
def vsdk_visit_plans(config: Config) -> Sequence[VisitPlan]:
    return [config.plugin("standard_plan", StandardPlanConfig).plan()]
