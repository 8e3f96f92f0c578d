from datetime import datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.join import AccessGrant, JoinLink, JoinProblem, check
from vsdk.domain.participant import Capability, Role
from vsdk.domain.visit import ACTIVE, VisitState
from vsdk.testing.factories import NOON, a_visit

MOMENT = timedelta(microseconds=1)
OPENS, CLOSES = NOON - timedelta(minutes=15), NOON + timedelta(minutes=60)
BEFORE, AFTER = OPENS - timedelta(days=1), CLOSES + timedelta(days=1)
P = JoinProblem


def a_link(*, revoked: bool = False) -> JoinLink:
    return JoinLink("l1", "hash", VisitId("v1"), ParticipantId("p1"), BEFORE if revoked else None)


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (BEFORE, P.EARLY),
        (OPENS - MOMENT, P.EARLY),
        (OPENS, None),
        (NOON, None),
        (CLOSES - MOMENT, None),
        (CLOSES, P.LATE),
        (AFTER, P.LATE),
    ],
)
def test_a_planned_visit_opens_at_the_start_of_its_window_and_closes_before_its_end(
    now: datetime, problem: JoinProblem | None
) -> None:
    assert check(a_link(), a_visit(), now) is problem


TABLE = [
    # state, revoked, and what is said before, inside and after the window
    (VisitState.PLANNED, False, (P.EARLY, None, P.LATE)),
    (VisitState.WAITING, False, (None, None, None)),
    (VisitState.ADMITTED, False, (None, None, None)),
    (VisitState.IN_PROGRESS, False, (None, None, None)),
    (VisitState.ENDED, False, (P.EARLY, None, P.LATE)),
    (VisitState.CLOSED, False, (P.USED_UP,) * 3),
    (VisitState.CANCELLED, False, (P.CANCELLED,) * 3),
    (VisitState.NOSHOW, False, (P.LATE,) * 3),
    (VisitState.PLANNED, True, (P.REVOKED,) * 3),
    (VisitState.WAITING, True, (P.REVOKED,) * 3),
    (VisitState.ADMITTED, True, (P.REVOKED,) * 3),
    (VisitState.IN_PROGRESS, True, (P.REVOKED,) * 3),
    (VisitState.ENDED, True, (P.REVOKED,) * 3),
    (VisitState.CLOSED, True, (P.REVOKED,) * 3),
    (VisitState.CANCELLED, True, (P.CANCELLED,) * 3),
    (VisitState.NOSHOW, True, (P.REVOKED,) * 3),
]


def test_the_table_is_complete() -> None:
    assert {(state, revoked) for state, revoked, _ in TABLE} == {
        (s, r) for s in VisitState for r in (True, False)
    }


@pytest.mark.parametrize(("state", "revoked", "said"), TABLE)
def test_a_link_and_a_visit_make_one_answer(
    state: VisitState, revoked: bool, said: tuple[JoinProblem | None, ...]
) -> None:
    visit = a_visit(state=state)
    assert tuple(check(a_link(revoked=revoked), visit, now) for now in (BEFORE, NOON, AFTER)) == said


@settings(deadline=None)
@given(st.sampled_from(sorted(ACTIVE)), st.integers(-(10**6), 10**6))
def test_no_window_puts_out_whom_someone_waits_for(state: VisitState, minutes: int) -> None:
    assert check(a_link(), a_visit(state=state), NOON + timedelta(minutes=minutes)) is None


def test_one_can_come_back_to_an_ended_visit_until_the_grace_is_over() -> None:
    visit = a_visit(state=VisitState.ENDED, ended_at=CLOSES)
    until = CLOSES + visit.grace
    assert check(a_link(), visit, until - MOMENT) is None
    assert check(a_link(), visit, until) is P.LATE


def test_a_grant_permits_what_is_written_in_it_and_nothing_else() -> None:
    grant = AccessGrant(
        PracticeId("practice"),
        VisitId("v1"),
        ParticipantId("p1"),
        Role.PATIENT,
        frozenset({Capability.WAIT}),
        NOON,
        AFTER,
    )
    assert [c for c in Capability if grant.permits(c)] == [Capability.WAIT]
