"""The contract of a ScheduleSource (see `vsdk.testing.contracts`)."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest

from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.errors import NotFound, PartnerError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.hooks.ports import Json, ScheduleSource
from vsdk.testing.contract import KEBAB, Contract, Overheard, in_time


class ScheduleSourceContract(Contract):
    """Give the fixtures

    - ``source``, which holds at least the booked appointment ``appointment_id`` of ``practice_id``;
    - where there is a system that can be away: ``away``, a source over one that is (`FakeHttp.failing`, a
      folder that is gone).

    Every test has a source of its own: they write to it.
    """

    link: ClassVar[VirtualService] = VirtualService("https://praxis.example/video/j#h4ndle-of-nobody")

    @pytest.fixture
    def source(self) -> ScheduleSource:
        raise NotImplementedError("give the source under test")

    @pytest.fixture
    def practice_id(self) -> PracticeId:
        raise NotImplementedError("give the practice whose appointments it holds")

    @pytest.fixture
    def appointment_id(self) -> AppointmentId:
        raise NotImplementedError("give the id of an appointment that it holds")

    @pytest.fixture
    def away(self) -> ScheduleSource | None:
        return None

    def test_it_is_a_schedule_source(self, source: ScheduleSource) -> None:
        assert isinstance(source, ScheduleSource)
        assert KEBAB.fullmatch(source.name)
        assert all(
            inspect.iscoroutinefunction(m) for m in (source.get, source.changed_since, source.write_back)
        )

    async def test_an_appointment_is_found(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        found = await source.get(practice_id, appointment_id)
        assert found.appointment.id == appointment_id == found.original["id"]
        assert found.appointment.practice_id == practice_id
        assert found.appointment.start.utcoffset() is not None, "times are aware"
        assert found.release in ("STU3", "R4", "R5")
        assert found.source in (source.name, "")

    async def test_an_unknown_appointment_or_practice_is_not_found(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        with pytest.raises(NotFound):
            await source.get(practice_id, AppointmentId("there-is-no-such-appointment"))
        with pytest.raises(NotFound):
            await source.get(PracticeId("there-is-no-such-practice"), appointment_id)

    async def test_at_first_everything_changed_and_then_nothing(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        first = await source.changed_since(practice_id, None)
        assert appointment_id in [s.appointment.id for s in first.appointments]
        assert {s.appointment.practice_id for s in first.appointments} == {practice_id}
        assert isinstance(first.cursor, str), "it is kept in a database"
        assert all(KEBAB.fullmatch(code) for code in first.unreadable)
        then = await source.changed_since(practice_id, first.cursor)
        assert then.appointments == ()
        assert isinstance(then.cursor, str)
        again = await source.changed_since(practice_id, None)
        assert again.appointments == first.appointments

    async def test_a_cursor_of_unknown_origin_misses_nothing(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        changes = await source.changed_since(practice_id, "a cursor from another life")
        assert appointment_id in [s.appointment.id for s in changes.appointments]

    async def test_writing_back_twice_is_writing_back_once(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        await source.write_back(practice_id, appointment_id, (self.link,), AppointmentStatus.ARRIVED)
        once = await source.get(practice_id, appointment_id)
        assert once.appointment.status is AppointmentStatus.ARRIVED
        assert self.link.url in repr(once.original)
        await source.write_back(practice_id, appointment_id, (self.link,), AppointmentStatus.ARRIVED)
        assert await source.get(practice_id, appointment_id) == once

    async def test_what_is_not_given_is_left_alone(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        before = await source.get(practice_id, appointment_id)
        await source.write_back(practice_id, appointment_id, None, None)
        assert await source.get(practice_id, appointment_id) == before
        await source.write_back(practice_id, appointment_id, (self.link,), None)
        await source.write_back(practice_id, appointment_id, None, AppointmentStatus.FULFILLED)
        after = await source.get(practice_id, appointment_id)
        assert self.link.url in repr(after.original)
        assert after.appointment.status is AppointmentStatus.FULFILLED
        assert _rest(after.original) == _rest(before.original)
        await source.write_back(practice_id, appointment_id, (), None)
        assert self.link.url not in repr((await source.get(practice_id, appointment_id)).original)

    async def test_writing_back_to_an_unknown_appointment_is_not_found(
        self, source: ScheduleSource, practice_id: PracticeId
    ) -> None:
        with pytest.raises(NotFound):
            await source.write_back(
                practice_id, AppointmentId("there-is-no-such-appointment"), None, AppointmentStatus.ARRIVED
            )

    async def test_a_system_that_is_away_is_a_partner_error_and_no_missing_appointment(
        self,
        away: ScheduleSource | None,
        practice_id: PracticeId,
        appointment_id: AppointmentId,
        overheard: Overheard,
    ) -> None:
        if away is None:
            pytest.skip("the fixture `away` is not given: there is no system that could be away")
        attempts: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: away.get(practice_id, appointment_id),
            lambda: away.changed_since(practice_id, None),
            lambda: away.changed_since(practice_id, "a cursor"),
            lambda: away.write_back(practice_id, appointment_id, (self.link,), AppointmentStatus.ARRIVED),
        )
        for attempt in attempts:
            with pytest.raises(PartnerError) as caught:
                await in_time(attempt())
            self.assert_silent([self.link.url, "h4ndle-of-nobody"], overheard.text, caught.value)


def _rest(original: Json) -> dict[str, Any]:
    """All but what a link and a status are written to."""
    ours = (
        "status",
        "virtualService",
        "extension",
        "contained",
        "supportingInformation",
        "meta",
        "participant",
        "patientInstruction",
    )
    return {name: value for name, value in original.items() if name not in ours}
