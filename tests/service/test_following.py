import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from tests.service.conftest import OTHER, PRACTICE, FakeSource, MakeWorld, Rule, World

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import Conflict, InvalidAppointment, NotFound, PartnerError, Refused
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.policy import Outcome, Schedule
from vsdk.domain.visit import VisitState
from vsdk.hooks.ports import Changes, Notification, Notified, ScheduleSource, SourcedAppointment
from vsdk.service import follower as follower_module
from vsdk.service import following as following_module
from vsdk.service.follower import LONGEST_PAUSE, Follower, _pause
from vsdk.service.following import FollowingService
from vsdk.testing.factories import NOON, a_sourced_appointment


def codes(caplog: pytest.LogCaptureFixture, message: str) -> list[tuple[str, str]]:
    return [(r.__dict__["practice"], r.__dict__["code"]) for r in caplog.records if r.message == message]


def following(world: World, *sources: FakeSource) -> FollowingService:
    """Follows these sources, in this order, for ``practice`` and ``other``."""
    practices = (PRACTICE, OTHER)
    return FollowingService(
        world.scheduling,
        world.lost_links,
        dict(zip(practices, cast("Sequence[ScheduleSource]", sources), strict=False)),
        0.01,
    )


async def test_what_changed_is_taken_over_and_the_cursor_goes_on(world: World) -> None:
    world.source.appointments = [a_sourced_appointment()]
    assert await world.following.follow_once() == 1
    assert (await world.current()).visit
    world.source.appointments = []
    assert await world.following.follow_once() == 0
    assert world.source.asked == [None, "cursor-1"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PartnerError("Erika Beispiel", retryable=True), "partner-error"),
        (KeyError("Erika Beispiel"), "internal-error"),
    ],
)
async def test_a_source_that_fails_stops_no_other(
    world: World, caplog: pytest.LogCaptureFixture, error: Exception, code: str
) -> None:
    broken, fine = FakeSource(), FakeSource()
    broken.error = error
    fine.appointments = [a_sourced_appointment(practice_id=OTHER)]
    service = following(world, broken, fine)
    assert await service.follow_once() == 1
    assert codes(caplog, "schedule source failed") == [(PRACTICE, code)]
    assert "Erika" not in caplog.text
    broken.error = None
    broken.appointments = [a_sourced_appointment()]
    assert await service.follow_once() == 2
    assert broken.asked == [None, None], "nothing was missed"


async def test_a_source_that_never_answers_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follower_module, "SOURCE_LIMIT", 0.05)

    class Silent(FakeSource):
        async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
            await asyncio.Event().wait()
            raise AssertionError

    fine = FakeSource()
    fine.appointments = [a_sourced_appointment(practice_id=OTHER)]
    assert await following(world, Silent(), fine).follow_once() == 1
    assert codes(caplog, "schedule source failed") == [(PRACTICE, "timeout")]


async def test_what_cannot_be_read_is_logged_by_its_code(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.source.unreadable = ("appointment-invalid", "not-json")
    world.source.appointments = [a_sourced_appointment()]
    assert await world.following.follow_once() == 1
    assert codes(caplog, "appointment is unreadable") == [
        (PRACTICE, "appointment-invalid"),
        (PRACTICE, "not-json"),
    ]


async def test_what_a_rule_forbids_is_logged_and_the_rest_is_taken_over(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    answers = iter([Outcome.VIOLATED, Outcome.SATISFIED])
    world = await make_world(rules=[Rule(Schedule, lambda _: next(answers))])
    world.source.appointments = [a_sourced_appointment(), a_sourced_appointment(id=AppointmentId("a2"))]
    assert await world.following.follow_once() == 1
    assert codes(caplog, "appointment was not taken over") == [(PRACTICE, "policy-denied")]
    await world.following.follow_once()
    assert world.source.asked[-1] == "cursor-1", "asking again would change nothing"


async def test_what_failed_on_our_side_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.source.appointments = [a_sourced_appointment(), a_sourced_appointment(id=AppointmentId("a2"))]
    schedule, failures = world.scheduling.schedule, [OSError("Erika Beispiel")]

    async def failing(sourced: Any) -> object:
        if failures:
            raise failures.pop()
        return await schedule(sourced)

    monkeypatch.setattr(world.scheduling, "schedule", failing)
    assert await world.following.follow_once() == 1
    assert codes(caplog, "appointment was not taken over") == [(PRACTICE, "internal-error")]
    assert await world.following.follow_once() == 2
    assert world.source.asked == [None, None]
    assert (await world.current()).visit
    assert "Erika" not in caplog.text


async def test_it_polls_until_it_is_cancelled(world: World) -> None:
    task = asyncio.create_task(world.following.run())
    async with asyncio.timeout(10):
        while len(world.source.asked) < 3:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


class Pms(FakeSource):
    """A source that answers for each appointment, and tells what a notification means."""

    def __init__(self, *appointments: SourcedAppointment) -> None:
        super().__init__()
        self.there = {sourced.appointment.id: sourced for sourced in appointments}
        self.vanished: tuple[AppointmentId, ...] = ()
        self.failures: dict[AppointmentId, Exception] = {}
        self.read: list[str] = []
        self.answer: Notified | Exception = Notified()

    async def get(self, practice_id: PracticeId, appointment_id: AppointmentId) -> SourcedAppointment:
        self.read.append(appointment_id)
        if appointment_id in self.failures:
            raise self.failures[appointment_id]
        if appointment_id not in self.there:
            raise NotFound("gone")
        return self.there[appointment_id]

    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
        changes = await super().changed_since(practice_id, cursor)
        return Changes(changes.appointments, changes.cursor, changes.unreadable, self.vanished)

    async def notified(self, practice_id: PracticeId, notification: Notification) -> Notified:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def sourced(id_: str = "a1", **changes: Any) -> SourcedAppointment:
    """As `Pms` gives it."""
    made = a_sourced_appointment(id=AppointmentId(id_), **changes)
    return SourcedAppointment(made.appointment, made.release, made.original, "fake")


CALL = Notification("POST", "", {}, b"")


@asynccontextmanager
async def running(service: FollowingService) -> AsyncIterator[None]:
    task = asyncio.create_task(service.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], Any] | Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(10):
        while True:
            answer = holds()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.005)


async def state_of(world: World, id_: str = "a1") -> VisitState | None:
    try:
        visit = (await world.scheduling.current(PRACTICE, AppointmentId(id_))).visit
    except NotFound:
        return None
    return visit.state if visit else None


async def test_what_vanished_is_cancelled(world: World) -> None:
    pms = Pms(sourced())
    pms.appointments = [sourced()]
    service = following(world, pms)
    await service.follow_once()
    pms.appointments, pms.vanished = [], (AppointmentId("a1"), AppointmentId("unknown"))
    await service.follow_once()
    assert await state_of(world) is VisitState.CANCELLED
    assert (await world.current()).links == ()


async def test_after_a_restart_what_is_gone_is_cancelled_and_what_is_far_off_is_read(world: World) -> None:
    pms = Pms(*(sourced(id_) for id_ in ("a1", "a2", "a3")))
    pms.appointments = list(pms.there.values())
    await following(world, pms).follow_once()
    await world.restart()
    moved = sourced("a2", start=NOON + timedelta(days=90), end=NOON + timedelta(days=90, minutes=20))
    del pms.there[AppointmentId("a1")]
    pms.there[AppointmentId("a2")] = moved
    pms.appointments = [sourced("a3")]
    service = following(world, pms)
    await service.follow_once()
    assert sorted(pms.read) == ["a1", "a2"]
    assert await state_of(world, "a1") is VisitState.CANCELLED
    found = await world.scheduling.current(PRACTICE, AppointmentId("a2"))
    assert found.mirrored.appointment.start == NOON + timedelta(days=90)
    await service.follow_once()
    assert sorted(pms.read) == ["a1", "a2"], "only what comes first is everything"


async def test_what_another_system_handed_over_is_not_cancelled(world: World) -> None:
    await world.planned()
    pms = Pms()
    pms.answer = Notified((AppointmentId("a1"),))
    service = following(world, pms)
    await service.notified(PRACTICE, CALL)
    await service.follow_once()
    assert pms.read == ["a1"]
    assert await state_of(world) is VisitState.PLANNED


@pytest.mark.parametrize(
    "error",
    [PartnerError("down", retryable=True), PartnerError("forbidden", retryable=False, status=403)],
)
async def test_what_cannot_be_asked_for_is_not_cancelled(world: World, error: PartnerError) -> None:
    pms = Pms(sourced())
    pms.appointments = [sourced()]
    await following(world, pms).follow_once()
    pms.appointments, pms.failures = [], {AppointmentId("a1"): error}
    service = following(world, pms)
    await service.follow_once()
    assert (pms.read, await state_of(world)) == (["a1"], VisitState.PLANNED)
    pms.failures, pms.there = {}, {}
    await service.follow_once()
    gone = VisitState.CANCELLED if error.retryable else VisitState.PLANNED
    assert await state_of(world) is gone, "what may pass is asked for again, the rest at the next start"


async def test_everything_is_read_again_now_and_then(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "FULL_SECONDS", 0.0)
    pms = Pms()
    service = following(world, pms)
    await service.follow_once()
    await service.follow_once()
    assert pms.asked == [None, None]


async def test_a_notification_is_read_in_the_background(world: World) -> None:
    pms = Pms(sourced())
    pms.answer = Notified((AppointmentId("a1"),))
    service = FollowingService(
        world.scheduling, world.lost_links, {PRACTICE: cast("ScheduleSource", pms)}, 3600
    )
    async with running(service):
        await until(lambda: pms.asked)
        await service.notified(PRACTICE, CALL)
        assert pms.read == []
        await until(lambda: state_of(world))
        cancelled = sourced(status=AppointmentStatus.CANCELLED)
        pms.there[AppointmentId("a1")] = cancelled
        await service.notified(PRACTICE, CALL)

        async def is_cancelled() -> bool:
            return await state_of(world) is VisitState.CANCELLED

        await until(is_cancelled)
    assert pms.asked == [None], "nobody had to ask"


async def test_a_notification_that_does_not_say_which_makes_it_ask(world: World) -> None:
    pms = Pms()
    pms.answer = Notified(everything=True)
    service = FollowingService(
        world.scheduling, world.lost_links, {PRACTICE: cast("ScheduleSource", pms)}, 3600
    )
    async with running(service):
        await until(lambda: len(pms.asked) == 1)
        pms.appointments = [sourced()]
        await service.notified(PRACTICE, CALL)
        await until(lambda: state_of(world))
    assert pms.asked == [None, "cursor-1"]


async def test_what_is_named_many_times_is_read_once(world: World) -> None:
    pms = Pms(sourced("a1"), sourced("a2"))
    service = following(world, pms)
    for ids in (("a1", "a2"), ("a2",), ("a1",)):
        pms.answer = Notified(tuple(AppointmentId(id_) for id_ in ids))
        await service.notified(PRACTICE, CALL)
    await service.follow_once()
    assert pms.read == ["a1", "a2"]


async def test_when_too_much_is_named_it_asks_instead(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "MOST_WANTED", 2)
    pms = Pms()
    pms.answer = Notified(tuple(AppointmentId(f"a{number}") for number in range(3)))
    service = FollowingService(
        world.scheduling, world.lost_links, {PRACTICE: cast("ScheduleSource", pms)}, 3600
    )
    async with running(service):
        await until(lambda: len(pms.asked) == 1)
        await service.notified(PRACTICE, CALL)
        await until(lambda: len(pms.asked) == 2)
    assert pms.read == []


async def test_what_failed_to_be_read_is_read_later_and_others_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follower_module, "_pause", lambda *_: 0.01)
    pms = Pms(sourced("a1"), sourced("a2"))
    pms.failures = {AppointmentId("a1"): PartnerError("Erika Beispiel", retryable=True)}
    pms.answer = Notified((AppointmentId("a1"), AppointmentId("a2")))
    service = FollowingService(
        world.scheduling, world.lost_links, {PRACTICE: cast("ScheduleSource", pms)}, 3600
    )
    async with running(service):
        await service.notified(PRACTICE, CALL)
        await until(lambda: state_of(world, "a2"))
        assert await state_of(world, "a1") is None
        pms.failures = {}
        await until(lambda: state_of(world, "a1"))
    assert set(codes(caplog, "appointment could not be read")) == {(PRACTICE, "partner-error")}
    assert "Erika" not in caplog.text


async def test_it_gives_up_reading_in_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "MOST_ATTEMPTS", 3)
    pms = Pms()
    pms.failures = {AppointmentId("a1"): PartnerError("down", retryable=True)}
    pms.answer = Notified((AppointmentId("a1"),))
    service = following(world, pms)
    await service.notified(PRACTICE, CALL)
    for _ in range(5):
        await service.follow_once()
    assert pms.read == ["a1"] * 3


async def test_what_is_named_and_unreadable_is_logged_by_its_code(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    pms = Pms()
    pms.failures = {AppointmentId("a1"): InvalidAppointment("Erika Beispiel", code="not-json")}
    pms.answer = Notified((AppointmentId("a1"),))
    service = following(world, pms)
    await service.notified(PRACTICE, CALL)
    await service.follow_once()
    await service.follow_once()
    assert codes(caplog, "appointment is unreadable") == [(PRACTICE, "not-json")]
    assert "Erika" not in caplog.text


async def test_what_was_read_while_asking_is_read_again_rather_than_overwritten(world: World) -> None:
    """The poll began first, so what it found may be older than what was read by its id."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Pms):
        async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
            changes = await super().changed_since(practice_id, cursor)
            asked.set()
            await go_on.wait()
            return changes

    pms = Slow(sourced(status=AppointmentStatus.CANCELLED))
    pms.appointments = [sourced()]
    pms.answer = Notified((AppointmentId("a1"),))
    service = FollowingService(
        world.scheduling, world.lost_links, {PRACTICE: cast("ScheduleSource", pms)}, 3600
    )
    async with running(service):
        await asked.wait()
        await service.notified(PRACTICE, CALL)
        await until(lambda: len(pms.read) == 1)
        go_on.set()
        await until(lambda: len(pms.read) == 2)
        await asyncio.sleep(0.05)
    assert await state_of(world) is None, "it was never a visit"


async def test_what_is_being_read_when_the_asking_begins_is_not_overwritten_either(world: World) -> None:
    """Neither by what was found then, nor by that it was not there."""
    for vanished in (False, True):
        reading, go_on = asyncio.Event(), asyncio.Event()

        class Slow(Pms):
            async def get(
                self,
                practice_id: PracticeId,
                appointment_id: AppointmentId,
                reading: asyncio.Event = reading,
                go_on: asyncio.Event = go_on,
            ) -> SourcedAppointment:
                reading.set()
                await go_on.wait()
                return await super().get(practice_id, appointment_id)

        id_ = f"a-{vanished}"
        await world.scheduling.schedule(sourced(id_))
        pms = Slow(sourced(id_))
        pms.answer = Notified((AppointmentId(id_),))
        follower = Follower(world.scheduling, world.lost_links, PRACTICE, cast("ScheduleSource", pms), 3600)
        follower.told(pms.answer)
        task = asyncio.create_task(follower.follow_once())
        await reading.wait()
        pms.appointments = [] if vanished else [sourced(id_, status=AppointmentStatus.CANCELLED)]
        pms.vanished = (AppointmentId(id_),) if vanished else ()
        await follower.poll()
        assert await state_of(world, id_) is VisitState.PLANNED
        go_on.set()
        await task


async def test_what_is_named_and_says_only_that_it_is_called_off_is_cancelled(world: World) -> None:
    await world.scheduling.schedule(sourced())
    pms = Pms()
    error = InvalidAppointment("no start", code="start-missing", called_off=AppointmentId("a1"))
    pms.failures = {AppointmentId("a1"): error}
    pms.answer = Notified((AppointmentId("a1"),))
    service = following(world, pms)
    await service.notified(PRACTICE, CALL)
    await service.follow_once()
    assert await state_of(world) is VisitState.CANCELLED
    kept = (await world.current()).mirrored.sourced.original
    assert kept["status"] == AppointmentStatus.CANCELLED


async def test_what_vanished_and_could_not_be_cancelled_is_told_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pms = Pms(sourced())
    pms.appointments = [sourced()]
    service = following(world, pms)
    await service.follow_once()
    pms.appointments, pms.vanished = [], (AppointmentId("a1"),)
    vanished, failures = world.scheduling.vanished, [Conflict("someone was faster")]

    async def failing(*what: Any) -> None:
        if failures:
            raise failures.pop()
        await vanished(*what)

    monkeypatch.setattr(world.scheduling, "vanished", failing)
    for _ in range(2):
        await service.follow_once()
    assert pms.asked == [None, "cursor-1", "cursor-1"]
    assert await state_of(world) is VisitState.CANCELLED


async def test_while_nobody_knows_who_is_to_come_everything_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    upcoming, failures = world.scheduling.upcoming, [OSError("disk")]

    async def failing(*what: Any) -> object:
        if failures:
            raise failures.pop()
        return await upcoming(*what)

    monkeypatch.setattr(world.scheduling, "upcoming", failing)
    for _ in range(3):
        await world.following.follow_once()
    assert world.source.asked == [None, None, "cursor-2"]


async def test_a_slow_source_holds_up_no_other(world: World) -> None:
    class Silent(FakeSource):
        async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
            await asyncio.Event().wait()
            raise AssertionError

    fine = FakeSource()
    async with running(following(world, Silent(), fine)):
        await until(lambda: len(fine.asked) >= 5)


async def test_a_failing_source_is_asked_less_and_less(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = []

    def pause(failures: int, seconds: float, error: Exception) -> float:
        pauses.append((failures, seconds))
        return 0.001

    monkeypatch.setattr(follower_module, "_pause", pause)
    source = FakeSource()
    source.error = PartnerError("down", retryable=True)
    async with running(following(world, source)):
        await until(lambda: len(pauses) >= 4)
        source.error = None
        count = len(source.asked)
        await until(lambda: len(source.asked) > count + 2)
        source.error = KeyError()
        count = len(pauses)
        await until(lambda: len(pauses) > count)
    assert pauses[:4] == [(1, 0.01), (2, 0.01), (3, 0.01), (4, 0.01)]
    assert pauses[count] == (1, 0.01), "a success forgets the failures before"


def test_pauses_grow_up_to_five_minutes_and_differ_by_chance() -> None:
    down = PartnerError("down", retryable=True)
    for failures, at_most in ((1, 10), (2, 20), (3, 40), (6, 300), (60, 300), (10_000, 300)):
        pauses = {_pause(failures, 5, down) for _ in range(50)}
        assert all(at_most / 2 <= pause <= at_most for pause in pauses)
        assert len(pauses) > 1
    assert _pause(9, 5, KeyError()) <= LONGEST_PAUSE
    assert _pause(1, 900, down) >= 450, "who is asked once in a quarter of an hour is not asked more often"


def test_a_source_that_asks_for_time_gets_it() -> None:
    for seconds, at_least, at_most in ((120.0, 120, 132), (0.0, 0, 10), (1e9, 3600, 3960)):
        busy = PartnerError("busy", retryable=True, retry_after=seconds)
        assert all(at_least <= _pause(1, 5, busy) <= at_most for _ in range(50))


@pytest.mark.parametrize("practice", ["unknown", "other"])
async def test_where_nobody_listens_it_is_not_found(world: World, practice: str) -> None:
    service = following(world, Pms(), FakeSource())
    with pytest.raises(NotFound) as caught:
        await service.notified(PracticeId(practice), CALL)
    assert caught.value.detail == following_module.NOBODY


async def test_a_source_that_has_no_such_practice_is_not_found_either(world: World) -> None:
    pms = Pms()
    pms.answer = NotFound("no server for this practice")
    with pytest.raises(NotFound) as caught:
        await following(world, pms).notified(PRACTICE, CALL)
    assert caught.value.detail == following_module.NOBODY


async def test_what_the_source_refuses_is_refused(world: World) -> None:
    pms = Pms(sourced())
    pms.answer = Refused("wrong secret", code="notification-refused")
    service = following(world, pms)
    with pytest.raises(Refused):
        await service.notified(PRACTICE, CALL)
    await service.follow_once()
    assert pms.read == []


async def test_a_source_that_thinks_for_too_long_about_a_notification(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_module, "NOTIFIED_LIMIT", 0.01)

    class Slow(Pms):
        async def notified(self, practice_id: PracticeId, notification: Notification) -> Notified:
            await asyncio.Event().wait()
            raise AssertionError

    with pytest.raises(PartnerError) as caught:
        await following(world, Slow()).notified(PRACTICE, CALL)
    assert caught.value.retryable
