"""The contract of a VisitPlan (see `vsdk.testing.contracts`)."""

from datetime import timedelta

import pytest

from vsdk.domain.participant import Role
from vsdk.domain.plan import DEFAULT_PLAN, VisitPlan, combine
from vsdk.testing.contract import KEBAB, Contract
from vsdk.testing.factories import NOON

LONGEST = timedelta(days=31)
SHORTEST_PAUSE = timedelta(seconds=30)
"""between two messages about one and the same waiting patient"""


class VisitPlanContract(Contract):
    """Give the fixture ``plan``."""

    @pytest.fixture
    def plan(self) -> VisitPlan:
        raise NotImplementedError("give the plan under test")

    def test_the_start_is_within_the_window(self, plan: VisitPlan) -> None:
        window = plan.window(NOON)
        assert window.opens <= NOON < window.closes

    def test_times_are_sensible(self, plan: VisitPlan) -> None:
        assert plan.name
        assert timedelta(0) <= plan.opens_before <= LONGEST
        assert timedelta(0) < plan.closes_after <= LONGEST
        assert timedelta(0) <= plan.grace <= LONGEST

    def test_notices_are_told_apart_and_come_before_the_start(self, plan: VisitPlan) -> None:
        assert isinstance(plan.notices, tuple)
        keys = [notice.key for notice in plan.notices]
        assert len(set(keys)) == len(keys)
        for notice in plan.notices:
            assert KEBAB.fullmatch(notice.key)
            assert KEBAB.fullmatch(notice.template)
            assert isinstance(notice.to, Role)
            assert timedelta(0) <= notice.before <= LONGEST

    def test_notices_about_who_waits_are_told_apart_and_do_not_press(self, plan: VisitPlan) -> None:
        assert isinstance(plan.waiting, tuple)
        keys = [notice.key for notice in plan.waiting]
        assert len(set(keys)) == len(keys)
        for notice in plan.waiting:
            assert KEBAB.fullmatch(notice.key)
            assert KEBAB.fullmatch(notice.template)
            assert isinstance(notice.to, Role)
            assert notice.every >= SHORTEST_PAUSE
            assert notice.most >= 1

    def test_it_combines_with_another_plan(self, plan: VisitPlan) -> None:
        window = combine([plan, DEFAULT_PLAN]).window(NOON)
        assert window.opens <= NOON < window.closes
