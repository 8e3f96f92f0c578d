"""A headless participant that speaks docs/protocol.md, for tests and for ``vsdk check``.

It sends a tone and moving bars, and counts the frames that it gets. It does not reconnect, and it does not
trickle or restart ICE, as aiortc cannot.
"""

import asyncio
import json
import secrets
from collections import Counter
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from vsdk.domain.errors import ConfigurationError, PartnerError

if TYPE_CHECKING:
    from vsdk.rtc.media import MediaConnection

SUBPROTOCOL = Subprotocol("vsdk.v1")
Message = dict[str, Any]


class HeadlessPeer:
    """One participant on one signalling connection: ``async with HeadlessPeer(url, grant) as peer``.

    Entering connects and says hello. The methods named after a state wait until it was reached, without a
    time limit of their own; they raise PartnerError when the connection ends before, with the code of the
    last ``error`` message if there was one. Entering raises ConfigurationError when aiortc is not installed.
    """

    def __init__(self, signalling_url: str, grant: str, *, seat: str | None = None) -> None:
        self.grant = grant
        """the newest one"""
        self.seat = seat or secrets.token_urlsafe(16)
        self.welcome: Message = {}
        self.queue: list[Message] = []
        """the entries of the last ``queue`` message"""
        self.peers: dict[str, Message] = {}
        """the peers of the last ``admitted`` message, by participant"""
        self.media: dict[str, MediaConnection] = {}
        """media connections by participant"""
        self.frames: Counter[str] = Counter()
        """decoded frames from all peers: ``audio`` and ``video``"""
        self.errors: list[Message] = []
        """the ``error`` messages"""
        self.close_code: int | None = None
        self._url = signalling_url
        self._ice_servers: list[Message] = []
        self._reached: dict[str, asyncio.Event] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            import vsdk.rtc.media  # noqa: F401  (a missing package is found here, not in mid-conversation)
        except ImportError as error:
            raise ConfigurationError("a headless peer needs aiortc: pip install vsdk[rtc]") from error
        async with self._stack:
            self._socket: ClientConnection = await self._stack.enter_async_context(
                connect(self._url, subprotocols=[SUBPROTOCOL])
            )
            await self._send(type="hello", grant=self.grant, seat=self.seat)
            self._listening = asyncio.create_task(self._listen())
            self._stack.push_async_callback(self._stop)
            self._stack = self._stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    # what was reached

    async def welcomed(self) -> Message:
        """The ``welcome`` message."""
        await self._until("welcome")
        return self.welcome

    async def waiting(self) -> None:
        """In the waiting room."""
        await self._until("waiting")

    async def someone_waits(self) -> Message:
        """The person of the queue who waits, with the visit's id under ``visit``."""
        await self._until("someone-waits")
        return next(
            person | {"visit": entry["visit"]}
            for entry in self.queue
            for person in entry["people"]
            if person["waiting"]
        )

    async def admitted(self) -> dict[str, Message]:
        """In the visit; gives `peers`."""
        await self._until("admitted")
        return self.peers

    async def connected(self) -> None:
        """The direct connection to a peer stands, and the server was told."""
        await self._until("connected")

    async def sees_and_hears(self) -> Counter[str]:
        """At least one frame of sound and one of picture came; gives `frames`."""
        await self._until("audio")
        await self._until("video")
        return self.frames

    async def ended(self) -> None:
        """The visit is over, or was cancelled."""
        await self._until("ended")

    # what it can do

    async def check(self, camera: str = "good", microphone: str = "good", connection: str = "good") -> None:
        """Tells how its device check went."""
        await self._send(type="check", camera=camera, microphone=microphone, connection=connection)

    async def admit(self, participant: str, visit: str | None = None) -> None:
        """Lets someone in. ``visit`` is needed on a list connection."""
        await self._send(type="admit", participant=participant, **({"visit": visit} if visit else {}))

    async def hang_up(self) -> None:
        """Presses the red button, and waits until the server has closed the connection."""
        await self._send(type="bye")
        await self._listening

    # the conversation

    async def _until(self, milestone: str) -> None:
        reached = asyncio.create_task(self._event(milestone).wait())
        try:
            await asyncio.wait({reached, self._listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reached.cancel()
        if self._event(milestone).is_set():
            return
        if error := self._listening.exception():
            raise error
        code = self.errors[-1]["code"] if self.errors else "partner-error"
        raise PartnerError(
            f"signalling ended ({self.close_code}) before {milestone}", retryable=False, code=code
        )

    def _event(self, milestone: str) -> asyncio.Event:
        return self._reached.setdefault(milestone, asyncio.Event())

    async def _send(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def _listen(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self._socket:
                await self._receive(json.loads(text))
        self.close_code = self._socket.close_code

    async def _stop(self) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        for connection in self.media.values():
            await connection.close()

    async def _receive(self, message: Message) -> None:
        match message:
            case {"type": "welcome"}:
                self.welcome = message
                self._event("welcome").set()
            case {"type": "grant", "grant": grant}:
                self.grant = grant
            case {"type": "queue", "entries": entries}:
                self.queue = entries
                if any(person["waiting"] for entry in entries for person in entry["people"]):
                    self._event("someone-waits").set()
                else:
                    self._event("someone-waits").clear()
            case {"type": "waiting"}:
                self._event("waiting").set()
            case {"type": "admitted", "peers": peers}:
                self.peers = {peer["participant"]: peer for peer in peers}
                for peer in peers:
                    await self._meet(peer, message["ice_servers"])
                self._event("admitted").set()
            case {"type": "offer" | "answer" | "ice", "from": sender, "epoch": epoch}:
                await self._negotiate(sender, epoch, message)
            case {"type": "bye", "from": sender}:
                if connection := self.media.pop(sender, None):
                    await connection.close()
            case {"type": "ended" | "cancelled"}:
                self._event("ended").set()
            case {"type": "error"}:
                self.errors.append(message)

    async def _meet(self, peer: Message, ice_servers: list[Message]) -> None:
        """Offers, as the impolite side, to a peer or seat that is new."""
        name, seat = peer["participant"], peer["seat"]
        self._ice_servers = ice_servers
        known = self.media.get(name)
        if known and known.seat != seat:
            await self.media.pop(name).close()
        if name not in self.media and not peer["polite"]:
            connection = self._connection(name, seat, 1)
            await self._send(type="offer", to=name, epoch=1, sdp=await connection.offer())

    async def _negotiate(self, sender: str, epoch: int, message: Message) -> None:
        connection = self.media.get(sender)
        if (
            message["type"] == "offer"
            and sender in self.peers
            and (not connection or connection.epoch < epoch)
        ):
            if connection:
                await connection.close()
            connection = self._connection(sender, self.peers[sender]["seat"], epoch)
        if connection is None or connection.epoch != epoch:
            return
        match message["type"]:
            case "offer" if connection.can_answer:
                answer = await connection.answer(message["sdp"])
                await self._send(type="answer", to=sender, epoch=epoch, sdp=answer)
            case "answer":
                await connection.answered(message["sdp"])
            case "ice":
                await connection.candidate(message["candidate"])

    def _connection(self, name: str, seat: str, epoch: int) -> "MediaConnection":
        from vsdk.rtc.media import MediaConnection

        async def on_state(state: str) -> None:
            if self.media.get(name) is not connection:
                return
            with suppress(ConnectionClosed):
                if state == "connected":
                    await self._send(type="connected")
                    self._event("connected").set()
                elif state == "failed":
                    await self._send(type="lost")

        def on_frame(kind: str) -> None:
            self.frames[kind] += 1
            self._event(kind).set()

        connection = MediaConnection(seat, epoch, self._ice_servers, on_state, on_frame)
        self.media[name] = connection
        return connection
