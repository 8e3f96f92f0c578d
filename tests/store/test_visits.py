import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from vsdk.domain import events as on
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.effects import Audit, Effect, Notify, Publish, WriteBack
from vsdk.domain.errors import Conflict
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.plan import Window
from vsdk.domain.visit import Arrival, Visit, VisitState, transition
from vsdk.hooks.store import AuditEntry, Store, VisitChange
from vsdk.store.sql import SqlStore
from vsdk.testing.factories import NOON, a_sourced_appointment, a_visit

PRACTICE = PracticeId("practice")
P1 = ParticipantId("p1")


def a_link(name: str = "l1", visit: str = "v1", participant: str = "p1") -> JoinLink:
    return JoinLink(name, name * 32, VisitId(visit), ParticipantId(participant))


async def test_it_satisfies_the_port(url: str) -> None:
    store: Store = SqlStore(url)
    await store.open()
    await store.ready()
    await store.close()


async def test_a_visit_is_read_as_it_was_committed(store: SqlStore) -> None:
    visit = a_visit(
        state=VisitState.WAITING,
        version=7,
        arrivals=(
            Arrival(P1, NOON + timedelta(microseconds=1), admitted=True),
            Arrival(ParticipantId("p3"), NOON),
        ),
        took_place=True,
        ended_at=NOON - timedelta(minutes=1),
        grace=timedelta(minutes=7, microseconds=250),
    )
    await store.commit(VisitChange(visit, None), NOON)
    assert await store.visit(visit.id) == visit
    assert await store.visit(VisitId("v2")) is None


async def test_times_are_kept_in_utc(store: SqlStore) -> None:
    east = timezone(timedelta(hours=2))
    window = Window(datetime(2026, 7, 1, 14, tzinfo=east), datetime(2026, 7, 1, 15, tzinfo=east))
    await store.commit(VisitChange(a_visit(window=window), None), NOON)
    visit = await store.visit(VisitId("v1"))
    assert visit is not None
    assert visit.window.opens.tzinfo is UTC
    assert visit.window.opens == window.opens
    assert visit.window.opens.hour == 12


async def test_a_change_at_the_expected_version_is_stored(store: SqlStore) -> None:
    visit = a_visit()
    await store.commit(VisitChange(visit, None), NOON)
    changed, effects = transition(visit, on.ParticipantArrived(P1), NOON)
    await store.commit(VisitChange(changed, visit.version, effects), NOON)
    assert await store.visit(visit.id) == changed


@pytest.mark.parametrize("expected", [None, 2, 17])
async def test_a_change_at_another_version_is_a_conflict(store: SqlStore, expected: int | None) -> None:
    visit = a_visit()
    await store.commit(VisitChange(visit, None), NOON)
    with pytest.raises(Conflict):
        await store.commit(VisitChange(replace(visit, took_place=True), expected), NOON)
    assert await store.visit(visit.id) == visit


async def test_a_change_of_an_unknown_visit_is_a_conflict(store: SqlStore) -> None:
    with pytest.raises(Conflict):
        await store.commit(VisitChange(a_visit(), 1), NOON)
    assert await store.visit(VisitId("v1")) is None


async def test_the_newest_visit_of_an_appointment_is_found(store: SqlStore) -> None:
    for name in ("v2", "v1"):
        await store.commit(VisitChange(a_visit(id=VisitId(name)), None), NOON)
    other = a_visit(id=VisitId("v3"), practice_id=PracticeId("other"))
    await store.commit(VisitChange(other, None), NOON)
    found = await store.visit_of(PRACTICE, AppointmentId("a1"))
    assert found is not None
    assert found.id == "v1"
    assert await store.visit_of(PRACTICE, AppointmentId("a2")) is None


async def test_visits_between_are_those_of_the_practice_by_start_and_all_active_ones(
    store: SqlStore,
) -> None:
    async def put(name: str, hours: float, state: VisitState, practice: str = "practice") -> Visit:
        ids = {"practice_id": PracticeId(practice)}
        appointment = a_sourced_appointment(
            id=AppointmentId(f"a-{name}"), start=NOON + timedelta(hours=hours), **ids
        )
        visit = a_visit(id=VisitId(name), appointment_id=AppointmentId(f"a-{name}"), state=state, **ids)
        await store.commit(VisitChange(visit, None, appointment=appointment), NOON)
        return visit

    await put("later", 2, VisitState.PLANNED)
    await put("start", 0, VisitState.ENDED)
    await put("end", 3, VisitState.PLANNED)
    await put("yesterday", -24, VisitState.IN_PROGRESS)
    await put("gone", -24, VisitState.CLOSED)
    await put("foreign", 1, VisitState.PLANNED, practice="other")
    await put("foreign-active", 1, VisitState.WAITING, practice="other")

    found = await store.visits_between(PRACTICE, NOON, NOON + timedelta(hours=3))
    assert [visit.id for visit, _ in found] == ["yesterday", "start", "later"]
    for visit, mirrored in found:
        assert mirrored.appointment.id == visit.appointment_id == f"a-{visit.id}"

    assert [visit.id for visit in await store.active_visits()] == ["yesterday", "foreign-active"]


async def test_a_commit_keeps_links_by_hash_and_revokes_the_older_ones(store: SqlStore) -> None:
    old, new, other = a_link("l1"), a_link("l2"), a_link("l3", "v2")
    await store.commit(VisitChange(a_visit(id=VisitId("v2")), None, links=[other]), NOON)
    await store.commit(VisitChange(a_visit(), None, links=[old]), NOON)
    assert await store.link_by_hash(old.handle_hash) == old
    assert await store.link_by_hash("unknown") is None

    later = NOON + timedelta(minutes=1)
    change = VisitChange(a_visit(version=2), 1, links=[new], revoke_links=True)
    await store.commit(change, later)
    assert await store.links_of(VisitId("v1")) == [new]
    assert await store.link_by_hash(old.handle_hash) == replace(old, revoked_at=later)
    assert await store.links_of(VisitId("v2")) == [other]


async def test_a_link_that_was_revoked_keeps_its_time(store: SqlStore) -> None:
    await store.commit(VisitChange(a_visit(), None, links=[a_link()]), NOON)
    for version in (1, 2):
        at = NOON + timedelta(minutes=version)
        await store.commit(VisitChange(a_visit(version=version + 1), version, revoke_links=True), at)
    link = await store.link_by_hash(a_link().handle_hash)
    assert link is not None
    assert link.revoked_at == NOON + timedelta(minutes=1)


async def test_the_audit_trail_is_the_latest_lines_oldest_first(store: SqlStore) -> None:
    def lines(visit: str, *what: str, practice: str = "practice") -> list[Effect]:
        return [Audit(PracticeId(practice), VisitId(visit), w, P1, {"by": "patient"}) for w in what]

    await store.commit(VisitChange(a_visit(), None, lines("v1", "one", "two")), NOON)
    await store.commit(VisitChange(a_visit(id=VisitId("v2")), None, lines("v2", "three")), NOON)
    foreign = a_visit(id=VisitId("v3"), practice_id=PracticeId("other"))
    await store.commit(VisitChange(foreign, None, lines("v3", "four", practice="other")), NOON)

    assert [e.what for e in await store.audit()] == ["one", "two", "three", "four"]
    assert [e.what for e in await store.audit(limit=2)] == ["three", "four"]
    assert [e.what for e in await store.audit(practice_id=PRACTICE)] == ["one", "two", "three"]
    first, _ = await store.audit(visit_id=VisitId("v1"))
    assert (first.at, first.participant_id, first.details) == (NOON, P1, {"by": "patient"})


async def test_a_line_can_be_added_to_the_trail_without_a_visit(store: SqlStore) -> None:
    line = Audit(PRACTICE, VisitId("v1"), "join-refused", P1, {"reason": "join-link-early"})
    await store.record(line, NOON)
    assert await store.audit() == [
        AuditEntry(NOON, PRACTICE, VisitId("v1"), "join-refused", P1, {"reason": "join-link-early"})
    ]


async def test_of_the_effects_notify_and_write_back_wait_and_publish_is_not_kept(store: SqlStore) -> None:
    effects: list[Effect] = [
        Publish(PRACTICE, VisitId("v1")),
        Notify(VisitId("v1"), P1, "reminder"),
        WriteBack(PRACTICE, AppointmentId("a1"), AppointmentStatus.ARRIVED),
        WriteBack(PRACTICE, AppointmentId("a2"), None),
    ]
    await store.commit(VisitChange(a_visit(), None, effects), NOON)
    assert [entry.effect for entry in await store.next_effects(NOON)] == effects[1:]
    assert await store.audit() == []


async def test_pairs_are_of_one_moment_while_others_plan(store: SqlStore) -> None:
    """Visits that are planned during a reading are in it with their own appointment, or not at all."""
    planned, done = 60, False

    async def plan() -> None:
        nonlocal done
        for n in range(planned):
            appointment = a_sourced_appointment(id=AppointmentId(f"a{n:02}"))
            visit = a_visit(id=VisitId(f"v{n:02}"), appointment_id=AppointmentId(f"a{n:02}"))
            await store.commit(VisitChange(visit, None, appointment=appointment), NOON)
        done = True

    async def look() -> None:
        while not done:
            for visit, mirrored in await store.visits_between(PRACTICE, NOON, NOON + timedelta(hours=3)):
                assert visit.appointment_id == mirrored.appointment.id

    await asyncio.gather(plan(), look(), look())
    assert len(await store.visits_between(PRACTICE, NOON, NOON + timedelta(hours=3))) == planned
