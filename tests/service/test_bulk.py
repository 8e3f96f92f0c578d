"""Batches of appointments: the same outcome, and the same rows, as one after the other."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select
from tests.service.conftest import PRACTICE, MakeWorld, Rule, World

from vsdk.domain import events as on
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import Conflict, Refused, VsdkError
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId
from vsdk.domain.participant import Participant, Role
from vsdk.domain.plan import Notice, VisitPlan
from vsdk.domain.policy import Outcome as Answer
from vsdk.domain.policy import Schedule
from vsdk.hooks.ports import SourcedAppointment
from vsdk.hooks.store import VisitChange
from vsdk.service.bulk import BulkScheduling, Outcome
from vsdk.service.scheduling import Scheduled
from vsdk.store.tables import metadata
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER, a_sourced_appointment
from vsdk.testing.fakes import FakeClock

MINUTE = timedelta(minutes=1)
PLAN = VisitPlan(
    "two notices",
    15 * MINUTE,
    60 * MINUTE,
    (Notice("link", "link-at-time", 15 * MINUTE), Notice("day", "the-day-before", timedelta(days=1))),
)
FORBIDDEN = NOON + 7 * MINUTE
"""a start that a rule objects to"""
OTHER = Participant(ParticipantId("p1"), Role.PATIENT, "Patient/2", "Hans Anders", "+4915100000002")
COMPANION = Participant(ParticipantId("p3"), Role.COMPANION, "RelatedPerson/1", "Tante Frieda")
RULE = Rule(Schedule, lambda q: Answer.VIOLATED if q.start == FORBIDDEN else Answer.SATISFIED)


def bulk_of(world: World) -> BulkScheduling:
    return BulkScheduling(world.scheduling, world.store, world.visits, world.clock)


def some(count: int, **changes: Any) -> list[SourcedAppointment]:
    return [a_sourced_appointment(id=AppointmentId(f"a{n}"), **changes) for n in range(count)]


def links(outcomes: Sequence[Outcome]) -> list[list[str]]:
    return [[link.url for link in one.links] for one in outcomes if isinstance(one, Scheduled)]


def rows(world: World) -> dict[str, list[dict[str, Any]]]:
    """What every table holds, without ids that are random, and in an order that does not depend on them."""
    engine = create_engine(world.url.replace("+aiosqlite", ""))
    found = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            random = {"id"} if table.name in ("outbox", "deadline", "message") else set()
            all_rows = [dict(row) for row in connection.execute(select(table)).mappings()]
            kept = [{k: v for k, v in row.items() if k not in random} for row in all_rows]
            found[table.name] = sorted(kept, key=repr)
    engine.dispose()
    return found


async def one_by_one(world: World, batch: Sequence[SourcedAppointment]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for sourced in batch:
        try:
            outcomes.append(await world.scheduling.schedule(sourced))
        except VsdkError as error:
            outcomes.append(error)
    return outcomes


def shown(outcomes: Sequence[Outcome]) -> list[Any]:
    """Outcomes so that they can be compared: an exception is equal to itself alone."""
    return [
        (o.code, o.detail) if isinstance(o, VsdkError) else (o, [x.url for x in o.links]) for o in outcomes
    ]


APPOINTMENTS = st.builds(
    lambda number, status, start, video, people, practice, release: a_sourced_appointment(
        id=AppointmentId(f"a{number}"),
        status=status,
        start=start,
        end=start + 20 * MINUTE,
        is_video=video,
        participants=people,
        practice_id=PracticeId(practice),
        identifiers=(f"pms|{number}",),
    ),
    st.integers(1, 5),
    st.sampled_from(
        [AppointmentStatus.BOOKED] * 5
        + [AppointmentStatus.CANCELLED, AppointmentStatus.FULFILLED, AppointmentStatus.NOSHOW]
    ),
    st.sampled_from(
        [NOON, NOON + 30 * MINUTE, NOON + timedelta(days=1), NOON - timedelta(days=1), FORBIDDEN]
    ),
    st.sampled_from([True, True, True, False]),
    st.sampled_from(
        [(PATIENT, PRACTITIONER), (OTHER, PRACTITIONER), (PATIENT, PRACTITIONER, COMPANION), (PATIENT,)]
    ),
    st.sampled_from(["practice", "practice", "other"]),
    st.just("R4"),
)
STEPS = st.lists(
    st.one_of(
        st.lists(APPOINTMENTS, max_size=12),
        st.sampled_from(["delete a1", "delete a2", "an hour passes", "someone arrives"]),
    ),
    min_size=1,
    max_size=6,
)


async def play(file: Path, steps: Sequence[Any], *, in_bulk: bool) -> tuple[Any, ...]:
    """What came out of each step, what every table holds in the end, and what plugins heard."""
    world = World(f"sqlite+aiosqlite:///{file}", FakeClock(), plan=PLAN, rules=[RULE])
    await world.store.open()
    outcomes = []
    for step in steps:
        if isinstance(step, list):
            schedule = bulk_of(world).schedule(step) if in_bulk else one_by_one(world, step)
            outcomes.append(shown(await schedule))
        elif step.startswith("delete"):
            id_ = AppointmentId(step.split()[1])
            await world.store.delete_appointment(PRACTICE, id_, world.clock.now())
        elif step == "an hour passes":
            world.clock.advance(hours=1)
        elif visit := await world.store.visit_of(PRACTICE, AppointmentId("a1")):
            try:
                await world.visits.arrive(visit.id, ParticipantId("p1"))
            except VsdkError as error:
                outcomes.append([error.code])
    await world.listeners.finish()
    await world.store.close()
    return outcomes, rows(world), world.heard


@pytest.mark.timeout(240)
@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_batches_and_one_after_the_other_come_to_the_same(steps: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        bulk = asyncio.run(play(Path(folder, "bulk.sqlite3"), steps, in_bulk=True))
        single = asyncio.run(play(Path(folder, "single.sqlite3"), steps, in_bulk=False))
    assert bulk[0] == single[0]
    assert bulk[1] == single[1]
    assert bulk[2] == single[2]


async def test_new_appointments_get_their_visits_in_one_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = []
    real = world.store.commit_new

    async def counted(changes: Sequence[VisitChange], *rest: Any) -> None:
        commits.append(len(changes))
        await real(changes, *rest)

    monkeypatch.setattr(world.store, "commit_new", counted)
    outcomes = await bulk_of(world).schedule(some(40))
    assert commits == [40]
    assert [len(urls) for urls in links(outcomes)] == [2] * 40
    assert len(rows(world)["visit"]) == 40


async def test_the_same_batch_again_gives_the_same_links_and_changes_nothing(world: World) -> None:
    first = await bulk_of(world).schedule(some(20))
    before = rows(world)
    world.clock.advance(minutes=5)
    assert shown(await bulk_of(world).schedule(some(20))) == shown(first)
    assert rows(world) == before


async def test_an_appointment_that_comes_twice_in_a_batch_has_one_visit(world: World) -> None:
    moved = a_sourced_appointment(id=AppointmentId("a1"), start=NOON + 10 * MINUTE, end=NOON + 30 * MINUTE)
    outcomes = await bulk_of(world).schedule([*some(3), moved, *some(1)])
    assert len(rows(world)["visit"]) == 3
    assert links(outcomes)[1] == links(outcomes)[3]
    assert world.events() == [
        on.VisitPlanned(world.plan.window(NOON)),
        on.VisitPlanned(world.plan.window(NOON)),
        on.VisitPlanned(world.plan.window(NOON)),
        on.Rescheduled(world.plan.window(NOON + 10 * MINUTE)),
    ]


async def test_a_refusal_is_the_outcome_of_that_one_appointment(make_world: MakeWorld) -> None:
    world = await make_world(rules=[RULE])
    batch = some(3)
    batch[1] = a_sourced_appointment(id=AppointmentId("a1"), start=FORBIDDEN, end=FORBIDDEN + MINUTE)
    outcomes = await bulk_of(world).schedule(batch)
    assert isinstance(outcomes[1], Refused)
    assert outcomes[1].code == "policy-denied"
    assert len(links(outcomes)) == 2
    assert {row["appointment_id"] for row in rows(world)["appointment"]} == {"a0", "a2"}


async def test_what_was_deleted_and_comes_back_as_it_was_gets_links_again(world: World) -> None:
    (before,) = await bulk_of(world).schedule(some(1))
    await world.scheduling.delete(PRACTICE, AppointmentId("a0"))
    (after,) = await bulk_of(world).schedule(some(1))
    assert isinstance(after, Scheduled)
    assert len(after.links) == 2
    assert not set(links([before])[0]) & set(links([after])[0])


async def test_what_was_deleted_comes_back_though_it_never_had_a_visit(world: World) -> None:
    batch = some(1, is_video=False)
    await bulk_of(world).schedule(batch)
    await world.scheduling.delete(PRACTICE, AppointmentId("a0"))
    await bulk_of(world).schedule(batch)
    assert not (await world.scheduling.current(PRACTICE, AppointmentId("a0"))).mirrored.deleted


async def test_an_empty_batch_is_nothing(world: World) -> None:
    assert await bulk_of(world).schedule([]) == []


async def test_links_have_an_order_that_does_not_change(world: World) -> None:
    """Eleven participants: by their ids as text, ``p10`` is before ``p2``."""
    people = tuple(replace(COMPANION, id=ParticipantId(f"p{n}"), reference=f"x/{n}") for n in range(1, 12))
    (first,) = await bulk_of(world).schedule(some(1, participants=people))
    (again,) = await bulk_of(world).schedule(some(1, participants=people))
    assert isinstance(first, Scheduled)
    assert isinstance(again, Scheduled)
    assert first.links == again.links
    assert await world.scheduling.current(PRACTICE, AppointmentId("a0")) == first


async def test_two_servers_with_the_same_batch_make_one_visit_each_and_give_the_same_links(
    world: World,
) -> None:
    other = World(world.url, FakeClock())
    other.clock._tokens = 10_000
    await other.store.open()
    batches = [some(60), list(reversed(some(60)))]
    found = await asyncio.gather(
        *(_in_parts(bulk_of(w), batch) for w, batch in zip((world, other), batches, strict=True))
    )
    await other.store.close()
    assert len(rows(world)["visit"]) == 60
    assert links(found[0]) == list(reversed(links(found[1])))


async def _in_parts(bulk: BulkScheduling, batch: Sequence[SourcedAppointment]) -> list[Outcome]:
    found: list[Outcome] = []
    for n in range(0, len(batch), 7):
        found += await bulk.schedule(batch[n : n + 7])
    return found


async def test_who_schedules_one_of_them_at_the_same_time_does_not_make_a_second_visit(world: World) -> None:
    batch = some(30)
    outcomes, single = await asyncio.gather(
        bulk_of(world).schedule(batch),
        asyncio.gather(*(world.scheduling.schedule(one) for one in batch)),
    )
    assert len(rows(world)["visit"]) == 30
    assert links(outcomes) == links(single)


async def test_someone_who_is_always_faster_leads_to_a_conflict_and_to_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def faster(*_: Any, **__: Any) -> None:
        raise Conflict("someone was faster")

    monkeypatch.setattr(world.store, "commit_new", faster)
    monkeypatch.setattr(world.store, "commit", faster)
    outcomes = await bulk_of(world).schedule(some(2))
    assert [o.code for o in outcomes if isinstance(o, VsdkError)] == ["conflict"] * 2
