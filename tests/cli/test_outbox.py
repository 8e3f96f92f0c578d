"""``vsdk outbox`` over a real database: what was given up is shown, tried again, and dropped."""

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Result, Vsdk

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.effects import Notify, WriteBack
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.message import MessageState
from vsdk.hooks.store import Conclusion, GivenUp, OutboxEntry, VisitChange
from vsdk.store.sql import SqlStore
from vsdk.testing.factories import NOON, a_visit

LATER = NOON + timedelta(days=3650)
MASKED = "+49 … 01"


@pytest.fixture
def given_up(config: Path, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Gives up a message and a write-back of each practice; their ids by practice and kind."""

    async def run(practices: tuple[str, ...]) -> dict[str, str]:
        store = SqlStore(f"sqlite+aiosqlite:///{tmp_path}/vsdk.sqlite3")
        await store.open()
        try:
            for practice in practices:
                await _commit(store, practice)
            entries = await store.next_effects(LATER, limit=100)
            for entry in entries:
                await _give_up(store, entry)
            letters = await store.dead_letters()
        finally:
            await store.close()
        return {
            f"{letter.practice_id}/{'message' if letter.record else 'write-back'}": letter.entry.id
            for letter in letters
        }

    return lambda *practices: asyncio.run(run(practices or ("park", "mitte")))


async def _commit(store: SqlStore, practice: str) -> None:
    visit = a_visit(
        id=VisitId(f"visit-of-{practice}"),
        practice_id=PracticeId(practice),
        appointment_id=AppointmentId("appointment-of-someone"),
    )
    effects = (
        Notify(visit.id, ParticipantId("p1"), "link-at-time"),
        WriteBack(visit.practice_id, visit.appointment_id, AppointmentStatus.ARRIVED),
    )
    await store.commit(VisitChange(visit, None, effects), NOON)


async def _give_up(store: SqlStore, entry: OutboxEntry) -> None:
    record = await store.message(entry.id)
    if record:
        record = replace(record, channel="sms", recipient=MASKED, state=MessageState.FAILED, attempts=3)
    reason = "delivery-failed" if record else "write-refused"
    await store.conclude([Conclusion(entry, GivenUp(reason), record)], NOON)


def pending(tmp_path: Path) -> list[OutboxEntry]:
    async def read() -> list[OutboxEntry]:
        store = SqlStore(f"sqlite+aiosqlite:///{tmp_path}/vsdk.sqlite3")
        await store.open()
        try:
            return await store.next_effects(LATER, limit=100)
        finally:
            await store.close()

    return asyncio.run(read())


def listed(vsdk: Vsdk, *options: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in vsdk("outbox", "--format", "jsonl", *options).out.splitlines()]


def test_where_nothing_was_given_up_nothing_is_printed(vsdk: Vsdk) -> None:
    assert vsdk("outbox") == Result(0, "", "")
    assert vsdk("outbox", "retry", "--all") == Result(0, "0 tried again\n", "")


def test_what_was_given_up_is_shown_without_personal_data(
    vsdk: Vsdk, given_up: Callable[..., dict[str, str]]
) -> None:
    ids = given_up("park")
    rows = {row["kind"]: row for row in listed(vsdk)}
    assert rows["link-at-time"] == {
        "id": ids["park/message"],
        "practice": "park",
        "kind": "link-at-time",
        "channel": "sms",
        "recipient": MASKED,
        "reason": "delivery-failed",
        "since": "2026-03-02T12:00:00+00:00",
        "attempts": rows["link-at-time"]["attempts"],
    }
    assert rows["write-back"]["reason"] == "write-refused"
    assert "appointment-of-someone" not in str(rows)


def test_a_table_has_a_row_for_each_and_says_what_its_columns_are(
    vsdk: Vsdk, given_up: Callable[..., dict[str, str]]
) -> None:
    ids = given_up("park")
    head, *rows = vsdk("outbox", "list").out.splitlines()
    assert head.split() == ["ID", "PRACTICE", "KIND", "CHANNEL", "RECIPIENT", "REASON", "SINCE", "ATTEMPTS"]
    assert {row.split()[0] for row in rows} == set(ids.values())
    assert any(MASKED in row and "delivery-failed" in row for row in rows)
    assert len({row.index(" park ") for row in rows}) == 1


@pytest.mark.parametrize(
    "arguments", [("--practice", "mitte"), ("--practice", "mitte", "list"), ("list", "--practice", "mitte")]
)
def test_the_option_for_a_practice_counts_before_and_after_the_action(
    vsdk: Vsdk, given_up: Callable[..., dict[str, str]], arguments: tuple[str, ...]
) -> None:
    given_up()
    rows = vsdk("outbox", *arguments, *(("--format", "jsonl") if arguments[-1] == "list" else ())).out
    assert "mitte" in rows
    assert "park" not in rows


def test_what_is_retried_is_due_again_with_all_attempts_ahead(
    vsdk: Vsdk, given_up: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    ids = given_up()
    assert vsdk("outbox", "retry", ids["park/message"]) == Result(0, "1 tried again\n", "")
    assert [(entry.id, entry.attempts) for entry in pending(tmp_path)] == [(ids["park/message"], 0)]
    assert len(listed(vsdk)) == 3


def test_what_is_dropped_is_gone(vsdk: Vsdk, given_up: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    ids = given_up()
    result = vsdk("outbox", "drop", ids["park/message"], ids["park/write-back"])
    assert result == Result(0, "2 dropped\n", "")
    assert {row["practice"] for row in listed(vsdk)} == {"mitte"}
    assert pending(tmp_path) == []


@pytest.mark.parametrize("action", ["retry", "drop"])
def test_an_unknown_id_is_said_and_the_others_are_done(
    vsdk: Vsdk, given_up: Callable[..., dict[str, str]], action: str
) -> None:
    ids = given_up()
    result = vsdk("outbox", action, "nobodys", ids["park/message"], "nobodys")
    assert result.code == 1
    assert result.out.startswith("1 ")
    assert result.err.startswith("vsdk: dead-letter-unknown: ")
    assert result.err.count("nobodys") == 1
    assert ids["park/message"] not in [row["id"] for row in listed(vsdk)]


def test_an_id_that_was_retried_before_is_no_longer_known(
    vsdk: Vsdk, given_up: Callable[..., dict[str, str]]
) -> None:
    ids = given_up("park")
    assert vsdk("outbox", "retry", ids["park/message"]).code == 0
    assert vsdk("outbox", "retry", ids["park/message"]).code == 1


def test_all_of_one_practice_leaves_those_of_others(
    vsdk: Vsdk, given_up: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    given_up()
    assert vsdk("outbox", "retry", "--all", "--practice", "park").out == "2 tried again\n"
    assert len(pending(tmp_path)) == 2
    assert {row["practice"] for row in listed(vsdk)} == {"mitte"}
    assert vsdk("outbox", "drop", "--all").out == "2 dropped\n"
    assert listed(vsdk) == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("yes\n", 0), ("\n", 2), ("n\n", 2), ("", 2)])
def test_a_person_is_asked_before_all_is_dropped(
    vsdk: Vsdk,
    given_up: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    left: int,
) -> None:
    given_up("park")
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    result = vsdk("outbox", "drop", "--all")
    assert result.err == "2 will be dropped. Go on? [y/N] "
    assert result.code == (1 if left else 0)
    assert len(listed(vsdk)) == left


def test_nobody_is_asked_who_said_yes_before(
    vsdk: Vsdk, given_up: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up("park")
    monkeypatch.setattr("sys.stdin", Terminal())
    assert vsdk("outbox", "drop", "--all", "--yes") == Result(0, "2 dropped\n", "")


def test_more_than_are_read_at_once_are_all_done(
    vsdk: Vsdk, given_up: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up()
    monkeypatch.setattr("vsdk.commands.outbox.MOST", 2)
    assert "the oldest 2" in vsdk("outbox").err
    assert vsdk("outbox", "retry", "--all").out == "4 tried again\n"


@pytest.mark.parametrize("arguments", [(), ("--all", "some-id"), ("--practice", "park")])
@pytest.mark.parametrize("action", ["retry", "drop"])
def test_either_ids_or_all_of_them(vsdk: Vsdk, action: str, arguments: tuple[str, ...]) -> None:
    result = vsdk("outbox", action, *arguments)
    assert result.code == 2
    assert "usage: vsdk outbox" in result.err


def test_a_practice_goes_with_all_only(vsdk: Vsdk, given_up: Callable[..., dict[str, str]]) -> None:
    ids = given_up("park")
    result = vsdk("outbox", "drop", "--practice", "mitte", ids["park/message"])
    assert result.code == 2
    assert len(listed(vsdk)) == 2
