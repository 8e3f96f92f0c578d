from datetime import timedelta

import pytest

from vsdk.adapters.scheduling.standard_plan import vsdk_visit_plans
from vsdk.domain.errors import ConfigurationError
from vsdk.domain.participant import Role
from vsdk.domain.plan import Notice, VisitPlan, WaitingNotice
from vsdk.testing.contracts import VisitPlanContract
from vsdk.testing.fakes import FakeConfig


def plan(**section: int) -> VisitPlan:
    (found,) = vsdk_visit_plans(FakeConfig({"standard_plan": section}))
    return found


class TestContract(VisitPlanContract):
    @pytest.fixture
    def plan(self) -> VisitPlan:
        return plan()


def test_links_open_a_quarter_of_an_hour_before_and_the_patient_is_told_then() -> None:
    minutes = timedelta(minutes=1)
    assert plan() == VisitPlan(
        "standard",
        opens_before=15 * minutes,
        closes_after=60 * minutes,
        notices=(Notice("link", "link-at-time", 15 * minutes, Role.PATIENT),),
        grace=30 * minutes,
        waiting=(WaitingNotice("waiting", "patient-waiting", 2 * minutes, 10, Role.PRACTITIONER),),
    )


def test_each_time_can_be_set() -> None:
    found = plan(opens_before_minutes=5, closes_after_minutes=20, grace_minutes=0)
    assert (found.opens_before, found.closes_after) == (timedelta(minutes=5), timedelta(minutes=20))
    assert found.grace == timedelta(0)
    assert found.notices[0].before == timedelta(minutes=5)
    assert plan(notice_at_opening=False).notices == ()
    reminder, link = plan(remind_hours=24).notices
    assert (reminder.template, reminder.before) == ("reminder", timedelta(hours=24))
    assert link.template == "link-at-time"
    assert plan(invite=True).invites
    assert plan(waiting_every_minutes=0).waiting == ()
    (waiting,) = plan(waiting_every_minutes=5, waiting_most=3).waiting
    assert (waiting.every, waiting.most) == (timedelta(minutes=5), 3)


@pytest.mark.parametrize(
    "section",
    [
        {"opens_before_minutes": -1},
        {"closes_after_minutes": 0},
        {"grace_minutes": -1},
        {"waiting_most": 0},
        {"typo": 1},
    ],
)
def test_impossible_times_stop_the_start(section: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        plan(**section)
