"""Participants and what they may do, appointments, the order of the practice's list, errors."""

from datetime import timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from vsdk.domain import errors
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.ids import ParticipantId, VisitId
from vsdk.domain.message import Message
from vsdk.domain.participant import CAPABILITIES, Capability, Participant, Role
from vsdk.domain.visit import ACTIVE, Arrival, Visit, VisitState
from vsdk.domain.waiting_room import waiting_first
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER, a_visit, an_appointment

C = Capability
SECOND = Participant(ParticipantId("p3"), Role.PRACTITIONER, "Practitioner/2", "Dr. Zweite")
MARKERS = ("M4rker Name", "+49171M4RK", "m4rker@example.org", "M4rker Subject", "M4rker Text")


def test_personal_data_stay_out_of_what_is_printed() -> None:
    someone = Participant(ParticipantId("p1"), Role.PATIENT, "Patient/1", *MARKERS[:3], "de")
    appointment = an_appointment(participants=(someone, PRACTITIONER))
    message = Message(MARKERS[1], MARKERS[4], "key", "template", "de", MARKERS[3])
    for thing in (someone, appointment, message):
        for text in (repr(thing), str(thing), f"{thing}"):
            assert not [marker for marker in MARKERS if marker in text]


def test_each_role_may_do_what_it_needs() -> None:
    assert {
        Role.PATIENT: {C.WAIT, C.TALK, C.CLOSE},
        Role.COMPANION: {C.WAIT, C.TALK},
        Role.INTERPRETER: {C.WAIT, C.TALK},
        Role.PRACTITIONER: {C.TALK, C.ADMIT, C.CLOSE, C.LIST},
        Role.STAFF: {C.LIST},
    } == CAPABILITIES


@settings(deadline=None)
@given(st.lists(st.sampled_from(Role), min_size=1, max_size=6))
def test_staff_never_talk_and_only_practitioners_admit(roles: list[Role]) -> None:
    people = tuple(Participant(ParticipantId(f"p{i}"), role, "") for i, role in enumerate(roles))
    appointment = an_appointment(participants=people)
    for person in people:
        capabilities = appointment.capabilities(person)
        assert (C.TALK in capabilities) is (person.role is not Role.STAFF)
        assert not {C.WAIT, C.ADMIT} <= capabilities, "nobody lets themselves in"
        if C.ADMIT in capabilities:
            assert person.role is Role.PRACTITIONER


@settings(deadline=None)
@given(st.lists(st.sampled_from(Role), min_size=1, max_size=6))
def test_with_a_practitioner_there_is_always_someone_who_admits(roles: list[Role]) -> None:
    people = tuple(Participant(ParticipantId(f"p{i}"), role, "") for i, role in enumerate(roles))
    appointment = an_appointment(participants=people)
    admitting = [p for p in people if C.ADMIT in appointment.capabilities(p)]
    assert bool(admitting) is (Role.PRACTITIONER in roles)


def test_with_a_patient_each_practitioner_admits() -> None:
    appointment = an_appointment(participants=(PATIENT, PRACTITIONER, SECOND))
    for practitioner in (PRACTITIONER, SECOND):
        assert C.ADMIT in appointment.capabilities(practitioner)
        assert C.WAIT not in appointment.capabilities(practitioner)


def test_without_a_patient_the_first_practitioner_admits_and_others_wait() -> None:
    appointment = an_appointment(participants=(PRACTITIONER, SECOND))
    assert appointment.capabilities(PRACTITIONER) == {C.TALK, C.ADMIT, C.CLOSE, C.LIST}
    assert appointment.capabilities(SECOND) == {C.WAIT, C.TALK, C.CLOSE}


def test_first_goes_by_the_order_of_the_appointment() -> None:
    appointment = an_appointment(participants=(SECOND, PATIENT, PRACTITIONER))
    assert appointment.first(Role.PRACTITIONER) is SECOND
    assert appointment.first(Role.INTERPRETER) is None


def test_three_kinds_of_appointment_do_not_take_place() -> None:
    assert {s.value for s in AppointmentStatus if not s.takes_place} == {
        "cancelled",
        "noshow",
        "entered-in-error",
    }
    assert len(AppointmentStatus) == 10


def test_who_waits_longest_is_on_top_and_the_rest_follows_by_start() -> None:
    def visit(name: str, state: VisitState, since: int | None = None) -> Visit:
        arrivals = () if since is None else (Arrival(ParticipantId("p1"), NOON + timedelta(minutes=since)),)
        return a_visit(id=VisitId(name), state=state, arrivals=arrivals)

    entries = [
        (visit("later", VisitState.PLANNED), NOON + timedelta(minutes=40)),
        (visit("waits-short", VisitState.WAITING, 9), NOON),
        (visit("over", VisitState.ENDED), NOON - timedelta(minutes=30)),
        (visit("waits-long", VisitState.WAITING, 2), NOON + timedelta(minutes=20)),
        (visit("talks", VisitState.IN_PROGRESS, 5), NOON + timedelta(minutes=10)),
        (visit("next", VisitState.PLANNED), NOON + timedelta(minutes=30)),
    ]
    order = [v.id for v in waiting_first(entries)]
    assert order == ["waits-long", "talks", "waits-short", "over", "next", "later"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(VisitState), st.integers(0, 60), st.integers(-60, 60)), max_size=8))
def test_the_list_shows_each_visit_once_and_those_with_someone_there_first(
    rows: list[tuple[VisitState, int, int]],
) -> None:
    entries = []
    for i, (state, since, start) in enumerate(rows):
        arrivals = (Arrival(ParticipantId("p1"), NOON + timedelta(minutes=since)),) if state in ACTIVE else ()
        visit = a_visit(id=VisitId(f"v{i}"), state=state, arrivals=arrivals)
        entries.append((visit, NOON + timedelta(minutes=start)))
    order = waiting_first(entries)
    assert sorted(v.id for v in order) == sorted(v.id for v, _ in entries)
    there = [v.state in ACTIVE for v in order]
    assert there == sorted(there, reverse=True)
    waits = [v.waiting_since for v in order if v.waiting_since]
    assert waits == sorted(waits)


def test_each_error_has_a_kebab_case_code_and_keeps_one_that_is_given() -> None:
    assert errors.Conflict("detail").code == "conflict"
    assert errors.Conflict("detail", code="version-mismatch").code == "version-mismatch"
    kinds: list[type[errors.VsdkError]] = [errors.VsdkError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        assert kind.default_code == kind.default_code.lower().replace("_", "-")
    codes = [kind.default_code for kind in kinds]
    assert len(set(codes)) == len(codes), "each class has a code of its own"


def test_a_failed_delivery_is_never_tried_again() -> None:
    assert not errors.DeliveryFailed("detail").retryable
    with pytest.raises(TypeError):
        errors.PartnerError("detail")  # type: ignore[call-arg]
