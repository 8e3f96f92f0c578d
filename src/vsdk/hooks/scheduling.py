"""Scheduling: where appointments come from, and how visits are planned."""

from collections.abc import Sequence

from vsdk.domain.plan import VisitPlan
from vsdk.hooks.markers import hookspec
from vsdk.hooks.ports import Config, Http, ScheduleSource


@hookspec
def vsdk_schedule_sources(config: Config, http: Http) -> Sequence[ScheduleSource]:  # type: ignore[empty-body]
    """Give the sources of appointments that this plugin can read.

    When: once, at start-up. Combination: by unique ``name``; each practice names one in the settings.
    Failure: start-up fails.
    """


@hookspec
def vsdk_visit_plans(config: Config) -> Sequence[VisitPlan]:  # type: ignore[empty-body]
    """Give plans: when links open and close, and what is sent by itself.

    When: once, at start-up. Combination: windows intersect; notices are united by key, and so are waiting
    notices, the later plugin in the enabled list winning; people are invited where any plan wants it.
    Failure: start-up fails, also when no catalogue has the text of a notice.
    """
