"""What the list says of a visit's messages: the last one, and a problem that matters still."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.message import MessageState as S
from vsdk.domain.messaging import PRACTICE
from vsdk.domain.visit import VisitState
from vsdk.hooks.store import MessageRecord
from vsdk.server.message_summary import summary
from vsdk.testing.factories import NOON


def record(place: int, state: S, template: str = "invitation", **changes: Any) -> MessageRecord:
    at = NOON + timedelta(minutes=place)
    known = MessageRecord(
        str(place), PracticeId("park"), VisitId("v"), ParticipantId("p1"), template, state, at, at
    )
    return replace(known, **changes)


def problem(
    *records: MessageRecord, state: VisitState = VisitState.PLANNED, removed: bool = False
) -> str | None:
    given_up = () if removed else [r.id for r in records]
    return summary(records, state, given_up).problem


FAILED = record(1, S.FAILED, code="number-invalid")


def test_without_messages_there_is_nothing_to_say() -> None:
    found = summary([], VisitState.PLANNED, ())
    assert (found.total, found.latest, found.problem) == (0, None, None)


def test_the_last_one_is_the_one_that_changed_last() -> None:
    first = record(1, S.DELIVERED, updated=NOON + timedelta(hours=1))
    found = summary([first, record(2, S.SENT, "delay")], VisitState.PLANNED, ())
    assert found.total == 2
    assert found.latest
    assert (found.latest.template, found.latest.state) == ("invitation", "delivered")


def test_what_goes_to_the_team_is_not_counted() -> None:
    team = record(2, S.FAILED, "failed-delivery", participant_id=PRACTICE, code="x")
    other = record(3, S.SENT, "patient-waiting", participant_id=ParticipantId("p2"))
    found = summary([record(1, S.SENT), team, other], VisitState.PLANNED, ["2"])
    assert (found.total, found.problem) == (1, None)
    assert found.latest
    assert found.latest.template == "invitation"


@pytest.mark.parametrize(
    ("state", "code", "shown"),
    [
        (S.FAILED, "number-invalid", "number-invalid"),
        (S.UNDELIVERED, "number-unreachable", "number-unreachable"),
        (S.UNDELIVERED, "", "not-delivered"),
        (S.EXPIRED, "message-expired", "message-expired"),
        (S.SUPPRESSED, "recipient-opted-out", "recipient-opted-out"),
        (S.SUPPRESSED, "message-too-many", "message-too-many"),
        (S.SUPPRESSED, "message-not-wanted", None),
        (S.SUPPRESSED, "message-no-longer-true", None),
        (S.QUEUED, "gateway-trouble", None),
        (S.SENT, "", None),
        (S.DELIVERED, "", None),
    ],
)
def test_what_did_not_arrive_is_a_problem(state: S, code: str, shown: str | None) -> None:
    assert problem(record(1, state, code=code)) == shown


@pytest.mark.parametrize("state", [S.QUEUED, S.SENT, S.DELIVERED])
@pytest.mark.parametrize("template", ["invitation", "link-at-time", "reminder", "moved", "invited-back"])
def test_a_later_message_with_the_link_makes_it_good(state: S, template: str) -> None:
    assert problem(FAILED, record(2, state, template)) is None


def test_an_earlier_one_one_to_another_and_one_that_says_less_do_not() -> None:
    assert problem(record(0, S.SENT), FAILED)
    assert problem(FAILED, record(2, S.SENT, participant_id=ParticipantId("p2")))
    assert problem(FAILED, record(2, S.SENT, "delay"))
    assert problem(record(1, S.FAILED, "delay", code="x"), record(2, S.SENT, "reminder")) == "x"
    assert problem(FAILED, record(2, S.SUPPRESSED, code="message-not-wanted"))


def test_the_newest_problem_is_shown() -> None:
    assert problem(FAILED, record(2, S.FAILED, "delay", code="gateway-credit")) == "gateway-credit"


def test_what_was_removed_from_those_given_up_is_no_problem_any_more() -> None:
    assert problem(FAILED, removed=True) is None


@pytest.mark.parametrize("state", ["ended", "closed", "noshow", "cancelled"])
def test_once_it_is_over_only_a_cancellation_that_nobody_read_matters(state: str) -> None:
    over = VisitState(state)
    cancelled = record(2, S.FAILED, "cancelled", code="mailbox-unknown")
    assert problem(FAILED, state=over) is None
    assert problem(FAILED, cancelled, state=over) == "mailbox-unknown"
