"""The plan of a practice that wants nothing special. The settings, with their defaults::

[plugin.standard_plan]
opens_before_minutes = 15
closes_after_minutes = 60
grace_minutes = 30
notice_at_opening = true  # the link is sent to the patient when it opens
"""

from collections.abc import Sequence
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from vsdk.domain.plan import Notice, VisitPlan
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config


class StandardPlanConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    opens_before_minutes: int = Field(default=15, ge=0)
    closes_after_minutes: int = Field(default=60, gt=0)
    grace_minutes: int = Field(default=30, ge=0)
    notice_at_opening: bool = True

    def plan(self) -> VisitPlan:
        opens_before = timedelta(minutes=self.opens_before_minutes)
        return VisitPlan(
            name="standard",
            opens_before=opens_before,
            closes_after=timedelta(minutes=self.closes_after_minutes),
            notices=(Notice("link", "link-at-time", opens_before),) if self.notice_at_opening else (),
            grace=timedelta(minutes=self.grace_minutes),
        )


@hookimpl
def vsdk_visit_plans(config: Config) -> Sequence[VisitPlan]:
    return [config.plugin("standard_plan", StandardPlanConfig).plan()]
