"""Appointments come, change, move, are cancelled and come back: what happens to visits and links."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.service.conftest import PRACTICE, MakeWorld, Rule, World
from tests.times import next_due

from vsdk.domain import events as on
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.effects import Notify, WriteBack
from vsdk.domain.errors import Conflict, NotFound, Refused
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.participant import Participant, Role
from vsdk.domain.plan import Notice, VisitPlan, Window
from vsdk.domain.policy import Outcome, Schedule
from vsdk.domain.visit import VisitState
from vsdk.service.scheduling import Scheduled
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER, a_sourced_appointment

P1, P2 = ParticipantId("p1"), ParticipantId("p2")
A1 = AppointmentId("a1")
MINUTE = timedelta(minutes=1)
TOMORROW = NOON + timedelta(days=1)
OTHER = Participant(P1, Role.PATIENT, "Patient/2", "Hans Anders", "+4915100000002")
COMPANION = Participant(ParticipantId("p3"), Role.COMPANION, "RelatedPerson/1", "Tante Frieda")


def at(start: datetime, **changes: Any) -> dict[str, Any]:
    """Changes that move the appointment."""
    return {"start": start, "end": start + 20 * MINUTE} | changes


def urls(scheduled: Scheduled) -> list[str]:
    return [link.url for link in scheduled.links]


async def refusal(world: World, handle: str) -> str:
    """The code with which this handle is refused."""
    with pytest.raises(Refused) as caught:
        await world.join.exchange(handle)
    return caught.value.code


# a new appointment


async def test_a_new_appointment_gets_a_visit_and_a_link_for_each_participant(world: World) -> None:
    scheduled = await world.schedule()
    assert scheduled.visit
    assert scheduled.visit.state is VisitState.PLANNED
    assert scheduled.visit.window == world.plan.window(NOON)
    assert scheduled.visit.grace == world.plan.grace
    assert [link.participant for link in scheduled.links] == [PATIENT, PRACTITIONER]
    assert len(set(urls(scheduled))) == 2
    assert all(link.window == scheduled.visit.window for link in scheduled.links)
    assert await world.trail() == ["visit-planned"]


async def test_everyones_way_in_is_given_to_the_source(world: World) -> None:
    scheduled = await world.schedule()
    await world.perform()
    services = scheduled.services
    assert {service.role.value: service.url for service in services} == {
        "patient": (await world.links())["p1"],
        "practitioner": (await world.links())["p2"],
    }
    assert [(s.reference, s.opens, s.closes) for s in services] == [
        (p.reference, scheduled.visit.window.opens, scheduled.visit.window.closes)
        for p in (PATIENT, PRACTITIONER)
    ]
    assert world.source.written == [("a1", services, None)]


async def test_links_are_not_shown_when_printed(world: World) -> None:
    scheduled = await world.schedule()
    handle = await world.handle()
    assert handle not in repr(scheduled)


async def test_two_visits_planned_at_the_same_time_for_one_appointment_are_one(world: World) -> None:
    both = await asyncio.gather(*(world.schedule() for _ in range(4)))
    assert len({scheduled.visit and scheduled.visit.id for scheduled in both}) == 1
    assert await world.trail() == ["visit-planned"]
    assert {tuple(urls(scheduled)) for scheduled in both} == {tuple(urls(both[0]))}


@pytest.mark.parametrize("status", ["cancelled", "noshow", "entered-in-error", "fulfilled"])
async def test_an_appointment_that_does_not_take_place_any_more_is_mirrored_only(
    world: World, status: str
) -> None:
    scheduled = await world.schedule(status=AppointmentStatus(status))
    assert (scheduled.visit, scheduled.links, scheduled.mirrored.version) == (None, (), 1)


async def test_an_appointment_in_person_is_mirrored_only(world: World) -> None:
    scheduled = await world.schedule(is_video=False)
    assert (scheduled.visit, scheduled.links, scheduled.services) == (None, (), ())
    assert await world.effects() == []


async def test_an_appointment_of_the_past_gets_no_visit(world: World) -> None:
    closes = world.plan.closes_after
    assert (await world.schedule(**at(NOON - closes))).visit is None
    assert (await world.schedule(**at(NOON - closes + MINUTE, id=AppointmentId("a2")))).visit


async def test_what_is_not_known_is_not_found(world: World) -> None:
    with pytest.raises(NotFound) as caught:
        await world.current()
    assert caught.value.code == "appointment-unknown"
    await world.schedule()
    with pytest.raises(NotFound):
        await world.scheduling.current(PracticeId("another"), A1)


# the same again


async def test_the_same_appointment_again_changes_nothing(world: World) -> None:
    first = await world.schedule()
    effects, heard = await world.effects(), len(world.heard)
    second = await world.schedule()
    assert second == first
    assert urls(second) == urls(first)
    assert await world.effects() == effects
    assert await world.trail() == ["visit-planned"]
    assert len(world.heard) == heard


async def test_links_are_the_same_after_a_restart(world: World) -> None:
    first = await world.schedule()
    await world.restart()
    assert urls(await world.schedule()) == urls(first)


async def test_a_change_of_something_else_keeps_visit_and_links(world: World) -> None:
    first = await world.schedule()
    renamed = replace(PATIENT, name="Erika Neuname", phone="+4915100000009")
    second = await world.schedule(participants=(renamed, PRACTITIONER))
    assert first.visit
    assert second.visit
    assert second.visit.id == first.visit.id
    assert urls(second) == urls(first)
    assert second.links[0].participant.name == "Erika Neuname"
    assert second.mirrored.version == 2


# moved


async def test_moved_a_little_the_links_stay_and_the_window_moves(world: World) -> None:
    first = await world.schedule()
    await world.perform()
    second = await world.schedule(**at(NOON + 30 * MINUTE))
    assert first.visit
    assert second.visit
    assert second.visit.id == first.visit.id
    assert urls(second) == urls(first)
    assert second.visit.window == world.plan.window(NOON + 30 * MINUTE)
    assert {link.window for link in second.links} == {second.visit.window}
    assert await refusal(world, await world.handle()) == "join-link-early"
    await world.perform()
    assert world.source.written[-1] == ("a1", second.services, None), "with the window as it is now"


async def test_moved_far_the_links_are_replaced_and_written_back(world: World) -> None:
    visit_id = await world.planned()
    old = await world.handle()
    second = await world.schedule(**at(TOMORROW))
    assert second.visit
    assert second.visit.id == visit_id
    assert second.visit.window == world.plan.window(TOMORROW)
    assert old not in repr(urls(second))
    assert await refusal(world, old) == "join-link-revoked"
    moved = Notify(visit_id, ParticipantId("p1"), "moved")
    assert [e.effect for e in await world.effects()] == [moved, WriteBack(PRACTICE, A1, None)]
    world.clock.advance(days=1)
    assert (await world.join.exchange(await world.handle())).grant.visit_id == visit_id


async def test_moved_the_notices_move_too(make_world: MakeWorld) -> None:
    plan = VisitPlan("p", 10 * MINUTE, 60 * MINUTE, (Notice("link", "link-at-time", 10 * MINUTE),))
    world = await make_world(plan=plan)
    await world.schedule(**at(TOMORROW))
    await world.schedule(**at(TOMORROW + timedelta(hours=6)))
    world.clock.advance(days=1)
    assert await world.deadlines.report_due() == 0
    world.clock.advance(hours=5, minutes=50)
    assert await world.deadlines.report_due() == 1


async def test_a_closed_visit_that_is_moved_to_another_day_becomes_a_new_one(world: World) -> None:
    """A practice that gives up for today, and offers tomorrow, within the grace time."""
    visit_id = await world.planned()
    await world.visits.arrive(visit_id, P1)
    await world.visits.close(visit_id, Role.PRACTITIONER)
    world.clock.advance(minutes=5)
    scheduled = await world.schedule(**at(TOMORROW))
    assert scheduled.visit
    assert scheduled.visit.id != visit_id
    assert scheduled.visit.window == world.plan.window(TOMORROW)
    world.clock.advance(days=1)
    while await world.deadlines.report_due():
        pass
    assert (await world.join.exchange(await world.handle())).grant.visit_id == scheduled.visit.id


async def test_an_ended_visit_that_is_moved_a_little_can_still_be_gone_back_to(world: World) -> None:
    visit_id = await world.planned()
    await world.visits.arrive(visit_id, P1)
    await world.visits.close(visit_id, Role.PRACTITIONER)
    handle = await world.handle()
    await world.schedule(**at(NOON + 10 * MINUTE))
    assert (await world.join.exchange(handle)).grant.visit_id == visit_id


async def test_a_noshow_that_is_moved_gets_a_new_visit(world: World) -> None:
    visit_id = await world.planned()
    world.clock.advance(hours=2)
    await world.deadlines.report_due()
    assert (await world.visit()).state is VisitState.NOSHOW
    scheduled = await world.schedule(**at(TOMORROW))
    assert scheduled.visit
    assert scheduled.visit.id != visit_id
    assert len(scheduled.links) == 2


async def test_a_visit_that_is_over_and_whose_appointment_echoes_stays_over(world: World) -> None:
    visit_id = await world.planned()
    await world.visits.arrive(visit_id, P1)
    await world.visits.admit(visit_id, P1, Role.PRACTITIONER)
    await world.visits.connected(visit_id)
    await world.visits.hang_up(visit_id, Role.PATIENT)
    world.clock.advance(minutes=31)
    await world.deadlines.report_due()
    assert (await world.visit()).state is VisitState.CLOSED
    scheduled = await world.schedule(status=AppointmentStatus.FULFILLED)
    assert scheduled.visit
    assert scheduled.visit.id == visit_id
    assert scheduled.links == ()


# cancelled


async def test_cancelled_the_links_say_so(world: World) -> None:
    await world.schedule()
    handle = await world.handle()
    scheduled = await world.schedule(status=AppointmentStatus.CANCELLED)
    assert scheduled.visit
    assert scheduled.visit.state is VisitState.CANCELLED
    assert (scheduled.links, scheduled.services) == ((), ())
    assert await refusal(world, handle) == "appointment-cancelled"
    assert on.AppointmentCancelled() in world.events()
    assert "appointment-cancelled" in await world.trail()
    assert await next_due(world.store) is None, "a cancelled visit has no deadline"


async def test_an_appointment_that_becomes_one_in_person_closes_its_links(world: World) -> None:
    await world.schedule()
    handle = await world.handle()
    assert (await world.schedule(is_video=False)).links == ()
    assert await refusal(world, handle) == "appointment-cancelled"


async def test_cancelled_and_booked_again_there_is_a_new_visit_with_new_links(world: World) -> None:
    first = await world.schedule()
    old = await world.handle()
    await world.schedule(status=AppointmentStatus.CANCELLED)
    again = await world.schedule()
    assert first.visit
    assert again.visit
    assert again.visit.id != first.visit.id
    assert again.visit.state is VisitState.PLANNED
    assert not set(urls(again)) & set(urls(first))
    assert await refusal(world, old) == "appointment-cancelled"
    assert (await world.join.exchange(await world.handle())).grant.visit_id == again.visit.id


# participants


async def test_when_the_patient_is_replaced_all_links_are(world: World) -> None:
    first = await world.schedule()
    await world.perform()
    handles = [await world.handle("p1"), await world.handle("p2")]
    second = await world.schedule(participants=(OTHER, PRACTITIONER))
    assert first.visit
    assert second.visit
    assert second.visit.id == first.visit.id
    assert not set(urls(second)) & set(urls(first))
    for handle in handles:
        assert await refusal(world, handle) == "join-link-revoked"
    await world.perform()
    assert world.source.written[-1] == ("a1", second.services, None)


@pytest.mark.parametrize("waits", [False, True])
async def test_who_is_referred_to_in_other_words_keeps_link_and_place(world: World, waits: bool) -> None:
    """Versions count up, and some servers put their address in front after an update."""
    visit_id = await world.planned()
    before = await world.links()
    if waits:
        await world.visits.arrive(visit_id, P1)
    for reference in (
        f"{PATIENT.reference}/_history/3",
        f"https://pms.example/fhir/{PATIENT.reference}",
        f"https://pms.example/fhir/{PATIENT.reference}/_history/4",
        PATIENT.reference,
    ):
        same = replace(PATIENT, reference=reference)
        scheduled = await world.schedule(participants=(same, PRACTITIONER))
        assert scheduled.visit
        assert scheduled.visit.id == visit_id
        assert await world.links() == before


@pytest.mark.parametrize(
    "reference",
    ["Patient/9", f"Patient/x{PATIENT.reference}", f"https://b.example/fhir/{PATIENT.reference}", ""],
)
async def test_whoever_may_be_someone_else_gets_another_link(world: World, reference: str) -> None:
    here = replace(PATIENT, reference=f"https://a.example/fhir/{PATIENT.reference}")
    await world.planned(participants=(here, PRACTITIONER))
    before = await world.links()
    after = await world.schedule(participants=(replace(PATIENT, reference=reference), PRACTITIONER))
    assert not set(urls(after)) & set(before.values())


async def test_who_is_added_gets_a_link_and_the_others_keep_theirs(world: World) -> None:
    await world.schedule()
    before = await world.links()
    await world.schedule(participants=(PATIENT, PRACTITIONER, COMPANION))
    after = await world.links()
    assert after.items() >= before.items()
    assert after.keys() - before.keys() == {"p3"}


@pytest.mark.parametrize("waits", [False, True])
async def test_who_stands_in_another_place_keeps_link_and_arrival(world: World, waits: bool) -> None:
    """Some systems reorder participants whenever they store an appointment."""
    visit_id = await world.planned()
    before = await world.links()
    if waits:
        await world.visits.arrive(visit_id, P1)
    for participants in (
        (PRACTITIONER, PATIENT),
        (COMPANION, PATIENT, PRACTITIONER),
        (PATIENT, COMPANION, PRACTITIONER),
    ):
        numbered = (replace(p, id=ParticipantId(f"p{n}")) for n, p in enumerate(participants, start=1))
        scheduled = await world.schedule(participants=tuple(numbered))
        assert scheduled.visit
        assert (scheduled.visit.id, scheduled.visit.state.value) == (
            visit_id,
            "waiting" if waits else "planned",
        )
        after = await world.links()
        assert after.items() >= before.items()
        assert len(scheduled.links) == len(participants)


# while it runs


async def running(world: World) -> VisitId:
    visit_id = await world.planned()
    await world.visits.arrive(visit_id, P1)
    await world.visits.admit(visit_id, P1, Role.PRACTITIONER)
    await world.visits.connected(visit_id)
    await world.perform()
    return visit_id


@pytest.mark.parametrize(
    "changes",
    [at(TOMORROW), at(NOON + 5 * MINUTE), {"status": AppointmentStatus.CANCELLED}, {"is_video": False}],
    ids=["moved far", "moved a little", "cancelled", "not by video"],
)
async def test_a_running_visit_goes_on_and_keeps_its_links_whatever_the_pms_says(
    world: World, changes: dict[str, Any]
) -> None:
    visit_id = await running(world)
    before, handle = await world.links(), await world.handle()
    scheduled = await world.schedule(**changes)
    assert scheduled.visit
    assert scheduled.visit.id == visit_id
    assert scheduled.visit.state is VisitState.IN_PROGRESS
    assert scheduled.visit.is_admitted(P1)
    assert await world.links() == before
    assert (await world.join.exchange(handle)).grant.visit_id == visit_id


async def test_who_waits_stays_when_the_appointment_moves_within_the_day(world: World) -> None:
    visit_id = await world.planned()
    await world.visits.arrive(visit_id, P1)
    handle = await world.handle()
    await world.schedule(**at(NOON + 30 * MINUTE))
    visit = await world.visit()
    assert visit.state is VisitState.WAITING
    assert visit.arrival(P1)
    assert (await world.join.exchange(handle)).grant.visit_id == visit_id


@pytest.mark.parametrize("runs", [False, True], ids=["waiting", "running"])
async def test_who_takes_the_place_of_someone_who_is_there_comes_to_a_visit_of_their_own(
    world: World, runs: bool
) -> None:
    """Participants are told apart by their place in the appointment, and nobody inherits an admission."""
    old = await running(world) if runs else await world.planned()
    await world.visits.arrive(old, P1)
    handles = [await world.handle("p1"), await world.handle("p2")]
    scheduled = await world.schedule(participants=(OTHER, PRACTITIONER))
    assert scheduled.visit
    assert scheduled.visit.id != old
    assert (scheduled.visit.state, scheduled.visit.arrivals) == (VisitState.PLANNED, ())
    assert (await world.join.exchange(await world.handle())).grant.visit_id == scheduled.visit.id
    before = await world.visits.get(old)
    assert before.state is (VisitState.IN_PROGRESS if runs else VisitState.CANCELLED)
    code = "join-link-revoked" if runs else "appointment-cancelled"
    assert [await refusal(world, handle) for handle in handles] == [code, code]
    await world.visits.arrive(scheduled.visit.id, P1)
    assert not (await world.visit()).is_admitted(P1)


async def test_who_waits_goes_on_waiting_when_the_practitioner_is_replaced(world: World) -> None:
    visit_id = await world.planned()
    await world.visits.arrive(visit_id, P1)
    stand_in = replace(PRACTITIONER, reference="Practitioner/2", name="Dr. Vera Vertretung")
    scheduled = await world.schedule(participants=(PATIENT, stand_in))
    assert scheduled.visit
    assert (scheduled.visit.id, scheduled.visit.state) == (visit_id, VisitState.WAITING)
    assert scheduled.visit.arrival(P1)
    assert (await world.join.exchange(await world.handle())).grant.visit_id == visit_id


async def test_the_same_replacement_again_changes_nothing(world: World) -> None:
    await running(world)
    first = await world.schedule(participants=(OTHER, PRACTITIONER))
    trail = await world.trail()
    assert await world.schedule(participants=(OTHER, PRACTITIONER)) == first
    assert await world.trail() == trail


# versions


async def test_a_change_of_another_version_is_a_conflict_and_changes_nothing(world: World) -> None:
    first = await world.schedule()
    assert first.mirrored.version == 1
    await world.schedule(if_version=1, **at(NOON + 5 * MINUTE))
    for stale in (1, 3):
        with pytest.raises(Conflict) as caught:
            await world.schedule(if_version=stale, **at(TOMORROW))
        assert caught.value.code == "version-mismatch"
    current = await world.current()
    assert current.mirrored.version == 2
    assert current.mirrored.appointment.start == NOON + 5 * MINUTE


async def test_what_does_not_exist_has_no_version(world: World) -> None:
    with pytest.raises(Conflict) as caught:
        await world.schedule(if_version=1)
    assert caught.value.code == "version-mismatch"
    assert await world.store.appointment(PRACTICE, A1) is None


async def test_of_two_changes_of_the_same_version_one_wins(world: World) -> None:
    await world.schedule()
    results = await asyncio.gather(
        *(world.schedule(if_version=1, **at(NOON + n * MINUTE)) for n in (1, 2, 3)), return_exceptions=True
    )
    assert sorted(type(r).__name__ for r in results) == ["Conflict", "Conflict", "Scheduled"]
    assert (await world.current()).mirrored.version == 2


async def test_changes_at_the_same_time_all_arrive(world: World) -> None:
    await world.schedule()
    await asyncio.gather(*(world.schedule(**at(NOON + n * MINUTE)) for n in range(1, 6)))
    current = await world.current()
    assert current.mirrored.version == 6
    assert current.visit
    assert current.visit.window == world.plan.window(current.mirrored.appointment.start)


# policy


def not_later_than(limit: datetime) -> Rule:
    return Rule(Schedule, lambda q: Outcome.VIOLATED if q.start > limit else Outcome.SATISFIED)


async def test_what_a_rule_forbids_is_refused_and_nothing_is_stored(make_world: MakeWorld) -> None:
    world = await make_world(rules=[not_later_than(NOON)])
    with pytest.raises(Refused) as caught:
        await world.schedule(**at(TOMORROW))
    assert caught.value.code == "policy-denied"
    assert [f.rule for f in caught.value.findings] == ["rule-1"]
    assert caught.value.detail == "rule-1 (§ 1): because"
    assert await world.store.appointment(PRACTICE, A1) is None
    assert await world.effects() == []
    assert await world.trail() == []


async def test_a_move_that_a_rule_forbids_leaves_everything_as_it_was(make_world: MakeWorld) -> None:
    world = await make_world(rules=[not_later_than(NOON)])
    first = await world.schedule()
    with pytest.raises(Refused):
        await world.schedule(**at(TOMORROW))
    assert await world.current() == first


async def test_findings_are_kept_in_the_audit_trail(make_world: MakeWorld) -> None:
    world = await make_world(rules=[not_later_than(NOON)])
    await world.schedule()
    entry = (await world.store.audit())[0]
    assert entry.details["findings"] == [
        {"rule": "rule-1", "clause": "§ 1", "edition": "2024", "outcome": "satisfied", "reason": "because"}
    ]


async def test_a_rule_is_asked_about_the_window_that_the_links_get(make_world: MakeWorld) -> None:
    asked: list[Schedule] = []

    def answer(question: Schedule) -> Outcome:
        asked.append(question)
        return Outcome.SATISFIED

    world = await make_world(rules=[Rule(Schedule, answer)])
    await world.schedule()
    assert asked == [Schedule(NOON, Window(NOON - 15 * MINUTE, NOON + 60 * MINUTE))]


# replacing links


async def test_replacing_links_revokes_the_old_ones(world: World) -> None:
    visit_id = await world.planned()
    old = await world.handle()
    scheduled = await world.scheduling.replace_links(PRACTICE, visit_id)
    assert len(scheduled.links) == 2
    assert await refusal(world, old) == "join-link-revoked"
    assert (await world.join.exchange(await world.handle())).grant.visit_id == visit_id
    assert "links-replaced" in await world.trail()
    await world.perform()
    assert world.source.written[-1] == ("a1", scheduled.services, None)


async def test_links_of_others_and_of_visits_that_are_over_cannot_be_replaced(world: World) -> None:
    visit_id = await world.planned()
    for practice_id, of in ((PracticeId("another"), visit_id), (PRACTICE, VisitId("nothing"))):
        with pytest.raises(NotFound) as unknown:
            await world.scheduling.replace_links(practice_id, of)
        assert unknown.value.code == "visit-unknown"
    await world.schedule(status=AppointmentStatus.CANCELLED)
    with pytest.raises(Refused) as over:
        await world.scheduling.replace_links(PRACTICE, visit_id)
    assert over.value.code == "visit-state"


async def test_two_practices_may_use_the_same_appointment_ids(world: World) -> None:
    first = await world.schedule()
    other = await world.scheduling.schedule(a_sourced_appointment(practice_id=PracticeId("another")))
    assert first.visit
    assert other.visit
    assert other.visit.id != first.visit.id
    assert not set(urls(other)) & set(urls(first))


async def test_plugins_hear_what_became_of_the_appointment(world: World) -> None:
    await world.schedule()
    await world.schedule(participants=(replace(PATIENT, name="Erika Neuname"), PRACTITIONER))
    await world.schedule(start=NOON + timedelta(minutes=5))
    await world.listeners.finish()
    assert [type(event).__name__ for event in world.events()] == [
        "VisitPlanned",
        "AppointmentChanged",
        "Rescheduled",
    ]


async def test_someone_taken_out_of_the_appointment_is_not_in_the_visit_any_more(world: World) -> None:
    visit_id = (await world.schedule()).visit.id  # type: ignore[union-attr]
    await world.visits.arrive(visit_id, PATIENT.id)
    other = replace(PRACTITIONER, id=PATIENT.id)
    again = await world.schedule(participants=(other,))
    assert (await world.visits.get(visit_id)).state is VisitState.CANCELLED
    assert again.visit
    assert again.visit.id != visit_id
    assert again.visit.arrivals == ()
