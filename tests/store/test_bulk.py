"""Many appointments at once: reading what is known of them, and new ones in one transaction."""

from datetime import timedelta

import pytest
from tests.store.test_durability import rows

from vsdk.domain.effects import Audit, WriteBack
from vsdk.domain.errors import Conflict
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.plan import Notice
from vsdk.domain.visit import VisitState
from vsdk.hooks.store import DueNotice, Known, MirroredAppointment, VisitChange
from vsdk.store.sql import SqlStore
from vsdk.testing.factories import NOON, a_sourced_appointment, a_visit

PRACTICE = PracticeId("practice")


def change(number: int, mark: str = "") -> VisitChange:
    """A new visit for an appointment of its own, with two links and a notice."""
    appointment, visit = AppointmentId(f"a{number}"), VisitId(f"v{number}{mark}")
    return VisitChange(
        a_visit(id=visit, appointment_id=appointment),
        None,
        effects=[Audit(PRACTICE, visit, "visit-planned"), WriteBack(PRACTICE, appointment, None)],
        appointment=a_sourced_appointment(id=appointment, identifiers=(f"pms|{number}",)),
        links=[JoinLink(f"{visit}-{p}", f"hash-{visit}-{p}", visit, ParticipantId(p)) for p in ("p2", "p1")],
        notices=[DueNotice(visit, Notice("link", "link-at-time", timedelta(0)), NOON)],
    )


async def test_what_is_committed_together_is_what_is_committed_one_by_one(url: str, store: SqlStore) -> None:
    changes = [change(n) for n in range(3)]
    unplanned = a_sourced_appointment(id=AppointmentId("past"))
    await store.commit_new(changes, [unplanned], NOON)
    other = SqlStore(url.replace("vsdk.sqlite3", "other.sqlite3"))
    await other.open()
    for one in changes:
        await other.commit(one, NOON)
    await other.save_appointment(unplanned, None, NOON)
    await other.close()
    together, single = rows(url), rows(url.replace("vsdk.sqlite3", "other.sqlite3"))
    for table in ("outbox", "deadline"):
        for row in together[table] + single[table]:
            del row["id"]
    for table in together:
        assert sorted(together[table], key=repr) == sorted(single[table], key=repr), table
    assert len(together["appointment_key"]) == 3 * 3 + 2


async def test_a_mirror_that_exists_is_a_conflict_and_nothing_of_the_batch_is_kept(
    url: str, store: SqlStore
) -> None:
    await store.save_appointment(a_sourced_appointment(id=AppointmentId("a1")), None, NOON)
    before = rows(url)
    with pytest.raises(Conflict):
        await store.commit_new([change(0), change(1)], [], NOON)
    with pytest.raises(Conflict):
        await store.commit_new([change(0)], [a_sourced_appointment(id=AppointmentId("a1"))], NOON)
    assert rows(url) == before


async def test_the_same_appointment_twice_in_a_batch_is_a_conflict(url: str, store: SqlStore) -> None:
    with pytest.raises(Conflict):
        await store.commit_new([change(0), change(0, "again")], [], NOON)
    assert rows(url)["visit"] == []


async def test_nothing_to_commit_is_no_obstacle(store: SqlStore) -> None:
    await store.commit_new([], [], NOON)


async def test_known_gives_mirror_newest_visit_and_links_that_hold(store: SqlStore) -> None:
    a0, a1, past = AppointmentId("a0"), AppointmentId("a1"), AppointmentId("past")
    unplanned = a_sourced_appointment(id=past)
    await store.commit_new([change(0), change(1)], [unplanned], NOON)
    over = a_visit(id=VisitId("v1"), appointment_id=a1, state=VisitState.CANCELLED, version=2)
    await store.commit(VisitChange(over, 1, revoke_links=True), NOON)
    await store.commit(change(1, "-second"), NOON)
    found = await store.known(PRACTICE, [a0, a1, past, AppointmentId("unheard-of")])
    assert set(found) == {a0, a1, past}
    assert found[past] == Known(MirroredAppointment(unplanned, 1, NOON))
    for id_ in (a0, a1):
        assert found[id_].mirrored == await store.appointment(PRACTICE, id_)
        visit = found[id_].visit
        assert visit is not None
        assert visit == await store.visit_of(PRACTICE, id_)
        assert list(found[id_].links) == await store.links_of(visit.id)
        assert [link.participant_id for link in found[id_].links] == ["p1", "p2"]
        assert visit.id == ("v0" if id_ == a0 else "v1-second")


async def test_known_gives_no_links_when_all_were_revoked(store: SqlStore) -> None:
    await store.commit_new([change(0)], [], NOON)
    visit = change(0).visit
    await store.commit(
        VisitChange(
            a_visit(id=visit.id, appointment_id=visit.appointment_id, version=2), 1, revoke_links=True
        ),
        NOON,
    )
    assert (await store.known(PRACTICE, [AppointmentId("a0")]))[AppointmentId("a0")].links == ()


async def test_known_tells_practices_apart(store: SqlStore) -> None:
    await store.commit_new([change(0)], [], NOON)
    assert await store.known(PracticeId("other"), [AppointmentId("a0")]) == {}
    assert await store.known(PRACTICE, []) == {}


async def test_known_answers_for_a_thousand(store: SqlStore) -> None:
    await store.commit_new([change(n) for n in range(1000)], [], NOON)
    assert len(await store.known(PRACTICE, [AppointmentId(f"a{n}") for n in range(1000)])) == 1000
