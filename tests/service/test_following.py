import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
from tests.service.conftest import PRACTICE, FakeSource, MakeWorld, Rule, World

from vsdk.domain.errors import PartnerError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.policy import Outcome, Schedule
from vsdk.hooks.ports import Changes, ScheduleSource
from vsdk.service import following as following_module
from vsdk.service.following import FollowingService
from vsdk.testing.factories import a_sourced_appointment

OTHER = PracticeId("other")


def codes(caplog: pytest.LogCaptureFixture, message: str) -> list[tuple[str, str]]:
    return [(r.__dict__["practice"], r.__dict__["code"]) for r in caplog.records if r.message == message]


def following(world: World, *sources: FakeSource) -> FollowingService:
    """Follows these sources, in this order, for ``practice`` and ``other``."""
    practices = (PRACTICE, OTHER)
    return FollowingService(
        world.scheduling, dict(zip(practices, cast("Sequence[ScheduleSource]", sources), strict=False)), 0.01
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
    monkeypatch.setattr(following_module, "SOURCE_LIMIT", 0.05)

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
