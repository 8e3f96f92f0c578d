"""What everyone is shown: a visit and its seats as ``queue``, ``waiting``, ``admitted`` and the ends."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from vsdk.domain import events as on
from vsdk.domain.appointment import Appointment
from vsdk.domain.ids import PracticeId
from vsdk.domain.join import AccessGrant
from vsdk.domain.participant import Capability, Participant, Role
from vsdk.domain.practice import Practice
from vsdk.domain.visit import FINAL, Visit, VisitState
from vsdk.server import chat
from vsdk.server.entries import Entry, MessageSummary, Person
from vsdk.server.message_summary import summary
from vsdk.server.messages import (
    Admitted,
    Cancelled,
    ChatPeers,
    Ended,
    Peer,
    Queue,
    Waiting,
    write,
)
from vsdk.server.rooms import Rooms, Seat, send
from vsdk.service.clock import Clock
from vsdk.service.messages import MessageService
from vsdk.service.visits import VisitService, may_talk

IceServers = Callable[[str], list[dict[str, Any]]]
"""ICE servers with short-lived credentials for an opaque subject"""

AHEAD = timedelta(hours=24)


class Board:
    """Keeps every connected page's picture current."""

    def __init__(
        self,
        rooms: Rooms,
        visits: VisitService,
        messages: MessageService,
        clock: Clock,
        practices: Mapping[PracticeId, Practice],
        ice_servers: IceServers,
    ) -> None:
        self._rooms = rooms
        self._visits = visits
        self._messages = messages
        self._clock = clock
        self._practices = practices
        self._ice_servers = ice_servers
        self._pending: set[PracticeId] = set()

    async def visit_changed(self, visit: Visit, event: on.Occurrence) -> None:
        """Subscribed to all stored changes."""
        match event:
            case on.AppointmentCancelled():
                await self._rooms.dismiss(visit.id, Cancelled())
            case on.HungUp(by):
                await self._rooms.dismiss(visit.id, Ended(by=by.value, come_back_until=visit.come_back_until))
            case on.VisitClosed() | on.WindowClosed() | on.GraceOver():
                await self._rooms.dismiss(visit.id, Ended(by="practice", come_back_until=None))
            case _:
                await self.show_visit(visit)
        await self.show_lists(visit.practice_id)

    async def show_visit(self, visit: Visit) -> None:
        """Tells each seat where it is, if that changed."""
        if not self._rooms.seats(visit.id):
            return
        appointment = await self._visits.appointment(visit)
        seats = self._rooms.seats(visit.id)
        for seat in seats:
            seat.inside = may_talk(visit, seat.participant, seat.grant.capabilities)
        await asyncio.gather(*(self._show(seat, visit, appointment, seats) for seat in seats))

    async def show_lists(self, practice_id: PracticeId) -> None:
        """The practice's whole list to all who look at it; changes that come together are shown together."""
        if practice_id in self._pending or not self._rooms.lists(practice_id):
            return
        self._pending.add(practice_id)
        await asyncio.sleep(0)
        self._pending.discard(practice_id)
        text = write(await self.queue(practice_id))
        await asyncio.gather(*(send(wire, text) for wire in self._rooms.lists(practice_id)))

    async def queue(self, practice_id: PracticeId) -> Queue:
        """Today's visits in the practice's time, and those of the next 24 hours."""
        now = self._clock.now()
        local = now.astimezone(self._practices[practice_id].time_zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        day = await self._visits.day(practice_id, midnight, now + AHEAD)
        failed = await self._visits.not_written_back(practice_id, [visit.appointment_id for visit, _ in day])
        sent = await self._messages.of_visits([visit.id for visit, _ in day])
        given_up = {letter.entry.id for letter in await self._messages.dead_letters(practice_id)}
        return Queue(
            entries=[
                self._entry(
                    visit,
                    mirrored.appointment,
                    failed.get(visit.appointment_id),
                    summary(sent.get(visit.id, ()), visit.state, given_up),
                )
                for visit, mirrored in day
            ],
            given_up=len(given_up),
        )

    async def _show(self, seat: Seat, visit: Visit, appointment: Appointment, seats: list[Seat]) -> None:
        for message in self._picture(seat, visit, appointment, seats):
            text = write(message)
            if seat.told.get(message.type) == text:
                continue
            seat.told[message.type] = text
            if isinstance(message, Admitted):
                ice = self._ice_servers(seat.id)
                text = write(message.model_copy(update={"ice_servers": ice}))
            await seat.send(text)

    def _picture(
        self, seat: Seat, visit: Visit, appointment: Appointment, seats: list[Seat]
    ) -> Iterator[Waiting | Admitted | Queue | ChatPeers]:
        arrival = visit.arrival(seat.participant)
        if seat.inside:
            yield Admitted(peers=_peers(seat, visit, seats), ice_servers=[])
        elif arrival and visit.state not in FINAL:
            yield Waiting(
                since=arrival.since,
                start=appointment.start,
                practitioner=practitioner(appointment),
                delay_minutes=visit.delay_minutes,
            )
        if Capability.ADMIT in seat.grant.capabilities:
            yield Queue(entries=[self._entry(visit, appointment, in_visit=True)])
        if seat.chat_key:
            yield chat.peers(seat, seats)

    def _entry(
        self,
        visit: Visit,
        appointment: Appointment,
        not_written_back: str | None = None,
        messages: MessageSummary | None = None,
        *,
        in_visit: bool = False,
    ) -> Entry:
        return Entry(
            visit=visit.id,
            start=appointment.start,
            end=appointment.end,
            state=visit.state.value,
            waiting_since=_waiting_since(visit),
            people=[self._person(visit, p, reachable=in_visit) for p in appointment.participants],
            come_back_until=visit.come_back_until if visit.state is VisitState.ENDED else None,
            not_written_back=not_written_back,
            delay_minutes=visit.delay_minutes,
            messages=messages,
            cancellation_asked=visit.cancellation_asked,
        )

    def _person(self, visit: Visit, participant: Participant, *, reachable: bool) -> Person:
        """``reachable``: with the phone number, for those in the visit who may let people in."""
        seat = self._rooms.seat(visit.id, participant.id)
        arrival = visit.arrival(participant.id)
        return Person(
            participant=participant.id,
            name=participant.name,
            role=participant.role.value,
            present=seat is not None and seat.wire is not None,
            waiting=arrival is not None and not arrival.admitted,
            since=arrival.since if arrival else None,
            check=seat.check if seat else None,
            interruption=seat.interruption if seat else None,
            phone=participant.phone if reachable and participant.role is not Role.PRACTITIONER else "",
        )


def practitioner(appointment: Appointment) -> str:
    """Whom the visit is with, as patients read it."""
    first = appointment.first(Role.PRACTITIONER)
    return first.name if first else ""


def _waiting_since(visit: Visit) -> datetime | None:
    return min((a.since for a in visit.arrivals if not a.admitted), default=None)


def _peers(seat: Seat, visit: Visit, seats: list[Seat]) -> list[Peer]:
    """The others in the visit. Towards a practitioner everyone is polite; among equals, the later id is."""
    return [
        Peer(
            participant=other.participant,
            seat=other.id,
            role=other.grant.role.value,
            name=other.name,
            polite=_rank(seat) > _rank(other),
            interruption=other.interruption,
        )
        for other in seats
        if other is not seat and may_talk(visit, other.participant, other.grant.capabilities)
    ]


def _rank(seat: Seat) -> tuple[bool, str]:
    return (seat.grant.role is not Role.PRACTITIONER, seat.participant)


def over(visit: Visit, grant: AccessGrant) -> Ended | Cancelled | None:
    """Why there is nothing to enter. A grant from before the end does not lead back in by itself."""
    if visit.state is VisitState.CANCELLED:
        return Cancelled()
    if visit.state in FINAL:
        return Ended(by="practice", come_back_until=None)
    if visit.state is VisitState.ENDED and visit.ended_at and grant.permits(Capability.WAIT):
        stale = grant.issued < visit.ended_at.replace(microsecond=0)
        return Ended(by="practice", come_back_until=visit.come_back_until) if stale else None
    return None
