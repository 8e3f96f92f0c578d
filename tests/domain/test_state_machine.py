"""Any sequence of events whatever: what a visit must never do."""

from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from vsdk.domain import events as on
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.effects import WriteBack
from vsdk.domain.errors import IllegalTransition
from vsdk.domain.ids import ParticipantId
from vsdk.domain.participant import Role
from vsdk.domain.plan import Window
from vsdk.domain.visit import FINAL, RUNNING, VisitState, next_deadline, permits, transition
from vsdk.testing.factories import NOON, a_visit

people = st.sampled_from([ParticipantId(f"p{i}") for i in range(1, 5)])
windows = st.builds(
    lambda start, length: Window(
        NOON + timedelta(minutes=start), NOON + timedelta(minutes=start) + timedelta(minutes=length)
    ),
    st.integers(-600, 600),
    st.integers(1, 240),
)
with_people = st.builds(
    lambda kind, who: kind(who),
    st.sampled_from([on.ParticipantArrived, on.PractitionerAdmitted, on.ParticipantLeft]),
    people,
)
without = st.sampled_from(
    [
        on.PeersConnected(),
        on.ConnectionLost(),
        on.EveryoneLeft(),
        on.VisitClosed(),
        on.AppointmentCancelled(),
        on.WindowClosed(),
        on.GraceOver(),
        *map(on.HungUp, Role),
    ]
)
any_event: st.SearchStrategy[on.VisitEvent] = st.one_of(
    with_people,
    with_people,
    without,
    st.builds(on.Rescheduled, windows),
    st.builds(on.InvitedBack, people, windows),
)
NEVER_END_A_RUNNING_VISIT = (on.WindowClosed, on.GraceOver, on.AppointmentCancelled, on.Rescheduled)


class AnyVisit(RuleBasedStateMachine):
    """Keeps a much simpler account of who is where beside the visit, and compares."""

    @initialize()
    def begin(self) -> None:
        self.visit = a_visit()
        self.now = NOON
        self.waiting: set[ParticipantId] = set()
        self.admitted: set[ParticipantId] = set()
        self.connected_once = False
        self.changes = 0

    @rule(event=any_event, minutes=st.integers(0, 90))
    def happens(self, event: on.VisitEvent, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self._report(event)

    @rule()
    def time_passes_until_the_deadline(self) -> None:
        """What time does is always possible."""
        deadline = next_deadline(self.visit)
        if deadline is None:
            return
        self.now = max(self.now, deadline.at)
        assert permits(self.visit, type(deadline.event))
        self._report(deadline.event)
        assert self.visit.state in FINAL

    def _report(self, event: on.VisitEvent) -> None:
        before = self.visit
        try:
            self.visit, effects = transition(before, event, self.now)
        except IllegalTransition:
            assert self.visit is before
            unknown = isinstance(event, on.PractitionerAdmitted) and event.participant not in self._there()
            assert unknown or not permits(before, type(event))
            return
        self.changes += 1
        assert before.state not in FINAL, "there is no way out of a final state"
        if before.state in RUNNING and isinstance(event, NEVER_END_A_RUNNING_VISIT):
            assert self.visit.state is before.state
            assert self.visit.arrivals == before.arrivals
        self._account(event)
        told = [effect.status for effect in effects if isinstance(effect, WriteBack)]
        assert len(told) <= 1
        if AppointmentStatus.FULFILLED in told:
            assert self.connected_once, "nobody was ever connected in this visit"

    def _account(self, event: on.VisitEvent) -> None:
        match event:
            case on.ParticipantArrived(who):
                if who not in self.admitted:
                    self.waiting.add(who)
            case on.PractitionerAdmitted(who):
                assert who in self._there(), "nobody is admitted without having arrived"
                self.waiting.discard(who)
                self.admitted.add(who)
            case on.ParticipantLeft(who):
                self.waiting.discard(who)
                self.admitted.discard(who)
            case on.EveryoneLeft() | on.HungUp() | on.VisitClosed():
                self.waiting.clear()
                self.admitted.clear()
            case on.PeersConnected():
                self.connected_once = True
            case _:
                pass

    def _there(self) -> set[ParticipantId]:
        return self.waiting | self.admitted

    @invariant()
    def each_change_is_one_version(self) -> None:
        assert self.visit.version == 1 + self.changes

    @invariant()
    def the_visit_knows_who_is_there_and_who_was_let_in(self) -> None:
        assert {a.participant for a in self.visit.arrivals} == self._there()
        assert {a.participant for a in self.visit.arrivals if a.admitted} == self.admitted
        assert len(self.visit.arrivals) == len(self._there()), "nobody is listed twice"

    @invariant()
    def nobody_is_there_while_a_visit_is_planned_or_ended(self) -> None:
        if self.visit.state in (VisitState.PLANNED, VisitState.ENDED, VisitState.CLOSED, VisitState.NOSHOW):
            assert not self.visit.arrivals

    @invariant()
    def nobody_is_admitted_in_the_waiting_room(self) -> None:
        if self.visit.state not in RUNNING:
            assert not self.admitted

    @invariant()
    def what_took_place_is_known_and_is_no_noshow(self) -> None:
        assert self.visit.took_place is self.connected_once

    @invariant()
    def something_will_happen_to_each_visit_that_nobody_is_in(self) -> None:
        idle = self.visit.state in (VisitState.PLANNED, VisitState.ENDED)
        assert (next_deadline(self.visit) is not None) is idle


TestAnyVisit = AnyVisit.TestCase
TestAnyVisit.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
