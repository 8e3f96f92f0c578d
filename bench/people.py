"""Patients and practitioners on real WebSockets, all in the process of the benchmark."""

import asyncio
import json
import secrets
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from bench.servers import Planned, Server, join, plan

PATIENCE = 10.0
"""seconds for one message to come"""
CHECK = {"type": "check", "camera": "good", "microphone": "good", "connection": "good"}


async def dial(server: Server, path: str, *subprotocols: str) -> ClientConnection:
    """Offers compression as browsers do; keeps quiet otherwise."""
    url = f"{server.websocket}{path}"
    return await connect(url, subprotocols=subprotocols or None, ping_interval=None, max_queue=None)  # type: ignore[arg-type]


async def hello(server: Server, grant: str) -> tuple[ClientConnection, dict[str, Any]]:
    """A connection that was welcomed, and the welcome."""
    socket = await dial(server, "/signal", "vsdk.v1")
    await socket.send(json.dumps({"type": "hello", "grant": grant, "seat": secrets.token_hex(16)}))
    return socket, await wanted(socket, "welcome")


async def wanted(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of this type; others are passed over. Raises RuntimeError on ``error``."""
    async with asyncio.timeout(PATIENCE):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] == kind:
                return message
            if message["type"] == "error":
                raise RuntimeError(message["code"])


async def wait_in(server: Server, planned: Planned) -> ClientConnection:
    """A patient in the waiting room, with the device check done."""
    grant = await asyncio.to_thread(join, server, planned)
    socket, _ = await hello(server, grant)
    await wanted(socket, "waiting")
    await socket.send(json.dumps(CHECK))
    return socket


async def talk(server: Server) -> tuple[tuple[ClientConnection, str], tuple[ClientConnection, str]]:
    """Two people in one visit, each with the other's participant id. Nothing is left unread."""
    planned = await asyncio.to_thread(plan, server)
    patient, patient_welcome = await hello(server, await asyncio.to_thread(join, server, planned))
    await wanted(patient, "waiting")
    practitioner, practitioner_welcome = await hello(server, planned.practitioner_grant)
    first, second = patient_welcome["you"]["participant"], practitioner_welcome["you"]["participant"]
    await practitioner.send(json.dumps({"type": "admit", "participant": first}))
    for socket in (practitioner, patient):
        while not (await wanted(socket, "admitted"))["peers"]:
            pass
    for socket in (practitioner, patient):
        await drain(socket)
    return (practitioner, first), (patient, second)


async def drain(socket: ClientConnection) -> None:
    """Everything that the server had to say by now is read."""
    await socket.send('{"type": "ping"}')
    await wanted(socket, "pong")
