"""What a line of the practice's list says about the messages of a visit; pure functions."""

from collections.abc import Collection, Sequence

from vsdk.domain.message import MessageState
from vsdk.domain.messaging import PRACTICE, Reason, kind_of
from vsdk.domain.visit import FINAL, VisitState
from vsdk.hooks.store import MessageRecord
from vsdk.server.entries import LatestMessage, MessageSummary

FOR_LINK = frozenset({"invitation", "link-at-time", "reminder", "moved", "invited-back"})
"""These bring time and link, so that one that arrived makes good another one that did not."""
ON_ITS_WAY = frozenset({MessageState.QUEUED, MessageState.SENT, MessageState.DELIVERED})
OVER = FINAL | {VisitState.ENDED}


def summary(records: Sequence[MessageRecord], state: VisitState, given_up: Collection[str]) -> MessageSummary:
    """Of all messages of one visit, oldest first. ``given_up`` are the ids of those about which somebody has
    to decide yet: once one that failed was removed from among them, it is no problem any more."""
    theirs = [r for r in records if r.participant_id != PRACTICE and not kind_of(r.template).to_team]
    if not theirs:
        return MessageSummary(total=0)
    latest = max(theirs, key=lambda record: record.updated)
    return MessageSummary(
        total=len(theirs),
        latest=LatestMessage(template=latest.template, state=latest.state.value, at=latest.updated),
        problem=_problem(theirs, state, given_up),
    )


def _problem(records: Sequence[MessageRecord], state: VisitState, given_up: Collection[str]) -> str | None:
    """The newest that matters still: of a visit that is over, only that somebody was not told of it."""
    for place, record in reversed([*enumerate(records)]):
        matters = (record.template == "cancelled") == (state in OVER)
        made_good = any(_makes_good(later, record) for later in records[place + 1 :])
        if matters and _missed(record, given_up) and not made_good:
            return record.code or "not-delivered"
    return None


def _missed(record: MessageRecord, given_up: Collection[str]) -> bool:
    match record.state:
        case MessageState.FAILED:
            return record.id in given_up
        case MessageState.UNDELIVERED | MessageState.EXPIRED:
            return True
        case MessageState.SUPPRESSED:
            return record.code in (Reason.OPTED_OUT, Reason.TOO_MANY)
        case _:
            return False


def _makes_good(later: MessageRecord, missed: MessageRecord) -> bool:
    """Whether it told the same person at least as much, or will."""
    as_much = later.template == missed.template or {later.template, missed.template} <= FOR_LINK
    return as_much and later.participant_id == missed.participant_id and later.state in ON_ITS_WAY
