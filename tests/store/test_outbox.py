from dataclasses import replace
from datetime import timedelta

from sqlalchemy import create_engine, event, select
from tests.times import abandon, complete, next_due, next_effect_at, postpone

from vsdk.domain import events as on
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.effects import Audit, Effect, Notify, WriteBack
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.participant import Role
from vsdk.domain.plan import Notice
from vsdk.domain.visit import VisitState, transition
from vsdk.hooks.store import DueNotice, VisitChange
from vsdk.store.sql import SqlStore
from vsdk.store.tables import outbox
from vsdk.testing.factories import NOON, a_visit

V1 = VisitId("v1")
MINUTE = timedelta(minutes=1)
NOTICE = Notice("sms-10", "reminder", timedelta(minutes=10), Role.COMPANION)


def notify(template: str = "reminder") -> Notify:
    return Notify(V1, ParticipantId("p1"), template)


def report(status: AppointmentStatus, appointment: str = "a1") -> WriteBack:
    return WriteBack(PracticeId("practice"), AppointmentId(appointment), status)


async def commit(store: SqlStore, *effects: Effect) -> None:
    await store.commit(VisitChange(a_visit(), None, effects), NOON)


async def test_an_effect_waits_until_it_is_complete(store: SqlStore) -> None:
    await commit(store, notify("one"), notify("two"))
    one, two = await store.next_effects(NOON)
    assert (one.effect, one.attempts, one.created) == (notify("one"), 0, NOON)
    assert one.id != two.id
    await complete(store, one)
    assert await store.next_effects(NOON) == [two]


async def test_no_more_effects_than_asked_for_are_given(store: SqlStore) -> None:
    await commit(store, *[notify(str(n)) for n in range(5)])
    assert [e.effect for e in await store.next_effects(NOON, limit=2)] == [notify("0"), notify("1")]


async def test_messages_do_not_wait_behind_write_backs(store: SqlStore) -> None:
    """The link of ten minutes before is due while a whole file of appointments is being written back."""
    reports = [report(AppointmentStatus.ARRIVED, f"a{n}") for n in range(30)]
    await commit(store, *reports)
    await store.commit(VisitChange(replace(a_visit(), version=2), 1, (notify(),)), NOON + MINUTE)
    assert [e.effect for e in await store.next_effects(NOON + MINUTE, limit=3)] == [notify(), *reports[:2]]
    assert [e.effect for e in await store.next_effects(NOON + MINUTE, limit=1)] == [notify()]


async def test_a_long_queue_is_not_sorted_to_find_what_comes_next(store: SqlStore) -> None:
    """After a file of a hundred thousand appointments, as many write-backs wait."""
    asked: list[tuple[str, tuple[object, ...]]] = []
    engine = store._database._reads.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *seen: asked.append(seen[2:4]))
    await store.next_effects(NOON)
    assert len(asked) == 2, "one query for messages, one for write-backs"
    for statement, values in asked[:2]:
        async with store._database.read() as connection:
            explained = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plan = " ".join(row.detail for row in explained)
        assert "(state=? AND kind=? AND due_at<?)" in plan
        assert "TEMP B-TREE" not in plan


async def test_a_postponed_effect_comes_back_with_the_same_id(store: SqlStore) -> None:
    await commit(store, notify())
    [entry] = await store.next_effects(NOON)
    await postpone(store, entry, NOON + MINUTE)
    assert await store.next_effects(NOON) == []
    assert await next_effect_at(store) == NOON + MINUTE
    [again] = await store.next_effects(NOON + MINUTE)
    assert (again.id, again.effect, again.attempts) == (entry.id, entry.effect, 1)


async def test_an_abandoned_effect_is_kept_with_its_reason_and_not_tried_again(
    store: SqlStore, url: str
) -> None:
    await commit(store, notify())
    [entry] = await store.next_effects(NOON)
    await abandon(store, entry, "delivery-failed")
    assert await store.next_effects(NOON) == []
    assert await next_effect_at(store) is None
    with create_engine(url.replace("+aiosqlite", "")).connect() as connection:
        [row] = connection.execute(select(outbox)).all()
    assert (row.id, row.state, row.reason) == (entry.id, "abandoned", "delivery-failed")


async def test_performed_effects_leave_nothing_behind(store: SqlStore, url: str) -> None:
    await commit(store, *[notify(str(n)) for n in range(5)])
    for entry in await store.next_effects(NOON):
        await complete(store, entry)
    with create_engine(url.replace("+aiosqlite", "")).connect() as connection:
        assert connection.execute(select(outbox)).all() == []


async def test_a_status_never_overtakes_an_earlier_one_of_its_appointment(store: SqlStore) -> None:
    arrived, other = report(AppointmentStatus.ARRIVED), report(AppointmentStatus.ARRIVED, "a2")
    fulfilled = report(AppointmentStatus.FULFILLED)
    await commit(store, arrived, fulfilled, other)
    first, second = await store.next_effects(NOON)
    assert [first.effect, second.effect] == [arrived, other]

    await postpone(store, first, NOON + MINUTE)
    await complete(store, second)
    assert await store.next_effects(NOON) == []
    assert await next_effect_at(store) == NOON + MINUTE

    await abandon(store, first, "partner-error")
    assert [entry.effect for entry in await store.next_effects(NOON)] == [fulfilled]


async def test_a_write_back_makes_good_what_was_given_up_for_its_appointment_alone(store: SqlStore) -> None:
    arrived, other = report(AppointmentStatus.ARRIVED), report(AppointmentStatus.ARRIVED, "a2")
    fulfilled = report(AppointmentStatus.FULFILLED)
    await commit(store, arrived, fulfilled, other, notify())
    message, first, of_another = await store.next_effects(NOON)
    await abandon(store, first, "foreign-link")
    assert [await complete(store, entry) for entry in (of_another, message)] == [False, False]
    [later] = await store.next_effects(NOON)
    assert await complete(store, later) is True


async def test_the_deadline_of_a_visit_follows_its_state(store: SqlStore) -> None:
    visit = a_visit()
    await store.commit(VisitChange(visit, None), NOON)
    assert await next_due(store) == visit.window.closes
    assert await store.due(visit.window.closes - MINUTE) == []
    [due] = await store.due(visit.window.closes)
    assert (due.visit_id, due.at, due.notice) == (V1, visit.window.closes, None)

    waiting, _ = transition(visit, on.ParticipantArrived(ParticipantId("p1")), NOON)
    await store.commit(VisitChange(waiting, 1), NOON)
    assert await next_due(store) is None

    ended, _ = transition(waiting, on.VisitClosed(), NOON)
    assert ended.state is VisitState.ENDED
    await store.commit(VisitChange(ended, 2), NOON)
    assert await next_due(store) == NOON + visit.grace


async def test_notices_are_due_at_their_time_and_settled_once(store: SqlStore) -> None:
    at = NOON - timedelta(minutes=10)
    await store.commit(VisitChange(a_visit(), None, notices=[DueNotice(V1, NOTICE, at)]), NOON)
    [due] = await store.due(at)
    assert (due.visit_id, due.at, due.notice) == (V1, at, NOTICE)

    effects: list[Effect] = [notify(), Audit(PracticeId("practice"), V1, "notice")]
    await store.settle(due, effects, at)
    await store.settle(due, effects, at)
    assert await store.due(at) == []
    assert [entry.effect for entry in await store.next_effects(at)] == [notify()]
    assert len(await store.audit()) == 1


async def test_a_commit_replaces_notices_only_when_it_brings_some(store: SqlStore) -> None:
    at = NOON - timedelta(minutes=10)
    await store.commit(VisitChange(a_visit(), None, notices=[DueNotice(V1, NOTICE, at)]), NOON)
    other = VisitChange(a_visit(id=VisitId("v2")), None, notices=[DueNotice(VisitId("v2"), NOTICE, at)])
    await store.commit(other, NOON)

    await store.commit(VisitChange(a_visit(version=2), 1), NOON)
    assert sorted(due.visit_id for due in await store.due(at)) == ["v1", "v2"]
    moved = [DueNotice(V1, NOTICE, at + MINUTE)]
    await store.commit(VisitChange(a_visit(version=3), 2, notices=moved), NOON)
    assert [due.visit_id for due in await store.due(at)] == ["v2"]
    await store.commit(VisitChange(a_visit(version=4), 3, notices=()), NOON)
    assert [due.visit_id for due in await store.due(at + MINUTE)] == ["v2"]


async def test_a_notice_that_was_replaced_is_not_sent_any_more(store: SqlStore) -> None:
    at = NOON - timedelta(minutes=10)
    await store.commit(VisitChange(a_visit(), None, notices=[DueNotice(V1, NOTICE, at)]), NOON)
    [due] = await store.due(at)
    await store.commit(VisitChange(a_visit(version=2), 1, notices=()), NOON)
    await store.settle(due, [notify()], at)
    assert await store.next_effects(at) == []


async def test_what_is_due_longest_comes_first(store: SqlStore) -> None:
    notices = [DueNotice(V1, NOTICE, NOON - MINUTE * n) for n in (1, 3, 2)]
    await store.commit(VisitChange(a_visit(), None, notices=notices), NOON)
    assert [due.at for due in await store.due(NOON, limit=2)] == [NOON - MINUTE * 3, NOON - MINUTE * 2]


async def test_notices_leave_the_deadline_of_their_visit_alone(store: SqlStore) -> None:
    visit = a_visit()
    await store.commit(VisitChange(visit, None, notices=[DueNotice(V1, NOTICE, NOON)]), NOON)
    assert [due.notice for due in await store.due(visit.window.closes)] == [NOTICE, None]
    await store.commit(VisitChange(replace(visit, version=2), 1, notices=()), NOON)
    assert [due.notice for due in await store.due(visit.window.closes)] == [None]


async def test_not_written_back_is_what_was_given_up_with_its_last_reason(store: SqlStore) -> None:
    practice, ids = PracticeId("practice"), [AppointmentId("a1"), AppointmentId("a2")]
    arrived, fulfilled = report(AppointmentStatus.ARRIVED), report(AppointmentStatus.FULFILLED)
    await commit(store, arrived, fulfilled, report(AppointmentStatus.ARRIVED, "a2"))
    assert await store.not_written_back(practice, ids) == {}, "what waits is not given up"
    for effect, reason in ((arrived, "foreign-link"), (fulfilled, "partner-error")):
        [entry] = [entry for entry in await store.next_effects(NOON) if entry.effect == effect]
        await abandon(store, entry, reason)
    assert await store.not_written_back(practice, ids) == {"a1": "partner-error"}
