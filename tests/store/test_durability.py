import asyncio
import json
import random
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from tests.store.test_sign_ins import account, sign_in

from vsdk.domain.effects import Audit, Notify
from vsdk.domain.errors import Conflict
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.participant import Participant, Role
from vsdk.domain.plan import Notice
from vsdk.domain.sign_in import Passkey
from vsdk.hooks.store import DueNotice, VisitChange
from vsdk.store.sql import SqlStore
from vsdk.store.tables import metadata
from vsdk.testing.factories import NOON, a_sourced_appointment, a_visit

PRACTICE, V1, P1 = PracticeId("practice"), VisitId("v1"), ParticipantId("p1")


def everything(visit: str = "v1", *, expected: int | None = None, mark: str = "one") -> VisitChange:
    """A change that touches every table."""
    visit_id = VisitId(visit)
    return VisitChange(
        a_visit(id=visit_id, version=(expected or 0) + 1),
        expected,
        effects=[Notify(visit_id, P1, mark), Audit(PRACTICE, visit_id, mark)],
        appointment=a_sourced_appointment(),
        links=[JoinLink(f"{visit}-{mark}", f"hash-{visit}-{mark}", visit_id, P1)],
        notices=[DueNotice(visit_id, Notice(mark, mark, timedelta(0)), NOON)],
    )


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """What every table holds, read past the store."""
    engine = create_engine(url.replace("+aiosqlite", ""))
    with engine.connect() as connection:
        found = {
            t.name: [dict(r) for r in connection.execute(select(t)).mappings()]
            for t in metadata.sorted_tables
        }
    engine.dispose()
    return found


async def test_of_two_commits_at_the_same_version_one_is_a_conflict_and_leaves_nothing(url: str) -> None:
    stores = [SqlStore(url), SqlStore(url)]
    for store in stores:
        await store.open()
    await stores[0].commit(everything(), NOON)
    for version in range(1, 21):
        marks = [f"left-{version}", f"right-{version}"]
        before = rows(url)
        results = await asyncio.gather(
            *(
                s.commit(everything(expected=version, mark=m), NOON)
                for s, m in zip(stores, marks, strict=True)
            ),
            return_exceptions=True,
        )
        assert [type(r) for r in results if r is not None] == [Conflict]
        winner, loser = marks if results[0] is None else reversed(marks)
        after = rows(url)
        assert loser not in repr(after)
        assert winner in repr(after)
        assert after["appointment"][0]["version"] == before["appointment"][0]["version"] + 1
        for table in ("join_link", "outbox", "audit"):
            assert len(after[table]) == len(before[table]) + 1
    for store in stores:
        await store.close()


async def test_many_writers_in_two_places_all_get_their_turn(url: str) -> None:
    stores = [SqlStore(url), SqlStore(url)]
    for store in stores:
        await store.open()
    changes = [everything(f"v{n}") for n in range(60)]
    await asyncio.gather(*(stores[n % 2].commit(change, NOON) for n, change in enumerate(changes)))
    assert len(rows(url)["visit"]) == 60
    for store in stores:
        await store.close()


async def test_a_failure_in_the_middle_of_a_change_leaves_nothing_of_it(store: SqlStore, url: str) -> None:
    await store.commit(everything("v1"), NOON)
    before = rows(url)
    change = everything("v2")
    same_hash = JoinLink("other", "hash-v1-one", VisitId("v2"), P1)
    with pytest.raises(IntegrityError):
        await store.commit(
            VisitChange(change.visit, None, change.effects, change.appointment, [*change.links, same_hash]),
            NOON,
        )
    assert rows(url) == before


async def test_a_cancelled_commit_leaves_all_or_nothing_and_the_store_goes_on(url: str) -> None:
    for target in (url, "sqlite+aiosqlite://"):
        store = SqlStore(target)
        await store.open()
        for n in range(20):
            task = asyncio.create_task(store.commit(everything(f"v{n}"), NOON))
            await asyncio.sleep(n / 4000)
            task.cancel()
            await asyncio.wait([task])
            visit, trail = await store.visit(VisitId(f"v{n}")), await store.audit(visit_id=VisitId(f"v{n}"))
            assert (visit is None) == (trail == [])
        await store.commit(everything("last"), NOON)
        assert await store.visit(VisitId("last")) is not None
        await store.close()


async def test_after_a_restart_everything_is_there(url: str) -> None:
    first = SqlStore(url)
    await first.open()
    await first.commit(everything(), NOON)
    effects, due = await first.next_effects(NOON), await first.due(NOON + timedelta(days=1))
    await first.close()

    second = SqlStore(url)
    await second.open()
    assert await second.visit(V1) == a_visit()
    assert await second.next_effects(NOON) == effects
    assert await second.due(NOON + timedelta(days=1)) == due
    assert len(effects) == 1
    assert [d.notice and d.notice.key for d in due] == ["one", None]
    assert len(await second.links_of(V1)) == 1
    assert len(await second.audit()) == 1
    await second.close()


CHILD = textwrap.dedent(
    """
    import asyncio, sys
    from vsdk.domain.effects import Audit, Notify
    from vsdk.hooks.store import VisitChange
    from vsdk.store.sql import SqlStore
    from vsdk.testing.factories import NOON, a_visit

    async def main(url):
        store = SqlStore(url)
        await store.open()
        for n in range(100_000):
            visit = a_visit(id=f"v{n}")
            effects = [Notify(visit.id, "p1", t) for t in ("one", "two")]
            effects.append(Audit(visit.practice_id, visit.id, "made"))
            await store.commit(VisitChange(visit, None, effects), NOON)
            print(visit.id, flush=True)

    asyncio.run(main(sys.argv[1]))
    """
)


@pytest.mark.parametrize("run", range(3))
async def test_a_killed_process_loses_nothing_that_it_acknowledged(url: str, run: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", CHILD, url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(random.randint(5, 60))]
    await asyncio.sleep(random.random() / 20)
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.read().split()
    process.wait()
    process.stdout.close()

    store = SqlStore(url)
    await store.open()
    await store.commit(everything("after"), NOON)
    await store.close()
    kept = rows(url)
    visits = {row["id"] for row in kept["visit"]} - {"after"}
    assert visits >= set(acknowledged)
    assert len(acknowledged) >= 5
    for visit in visits:
        assert sorted(
            e["effect"]["template"] for e in kept["outbox"] if e["effect"]["visit_id"] == visit
        ) == [
            "one",
            "two",
        ]
        assert len([line for line in kept["audit"] if line["visit_id"] == visit]) == 1
        assert len([row for row in kept["deadline"] if row["visit_id"] == visit]) == 1


MARKERS = ("Xaver-Markername", "+49999000111", "marker@mail.example")
MARKED = Participant(P1, Role.PATIENT, "Patient/1", *MARKERS)


async def test_personal_data_are_in_no_table_but_the_mirror(store: SqlStore, url: str) -> None:
    change = everything()
    marked = a_sourced_appointment(participants=(MARKED,))
    await store.commit(
        VisitChange(change.visit, None, change.effects, marked, change.links, notices=change.notices),
        NOON,
    )
    await store.subscribe(change.visit.id, MARKED.id, "https://push.example/1", "{}", NOON)
    await store.set_opt_out(change.visit.practice_id, "0" * 64, NOON, out=True)
    await store.add_sign_in(sign_in(), "h1")
    await store.keep_account(account())
    await store.keep_passkey(Passkey("credential", account().id, b"\x01", 0, NOON))
    kept = {table: json.dumps(content, default=str) for table, content in rows(url).items()}
    for marker in MARKERS:
        assert [table for table, content in kept.items() if marker in content] == ["appointment"]
    assert all(content != "[]" for content in kept.values())


async def test_an_error_of_the_database_does_not_show_values(store: SqlStore) -> None:
    marked = a_sourced_appointment(participants=(MARKED,), start=NOON.replace(tzinfo=None))
    with pytest.raises(StatementError) as caught:
        await store.save_appointment(marked, None, NOON)
    assert not any(marker in str(caught.value) for marker in MARKERS)


async def test_a_file_database_is_set_up_to_last(store: SqlStore) -> None:
    async with store._database.write() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {p}"))).scalar()
            for p in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


async def test_two_stores_in_memory_know_nothing_of_each_other() -> None:
    one, two = SqlStore("sqlite+aiosqlite://"), SqlStore("sqlite+aiosqlite://")
    for store in (one, two):
        await store.open()
    await one.commit(everything(), NOON)
    assert await one.visit(V1) is not None
    assert await two.visit(V1) is None
    for store in (one, two):
        await store.close()
