"""Who is connected, in this process: the seats of each visit and the open lists of each practice.

A seat outlives its WebSocket for a while, so that a reload or a dead spot loses nobody's place. When it is
given up, the visit is told. Rooms know nothing of states: they send what the services say.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.join import AccessGrant
from vsdk.server.entries import CheckResult, Interrupted
from vsdk.server.messages import PeerBye, PeerLost, ServerMessage, write

log = logging.getLogger(__name__)

SIGN_IN_OVER = 4401
SEND_LIMIT = 5.0
"""seconds after which a connection that takes no message is given up"""


class Wire(Protocol):
    """The sending half of one WebSocket. ``sign_in``: the one behind its grant, or empty."""

    @property
    def sign_in(self) -> str: ...

    async def send(self, text: str) -> None: ...
    async def close(self, code: int) -> None: ...


@dataclass(eq=False, slots=True)
class Seat:
    """One participant's place in one visit. ``wire`` is None while they are gone for a moment."""

    id: str
    grant: AccessGrant
    name: str = field(repr=False)
    wire: Wire | None
    check: CheckResult | None = None
    connected: bool = False
    """has reported a direct connection"""
    interruption: Interrupted | None = None
    """sound or picture stopped, and nobody here meant it"""
    chat_key: str = ""
    """with which others seal what is for this page; empty while it takes nothing"""
    inside: bool = False
    """may exchange offers, answers and candidates now"""
    told: dict[str, str] = field(default_factory=dict)
    """the last picture sent, by message type, so that none is repeated"""

    @property
    def participant(self) -> ParticipantId:
        return self.grant.participant_id

    async def tell(self, message: ServerMessage) -> None:
        await self.send(write(message))

    async def send(self, text: str) -> None:
        if self.wire is not None:
            await send(self.wire, text)


async def send(wire: Wire, text: str) -> None:
    """Never raises: a connection that cannot take a message is closed, and its page comes back."""
    try:
        async with asyncio.timeout(SEND_LIMIT):
            await wire.send(text)
    except Exception:
        with suppress(Exception):
            await wire.close(1011)


@dataclass(frozen=True, slots=True)
class HoldTimes:
    """Seconds that a place is kept for someone whose connection is gone."""

    waiting: float = 120.0
    visit: float = 60.0
    interrupted: float = 300.0
    """in a visit, of someone on the phone: a phone freezes the page meanwhile"""


Vacated = Callable[[VisitId, ParticipantId, bool, bool], Awaitable[None]]
"""called with whether anyone else is still seated, and whether two of those are connected"""


class Rooms:
    """All seats and lists of this process."""

    def __init__(self, hold: HoldTimes, vacated: Vacated) -> None:
        self._hold = hold
        self._vacated = vacated
        self._seats: dict[VisitId, dict[ParticipantId, Seat]] = {}
        self._lists: dict[PracticeId, set[Wire]] = {}
        self._holding: dict[tuple[VisitId, ParticipantId], asyncio.Task[None]] = {}

    def seats(self, visit_id: VisitId) -> list[Seat]:
        return list(self._seats.get(visit_id, {}).values())

    def seat(self, visit_id: VisitId, participant: ParticipantId) -> Seat | None:
        return self._seats.get(visit_id, {}).get(participant)

    def connected(self, visit_id: VisitId) -> bool:
        """Whether at least two of the seats report a direct connection."""
        return sum(seat.connected for seat in self.seats(visit_id)) >= 2

    def take(self, visit_id: VisitId, seat: Seat) -> Seat | None:
        """Seats someone, and returns the seat that they had before, if any."""
        self._release_hold(visit_id, seat.participant)
        seats = self._seats.setdefault(visit_id, {})
        before = seats.get(seat.participant)
        if before and before.id == seat.id:
            seat.check, seat.connected = before.check, before.connected
            seat.interruption, seat.chat_key = before.interruption, before.chat_key
            for other in seats.values():
                other.told.pop("admitted", None)  # whom it told `lost` is told again who is there
        seats[seat.participant] = seat
        return before

    async def lose(self, visit_id: VisitId, seat: Seat) -> None:
        """The seat's WebSocket is gone. Its place is kept for a while, and the peers are told."""
        if self.seat(visit_id, seat.participant) is not seat:
            return
        seat.wire = None
        in_visit = self._hold.interrupted if seat.interruption else self._hold.visit
        seconds = in_visit if seat.inside else self._hold.waiting
        self._hold_for(visit_id, seat.participant, seconds)
        await self._tell_others(visit_id, seat, PeerLost(sender=seat.participant))

    async def vacate(self, visit_id: VisitId, participant: ParticipantId) -> None:
        """The place is free at once, as after ``bye``."""
        self._release_hold(visit_id, participant)
        seats = self._seats.get(visit_id, {})
        seat = seats.pop(participant, None)
        if not seats:
            self._seats.pop(visit_id, None)
        if seat:
            await self._tell_others(visit_id, seat, PeerBye(sender=participant))
        await self._vacated(visit_id, participant, bool(seats), self.connected(visit_id))

    async def dismiss(self, visit_id: VisitId, message: ServerMessage) -> None:
        """The visit is over for everyone: the last message, and a clean close."""
        seats = self._seats.pop(visit_id, {})
        for seat in seats.values():
            self._release_hold(visit_id, seat.participant)
            wire = seat.wire
            await seat.tell(message)
            if wire:
                with suppress(Exception):
                    await wire.close(1000)

    def expect(self, visit_id: VisitId, participants: Iterable[ParticipantId]) -> None:
        """After a restart: these were here, and get time to come back."""
        for participant in participants:
            if self.seat(visit_id, participant) is None:
                self._hold_for(visit_id, participant, self._hold.waiting)

    def open_list(self, practice_id: PracticeId, wire: Wire) -> None:
        self._lists.setdefault(practice_id, set()).add(wire)

    def close_list(self, practice_id: PracticeId, wire: Wire) -> None:
        self._lists.get(practice_id, set()).discard(wire)

    def lists(self, practice_id: PracticeId) -> list[Wire]:
        return list(self._lists.get(practice_id, ()))

    async def end_sign_in(self, id_: str) -> None:
        """Whoever signed in with it is out at once; the page may come back with a new one."""
        seated = (seat.wire for seats in self._seats.values() for seat in seats.values())
        listed = (wire for wires in self._lists.values() for wire in wires)
        for wire in [wire for wire in (*seated, *listed) if wire is not None and wire.sign_in == id_]:
            with suppress(Exception):
                await wire.close(SIGN_IN_OVER)

    def stop(self) -> None:
        for task in self._holding.values():
            task.cancel()
        self._holding.clear()

    async def _tell_others(self, visit_id: VisitId, seat: Seat, message: ServerMessage) -> None:
        if seat.inside:
            others = [s for s in self.seats(visit_id) if s is not seat and s.inside]
            await asyncio.gather(*(other.tell(message) for other in others))

    def _hold_for(self, visit_id: VisitId, participant: ParticipantId, seconds: float) -> None:
        self._release_hold(visit_id, participant)
        task = asyncio.create_task(self._vacate_after(visit_id, participant, seconds))
        self._holding[visit_id, participant] = task

    def _release_hold(self, visit_id: VisitId, participant: ParticipantId) -> None:
        task = self._holding.pop((visit_id, participant), None)
        if task and task is not asyncio.current_task():
            task.cancel()

    async def _vacate_after(self, visit_id: VisitId, participant: ParticipantId, seconds: float) -> None:
        await asyncio.sleep(seconds)
        try:
            await self.vacate(visit_id, participant)
        except Exception as error:
            log.error("seat was not given up", extra={"visit": visit_id, "error": type(error).__name__})
