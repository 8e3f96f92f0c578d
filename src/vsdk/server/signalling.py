"""The WebSocket endpoint ``/signal``: one `Connection` per socket, one method per message type.

``docs/protocol.md`` is the specification. Every refusal is an ``error`` message with a stable code; only what
the document lists closes the connection.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import assert_never

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from vsdk.domain.errors import IllegalTransition, Refused, UsageError, VsdkError
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.join import AccessGrant
from vsdk.domain.participant import Capability
from vsdk.rtc.sdp import check_sdp
from vsdk.server import chat
from vsdk.server import messages as m
from vsdk.server.board import Board, IceServers, over, practitioner
from vsdk.server.entries import CheckResult, Interrupted
from vsdk.server.limits import MessageBudget
from vsdk.server.rooms import Rooms, Seat, send
from vsdk.service.clock import Clock
from vsdk.service.join import JoinService
from vsdk.service.visits import VisitService

log = logging.getLogger(__name__)

HELLO_WITHIN = 5.0
"""seconds"""
MESSAGES_PER_SECOND = 100
BAD_HELLO, BAD_GRANT, CLOSED_TO_YOU, NO_HELLO, TAKEN_OVER, TOO_MANY, TOO_BIG = (
    4400,
    4401,
    4403,
    4408,
    4409,
    4429,
    1009,
)


class Signalling:
    """What all connections share."""

    def __init__(
        self,
        join: JoinService,
        visits: VisitService,
        rooms: Rooms,
        board: Board,
        clock: Clock,
        ice_servers: IceServers,
        practice_names: Mapping[PracticeId, str],
    ) -> None:
        self.join = join
        self.visits = visits
        self.rooms = rooms
        self.board = board
        self.clock = clock
        self.ice_servers = ice_servers
        self.practice_names = practice_names

    async def serve(self, socket: WebSocket) -> None:
        """Handles one WebSocket from handshake to close."""
        if m.SUBPROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.close(1002)
            return
        await socket.accept(m.SUBPROTOCOL)
        connection = Connection(self, socket)
        try:
            await connection.run()
        except WebSocketDisconnect:
            pass
        finally:
            await connection.gone()


class Connection:
    """One browser's WebSocket; the `vsdk.server.rooms.Wire` of its seat."""

    def __init__(self, shared: Signalling, socket: WebSocket) -> None:
        self._shared = shared
        self._socket = socket
        self._grant: AccessGrant | None = None
        self._seat: Seat | None = None
        self._closed = False
        self._chat_budget = MessageBudget(chat.BYTES_PER_SECOND, time.monotonic())

    @property
    def sign_in(self) -> str:
        return self._grant.sign_in if self._grant else ""

    async def send(self, text: str) -> None:
        """To someone who is gone, nothing is sent; what they said before they went is still to be read."""
        if self._socket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect):
                await self._socket.send_text(text)

    async def close(self, code: int) -> None:
        """From here; nothing more is read."""
        self._closed = True
        if self._socket.application_state is not WebSocketState.DISCONNECTED:
            await self._socket.close(code)

    async def run(self) -> None:
        grant = await self._greet()
        if grant is None:
            return
        budget = MessageBudget(MESSAGES_PER_SECOND, time.monotonic())
        while not self._closed:
            text = await self._receive()
            if text is None:
                return
            if not budget.spend(time.monotonic()):
                await self.close(TOO_MANY)
                return
            await self._answer(text)
            await self._renew()

    async def gone(self) -> None:
        """The socket is closed, whoever closed it."""
        grant, seat = self._grant, self._seat
        if grant is None:
            return
        if grant.visit_id is None:
            self._shared.rooms.close_list(grant.practice_id, self)
        elif seat is not None and seat.wire is self:
            await self._shared.rooms.lose(grant.visit_id, seat)
            await self._shared.board.show_lists(grant.practice_id)

    async def _receive(self) -> str | None:
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            return None
        text = event.get("text")
        if text is None:
            text = event.get("bytes", b"").decode(errors="replace")
        if len(text) > m.MAX_BYTES:
            await self.close(TOO_BIG)
            return None
        return str(text)

    async def _greet(self) -> AccessGrant | None:
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                text = await self._receive()
        except TimeoutError:
            await self.close(NO_HELLO)
            return None
        if text is None:
            return None
        try:
            hello = m.read(text)
            if not isinstance(hello, m.Hello):
                raise UsageError("the first message is hello", code="bad-message")
            grant = self._shared.join.read(hello.grant)
            await self._shared.join.stands(grant)
            self._grant = grant
        except VsdkError as error:
            await self._refuse(error, None)
            await self.close(BAD_GRANT if isinstance(error, Refused) else BAD_HELLO)
            return None
        if self._grant.visit_id is None:
            await self._open_list(self._grant)
            return self._grant
        try:
            entered = await self._enter(self._grant, self._grant.visit_id, hello.seat)
        except VsdkError as error:
            await self._refuse(error, hello.id)
            await self.close(CLOSED_TO_YOU)
            return None
        return self._grant if entered else None

    async def _open_list(self, grant: AccessGrant) -> None:
        rooms, board = self._shared.rooms, self._shared.board
        you = m.You(
            participant=grant.participant_id,
            role=grant.role.value,
            name="",
            capabilities=sorted(grant.capabilities),
        )
        await self._tell(m.Welcome(you=you, visit=None, ice_servers=[]))
        rooms.open_list(grant.practice_id, self)
        await self._tell(await board.queue(grant.practice_id))

    async def _enter(self, grant: AccessGrant, visit_id: VisitId, seat_id: str) -> bool:
        """Takes the seat, arrives where one has to wait, and shows everyone the new picture."""
        visits, rooms = self._shared.visits, self._shared.rooms
        visit = await visits.get(visit_id)
        if end := over(visit, grant):
            await self._tell(end)
            await self.close(1000)
            return False
        appointment = await visits.appointment(visit)
        person = next((p for p in appointment.participants if p.id == grant.participant_id), None)
        seat = Seat(seat_id, grant, person.name if person else "", self)
        before = rooms.take(visit_id, seat)
        self._seat = seat
        if before and before.wire and before.id != seat_id:
            await self._take_over(before)
        await self._tell(
            m.Welcome(
                you=m.You(
                    participant=seat.participant,
                    role=grant.role.value,
                    name=seat.name,
                    capabilities=sorted(grant.capabilities),
                ),
                visit=m.VisitInfo(
                    id=visit.id,
                    state=visit.state.value,
                    start=appointment.start,
                    end=appointment.end,
                    practice=self._shared.practice_names.get(visit.practice_id, ""),
                    practitioner=practitioner(appointment),
                ),
                ice_servers=self._shared.ice_servers(seat_id),
            )
        )
        if grant.permits(Capability.WAIT):
            visit = await visits.arrive(visit_id, seat.participant)
        await self._shared.board.show_visit(visit)
        await self._shared.board.show_lists(visit.practice_id)
        return True

    async def _take_over(self, before: Seat) -> None:
        wire, before.wire = before.wire, None
        if wire:
            taken = m.Error(code="taken-over", detail="this visit was opened on another device")
            await send(wire, m.write(taken))
            await wire.close(TAKEN_OVER)

    async def _answer(self, text: str) -> None:
        reference = None
        try:
            message = m.read(text)
            reference = message.id
            if self._grant is None:
                raise UsageError("the first message is hello", code="bad-message")
            if self._grant.visit_id is None:
                await self._on_list(message, self._grant)
            elif self._seat is not None:
                await self._in_visit(message, self._grant, self._grant.visit_id, self._seat)
        except VsdkError as error:
            await self._refuse(error, reference or m.reference(text))
        except WebSocketDisconnect:
            raise
        except Exception as error:
            log.exception("signalling failed", extra={"error": type(error).__name__})
            await self._tell(
                m.Error(code="internal-error", detail="something went wrong here", ref=reference)
            )

    async def _on_list(self, message: m.BrowserMessage, grant: AccessGrant) -> None:
        visits = self._shared.visits
        match message:
            case m.Ping():
                await self._tell(m.Pong())
            case m.Admit(participant=participant, visit=str(visit_id)):
                self._need(grant, Capability.ADMIT)
                await self._own(grant, visit_id)
                await visits.admit(VisitId(visit_id), ParticipantId(participant), grant.role)
            case m.Close(visit=visit_id):
                self._need(grant, Capability.CLOSE)
                await self._own(grant, visit_id)
                await visits.close(VisitId(visit_id), grant.role)
            case m.Invite(visit=visit_id, participant=participant):
                self._need(grant, Capability.ADMIT)
                await self._own(grant, visit_id)
                await visits.invite_back(VisitId(visit_id), ParticipantId(participant))
            case m.Bye():
                await self.close(1000)
            case _:
                raise UsageError("this message belongs on a visit connection", code="wrong-connection")

    async def _in_visit(
        self, message: m.BrowserMessage, grant: AccessGrant, visit_id: VisitId, seat: Seat
    ) -> None:
        visits = self._shared.visits
        match message:
            case m.Ping():
                await self._tell(m.Pong())
            case m.Offer() | m.Answer() | m.Ice():
                await self._relay(message, visit_id, seat)
            case m.Check():
                self._need(grant, Capability.WAIT)
                seat.check = CheckResult.model_validate(message.model_dump())
                await self._shared.board.show_visit(await visits.get(visit_id))
                await self._shared.board.show_lists(grant.practice_id)
            case m.Admit(participant=participant):
                self._need(grant, Capability.ADMIT)
                await visits.admit(visit_id, ParticipantId(participant), grant.role)
            case m.Interruption():
                await self._interrupted(message, visit_id, seat)
            case m.ChatKey(key=key):
                self._need(grant, Capability.TALK)
                seat.chat_key = key
                await self._shared.board.show_visit(await visits.get(visit_id))
            case m.Chat():
                other = self._shared.rooms.seat(visit_id, ParticipantId(message.to))
                await chat.forward(message, seat, other, self._chat_budget, time.monotonic())
            case m.Connected():
                await self._connected(visit_id, seat)
            case m.Lost():
                await self._lost(visit_id, seat)
            case m.Bye():
                await self._bye(grant, visit_id, seat)
            case m.Hello():
                raise UsageError("hello comes once", code="bad-message")
            case m.Invite(visit=visit, participant=participant):
                self._need(grant, Capability.ADMIT)
                if visit != visit_id:
                    raise Refused("this connection is for another visit", code="not-permitted")
                await visits.invite_back(visit_id, ParticipantId(participant))
            case m.Close():
                raise UsageError("this message belongs on a list connection", code="wrong-connection")
            case _:
                assert_never(message)

    async def _relay(self, message: m.Relayed, visit_id: VisitId, seat: Seat) -> None:
        if not isinstance(message, m.Ice):
            check_sdp(message.sdp)
        other = self._shared.rooms.seat(visit_id, ParticipantId(message.to))
        if other is None or not (seat.inside and other.inside):
            raise Refused("there is no such peer, or not both are in the visit", code="not-in-visit")
        await other.send(m.relay(message, seat.participant))

    async def _interrupted(self, message: m.Interruption, visit_id: VisitId, seat: Seat) -> None:
        if not seat.inside:
            raise Refused("you are not in the visit", code="not-in-visit")
        since = seat.interruption.since if seat.interruption else self._shared.clock.now()
        begun = Interrupted(cause=message.cause, kinds=message.kinds, since=since)
        told = begun if message.state == "begin" else None
        if told == seat.interruption:
            return
        seat.interruption = told
        visit = await self._shared.visits.get(visit_id)
        await self._shared.board.show_visit(visit)
        await self._shared.board.show_lists(visit.practice_id)

    async def _connected(self, visit_id: VisitId, seat: Seat) -> None:
        if not seat.inside:
            raise Refused("you are not in the visit", code="not-in-visit")
        seat.connected = True
        if self._shared.rooms.connected(visit_id):
            await self._shared.visits.connected(visit_id)

    async def _lost(self, visit_id: VisitId, seat: Seat) -> None:
        if not seat.inside:
            raise Refused("you are not in the visit", code="not-in-visit")
        seat.connected = False
        if not self._shared.rooms.connected(visit_id):
            await self._shared.visits.connection_lost(visit_id)

    async def _bye(self, grant: AccessGrant, visit_id: VisitId, seat: Seat) -> None:
        if seat.inside and grant.permits(Capability.CLOSE):
            await self._shared.visits.hang_up(visit_id, grant.role)
        else:
            await self._shared.rooms.vacate(visit_id, seat.participant)
            await self._shared.board.show_lists(grant.practice_id)
        await self.close(1000)

    async def _own(self, grant: AccessGrant, visit_id: str) -> None:
        visit = await self._shared.visits.get(VisitId(visit_id))
        if visit.practice_id != grant.practice_id:
            raise Refused("this visit belongs to another practice", code="not-permitted")

    def _need(self, grant: AccessGrant, capability: Capability) -> None:
        if not grant.permits(capability):
            raise Refused(f"the access grant does not permit to {capability}", code="not-permitted")

    async def _renew(self) -> None:
        if self._grant and self._shared.join.needs_renewal(self._grant, self._shared.clock.now()):
            try:
                granted = await self._shared.join.renew(self._grant)
            except Refused as error:
                await self._refuse(error, None)
                await self.close(BAD_GRANT)
                return
            self._grant = granted.grant
            if self._seat:
                self._seat.grant = granted.grant
            await self._tell(m.Grant(grant=granted.token, expires=granted.grant.expires))

    async def _refuse(self, error: VsdkError, reference: str | None) -> None:
        detail = error.detail if not isinstance(error, IllegalTransition) else "this is not possible now"
        await self._tell(m.Error(code=error.code, detail=detail, ref=reference))

    async def _tell(self, message: m.ServerMessage) -> None:
        await send(self, m.write(message))
