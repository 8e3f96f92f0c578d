"""Finding appointments in the mirror, and marking them as deleted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId
from vsdk.domain.participant import Participant, Role
from vsdk.domain.visit import VisitState
from vsdk.hooks.store import AppointmentQuery, Span, VisitChange
from vsdk.store.search import _split
from vsdk.store.sql import SqlStore
from vsdk.testing.factories import NOON, a_sourced_appointment, a_visit

PARK, OTHER = PracticeId("practice"), PracticeId("other")
DAY = timedelta(days=1)
ALL = AppointmentQuery(PARK, ("R4",))


def sourced(
    id_: str, patient: str = "Patient/1", practitioner: str = "Practitioner/1", **changes: Any
) -> Any:
    people = (
        Participant(ParticipantId("p1"), Role.PATIENT, patient),
        Participant(ParticipantId("p2"), Role.PRACTITIONER, practitioner),
    )
    return a_sourced_appointment(id=AppointmentId(id_), participants=people, **changes)


@pytest.fixture
async def store(store: SqlStore) -> SqlStore:
    """With four appointments of one practice and one of another."""
    for one in (
        sourced("a1", identifiers=("urn:pms|17",)),
        sourced("a2", "Patient/2", start=NOON + DAY, identifiers=("|17", "a|b|c")),
        sourced(
            "a3", practitioner="PractitionerRole/9", start=NOON + 2 * DAY, status=AppointmentStatus.ARRIVED
        ),
        replace(sourced("a4", identifiers=("urn:PMS|17",)), release="R5"),
        sourced("a1", practice_id=OTHER, identifiers=("urn:pms|17",)),
    ):
        await store.save_appointment(one, None, NOON)
    return store


async def found(store: SqlStore, **conditions: Any) -> list[str]:
    query = replace(ALL, **conditions)
    ids = [m.appointment.id for m in await store.find_appointments(query)]
    assert await store.count_appointments(query) == len(ids)
    return [str(id_) for id_ in ids]


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        ({}, ["a1", "a2", "a3"]),
        ({"releases": ("R5",)}, ["a4"]),
        ({"releases": ("R4", "R5")}, ["a1", "a2", "a3", "a4"]),
        ({"practice_id": OTHER}, ["a1"]),
        ({"ids": ("a3", "a1", "a4")}, ["a1", "a3"]),
        ({"statuses": ("arrived",)}, ["a3"]),
        ({"statuses": ("arrived", "booked")}, ["a1", "a2", "a3"]),
        ({"start": (Span(since=NOON + DAY),)}, ["a2", "a3"]),
        ({"start": (Span(until=NOON + DAY),)}, ["a1"]),
        ({"start": (Span(since=NOON + DAY), Span(until=NOON + 2 * DAY))}, ["a2"]),
        ({"updated": (Span(NOON, NOON + DAY),)}, ["a1", "a2", "a3"]),
        ({"updated": (Span(until=NOON),)}, []),
        ({"keys": (("patient", ("Patient/1",)),)}, ["a1", "a3"]),
        ({"keys": (("patient", ("Patient/1", "Patient/2")),)}, ["a1", "a2", "a3"]),
        ({"keys": (("patient", ("Patient/1",)), ("practitioner", ("Practitioner/1",)))}, ["a1"]),
        ({"keys": (("actor", ("Patient/2", "PractitionerRole/9")),)}, ["a2", "a3"]),
        ({"keys": (("practitioner", ("Patient/1",)),)}, []),
        ({"keys": (("identifier", ("urn:pms|17",)),)}, ["a1"]),
        ({"keys": (("identifier", ("17",)),)}, ["a1", "a2"]),
        ({"keys": (("identifier", ("|17",)),)}, ["a2"]),
        ({"keys": (("identifier", ("urn:pms|",)),)}, ["a1"]),
        ({"keys": (("identifier", ("|",)),)}, ["a2"]),
        ({"keys": (("identifier", ("7",)),)}, []),
        ({"keys": (("identifier", ("c",)),)}, []),
        ({"keys": (("identifier", (r"b\|c",)),)}, ["a2"]),
        ({"keys": (("identifier", (r"a|b\|c",)),)}, ["a2"]),
        ({"keys": (("identifier", ("%",)),)}, []),
        ({"keys": (("identifier", ("_rn:pms|",)),)}, []),
        ({"keys": (("identifier", ("", "x" * 600)),)}, []),
    ],
)
async def test_what_is_found(store: SqlStore, conditions: dict[str, Any], ids: list[str]) -> None:
    assert await found(store, **conditions) == ids


async def test_pages_go_in_the_order_of_ids(store: SqlStore) -> None:
    page = replace(ALL, limit=2)
    first = await store.find_appointments(page)
    second = await store.find_appointments(replace(page, after=first[-1].appointment.id))
    assert [m.appointment.id for m in (*first, *second)] == ["a1", "a2", "a3"]
    assert await store.count_appointments(replace(page, after=first[-1].appointment.id)) == 3


async def test_what_is_deleted_is_not_found_and_comes_back_when_it_is_saved(store: SqlStore) -> None:
    later = NOON + timedelta(minutes=1)
    await store.delete_appointment(PARK, AppointmentId("a1"), later)
    assert await found(store) == ["a2", "a3"]
    assert await found(store, practice_id=OTHER) == ["a1"]
    deleted = await store.appointment(PARK, AppointmentId("a1"))
    assert deleted is not None
    assert (deleted.deleted, deleted.version, deleted.updated) == (True, 2, later)
    await store.save_appointment(deleted.sourced, 2, later)
    assert await found(store) == ["a1", "a2", "a3"]
    back = await store.appointment(PARK, AppointmentId("a1"))
    assert back is not None
    assert (back.deleted, back.version) == (False, 3)


async def test_keys_follow_the_appointment(store: SqlStore) -> None:
    await store.save_appointment(sourced("a1", "Patient/5"), 1, NOON)
    assert await found(store, keys=(("patient", ("Patient/5",)),)) == ["a1"]
    assert await found(store, keys=(("patient", ("Patient/1",)),)) == ["a3"]
    assert await found(store, keys=(("identifier", ("urn:pms|17",)),)) == []


async def test_what_is_to_come_of_a_source_are_its_visits_that_are_not_over(store: SqlStore) -> None:
    states = {
        "b1": VisitState.PLANNED,
        "b2": VisitState.WAITING,
        "b3": VisitState.CLOSED,
        "b4": VisitState.PLANNED,
    }
    for id_, state in states.items():
        one = replace(sourced(id_), source="feed" if id_ != "b4" else "")
        visit = a_visit(id=f"v-{id_}", appointment_id=AppointmentId(id_), state=state)
        await store.commit(VisitChange(visit, None, appointment=one), NOON)
    assert await store.upcoming_of(PARK, "feed") == ["b1", "b2"]
    assert await store.upcoming_of(OTHER, "feed") == []


async def test_what_is_to_come_is_told_once_and_by_the_visits_of_that_practice(store: SqlStore) -> None:
    """The visit that runs on beside its successor makes two of one appointment."""
    for id_, practice, state in (
        ("v1", PARK, VisitState.IN_PROGRESS),
        ("v2", PARK, VisitState.PLANNED),
        ("v3", OTHER, VisitState.CLOSED),
    ):
        kept = await store.appointment(practice, AppointmentId("b1"))
        one = None if kept else replace(sourced("b1", practice_id=practice), source="feed")
        visit = a_visit(id=id_, practice_id=practice, appointment_id=AppointmentId("b1"), state=state)
        await store.commit(VisitChange(visit, None, appointment=one), NOON)
    assert await store.upcoming_of(PARK, "feed") == ["b1"]
    assert await store.upcoming_of(OTHER, "feed") == []


@given(st.text(alphabet="ab|\\", max_size=8))
def test_any_token_is_split(token: str) -> None:
    system, bar, code = _split(token)
    assert bar in ("", "|")
    assert bar or not system
    assert isinstance(code, str)
