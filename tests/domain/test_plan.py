from datetime import timedelta
from random import Random

import hypothesis.strategies as st
from hypothesis import given, settings

from vsdk.domain.participant import Role
from vsdk.domain.plan import DEFAULT_PLAN, Notice, VisitPlan, Window, combine
from vsdk.testing.factories import NOON

MINUTE = timedelta(minutes=1)
spans = st.integers(0, 24 * 60).map(lambda minutes: minutes * MINUTE)
notices = st.builds(Notice, key=st.sampled_from("abc"), template=st.sampled_from("xyz"), before=spans)
plans = st.builds(
    VisitPlan,
    name=st.sampled_from(["one", "two", "three"]),
    opens_before=spans,
    closes_after=spans,
    notices=st.lists(notices, max_size=4, unique_by=lambda notice: notice.key).map(tuple),
    grace=spans,
)


def a_plan(
    *notices: Notice, opens: int = 10, closes: int = 60, grace: int = 30, name: str = "a"
) -> VisitPlan:
    return VisitPlan(name, opens * MINUTE, closes * MINUTE, notices, grace * MINUTE)


def test_both_ends_of_a_window_are_counted_from_the_start() -> None:
    assert a_plan(opens=10, closes=60).window(NOON) == Window(NOON - 10 * MINUTE, NOON + 60 * MINUTE)


def test_windows_that_only_touch_do_not_overlap() -> None:
    first, second = Window(NOON, NOON + MINUTE), Window(NOON + MINUTE, NOON + 2 * MINUTE)
    assert not first.overlaps(second)
    assert not second.overlaps(first)
    assert first.overlaps(Window(NOON, NOON + MINUTE))
    assert first.overlaps(Window(NOON - MINUTE, NOON + 2 * MINUTE))


def test_without_any_plan_the_default_holds() -> None:
    assert combine([]) is DEFAULT_PLAN


def test_the_narrower_end_holds_on_each_side() -> None:
    plan = combine([a_plan(opens=10, closes=240, grace=60), a_plan(opens=60, closes=45, grace=20)])
    assert (plan.opens_before, plan.closes_after, plan.grace) == (10 * MINUTE, 45 * MINUTE, 20 * MINUTE)


def test_a_later_notice_replaces_an_earlier_one_of_the_same_key() -> None:
    early = Notice("link", "link-at-time", 10 * MINUTE)
    late = Notice("link", "our-words", 5 * MINUTE)
    other = Notice("doctor", "soon", MINUTE, to=Role.PRACTITIONER)
    assert combine([a_plan(early), a_plan(late, other)]).notices == (late, other)
    assert combine([a_plan(late, other), a_plan(early)]).notices == (early, other)


def test_the_name_says_what_was_combined() -> None:
    assert combine([a_plan(name="doctolib_like"), a_plan(name="kbv")]).name == "doctolib_like+kbv"


@settings(deadline=None)
@given(st.lists(plans, min_size=1, max_size=5), st.randoms())
def test_the_order_of_plans_does_not_matter_to_windows_and_grace(
    given_plans: list[VisitPlan], chance: Random
) -> None:
    shuffled = list(given_plans)
    chance.shuffle(shuffled)
    one, two = combine(given_plans), combine(shuffled)
    assert one.window(NOON) == two.window(NOON)
    assert one.grace == two.grace
    assert {n.key for n in one.notices} == {n.key for n in two.notices}


@settings(deadline=None)
@given(st.lists(plans, min_size=1, max_size=5))
def test_a_link_opens_only_when_it_would_under_each_plan(given_plans: list[VisitPlan]) -> None:
    combined = combine(given_plans).window(NOON)
    windows = [plan.window(NOON) for plan in given_plans]
    moments = {w.opens for w in windows} | {w.closes for w in windows} | {NOON}
    for moment in moments | {m - MINUTE for m in moments} | {m + MINUTE for m in moments}:
        in_all = all(w.opens <= moment < w.closes for w in windows)
        assert (combined.opens <= moment < combined.closes) is in_all


@settings(deadline=None)
@given(plans)
def test_a_plan_combined_with_itself_stays_what_it_is(plan: VisitPlan) -> None:
    twice = combine([plan, plan])
    assert (twice.opens_before, twice.closes_after, twice.grace) == (
        plan.opens_before,
        plan.closes_after,
        plan.grace,
    )
    assert twice.notices == plan.notices
