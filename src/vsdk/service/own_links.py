"""Our own links in appointments: taken out of what we are given, and written again where they were lost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from vsdk.domain.appointment import VirtualService
from vsdk.domain.effects import WriteBack
from vsdk.domain.errors import InvalidAppointment
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import AppointmentFormat, Json, SourcedAppointment
from vsdk.hooks.store import Outbox
from vsdk.service.clock import Clock
from vsdk.service.scheduling import Scheduled

PAUSE = timedelta(hours=1)
"""between two times that lost links of one appointment are written again"""
MOST_REMEMBERED = 10_000
MOST_REPEATED = 5
"""times that we look again of ourselves when the links of an appointment were lost during its pause"""


class _Turn(NamedTuple):
    not_before: datetime
    """when there may be another"""
    number: int
    lost: bool = False
    """again, during the pause"""


class OwnLinks:
    """Where they stand in appointments, by the carrier of each practice."""

    def __init__(
        self, appointment_format: AppointmentFormat, practices: Mapping[PracticeId, Practice]
    ) -> None:
        self._format = appointment_format
        self._practices = practices

    def without(self, sourced: SourcedAppointment) -> SourcedAppointment:
        """The appointment without them: they are secrets, and are not kept."""
        practice = self._practice(sourced)
        if not self._format.own_links(sourced.original, practice=practice):
            return sourced
        return replace(sourced, original=self._written(sourced, practice, ()))

    def are_missing(self, sourced: SourcedAppointment, services: Sequence[VirtualService]) -> bool:
        """Whether others stand there than would be written. False where none can be: that was told before."""
        practice = self._practice(sourced)
        try:
            wanted = self._written(sourced, practice, services)
        except InvalidAppointment:
            return False
        found = [self._format.own_links(o, practice=practice) for o in (wanted, sourced.original)]
        return found[0] != found[1]

    def _written(
        self, sourced: SourcedAppointment, practice: Practice, services: Sequence[VirtualService]
    ) -> Json:
        return self._format.write(
            sourced.original, release=sourced.release, practice=practice, services=services
        )

    def _practice(self, sourced: SourcedAppointment) -> Practice:
        return self._practices[sourced.appointment.practice_id]


class LostLinks:
    """Has links written again that a system lost: some drop what they do not know whenever they store.

    Where a system takes a link away again and again, we do not join in: each appointment has its turn once
    in `PAUSE`. What is lost meanwhile is looked at after it.
    """

    def __init__(self, own_links: OwnLinks, outbox: Outbox, wake: Callable[[], None], clock: Clock) -> None:
        self._own_links = own_links
        self._outbox = outbox
        self._wake = wake
        self._clock = clock
        self._turns: dict[tuple[PracticeId, AppointmentId], _Turn] = {}

    async def look_for(self, sourced: SourcedAppointment, scheduled: Scheduled) -> None:
        """``sourced`` as its source shows it now, ``scheduled`` what we know of it."""
        practice_id, appointment_id = sourced.appointment.practice_id, sourced.appointment.id
        key, now = (practice_id, appointment_id), self._clock.now()
        if not scheduled.links or not self._own_links.are_missing(sourced, scheduled.services):
            return
        turn = self._turns.get(key)
        if turn and now < turn.not_before:
            self._turns[key] = turn._replace(lost=turn.number <= MOST_REPEATED)
            return
        if not await self._outbox.write_back_again(WriteBack(practice_id, appointment_id, None), now):
            return
        self._wake()
        self._turns.pop(key, None)
        while len(self._turns) >= MOST_REMEMBERED:
            del self._turns[next(iter(self._turns))]
        self._turns[key] = _Turn(now + PAUSE, turn.number + 1 if turn else 1)

    def to_look_at(self, practice_id: PracticeId) -> list[AppointmentId]:
        """What lost its links during its pause, which is over now; each is told once."""
        now = self._clock.now()
        over = [key for key, turn in self._turns.items() if turn.lost and now >= turn.not_before]
        ours = [key for key in over if key[0] == practice_id]
        for key in ours:
            self._turns[key] = self._turns[key]._replace(lost=False)
        return [appointment_id for _, appointment_id in ours]
