"""Lifecycle: hearing of what happens, without a say in it."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime

from vsdk.domain.events import Occurrence
from vsdk.domain.ids import PracticeId, VisitId
from vsdk.hooks.markers import hookspec


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of one visit, after it was stored."""

    practice_id: PracticeId
    visit_id: VisitId
    event: Occurrence
    at: datetime


@hookspec
def vsdk_event(event: Happened) -> Awaitable[None] | None:
    """Hear of an event.

    When: after each change of a visit, or of a message about it. Returns: nothing, or something awaitable,
    which gets five seconds. Combination: all are told, none can influence. Failure: isolated, logged and
    counted.
    """
