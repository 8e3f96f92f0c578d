"""A waiting room in a few lines: one practitioner ("doctor"), who admits, and patients, who wait."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from vsdk.rtc.sdp import check_sdp

Message = dict[str, Any]


class Relay:
    """``impolite`` is who offers. ``log`` holds (sender, message) of all that came in."""

    def __init__(self) -> None:
        self.url = ""
        self.impolite = "doctor"
        self.log: list[tuple[str, Message]] = []
        self._sockets: dict[str, ServerConnection] = {}
        self._seats: dict[str, str] = {}
        self._inside: list[str] = []

    def of(self, sender: str, kind: str) -> list[Message]:
        return [message for name, message in self.log if name == sender and message["type"] == kind]

    async def serve(self, socket: ServerConnection) -> None:
        hello = json.loads(await socket.recv())
        name = hello["grant"]
        self.log.append((name, hello))
        if name == "nobody":
            await self._send(socket, type="error", code="grant-invalid", detail="…", ref=None)
            await socket.close(4401)
            return
        self._sockets[name], self._seats[name] = socket, hello["seat"]
        await self._send(socket, type="welcome", you={"participant": name}, visit=None, ice_servers=[])
        if name == "doctor":
            self._inside.append(name)
        else:
            await self._send(socket, type="waiting", since="…", start="…", practitioner="…")
        await self._tell_queue()
        async for text in socket:
            message = json.loads(text)
            self.log.append((name, message))
            await self._handle(name, message)

    async def send(self, name: str, **message: Any) -> None:
        await self._send(self._sockets[name], **message)

    async def announce(self) -> None:
        """Tells everyone inside who else is."""
        for name in self._inside:
            peers = [self._peer(other) for other in self._inside if other != name]
            await self.send(name, type="admitted", peers=peers, ice_servers=[])

    async def _handle(self, name: str, message: Message) -> None:
        match message["type"]:
            case "admit":
                self._inside.append(message["participant"])
                await self._tell_queue()
                await self.announce()
            case "offer" | "answer" | "ice":
                if "sdp" in message:
                    check_sdp(message["sdp"])
                await self.send(message.pop("to"), **message, **{"from": name})
            case "bye":
                for socket in self._sockets.values():
                    await self._send(socket, type="ended", by="…", come_back_until=None)
                    await socket.close()

    def _peer(self, name: str) -> Message:
        polite = name == self.impolite
        return {"participant": name, "seat": self._seats[name], "role": "…", "name": "…", "polite": polite}

    async def _tell_queue(self) -> None:
        patients = [name for name in self._sockets if name != "doctor"]
        people = [{"participant": name, "waiting": name not in self._inside} for name in patients]
        if "doctor" in self._sockets:
            await self.send("doctor", type="queue", entries=[{"visit": "v1", "people": people}])

    async def _send(self, socket: ServerConnection, **message: Any) -> None:
        await socket.send(json.dumps(message))


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    relay = Relay()
    async with asyncio.timeout(50):
        async with serve(relay.serve, "127.0.0.1", 0, subprotocols=[Subprotocol("vsdk.v1")]) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            relay.url = f"ws://127.0.0.1:{port}"
            yield relay
