from dataclasses import replace
from datetime import timedelta

import pytest

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import Conflict
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.hooks.store import MirroredAppointment, VisitChange
from vsdk.store.sql import SqlStore
from vsdk.testing.factories import NOON, a_sourced_appointment, a_visit

PRACTICE, A1 = PracticeId("practice"), AppointmentId("a1")


async def test_an_appointment_is_read_as_it_was_saved(store: SqlStore) -> None:
    sourced = a_sourced_appointment()
    saved = await store.save_appointment(sourced, None, NOON)
    assert saved == MirroredAppointment(sourced, 1, NOON)
    assert await store.appointment(PRACTICE, A1) == saved
    assert await store.appointment(PracticeId("other"), A1) is None


async def test_each_write_counts_the_version_up(store: SqlStore) -> None:
    await store.save_appointment(a_sourced_appointment(), None, NOON)
    arrived = a_sourced_appointment(status=AppointmentStatus.ARRIVED)
    later = NOON + timedelta(minutes=1)
    assert (await store.save_appointment(arrived, 1, later)).version == 2
    await store.commit(VisitChange(a_visit(), None, appointment=a_sourced_appointment()), NOON)
    assert await store.appointment(PRACTICE, A1) == MirroredAppointment(a_sourced_appointment(), 3, NOON)


async def test_saving_at_another_version_is_a_conflict(store: SqlStore) -> None:
    sourced = a_sourced_appointment()
    with pytest.raises(Conflict):
        await store.save_appointment(sourced, 1, NOON)
    await store.save_appointment(sourced, None, NOON)
    for expected in (None, 2):
        with pytest.raises(Conflict):
            await store.save_appointment(replace(sourced, release="R5"), expected, NOON)
    assert await store.appointment(PRACTICE, A1) == MirroredAppointment(sourced, 1, NOON)


async def test_a_commit_makes_the_mirror_when_there_is_none(store: SqlStore) -> None:
    await store.commit(VisitChange(a_visit(), None, appointment=a_sourced_appointment()), NOON)
    mirrored = await store.appointment(PRACTICE, A1)
    assert mirrored is not None
    assert mirrored.version == 1


async def test_a_visit_is_planned_only_for_the_appointment_as_it_was_read(store: SqlStore) -> None:
    """Two processes with one database: whoever comes second finds out, and makes no second visit."""
    sourced = a_sourced_appointment()
    first = VisitChange(a_visit(), None, appointment=sourced, appointment_version=0)
    await store.commit(first, NOON)
    for version in (0, 2):
        second = replace(first, visit=a_visit(id=VisitId("v2")), appointment_version=version)
        with pytest.raises(Conflict):
            await store.commit(second, NOON)
    assert await store.visit(VisitId("v2")) is None
    await store.commit(replace(first, visit=a_visit(id=VisitId("v3")), appointment_version=1), NOON)
    mirrored = await store.appointment(PracticeId("practice"), AppointmentId("a1"))
    assert mirrored
    assert mirrored.version == 2
