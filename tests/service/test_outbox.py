"""Effects: at least once, under the same key, later if need be, and given up with a reason."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.service.conftest import OTHER, PRACTICE, World
from tests.times import next_effect_at

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.effects import Notify, WriteBack
from vsdk.domain.errors import Conflict, DeliveryFailed, InvalidAppointment, NotFound, PartnerError
from vsdk.domain.events import EffectGivenUp, WriteBackMadeGood
from vsdk.domain.ids import AppointmentId, ParticipantId
from vsdk.domain.message import Message, MessageState, Receipt
from vsdk.domain.participant import Participant, Role
from vsdk.domain.visit import VisitState
from vsdk.hooks.store import VisitChange
from vsdk.service import outbox as outbox_module
from vsdk.service.retries import PAUSES
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER, a_sourced_appointment

P1, P2 = ParticipantId("p1"), ParticipantId("p2")
A1 = AppointmentId("a1")
MINUTE = timedelta(minutes=1)


def at(start: datetime) -> dict[str, Any]:
    return {"start": start, "end": start + 20 * MINUTE}


def soon(retry_after: float | None = None) -> PartnerError:
    return PartnerError("try again", retryable=True, retry_after=retry_after)


async def with_message(world: World, participant: ParticipantId = P1, template: str = "hello") -> None:
    """One message in the outbox, and nothing else."""
    if await world.store.appointment(PRACTICE, A1) is None:
        await world.planned()
    visit = await world.visit()
    effect = Notify(visit.id, participant, template)
    changed = replace(visit, version=visit.version + 1)
    await world.store.commit(VisitChange(changed, visit.version, (effect,)), world.clock.now())


class Recorder:
    """A channel that fails with each of ``errors`` in turn, and keeps all that it was given."""

    def __init__(self, channel: str, *errors: Exception) -> None:
        self.channel = channel
        self.given: list[Message] = []
        self._errors = list(errors)

    async def deliver(self, message: Message) -> Receipt:
        self.given.append(message)
        if self._errors:
            raise self._errors.pop(0)
        return Receipt("1")


async def with_channels(world: World, *channels: Recorder) -> None:
    world.channels[:] = channels
    await world.restart()


async def attempt(world: World) -> timedelta | None:
    """Performs what is due, and tells how long it was put off."""
    assert await world.outbox.perform_due() == 1
    due = await next_effect_at(world.store)
    return due - world.clock.now() if due else None


# messages


async def test_a_message_is_rendered_when_it_is_sent_and_holds_the_link(world: World) -> None:
    await with_message(world)
    await world.perform()
    (message,) = world.sms.messages
    assert (message.recipient, message.template, message.language) == (PATIENT.phone, "hello", "de")
    assert message.text == f"hello/de: {PATIENT.name} {(await world.links())['p1']}"
    assert world.email.messages == [], "one channel is enough"
    entry = (await world.store.audit())[-1]
    assert (entry.what, entry.details) == ("message-sent", {"template": "hello", "channel": "sms"})
    assert await world.effects() == []


async def test_without_a_phone_number_the_mail_address_is_used(world: World) -> None:
    someone = Participant(P1, Role.PATIENT, "Patient/1", email="x@example.org", language="fr")
    await with_message(world)
    await world.schedule(participants=(someone, PRACTITIONER))
    await world.perform()
    assert world.sms.messages == []
    assert [(m.recipient, m.language) for m in world.email.messages] == [("x@example.org", "fr")]


async def test_without_any_address_it_is_given_up_at_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await with_message(world, P2)
    await world.perform()
    assert await world.effects() == []
    assert [r.__dict__["code"] for r in caplog.records if r.message == "effect failed"] == ["no-address"]


async def test_nothing_is_sent_for_a_visit_that_is_over_or_to_someone_who_is_gone(world: World) -> None:
    await with_message(world, ParticipantId("p9"))
    await world.perform()
    await with_message(world)
    await world.schedule(status=AppointmentStatus.CANCELLED)
    await world.perform()
    assert [message.template for message in world.sms.messages] == ["cancelled"]
    assert await world.effects() == []


async def test_who_would_come_is_told_of_a_cancellation_once(world: World) -> None:
    await world.planned()
    for _ in range(2):
        await world.schedule(status=AppointmentStatus.CANCELLED)
        await world.perform()
    assert [(m.recipient, m.template) for m in world.sms.messages] == [(PATIENT.phone, "cancelled")]
    assert world.source.written[-1][1] == (), "and the links leave the appointment"


async def test_who_would_come_is_told_when_the_appointment_is_deleted(world: World) -> None:
    await world.planned()
    await world.scheduling.delete(PRACTICE, A1)
    await world.perform()
    assert [m.template for m in world.sms.messages] == ["cancelled"]
    assert world.source.written[-1] == ("a1", (), None)


@pytest.mark.parametrize(("minutes", "told"), [(19, ["cancelled"]), (20, [])])
async def test_a_cancellation_is_told_until_the_end_of_the_appointment(
    world: World, minutes: int, told: list[str]
) -> None:
    await world.planned()
    world.clock._now = NOON + minutes * MINUTE
    await world.schedule(status=AppointmentStatus.CANCELLED)
    await world.perform()
    assert [message.template for message in world.sms.messages] == told


async def test_nobody_is_told_of_a_cancellation_that_was_taken_back_before(world: World) -> None:
    await world.planned()
    await world.schedule(status=AppointmentStatus.CANCELLED)
    await world.schedule()
    await world.perform()
    assert world.sms.messages == []


@pytest.mark.parametrize("changes", [{"is_video": False}, {"status": AppointmentStatus.NOSHOW}])
async def test_what_is_not_called_off_is_not_told_as_cancelled(world: World, changes: dict[str, Any]) -> None:
    await world.planned()
    await world.schedule(**changes)
    await world.perform()
    assert world.sms.messages == []


async def test_a_noshow_is_reported_where_the_practice_wishes_it(world: World) -> None:
    for wished, told in ((False, None), (True, AppointmentStatus.NOSHOW)):
        world.practice = replace(world.practice, reports_noshow=wished)
        await world.restart()
        visit_id = await world.planned(id=AppointmentId(f"a-{wished}"))
        world.clock._now = (await world.visits.get(visit_id)).window.closes
        await world.visits.time_passed(visit_id)
        before = len(world.source.written)
        await world.perform()
        assert [status for _, _, status in world.source.written[before:]] == ([told] if told else [])
        world.clock._now = NOON


async def test_what_was_written_stays_when_nobody_came(world: World) -> None:
    world.practice = replace(world.practice, reports_noshow=True)
    await world.restart()
    visit_id = await world.planned()
    world.clock._now = (await world.visits.get(visit_id)).window.closes
    await world.visits.time_passed(visit_id)
    await world.perform()
    assert world.source.written[-1] == ("a1", None, AppointmentStatus.NOSHOW)


async def test_who_came_and_left_is_no_noshow(world: World) -> None:
    world.practice = replace(world.practice, reports_noshow=True)
    await world.restart()
    visit_id = await world.planned()
    await world.visits.arrive(visit_id, P1)
    await world.visits.left(visit_id, P1, anyone_else=False)
    world.clock._now = (await world.visits.get(visit_id)).window.closes
    await world.visits.time_passed(visit_id)
    await world.perform()
    assert [status for _, _, status in world.source.written] == [None, AppointmentStatus.ARRIVED]


async def test_a_write_back_that_is_given_up_is_told_to_the_practice_until_one_succeeds(world: World) -> None:
    visit_id = await world.planned()
    world.source.error = PartnerError("no", retryable=False, code="foreign-link")
    await world.schedule(**at(NOON + 30 * MINUTE))
    await world.perform()
    assert EffectGivenUp("WriteBack", "foreign-link") in world.events()
    assert "write-back-given-up" in await world.trail()
    ids = [AppointmentId("a1"), AppointmentId("another")]
    assert await world.visits.not_written_back(PRACTICE, ids) == {"a1": "foreign-link"}
    assert (await world.visits.get(visit_id)).state is VisitState.PLANNED
    world.source.error = None
    await world.schedule(**at(NOON + 40 * MINUTE))
    await world.perform()
    assert await world.visits.not_written_back(PRACTICE, ids) == {}
    assert world.events().count(WriteBackMadeGood()) == 1
    await world.schedule(**at(NOON + 50 * MINUTE))
    await world.perform()
    assert world.events().count(WriteBackMadeGood()) == 1, "nothing was to be made good"


async def test_a_noshow_that_is_not_told_makes_nothing_good(world: World) -> None:
    visit_id = await world.planned()
    world.source.error = PartnerError("no", retryable=False, code="foreign-link")
    await world.schedule(**at(NOON + 30 * MINUTE))
    await world.perform()
    world.source.error = None
    world.clock._now = (await world.visits.get(visit_id)).window.closes
    await world.visits.time_passed(visit_id)
    await world.perform()
    assert await world.effects() == []
    assert await world.visits.not_written_back(PRACTICE, [A1]) == {"a1": "foreign-link"}
    assert WriteBackMadeGood() not in world.events()


@pytest.mark.parametrize("code", ["foreign-link", "link-too-long", "carrier-unsupported"])
async def test_a_link_that_has_no_place_keeps_the_status_from_nobody(world: World, code: str) -> None:
    visit_id = await world.planned()

    async def write_back(practice_id: Any, appointment_id: Any, services: Any, status: Any) -> None:
        if services is not None:
            raise InvalidAppointment("taken", code=code)
        world.source.written.append((appointment_id, services, status))

    world.source.write_back = write_back  # type: ignore[method-assign]
    await world.visits.arrive(visit_id, P1)
    await world.perform()
    assert world.source.written[-1] == ("a1", None, AppointmentStatus.ARRIVED)
    assert await world.visits.not_written_back(PRACTICE, [A1]) == {"a1": code}


async def test_where_there_is_no_place_and_no_status_nothing_more_is_written(world: World) -> None:
    tried: list[Any] = []

    async def write_back(practice_id: Any, appointment_id: Any, services: Any, status: Any) -> None:
        tried.append((services is not None, status))
        raise InvalidAppointment("taken", code="foreign-link")

    world.source.write_back = write_back  # type: ignore[method-assign]
    await world.planned()
    assert tried == [(True, None)]


async def test_a_write_back_that_someone_else_was_faster_than_is_tried_again(world: World) -> None:
    world.source.error = Conflict("the appointment was changed meanwhile")
    await world.schedule()
    await world.perform()
    assert [entry.attempts for entry in await world.effects()] == [1]
    world.source.error = None
    world.clock.advance(seconds=10)
    await world.perform()
    assert [services is not None for _, services, _ in world.source.written] == [True]


async def test_the_mirror_gets_no_status_that_its_release_does_not_have(world: World) -> None:
    for release, told in (("STU3", AppointmentStatus.ARRIVED), ("R4", AppointmentStatus.CHECKED_IN)):
        id_ = AppointmentId(f"a-{release}")
        scheduled = await world.scheduling.schedule(replace(a_sourced_appointment(id=id_), release=release))
        assert scheduled.visit
        await world.visits.arrive(scheduled.visit.id, P1)
        await world.visits.admit(scheduled.visit.id, P1, Role.PRACTITIONER)
        await world.visits.connected(scheduled.visit.id)
        await world.perform()
        mirrored = (await world.scheduling.current(PRACTICE, id_)).mirrored
        assert (mirrored.appointment.status, mirrored.sourced.original["status"]) == (told, told)


async def test_a_message_that_is_given_up_is_told_to_plugins(world: World) -> None:
    world.sms.error = world.email.error = PartnerError("no", retryable=False, code="number-unknown")
    await with_message(world)
    await world.perform()
    assert EffectGivenUp("Notify", "number-unknown") in world.events()
    assert "notify-given-up" in await world.trail()


async def test_the_key_is_the_same_at_each_attempt_and_differs_between_messages(world: World) -> None:
    sms = Recorder("sms", *[soon()] * 3)
    await with_channels(world, sms)
    await with_message(world)
    while await world.effects():
        await world.perform()
        world.clock.advance(seconds=3 * PAUSES[2])
    assert len(sms.given) == 4
    assert len({message.idempotency_key for message in sms.given}) == 1
    await with_message(world)
    await world.perform()
    assert len({message.idempotency_key for message in sms.given}) == 2


async def test_what_fails_is_tried_again_after_growing_pauses_and_then_given_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    sms = Recorder("sms", *[soon()] * 100)
    await with_channels(world, sms)
    await world.planned(**at(NOON + timedelta(days=1)))
    await with_message(world)
    for pause in PAUSES:
        later = await attempt(world)
        assert later
        assert 0.8 * pause <= later.total_seconds() <= 1.2 * pause
        assert await world.outbox.perform_due() == 0, "not before its time"
        world.clock.advance(seconds=later.total_seconds())
    assert await attempt(world) is None
    assert len(sms.given) == len(PAUSES) + 1
    assert list(PAUSES) == sorted(PAUSES)
    assert {r.__dict__["code"] for r in caplog.records if r.message == "effect failed"} == {"partner-error"}
    world.clock.advance(days=30)
    assert await world.outbox.perform_due() == 0, "given up is given up"


async def test_what_was_given_up_stays_to_be_seen_with_its_reason(world: World) -> None:
    await with_channels(world, Recorder("sms", DeliveryFailed("no", code="number-blocked")))
    await with_message(world)
    await world.perform()
    (letter,) = await world.store.dead_letters(PRACTICE)
    assert (letter.reason, letter.record and letter.record.state) == ("number-blocked", MessageState.FAILED)
    assert await world.store.dead_letters(OTHER) == []


async def test_the_gateway_says_when_to_come_back(world: World) -> None:
    await with_channels(world, Recorder("sms", soon(retry_after=300), soon(retry_after=0.1)))
    await with_message(world)
    assert await attempt(world) == timedelta(seconds=300)
    world.clock.advance(seconds=300)
    later = await attempt(world)
    assert later
    assert later.total_seconds() >= 0.8 * PAUSES[1], "never sooner than our own pause"


@pytest.mark.parametrize("seconds", [31 * 365 * 86_400.0, 8_000 * 365 * 86_400.0])
async def test_who_says_to_come_back_in_years_is_asked_once_a_day_until_it_is_given_up(
    world: World, seconds: float
) -> None:
    await world.planned()
    await world.perform()
    world.source.error = soon(retry_after=seconds)
    await world.schedule(end=NOON + 30 * MINUTE)
    for _ in PAUSES:
        assert await attempt(world) == timedelta(days=1)
        world.clock.advance(days=1)
    assert await attempt(world) is None
    assert await world.visits.not_written_back(PRACTICE, [A1]) == {"a1": "partner-error"}


async def test_after_a_permanent_failure_the_next_channel_is_tried(world: World) -> None:
    sms, email = Recorder("sms", DeliveryFailed("no")), Recorder("email")
    await with_channels(world, sms, email)
    await with_message(world)
    await world.perform()
    assert [len(sms.given), len(email.given)] == [1, 1]
    assert sms.given[0].idempotency_key == email.given[0].idempotency_key
    assert email.given[0].recipient == PATIENT.email
    assert (await world.store.audit())[-1].details["channel"] == "email"


async def test_after_a_passing_failure_the_same_channel_is_tried_again(world: World) -> None:
    sms, email = Recorder("sms", soon()), Recorder("email")
    await with_channels(world, sms, email)
    await with_message(world)
    await world.perform()
    assert [len(sms.given), len(email.given)] == [1, 0]
    world.clock.advance(seconds=5)
    await world.perform()
    assert [len(sms.given), len(email.given)] == [2, 0]


async def test_when_all_channels_refuse_it_is_given_up(world: World) -> None:
    sms, email = Recorder("sms", DeliveryFailed("no")), Recorder("email", DeliveryFailed("no"))
    await with_channels(world, sms, email)
    await with_message(world)
    await world.perform()
    assert await world.effects() == []
    assert "message-sent" not in await world.trail()


async def test_a_channel_that_crashes_is_tried_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await with_channels(world, Recorder("sms", KeyError("id")))
    await with_message(world)
    assert await attempt(world) is not None
    assert [r.__dict__["code"] for r in caplog.records if r.message == "effect failed"] == ["internal-error"]


async def test_a_channel_that_never_answers_is_cut_off(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox_module, "DELIVERY_LIMIT", 0.05)

    class Silent(Recorder):
        async def deliver(self, message: Message) -> Receipt:
            await asyncio.Event().wait()
            raise AssertionError

    await with_channels(world, Silent("sms"))
    await with_message(world)
    assert await attempt(world) is not None
    assert [r.__dict__["code"] for r in caplog.records if r.message == "effect failed"] == ["timeout"]


async def test_after_a_crash_between_delivering_and_noting_it_the_key_is_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms = Recorder("sms")
    await with_channels(world, sms)
    await with_message(world)

    class PowerCut(BaseException):
        """Nothing catches it, as nothing catches the end of a process."""

    async def power_cut(*_: object) -> None:
        raise PowerCut

    monkeypatch.setattr(world.outbox, "_conclude", power_cut)
    with pytest.raises(PowerCut):
        await world.outbox.perform_due()
    await world.restart()
    assert await world.outbox.perform_due() == 0, "it was claimed"
    await world.store.release_claims()
    await world.perform()
    assert len(sms.given) == 2
    assert sms.given[0] == sms.given[1]
    assert await world.effects() == []


# writing back


async def test_a_write_back_that_fails_is_repeated_and_the_mirror_changes_once(world: World) -> None:
    visit_id = await world.planned()
    version = (await world.current()).mirrored.version
    world.source.error = soon()
    await world.visits.arrive(visit_id, P1)
    for _ in range(2):
        await world.perform()
        world.clock.advance(seconds=10)
    assert [entry.effect for entry in await world.effects()] == [
        WriteBack(PRACTICE, A1, AppointmentStatus.ARRIVED)
    ]
    world.source.error = None
    await world.perform()
    assert world.source.written[-1][2] is AppointmentStatus.ARRIVED
    current = await world.current()
    assert current.mirrored.appointment.status is AppointmentStatus.ARRIVED
    assert current.mirrored.version == version + 1, "an entity tag does not change by trying"


@pytest.mark.parametrize("further", [AppointmentStatus.CHECKED_IN, AppointmentStatus.FULFILLED])
async def test_the_mirror_never_goes_back_behind_what_the_pms_said(
    world: World, further: AppointmentStatus
) -> None:
    visit_id = await world.planned()
    await world.schedule(status=further)
    await world.visits.arrive(visit_id, P1)
    await world.perform()
    mirrored = (await world.current()).mirrored
    assert mirrored.appointment.status is further
    assert mirrored.sourced.original.get("status") != AppointmentStatus.ARRIVED


async def test_statuses_reach_the_pms_in_order_whatever_fails(world: World) -> None:
    visit_id = await world.planned()
    world.source.error = soon()
    await world.visits.arrive(visit_id, P1)
    await world.visits.admit(visit_id, P1, Role.PRACTITIONER)
    await world.visits.connected(visit_id)
    await world.visits.hang_up(visit_id, Role.PATIENT)
    await world.perform()
    world.source.error = None
    for _ in range(5):
        world.clock.advance(minutes=1)
        await world.perform()
    assert [status for _, _, status in world.source.written] == [None, "arrived", "checked-in", "fulfilled"]


async def test_an_appointment_that_was_cancelled_meanwhile_stays_cancelled(world: World) -> None:
    visit_id = await world.planned()
    world.source.error = soon()
    await world.visits.arrive(visit_id, P1)
    await world.perform()
    await world.schedule(status=AppointmentStatus.CANCELLED)
    world.source.error = None
    world.clock.advance(minutes=1)
    await world.perform()
    assert await world.effects() == []
    assert (await world.current()).mirrored.appointment.status is AppointmentStatus.CANCELLED
    assert AppointmentStatus.ARRIVED not in [status for _, _, status in world.source.written]


async def test_a_visit_that_took_place_is_fulfilled_even_if_cancelled_meanwhile(world: World) -> None:
    visit_id = await world.planned()
    await world.visits.arrive(visit_id, P1)
    await world.visits.admit(visit_id, P1, Role.PRACTITIONER)
    await world.visits.connected(visit_id)
    await world.perform()
    await world.schedule(status=AppointmentStatus.CANCELLED)
    await world.visits.hang_up(visit_id, Role.PATIENT)
    await world.perform()
    assert world.source.written[-1][2] is AppointmentStatus.FULFILLED


async def test_an_appointment_that_came_from_elsewhere_is_not_written_back(world: World) -> None:
    world.source.error = NotFound("not mine")
    await world.schedule()
    await world.perform()
    assert await world.effects() == []


# the worker


@asynccontextmanager
async def running(world: World) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(world.outbox.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_sent(recorder: Recorder) -> None:
    async with asyncio.timeout(10):
        while not recorder.given:
            await asyncio.sleep(0.01)


async def test_the_worker_sends_what_comes_as_soon_as_it_is_woken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "IDLE", 60.0)
    sms = Recorder("sms")
    await with_channels(world, sms)
    async with running(world):
        await asyncio.sleep(0.05)
        await with_message(world)
        world.outbox.wake()
        await until_sent(sms)


async def test_the_worker_survives_a_database_that_fails_once(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox_module, "IDLE", 0.01)
    sms = Recorder("sms")
    await with_channels(world, sms)
    await with_message(world)
    claim, failures = world.store.claim, [OSError("disk"), OSError("disk")]

    async def failing(*args: Any) -> object:
        if failures:
            raise failures.pop()
        return await claim(*args)

    monkeypatch.setattr(world.store, "claim", failing)
    async with running(world) as task:
        await until_sent(sms)
        assert not task.done()
    failed = [r.__dict__["error"] for r in caplog.records if r.message == "the outbox cannot be read"]
    assert failed == ["OSError", "OSError"]


async def test_messages_to_many_are_sent_side_by_side(world: World) -> None:
    gate = asyncio.Barrier(2)

    class Waiting(Recorder):
        async def deliver(self, message: Message) -> Receipt:
            await gate.wait()
            return await super().deliver(message)

    sms = Waiting("sms")
    await with_channels(world, sms)
    await with_message(world)
    await with_message(world, template="again")
    async with asyncio.timeout(5):
        await world.outbox.perform_due()
    assert {message.template for message in sms.given} == {"hello", "again"}
    assert world.clock.now() == NOON
