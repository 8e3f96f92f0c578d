"""The state table of a visit: each row does what it says, any other pair is refused and changes nothing."""

from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from typing import get_args

import pytest

from vsdk.domain import events as on
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.effects import Audit, Effect, Notify, Publish, WriteBack
from vsdk.domain.errors import IllegalTransition
from vsdk.domain.ids import ParticipantId
from vsdk.domain.participant import Role
from vsdk.domain.plan import Window
from vsdk.domain.visit import (
    FINAL,
    RUNNING,
    Arrival,
    Visit,
    VisitState,
    kebab,
    next_deadline,
    permits,
    transition,
)
from vsdk.testing.factories import NOON, a_visit

P1, P2, P3 = ParticipantId("p1"), ParticipantId("p2"), ParticipantId("p3")
TOMORROW = Window(NOON + timedelta(days=1), NOON + timedelta(days=1, hours=1))
EVENTS: dict[str, on.VisitEvent] = {
    "arrived": on.ParticipantArrived(P1),
    "admitted": on.PractitionerAdmitted(P1),
    "connected": on.PeersConnected(),
    "lost": on.ConnectionLost(),
    "left": on.ParticipantLeft(P1),
    "everyone-left": on.EveryoneLeft(),
    "hung-up": on.HungUp(Role.PATIENT),
    "closed": on.VisitClosed(),
    "invited-back": on.InvitedBack(P1, TOMORROW),
    "rescheduled": on.Rescheduled(TOMORROW),
    "cancelled": on.AppointmentCancelled(),
    "window-closed": on.WindowClosed(),
    "grace-over": on.GraceOver(),
}
ROWS = """
planned      arrived        waiting
planned      rescheduled    planned
planned      cancelled      cancelled
planned      window-closed  noshow
planned      grace-over     closed
waiting      arrived        waiting
waiting      left           waiting
waiting      admitted       admitted
waiting      everyone-left  planned
waiting      rescheduled    waiting
waiting      cancelled      cancelled
waiting      closed         ended
admitted     arrived        admitted
admitted     left           admitted
admitted     admitted       admitted
admitted     connected      in-progress
admitted     everyone-left  planned
admitted     invited-back   admitted
admitted     rescheduled    admitted
admitted     hung-up        ended
in-progress  arrived        in-progress
in-progress  left           in-progress
in-progress  admitted       in-progress
in-progress  lost           admitted
in-progress  invited-back   in-progress
in-progress  rescheduled    in-progress
in-progress  hung-up        ended
ended        arrived        waiting
ended        invited-back   planned
ended        grace-over     closed
"""
"""Written out a second time on purpose: a row that changes must be changed here too."""
WANTED = {(VisitState(a), b): VisitState(c) for a, b, c in (row.split() for row in ROWS.strip().splitlines())}
PAIRS = [(state, name) for state in VisitState for name in EVENTS]


def in_state(state: VisitState) -> Visit:
    """A visit as it can look in that state, with `P1` having arrived where someone is there."""
    present = (Arrival(P1, NOON, admitted=state in RUNNING),) if state in RUNNING else ()
    if state is VisitState.WAITING:
        present = (Arrival(P1, NOON),)
    ended = NOON if state in (VisitState.ENDED, VisitState.CLOSED) else None
    return a_visit(state=state, version=7, arrivals=present, ended_at=ended)


def test_each_kind_of_event_is_tried() -> None:
    assert {type(event) for event in EVENTS.values()} == set(get_args(on.VisitEvent))


@pytest.mark.parametrize(("state", "name"), PAIRS)
def test_each_pair_does_what_the_table_says(state: VisitState, name: str) -> None:
    visit, event = in_state(state), EVENTS[name]
    before = replace(visit)
    if (state, name) in WANTED:
        assert permits(visit, type(event))
        changed, effects = transition(visit, event, NOON)
        assert changed.state is WANTED[state, name]
        assert changed.version == 8
        assert (changed.id, changed.practice_id, changed.appointment_id) == (
            visit.id,
            visit.practice_id,
            visit.appointment_id,
        )
        assert Publish(visit.practice_id, visit.id) in effects
    else:
        assert not permits(visit, type(event))
        with pytest.raises(IllegalTransition) as caught:
            transition(visit, event, NOON)
        assert caught.value.code == "visit-state"
        assert state.value in caught.value.detail
    assert visit == before


def test_a_final_state_has_no_way_out() -> None:
    assert {state for state, _ in WANTED if state in FINAL} == set()
    assert {VisitState.CLOSED, VisitState.CANCELLED, VisitState.NOSHOW} == FINAL


@pytest.mark.parametrize("state", [VisitState.WAITING, VisitState.ADMITTED, VisitState.IN_PROGRESS])
def test_only_who_arrived_can_be_admitted(state: VisitState) -> None:
    with pytest.raises(IllegalTransition, match="arrived"):
        transition(in_state(state), on.PractitionerAdmitted(P3), NOON)


def test_a_visit_cannot_be_changed_from_outside() -> None:
    with pytest.raises(FrozenInstanceError):
        a_visit().state = VisitState.CLOSED  # type: ignore[misc]


def audit_of(effects: tuple[Effect, ...]) -> Audit:
    return next(effect for effect in effects if isinstance(effect, Audit))


@pytest.mark.parametrize(("state", "name"), sorted(WANTED))
def test_each_change_is_one_line_of_the_audit_trail(state: VisitState, name: str) -> None:
    event = EVENTS[name]
    _, effects = transition(in_state(state), event, NOON)
    line = audit_of(effects)
    assert sum(isinstance(effect, Audit) for effect in effects) == 1
    assert line.what == kebab(type(event).__name__)
    assert line.details["from"] == state.value
    assert line.details["to"] == WANTED[state, name].value
    assert line.participant_id == (P1 if hasattr(event, "participant") else None)


def test_the_red_button_says_who_pressed_it() -> None:
    _, effects = transition(in_state(VisitState.IN_PROGRESS), on.HungUp(Role.PRACTITIONER), NOON)
    assert audit_of(effects).details["by"] == "practitioner"


def test_inviting_back_opens_a_window_and_sends_a_message() -> None:
    visit, effects = transition(in_state(VisitState.ENDED), on.InvitedBack(P1, TOMORROW), NOON)
    assert visit.window == TOMORROW
    assert Notify(visit.id, P1, "invited-back") in effects


def reported(effects: tuple[Effect, ...]) -> list[AppointmentStatus | None]:
    return [effect.status for effect in effects if isinstance(effect, WriteBack)]


def after(visit: Visit, *names: str) -> tuple[Visit, list[AppointmentStatus | None]]:
    """The visit after these events, and what the PMS was told on the way."""
    told = []
    for name in names:
        visit, effects = transition(visit, EVENTS[name], NOON)
        told += reported(effects)
    return visit, told


ARRIVED, CHECKED_IN, FULFILLED, NOSHOW = (
    AppointmentStatus.ARRIVED,
    AppointmentStatus.CHECKED_IN,
    AppointmentStatus.FULFILLED,
    AppointmentStatus.NOSHOW,
)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ("arrived admitted connected hung-up grace-over", [ARRIVED, CHECKED_IN, FULFILLED]),
        ("arrived admitted connected lost connected hung-up", [ARRIVED, CHECKED_IN, FULFILLED]),
        ("arrived admitted connected lost everyone-left grace-over", [ARRIVED, CHECKED_IN, FULFILLED]),
        ("arrived everyone-left window-closed", [ARRIVED, NOSHOW]),
        ("arrived closed grace-over", [ARRIVED]),
        ("arrived admitted hung-up grace-over", [ARRIVED]),
        ("arrived cancelled", [ARRIVED]),
        ("window-closed", [NOSHOW]),
        ("arrived admitted connected hung-up arrived", [ARRIVED, CHECKED_IN, FULFILLED]),
    ],
)
def test_the_pms_learns_of_each_step_once_and_of_fulfilment_only_when_it_happened(
    names: str, told: list[AppointmentStatus]
) -> None:
    assert after(a_visit(), *names.split())[1] == told


def test_arriving_twice_keeps_the_first_time() -> None:
    visit, _ = transition(a_visit(), on.ParticipantArrived(P1), NOON)
    visit, _ = transition(visit, on.ParticipantArrived(P1), NOON + timedelta(minutes=5))
    assert visit.arrivals == (Arrival(P1, NOON),)
    assert visit.waiting_since == NOON


def test_who_left_or_was_hung_up_on_is_not_admitted_any_more() -> None:
    running, _ = after(a_visit(), "arrived", "admitted")
    assert running.is_admitted(P1)
    for name in ("left", "everyone-left", "hung-up"):
        assert not after(running, name)[0].is_admitted(P1)


def test_leaving_takes_only_the_one_who_left() -> None:
    visit, _ = transition(in_state(VisitState.WAITING), on.ParticipantArrived(P2), NOON)
    visit, _ = transition(visit, on.ParticipantLeft(P1), NOON)
    assert [arrival.participant for arrival in visit.arrivals] == [P2]


def test_time_ends_a_planned_visit_when_its_window_closes() -> None:
    deadline = next_deadline(a_visit())
    assert deadline
    assert (deadline.at, deadline.event) == (NOON + timedelta(minutes=60), on.WindowClosed())


def test_time_closes_an_ended_visit_when_its_grace_is_over() -> None:
    deadline = next_deadline(a_visit(state=VisitState.ENDED, ended_at=NOON))
    assert deadline
    assert (deadline.at, deadline.event) == (NOON + timedelta(minutes=30), on.GraceOver())


def test_a_visit_that_took_place_never_becomes_a_noshow() -> None:
    deadline = next_deadline(a_visit(took_place=True))
    assert deadline
    assert deadline.event == on.GraceOver()


def test_who_was_invited_back_can_come_until_the_later_of_both_ends() -> None:
    visit = a_visit(ended_at=NOON + timedelta(minutes=50))
    assert visit.closes == NOON + timedelta(minutes=80)
    assert a_visit(ended_at=NOON).closes == NOON + timedelta(minutes=60)


@pytest.mark.parametrize("state", [s for s in VisitState if s not in (VisitState.PLANNED, VisitState.ENDED)])
def test_time_does_nothing_while_someone_is_there_or_when_all_is_over(state: VisitState) -> None:
    assert next_deadline(in_state(state)) is None


def test_names_of_events_become_kebab_case() -> None:
    assert kebab("PractitionerAdmitted") == "practitioner-admitted"
