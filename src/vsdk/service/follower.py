"""Follows the schedule source of one practice: asks for changes, and reads again what it is told to."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable

from vsdk.domain.errors import Conflict, InvalidAppointment, NotFound, PartnerError, VsdkError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.hooks.ports import Changes, Notified, ScheduleSource, SourcedAppointment
from vsdk.service.own_links import LostLinks
from vsdk.service.scheduling import SchedulingService

log = logging.getLogger(__name__)

SOURCE_LIMIT = 300.0
"""seconds that a source may take to answer"""
READ_LIMIT = 60.0
"""seconds that reading one appointment may take"""
FULL_SECONDS = 6 * 3600.0
"""between two times that everything is read, whatever the source says has changed"""
LONGEST_PAUSE = 300.0
"""seconds between attempts while a source fails, unless it asks for more"""
LONGEST_WAIT = 3600.0
"""seconds that a source may ask for"""
MOST_WANTED = 1000
"""appointments that wait to be read again; with more, everything is asked for"""
MOST_ATTEMPTS = 20
"""to read one appointment"""


class Follower:
    """One practice. What it logs is the practice and stable codes."""

    def __init__(
        self,
        scheduling: SchedulingService,
        lost_links: LostLinks,
        practice_id: PracticeId,
        source: ScheduleSource,
        poll_seconds: float,
    ) -> None:
        self._scheduling = scheduling
        self._lost_links = lost_links
        self._practice_id = practice_id
        self._source = source
        self._poll_seconds = poll_seconds
        self._cursor: str | None = None
        self._full_at = 0.0
        self._wanted: dict[AppointmentId, int] = {}
        """to be read again, in this order; with the number of attempts so far"""
        self._reading: AppointmentId | None = None
        self._touched: set[AppointmentId] = set()
        """what was read by its id, or began to be, since the last poll began"""
        self._told, self._poll_now = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(self._forever(self._polling))
            both.create_task(self._forever(self._rereading))

    async def follow_once(self) -> int:
        """Asks for changes, then reads what is wanted. Tells how many of the changes were taken over."""
        taken, _ = await self.poll()
        for appointment_id in tuple(self._wanted):
            await self._read_again(appointment_id)
        return taken

    def told(self, notified: Notified) -> None:
        """What a notification named is read as soon as may be; everything means: ask for changes."""
        many = len(self._wanted) + len(notified.appointments) > MOST_WANTED
        if not many:
            self._want(notified.appointments)
        if many or notified.everything:
            self._poll_now.set()

    async def poll(self) -> tuple[int, Exception | None]:
        """Asks once. Tells how many appointments were taken over, and what makes it worth asking again.

        What fails on our side keeps the cursor where it is.
        """
        now = asyncio.get_running_loop().time()
        if now >= self._full_at:
            self._cursor = None
        self._touched = {self._reading} if self._reading else set()
        try:
            async with asyncio.timeout(SOURCE_LIMIT):
                changes = await self._source.changed_since(self._practice_id, self._cursor)
        except Exception as error:
            self._log("schedule source failed", error)
            return 0, error
        taken, failure = await self._take_over(changes)
        if self._cursor is None and failure is None:
            failure = await self._look_for_the_rest(changes)
        if failure is None:
            if self._cursor is None:
                self._full_at = now + FULL_SECONDS
            self._cursor = changes.cursor
        self._want(self._lost_links.to_look_at(self._practice_id))
        return taken, failure

    async def _take_over(self, changes: Changes) -> tuple[int, Exception | None]:
        """Leaves out what was read by its id meanwhile: nobody knows which of the two is newer."""
        taken, failures = 0, list[Exception]()
        for sourced in changes.appointments:
            appointment_id = sourced.appointment.id
            if appointment_id in self._touched:
                self._want([appointment_id])
                continue
            error = await self._attempt(self._schedule(sourced, changed=self._cursor is not None))
            taken += error is None
            failures += [error] if error and _may_pass(error) else []
        for appointment_id in changes.vanished:
            if appointment_id in self._touched:
                self._want([appointment_id])
                continue
            error = await self._attempt(self._scheduling.vanished(self._practice_id, appointment_id))
            failures += [error] if error and _may_pass(error) else []
        for code in changes.unreadable:
            log.warning("appointment is unreadable", extra={"practice": self._practice_id, "code": code})
        return taken, next(iter(failures), None)

    async def _look_for_the_rest(self, changes: Changes) -> Exception | None:
        """Who has a visit but was not among everything is asked for by name: it may be gone, or far off."""
        read = {sourced.appointment.id for sourced in changes.appointments}
        try:
            upcoming = await self._scheduling.upcoming(self._practice_id, self._source.name)
        except Exception as error:
            self._log("upcoming visits could not be read", error)
            return error
        self._want(id_ for id_ in upcoming if id_ not in read)
        return None

    async def _read_again(self, appointment_id: AppointmentId) -> Exception | None:
        """Reads one that is wanted, and gives what makes it worth trying again; then it is wanted still."""
        attempts = self._wanted.pop(appointment_id, 0) + 1
        self._reading = appointment_id
        self._touched.add(appointment_id)
        try:
            error = await self._refresh(appointment_id)
        finally:
            self._reading = None
        if error is None or not _may_pass(error):
            return None
        if attempts < MOST_ATTEMPTS:
            self._wanted.setdefault(appointment_id, attempts)
        return error

    async def _refresh(self, appointment_id: AppointmentId) -> Exception | None:
        try:
            async with asyncio.timeout(READ_LIMIT):
                sourced = await self._source.get(self._practice_id, appointment_id)
        except NotFound:
            return await self._attempt(self._vanished(appointment_id))
        except InvalidAppointment as error:
            self._log("appointment is unreadable", error)
            return await self._attempt(self._vanished(appointment_id)) if error.called_off else error
        except Exception as error:
            self._log("appointment could not be read", error)
            return error
        return await self._attempt(self._schedule(sourced, changed=True))

    async def _schedule(self, sourced: SourcedAppointment, *, changed: bool) -> None:
        """Links are looked for in what changed there. When everything is read, what lacks its link may be of
        a system that never keeps any."""
        scheduled = await self._scheduling.schedule(sourced)
        if changed:
            await self._lost_links.look_for(sourced, scheduled)

    async def _vanished(self, appointment_id: AppointmentId) -> None:
        """Appointments that did not come from this source may have the same ids: it knows nothing of them."""
        if appointment_id in await self._scheduling.upcoming(self._practice_id, self._source.name):
            await self._scheduling.vanished(self._practice_id, appointment_id)

    async def _attempt(self, taking_over: Awaitable[object]) -> Exception | None:
        try:
            await taking_over
        except Exception as error:
            self._log("appointment was not taken over", error)
            return error
        return None

    def _want(self, appointment_ids: Iterable[AppointmentId]) -> None:
        for appointment_id in appointment_ids:
            self._wanted.setdefault(appointment_id, 0)
        if self._wanted:
            self._told.set()

    async def _polling(self) -> None:
        """At most half of the time is spent on asking, and never more than ``poll_seconds`` on waiting."""
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            self._poll_now.clear()
            began = loop.time()
            _, error = await self.poll()
            failures = failures + 1 if error else 0
            if error:
                await asyncio.sleep(_pause(failures, self._poll_seconds, error))
                continue
            await asyncio.sleep(loop.time() - began)
            try:
                async with asyncio.timeout(self._poll_seconds):
                    await self._poll_now.wait()
            except TimeoutError:
                pass

    async def _rereading(self) -> None:
        failures = 0
        while True:
            if not self._wanted:
                self._told.clear()
                await self._told.wait()
            error = await self._read_again(next(iter(self._wanted)))
            failures = failures + 1 if error else 0
            if error:
                await asyncio.sleep(_pause(failures, 1.0, error))

    async def _forever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception as error:
                self._log("following failed", error)
                await asyncio.sleep(LONGEST_PAUSE)

    def _log(self, sentence: str, error: Exception) -> None:
        log.warning(sentence, extra={"practice": self._practice_id, "code": _code(error)})


def _may_pass(error: Exception) -> bool:
    """Whether trying again may help."""
    if isinstance(error, PartnerError):
        return error.retryable
    return isinstance(error, Conflict) or not isinstance(error, VsdkError)


def _pause(failures: int, seconds: float, error: Exception) -> float:
    """Twice as long each time, by chance a little less, so that not all come back at once."""
    longest = max(LONGEST_PAUSE, seconds)
    pause = min(longest, seconds * 2.0 ** min(failures, 16)) * random.uniform(0.5, 1)  # noqa: S311 (jitter)
    asked = error.retry_after if isinstance(error, PartnerError) else None
    return max(pause, min(asked or 0.0, LONGEST_WAIT) * random.uniform(1, 1.1))  # noqa: S311 (jitter)


def _code(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    return error.code if isinstance(error, VsdkError) else VsdkError.default_code
