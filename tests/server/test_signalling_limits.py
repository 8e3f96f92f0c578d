"""Messages that nobody understands, messages that are too big, and too many of them."""

import asyncio
import json
from typing import Any

import websockets


async def test_an_unknown_type_is_answered_and_the_connection_stays(server: Any) -> None:
    page = await server.patient(await server.plan())
    await page.get("waiting")
    await page.send("telepathy", id="t1", thought="?")
    error = await page.get("error")
    assert (error["code"], error["ref"]) == ("unknown-type", "t1")
    assert await page.settle() == []


async def test_unknown_fields_are_ignored(server: Any) -> None:
    page = await server.patient(await server.plan())
    await page.get("waiting")
    await page.send("ping", mood="good", id="p")
    assert await page.next() == {"type": "pong"}


UNREADABLE = [
    "",
    "{",
    "null",
    "[1]",
    '"hello"',
    "{}",
    '{"type": null}',
    '{"type": "offer"}',
    '{"type": "offer", "to": "p2", "epoch": 0, "sdp": "v=0"}',
    '{"type": "offer", "to": "p2", "epoch": 1, "sdp": ""}',
    '{"type": "ice", "to": "p2", "epoch": 1}',
    '{"type": "check", "camera": "superb", "microphone": "good", "connection": "good"}',
    '{"type": "ping", "id": "%s"}' % ("x" * 65),
    "[" * 30_000,
    '{"type": "ice", "to": "p2", "epoch": 1, "candidate": {"candidate": "\\ud800"}}',
]


async def test_what_cannot_be_read_is_an_error_and_the_connection_stays(server: Any) -> None:
    page = await server.patient(await server.plan())
    await page.get("waiting")
    for text in UNREADABLE:
        await page.socket.send(text)
        assert (await page.next())["code"] in ("bad-message", "unknown-type"), text
    assert await page.settle() == []


async def test_binary_messages_are_read_as_text(server: Any) -> None:
    page = await server.patient(await server.plan())
    await page.get("waiting")
    await page.socket.send(b'{"type": "ping"}')
    assert (await page.next())["type"] == "pong"
    await page.socket.send(b"\xff\xfe")
    assert (await page.next())["code"] == "bad-message"


async def test_a_message_of_64_kib_passes_and_a_bigger_one_closes_1009(server: Any) -> None:
    page = await server.patient(await server.plan())
    await page.get("waiting")
    frame = len(json.dumps({"type": "ping", "pad": ""}))
    await page.send("ping", pad="x" * (64 * 1024 - frame))
    await page.get("pong")
    await page.send("ping", pad="x" * (64 * 1024 - frame + 1))
    assert await page.closed() == 1009


async def test_too_big_counts_in_bytes_and_the_place_is_kept(server: Any) -> None:
    planned = await server.plan()
    page = await server.patient(planned)
    await page.get("waiting")
    await page.socket.send('{"type": "ping", "pad": "%s"}' % ("ü" * 40_000))
    assert await page.closed() == 1009
    assert await server.state(planned) == "waiting"


async def flood(page: Any) -> int:
    """Pings as fast as they are answered, until the server closes; gives the close code."""
    async with asyncio.timeout(20):
        while True:
            try:
                for _ in range(10):
                    await page.send("ping")
                for _ in range(10):
                    await page.next()
            except websockets.ConnectionClosed:
                return int(page.socket.close_code or 0)


async def test_a_burst_passes_and_a_flood_closes_4429(server: Any) -> None:
    page = await server.patient(await server.plan())
    await page.get("waiting")
    for _ in range(150):
        await page.send("ping")
    for _ in range(150):
        assert (await page.next())["type"] == "pong"
    assert await flood(page) == 4429


async def test_one_flood_does_not_disturb_others(server: Any) -> None:
    planned = await server.plan()
    patient, doctor = await server.together(planned)
    assert await flood(patient) == 4429
    await doctor.get("lost")
    await doctor.settle()
    assert await server.state(planned) == "admitted"
