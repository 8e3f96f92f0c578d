import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.service.conftest import MakeWorld, World
from tests.times import next_due

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.effects import Notify
from vsdk.domain.ids import AppointmentId, ParticipantId, VisitId
from vsdk.domain.participant import Participant, Role
from vsdk.domain.plan import Notice, VisitPlan
from vsdk.domain.visit import VisitState
from vsdk.service import deadlines
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER

P1, P3 = ParticipantId("p1"), ParticipantId("p3")
MINUTE = timedelta(minutes=1)
LINK = Notice("link", "link-at-time", 10 * MINUTE)
CALL = Notice("call", "your-visit-starts", timedelta(0), to=Role.PRACTITIONER)
TOMORROW = NOON + timedelta(days=1)
DOCTOR = replace(PRACTITIONER, email="jonas.muster@praxis.example")
PLAN = VisitPlan("plan", 15 * MINUTE, 60 * MINUTE, (LINK, CALL))


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(plan=PLAN)


async def tomorrow(world: World, **changes: object) -> VisitId:
    return await world.planned(start=TOMORROW, end=TOMORROW + 20 * MINUTE, **changes)


async def go_to(world: World, time: timedelta) -> None:
    """Some time before or after the start tomorrow; reports what is due."""
    world.clock._now = TOMORROW + time
    await world.deadlines.report_due()


async def notified(world: World) -> list[Notify]:
    return [entry.effect for entry in await world.effects() if isinstance(entry.effect, Notify)]


async def test_a_notice_is_sent_at_its_time_once(world: World) -> None:
    visit_id = await tomorrow(world)
    await go_to(world, -10 * MINUTE - timedelta(seconds=1))
    assert await notified(world) == []
    await go_to(world, -10 * MINUTE)
    await go_to(world, -9 * MINUTE)
    assert await notified(world) == [Notify(visit_id, P1, "link-at-time")]
    await world.perform()
    assert [m.template for m in world.sms.messages] == ["link-at-time"]


async def test_a_notice_reaches_everyone_of_its_role(world: World) -> None:
    second = Participant(P3, Role.PRACTITIONER, "Practitioner/2", phone="+4915100000002")
    visit_id = await tomorrow(world, participants=(PATIENT, DOCTOR, second))
    await go_to(world, timedelta(0))
    assert {
        effect.participant_id for effect in await notified(world) if effect.template == CALL.template
    } == {
        PRACTITIONER.id,
        P3,
    }
    assert {effect.visit_id for effect in await notified(world)} == {visit_id}


async def test_what_is_due_survives_a_restart_and_is_still_sent_once(world: World) -> None:
    visit_id = await tomorrow(world)
    await world.restart()
    await go_to(world, -10 * MINUTE)
    await world.restart()
    await go_to(world, -10 * MINUTE)
    assert await notified(world) == [Notify(visit_id, P1, "link-at-time")]


async def test_after_a_long_time_off_everything_that_is_due_is_done(world: World) -> None:
    await tomorrow(world, participants=(PATIENT, DOCTOR))
    await world.restart()
    await go_to(world, 30 * MINUTE)
    assert sorted(effect.template for effect in await notified(world)) == [
        "link-at-time",
        "your-visit-starts",
    ]


async def test_two_servers_on_one_database_send_once(world: World) -> None:
    await tomorrow(world)
    world.clock._now = TOMORROW - 10 * MINUTE
    await asyncio.gather(*(world.deadlines.report_due() for _ in range(4)))
    assert len(await notified(world)) == 1


async def test_an_appointment_that_comes_late_is_notified_at_once(world: World) -> None:
    await world.planned(participants=(PATIENT, DOCTOR))
    await world.deadlines.report_due()
    assert {effect.template for effect in await notified(world)} == {"link-at-time", "your-visit-starts"}


async def test_a_cancelled_appointment_is_not_notified_of(world: World) -> None:
    await tomorrow(world)
    await world.schedule(start=TOMORROW, end=TOMORROW + 20 * MINUTE, status=AppointmentStatus.CANCELLED)
    await go_to(world, 60 * MINUTE)
    assert [effect.template for effect in await notified(world)] == ["cancelled"]


async def test_nobody_comes_and_it_is_a_noshow_when_the_window_ends(world: World) -> None:
    await tomorrow(world)
    await go_to(world, 60 * MINUTE - timedelta(seconds=1))
    assert (await world.visit()).state is VisitState.PLANNED
    await go_to(world, 60 * MINUTE)
    assert (await world.visit()).state is VisitState.NOSHOW
    assert await next_due(world.store) is None


async def test_who_waits_is_not_put_out_by_the_end_of_the_window(world: World) -> None:
    visit_id = await tomorrow(world)
    world.clock._now = TOMORROW
    await world.visits.arrive(visit_id, P1)
    await go_to(world, timedelta(hours=9))
    assert (await world.visit()).state is VisitState.WAITING
    await world.visits.left(visit_id, P1, anyone_else=False)
    await world.deadlines.report_due()
    assert (await world.visit()).state is VisitState.NOSHOW


async def test_after_the_grace_time_an_ended_visit_is_closed(world: World) -> None:
    visit_id = await tomorrow(world)
    world.clock._now = TOMORROW
    await world.visits.arrive(visit_id, P1)
    await world.visits.close(visit_id, Role.PRACTITIONER)
    await go_to(world, 30 * MINUTE - timedelta(seconds=1))
    assert (await world.visit()).state is VisitState.ENDED
    await go_to(world, 30 * MINUTE)
    assert (await world.visit()).state is VisitState.CLOSED
    assert await next_due(world.store) is None


async def test_a_deadline_that_moved_away_does_nothing(world: World) -> None:
    visit_id = await tomorrow(world)
    version = (await world.visit()).version
    await world.visits.time_passed(visit_id)
    await world.visits.time_passed(VisitId("nothing"))
    assert (await world.visit()).version == version


async def test_one_deadline_that_fails_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad = await tomorrow(world)
    good = await tomorrow(world, id=AppointmentId("a2"))
    time_passed = world.visits.time_passed

    async def failing(visit_id: VisitId) -> None:
        if visit_id == bad:
            raise OSError("Erika Beispiel")
        await time_passed(visit_id)

    monkeypatch.setattr(world.visits, "time_passed", failing)
    await go_to(world, 60 * MINUTE)
    ended = await world.store.visit(good)
    assert ended
    assert ended.state is VisitState.NOSHOW
    failures = [record for record in caplog.records if record.message == "deadline failed"]
    assert [(r.__dict__["visit"], r.__dict__["error"]) for r in failures] == [(bad, "OSError")]
    assert "Erika" not in caplog.text


async def test_the_worker_goes_on_when_the_database_fails_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "LOOK_EVERY", 0.01)
    await tomorrow(world)
    world.clock._now = TOMORROW - 10 * MINUTE
    due, failures = world.store.due, [OSError()]

    async def failing(*args: object) -> object:
        if failures:
            raise failures.pop()
        return await due(world.clock.now())

    monkeypatch.setattr(world.store, "due", failing)
    task = asyncio.create_task(world.deadlines.run())
    async with asyncio.timeout(10):
        while not await notified(world):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
