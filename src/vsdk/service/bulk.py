"""Many appointments at once, with the outcome of one after the other.

What is new is stored in one transaction, as most of a large feed is new, or was seen before and has not
changed. Everything else takes the ordinary way, in its place in the order.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from vsdk.domain import events as on
from vsdk.domain.errors import Conflict, VsdkError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.hooks.ports import SourcedAppointment
from vsdk.hooks.store import Known, MirroredAppointment, Store, VisitChange
from vsdk.service.clock import Clock
from vsdk.service.scheduling import Scheduled, SchedulingService
from vsdk.service.visits import ATTEMPTS, VisitService

BATCH = 500
"""as many appointments as make the cost of a transaction small, and a batch a matter of tenths of a second"""

Outcome = Scheduled | VsdkError
"""what `SchedulingService.schedule` gives, or raises"""

_Key = tuple[PracticeId, AppointmentId]


@dataclass(frozen=True, slots=True)
class _New:
    """An appointment that is new to us; ``change`` brings its visit, if it gets one."""

    place: int
    sourced: SourcedAppointment
    change: VisitChange | None


class BulkScheduling:
    """Schedules batches of at most `BATCH` appointments."""

    def __init__(
        self, scheduling: SchedulingService, store: Store, visits: VisitService, clock: Clock
    ) -> None:
        self._scheduling = scheduling
        self._store = store
        self._visits = visits
        self._clock = clock

    async def schedule(self, batch: Sequence[SourcedAppointment]) -> list[Outcome]:
        """The outcomes in the order of the batch; what they tell of is stored."""
        return await self._schedule([self._scheduling.without_links(sourced) for sourced in batch], ATTEMPTS)

    async def _schedule(self, batch: Sequence[SourcedAppointment], attempts: int) -> list[Outcome]:
        known = await self._known(batch)
        outcomes: dict[int, Outcome] = {}
        new: list[_New] = []
        seen: set[_Key] = set()
        for place, sourced in enumerate(batch):
            key = _key(sourced)
            first, kept = key not in seen, known.get(key)
            seen.add(key)
            if first and kept is None:
                try:
                    new.append(_New(place, sourced, self._change(sourced)))
                except VsdkError as error:
                    outcomes[place] = error
            elif first and kept and kept.mirrored and _is_unchanged(kept.mirrored, sourced):
                outcomes[place] = self._scheduling.issued(kept.mirrored, kept.visit, kept.links)
            else:
                outcomes |= await self._add(new, attempts)
                new = []
                outcomes[place] = await self._one(sourced)
        outcomes |= await self._add(new, attempts)
        return [outcomes[place] for place in range(len(batch))]

    async def _known(self, batch: Sequence[SourcedAppointment]) -> dict[_Key, Known]:
        found: dict[_Key, Known] = {}
        for practice_id in {sourced.appointment.practice_id for sourced in batch}:
            ids = {s.appointment.id for s in batch if s.appointment.practice_id == practice_id}
            kept = await self._store.known(practice_id, sorted(ids))
            found |= {(practice_id, id_): known for id_, known in kept.items()}
        return found

    def _change(self, sourced: SourcedAppointment) -> VisitChange | None:
        window = self._scheduling.to_plan(sourced.appointment)
        return self._scheduling.new_visit(sourced, window) if window else None

    async def _add(self, new: Sequence[_New], attempts: int) -> dict[int, Outcome]:
        """Stores all of them; when someone else was faster with one, looks again at what is new."""
        now = self._clock.now()
        try:
            async with self._turns(one.sourced for one in new):
                await self._store.commit_new(
                    [one.change for one in new if one.change],
                    [one.sourced for one in new if one.change is None],
                    now,
                )
        except Conflict:
            again = [one.sourced for one in new]
            if attempts == 0:
                return {one.place: await self._one(one.sourced) for one in new}
            return dict(
                zip((one.place for one in new), await self._schedule(again, attempts - 1), strict=True)
            )
        outcomes: dict[int, Outcome] = {}
        for one in new:
            mirrored = MirroredAppointment(one.sourced, 1, now)
            if one.change is None:
                outcomes[one.place] = Scheduled(mirrored)
                continue
            visit = one.change.visit
            links = sorted(one.change.links, key=lambda link: (link.participant_id, link.id))
            outcomes[one.place] = self._scheduling.issued(mirrored, visit, links)
            await self._visits.announce(visit, on.VisitPlanned(visit.window))
        return outcomes

    @asynccontextmanager
    async def _turns(self, appointments: Iterable[SourcedAppointment]) -> AsyncIterator[None]:
        """Always in the same order, so that two batches never wait for each other."""
        async with AsyncExitStack() as stack:
            for key in sorted(map(_key, appointments)):
                await stack.enter_async_context(self._scheduling.turn(*key))
            yield

    async def _one(self, sourced: SourcedAppointment) -> Outcome:
        try:
            return await self._scheduling.schedule(sourced)
        except VsdkError as error:
            return error


def _key(sourced: SourcedAppointment) -> _Key:
    return sourced.appointment.practice_id, sourced.appointment.id


def _is_unchanged(mirrored: MirroredAppointment, sourced: SourcedAppointment) -> bool:
    return not mirrored.deleted and mirrored.sourced == sourced
