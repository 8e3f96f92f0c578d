"""A visit from arriving to hanging up, and everything that may come in between."""

import asyncio
from datetime import timedelta

import pytest
from tests.service.conftest import PRACTICE, MakeWorld, Rule, World

from vsdk.domain import events as on
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import Conflict, IllegalTransition, NotFound, Refused
from vsdk.domain.ids import AppointmentId, ParticipantId, VisitId
from vsdk.domain.participant import Capability, Participant, Role
from vsdk.domain.policy import Admit, Outcome
from vsdk.domain.visit import Visit, VisitState
from vsdk.hooks.store import VisitChange
from vsdk.service.visits import ATTEMPTS, may_talk
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER, a_visit

P1, P2, P3 = ParticipantId("p1"), ParticipantId("p2"), ParticipantId("p3")
COMPANION = Participant(P3, Role.COMPANION, "RelatedPerson/1", "Tante Frieda")
DOCTOR = Role.PRACTITIONER


async def waiting(world: World, *people: ParticipantId) -> VisitId:
    visit_id = await world.planned(participants=(PATIENT, PRACTITIONER, COMPANION))
    for participant in people or (P1,):
        await world.visits.arrive(visit_id, participant)
    return visit_id


async def admitted(world: World, *people: ParticipantId) -> VisitId:
    visit_id = await waiting(world, *people)
    for participant in people or (P1,):
        await world.visits.admit(visit_id, participant, DOCTOR)
    return visit_id


async def running(world: World, *people: ParticipantId) -> VisitId:
    visit_id = await admitted(world, *people)
    await world.visits.connected(visit_id)
    return visit_id


async def test_the_whole_story_is_in_the_trail_without_a_name_and_in_the_pms(world: World) -> None:
    visit_id = await running(world)
    await world.visits.hang_up(visit_id, Role.PATIENT)
    await world.perform()
    world.clock.advance(minutes=30)
    await world.deadlines.report_due()
    entries = await world.store.audit(visit_id=visit_id)
    assert [entry.what for entry in entries] == [
        "visit-planned",
        "participant-arrived",
        "practitioner-admitted",
        "peers-connected",
        "hung-up",
        "grace-over",
    ]
    assert entries[4].details == {"from": "in-progress", "to": "ended", "by": "patient"}
    assert {entry.at for entry in entries[:5]} == {NOON}
    for person in (PATIENT, PRACTITIONER, COMPANION):
        assert person.name not in repr(entries)
    current = await world.current()
    assert current.mirrored.appointment.status is AppointmentStatus.FULFILLED
    assert current.mirrored.sourced.original["status"] == "fulfilled"
    assert [status for _, _, status in world.source.written] == [None, "arrived", "checked-in", "fulfilled"]
    assert (await world.visit()).state is VisitState.CLOSED
    assert (await world.visit()).version == 6


async def test_plugins_hear_each_event_after_it_was_stored(world: World) -> None:
    visit_id = await running(world)
    await world.listeners.finish()
    assert world.events()[-3:] == [
        on.ParticipantArrived(P1),
        on.PractitionerAdmitted(P1),
        on.PeersConnected(),
    ]
    last = world.heard[-1]
    assert (last.practice_id, last.visit_id, last.at) == (PRACTICE, visit_id, NOON)


async def test_subscribers_get_the_visit_as_it_was_stored(world: World) -> None:
    told: list[tuple[Visit, on.VisitEvent]] = []

    async def subscriber(visit: Visit, event: on.VisitEvent) -> None:
        assert await world.store.visit(visit.id) == visit
        told.append((visit, event))

    world.visits.subscribe(subscriber)
    await waiting(world)
    assert [event for _, event in told[-1:]] == [on.ParticipantArrived(P1)]


async def test_the_outbox_is_woken_by_each_change(world: World) -> None:
    woken: list[int] = []
    visit_id = await world.planned()
    world.visits.wake = lambda: woken.append(1)
    await world.visits.arrive(visit_id, P1)
    assert woken == [1]


# each step


async def test_arriving_twice_is_arriving_once(world: World) -> None:
    visit_id = await waiting(world)
    version = (await world.visit()).version
    world.clock.advance(minutes=3)
    visit = await world.visits.arrive(visit_id, P1)
    assert visit.version == version
    assert visit.waiting_since == NOON


async def test_arriving_at_the_same_time_from_two_pages_is_one_event(world: World) -> None:
    visit_id = await world.planned()
    await asyncio.gather(*(world.visits.arrive(visit_id, P1) for _ in range(4)))
    assert (await world.trail()).count("participant-arrived") == 1


async def test_two_practitioners_who_admit_at_the_same_time_are_one_event(world: World) -> None:
    visit_id = await waiting(world)
    version = (await world.visit()).version
    results = await asyncio.gather(*(world.visits.admit(visit_id, P1, DOCTOR) for _ in range(4)))
    assert {visit.version for visit in results} == {version + 1}
    assert (await world.trail()).count("practitioner-admitted") == 1
    assert world.events().count(on.PractitionerAdmitted(P1)) == 1


async def test_both_sides_report_and_hang_up_at_the_same_time(world: World) -> None:
    visit_id = await admitted(world)
    await asyncio.gather(*(world.visits.connected(visit_id) for _ in range(4)))
    assert (await world.visit()).state is VisitState.IN_PROGRESS
    await asyncio.gather(*(world.visits.hang_up(visit_id, role) for role in (Role.PATIENT, DOCTOR)))
    assert (await world.visit()).state is VisitState.ENDED
    trail = await world.trail()
    assert (trail.count("peers-connected"), trail.count("hung-up")) == (1, 1)


async def test_people_who_arrive_at_the_same_time_are_all_there(world: World) -> None:
    visit_id = await world.planned(participants=(PATIENT, PRACTITIONER, COMPANION))
    await asyncio.gather(*(world.visits.arrive(visit_id, p) for p in (P1, P3)))
    assert {a.participant for a in (await world.visit()).arrivals} == {P1, P3}


async def test_who_does_not_wait_cannot_be_admitted(world: World) -> None:
    visit_id = await waiting(world)
    with pytest.raises(IllegalTransition):
        await world.visits.admit(visit_id, P3, DOCTOR)
    with pytest.raises(NotFound) as caught:
        await world.visits.admit(visit_id, ParticipantId("p9"), DOCTOR)
    assert caught.value.code == "participant-unknown"


async def test_nobody_is_admitted_before_anyone_came(world: World) -> None:
    visit_id = await world.planned()
    with pytest.raises(IllegalTransition) as caught:
        await world.visits.admit(visit_id, P1, DOCTOR)
    assert caught.value.code == "visit-state"
    assert (await world.visit()).version == 1


async def test_a_rule_can_forbid_to_admit(make_world: MakeWorld) -> None:
    asked: list[Admit] = []

    def answer(question: Admit) -> Outcome:
        asked.append(question)
        return Outcome.VIOLATED

    world = await make_world(rules=[Rule(Admit, answer)])
    visit_id = await waiting(world)
    with pytest.raises(Refused) as caught:
        await world.visits.admit(visit_id, P1, DOCTOR)
    assert caught.value.code == "policy-denied"
    assert asked == [Admit(by=DOCTOR, role=Role.PATIENT)]
    assert (await world.visit()).state is VisitState.WAITING


async def test_an_unknown_visit_is_not_found(world: World) -> None:
    with pytest.raises(NotFound) as caught:
        await world.visits.arrive(VisitId("nothing"), P1)
    assert caught.value.code == "visit-unknown"


async def test_a_visit_that_never_stops_changing_is_a_conflict(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit_id = await world.planned()
    tries: list[VisitChange] = []

    async def commit(change: VisitChange, now: object) -> None:
        tries.append(change)
        raise Conflict("someone was faster")

    monkeypatch.setattr(world.store, "commit", commit)
    with pytest.raises(Conflict):
        await world.visits.arrive(visit_id, P1)
    assert len(tries) == ATTEMPTS


# leaving and coming back


async def test_the_last_one_who_leaves_the_waiting_room_leaves_a_planned_visit(world: World) -> None:
    visit_id = await waiting(world, P1, P3)
    await world.visits.left(visit_id, P1, anyone_else=True)
    visit = await world.visit()
    assert (visit.state, [a.participant for a in visit.arrivals]) == (VisitState.WAITING, [P3])
    await world.visits.left(visit_id, P3, anyone_else=False)
    visit = await world.visit()
    assert (visit.state, visit.arrivals) == (VisitState.PLANNED, ())
    assert world.events()[-2:] == [on.ParticipantLeft(P1), on.EveryoneLeft()]


async def test_a_practitioner_who_looks_on_keeps_no_waiting_room_open(world: World) -> None:
    visit_id = await waiting(world)
    await world.visits.left(visit_id, P1, anyone_else=True)
    assert (await world.visit()).state is VisitState.PLANNED


async def test_who_drops_out_of_a_running_visit_stays_admitted_and_comes_back(world: World) -> None:
    visit_id = await running(world)
    await world.visits.left(visit_id, P1, anyone_else=True)
    visit = await world.visit()
    assert (visit.state, visit.is_admitted(P1)) == (VisitState.ADMITTED, True)
    await world.visits.arrive(visit_id, P1)
    await world.visits.connected(visit_id)
    assert (await world.visit()).state is VisitState.IN_PROGRESS


async def test_who_waits_beside_a_running_visit_and_leaves_does_not_disturb_it(world: World) -> None:
    visit_id = await running(world)
    await world.visits.arrive(visit_id, P3)
    await world.visits.left(visit_id, P3, anyone_else=True)
    visit = await world.visit()
    assert (visit.state, [a.participant for a in visit.arrivals]) == (VisitState.IN_PROGRESS, [P1])


async def test_a_running_visit_that_everyone_left_took_place_all_the_same(world: World) -> None:
    visit_id = await running(world)
    await world.visits.left(visit_id, P1, anyone_else=False)
    visit = await world.visit()
    assert (visit.state, visit.took_place, visit.arrivals) == (VisitState.PLANNED, True, ())
    world.clock.advance(hours=2)
    await world.deadlines.report_due()
    await world.perform()
    assert (await world.visit()).state is VisitState.CLOSED
    assert (await world.current()).mirrored.appointment.status is AppointmentStatus.FULFILLED


async def test_who_comes_back_after_everyone_left_has_to_be_let_in_again(world: World) -> None:
    visit_id = await running(world)
    await world.visits.left(visit_id, P1, anyone_else=False)
    visit = await world.visits.arrive(visit_id, P1)
    assert (visit.state, visit.is_admitted(P1)) == (VisitState.WAITING, False)


async def test_who_was_never_there_cannot_leave(world: World) -> None:
    visit_id = await waiting(world)
    version = (await world.visit()).version
    await world.visits.left(visit_id, P3, anyone_else=True)
    assert (await world.visit()).version == version


async def test_a_connection_that_breaks_and_comes_back(world: World) -> None:
    visit_id = await running(world)
    await world.visits.connection_lost(visit_id)
    await world.visits.connection_lost(visit_id)
    assert (await world.visit()).state is VisitState.ADMITTED
    await world.visits.connected(visit_id)
    assert (await world.visit()).state is VisitState.IN_PROGRESS


async def test_what_is_reported_too_late_is_ignored(world: World) -> None:
    visit_id = await running(world)
    await world.visits.hang_up(visit_id, DOCTOR)
    version = (await world.visit()).version
    await world.visits.connected(visit_id)
    await world.visits.connection_lost(visit_id)
    await world.visits.hang_up(visit_id, Role.PATIENT)
    await world.visits.left(visit_id, P1, anyone_else=False)
    assert (await world.visit()).version == version


async def test_after_hanging_up_the_patient_can_come_back_and_waits(world: World) -> None:
    visit_id = await running(world)
    await world.visits.hang_up(visit_id, DOCTOR)
    visit = await world.visits.arrive(visit_id, P1)
    assert (visit.state, visit.is_admitted(P1)) == (VisitState.WAITING, False)
    await world.visits.admit(visit_id, P1, DOCTOR)
    await world.visits.connected(visit_id)
    assert (await world.visit()).ended_at is None


async def test_inviting_back_sends_a_message_and_opens_a_window(world: World) -> None:
    visit_id = await running(world)
    world.clock.advance(hours=3)
    await world.visits.hang_up(visit_id, DOCTOR)
    world.clock.advance(minutes=10)
    handle = await world.handle()
    visit = await world.visits.invite_back(visit_id, P1)
    assert (visit.window.opens, visit.state) == (world.clock.now(), VisitState.PLANNED)
    await world.perform()
    assert [message.template for message in world.sms.messages] == ["invited-back"]
    assert handle in world.sms.messages[0].text
    assert (await world.join.exchange(handle)).grant.visit_id == visit_id
    world.clock.advance(minutes=31)
    await world.deadlines.report_due()
    assert (await world.visit()).state is VisitState.CLOSED


async def test_nobody_is_invited_back_to_what_did_not_end(world: World) -> None:
    visit_id = await waiting(world)
    with pytest.raises(IllegalTransition):
        await world.visits.invite_back(visit_id, P1)


async def test_the_practice_closes_what_waits_and_what_runs(world: World) -> None:
    visit_id = await waiting(world)
    assert (await world.visits.close(visit_id, DOCTOR)).state is VisitState.ENDED
    await world.visits.arrive(visit_id, P1)
    await world.visits.admit(visit_id, P1, DOCTOR)
    assert (await world.visits.close(visit_id, DOCTOR)).state is VisitState.ENDED
    await world.listeners.finish()
    assert [e for e in world.events() if isinstance(e, on.VisitClosed | on.HungUp)] == [
        on.VisitClosed(),
        on.HungUp(DOCTOR),
    ]
    with pytest.raises(IllegalTransition):
        await world.visits.close(visit_id, DOCTOR)


# the list, and who may talk


async def test_the_day_shows_who_waits_first(world: World) -> None:
    early, late = NOON - timedelta(hours=2), NOON + timedelta(hours=2)
    await world.schedule(id=AppointmentId("later"), start=late, end=late)
    await world.schedule(id=AppointmentId("first"))
    second = (await world.schedule(id=AppointmentId("second"), start=NOON + timedelta(minutes=1))).visit
    assert second
    await world.visits.arrive(second.id, P1)
    day = await world.visits.day(PRACTICE, early, late + timedelta(hours=1))
    assert [visit.appointment_id for visit, _ in day] == ["second", "first", "later"]
    assert [mirrored.appointment.id for _, mirrored in day] == ["second", "first", "later"]
    before = await world.visits.day(PRACTICE, early, NOON)
    assert [visit.appointment_id for visit, _ in before] == ["second"], "who waits is always shown"


@pytest.mark.parametrize("state", VisitState)
def test_only_those_who_are_in_a_running_visit_may_talk(state: VisitState) -> None:
    visit = a_visit(state=state)
    runs = state in (VisitState.ADMITTED, VisitState.IN_PROGRESS)
    assert may_talk(visit, P2, frozenset({Capability.TALK, Capability.ADMIT})) is runs
    assert not may_talk(visit, P1, frozenset({Capability.TALK, Capability.WAIT}))
    assert not may_talk(visit, P3, frozenset({Capability.LIST}))


async def test_who_was_admitted_may_talk(world: World) -> None:
    visit_id = await admitted(world)
    await world.visits.arrive(visit_id, P3)
    visit = await world.visit()
    needs_admission = frozenset({Capability.TALK, Capability.WAIT})
    assert may_talk(visit, P1, needs_admission)
    assert not may_talk(visit, P3, needs_admission)


async def test_a_third_person_who_leaves_does_not_interrupt_the_others(world: World) -> None:
    visit_id = await running(world)
    await world.visits.left(visit_id, P1, anyone_else=True, still_connected=True)
    assert (await world.visits.get(visit_id)).state is VisitState.IN_PROGRESS
