"""The echo of a connection check, with aiortc in the place of the browser.

aiortc takes no loopback addresses: these tests need a machine with another one.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from vsdk.domain.errors import RateLimited, UsageError

aiortc = pytest.importorskip("aiortc")

from aiortc.mediastreams import MediaStreamError  # noqa: E402

from vsdk.rtc.probe import Probes  # noqa: E402
from vsdk.rtc.tracks import MovingBars, Tone  # noqa: E402


def _other_than_loopback() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return False
        return not probe.getsockname()[0].startswith("127.")


pytestmark = pytest.mark.skipif(not _other_than_loopback(), reason="this machine has only loopback addresses")


@dataclass
class Browser:
    """What a device check does: a tone, a data channel, and what comes back."""

    pc: aiortc.RTCPeerConnection
    channel: aiortc.RTCDataChannel
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    frames: asyncio.Queue[object] = field(default_factory=asyncio.Queue)
    told: asyncio.Queue[dict[str, object]] = field(default_factory=asyncio.Queue)
    received: int = 0


@asynccontextmanager
async def browser(probes: Probes, subject: str = "visit/patient") -> AsyncIterator[Browser]:
    pc = aiortc.RTCPeerConnection(aiortc.RTCConfiguration([]))
    one = Browser(pc, pc.createDataChannel("throughput"))
    pc.addTrack(Tone())

    @pc.on("track")
    async def _track(track: aiortc.MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            one.frames.put_nowait(await track.recv())

    @one.channel.on("open")
    def _open() -> None:
        one.opened.set()

    @one.channel.on("close")
    def _close() -> None:
        one.closed.set()

    @one.channel.on("message")
    def _message(message: str | bytes) -> None:
        if isinstance(message, str):
            one.told.put_nowait(json.loads(message))
        else:
            one.received += len(message)

    try:
        await pc.setLocalDescription()
        answer = await probes.echo(subject, pc.localDescription.sdp)
        await pc.setRemoteDescription(aiortc.RTCSessionDescription(answer, "answer"))
        async with asyncio.timeout(20):
            await one.opened.wait()
            yield one
    finally:
        await pc.close()


async def test_sound_comes_back_and_bytes_are_counted() -> None:
    probes = Probes()
    async with browser(probes) as one:
        assert await one.frames.get()
        for _ in range(40):
            one.channel.send(bytes(16 * 1024))
        got = 0
        while got < 40 * 16 * 1024:
            message = await one.told.get()
            assert message["t"] == "got"
            got = int(str(message["bytes"]))
        one.channel.send(json.dumps({"t": "send", "bytes": 300_000}))
        while one.received < 300_000:
            await asyncio.sleep(0.01)
        assert one.received < 300_000 + 16 * 1024
    await probes.stop()


@pytest.mark.parametrize("junk", ["", "null", "[]", "{", '{"t": "send"}', '{"t": "send", "bytes": "x"}', "1"])
async def test_what_cannot_be_understood_is_passed_over(junk: str) -> None:
    probes = Probes()
    async with browser(probes) as one:
        one.channel.send(junk)
        one.channel.send(json.dumps({"t": "send", "bytes": 1}))
        while not one.received:
            await asyncio.sleep(0.01)
    await probes.stop()


async def test_it_ends_by_itself() -> None:
    probes = Probes(seconds=0.5)
    async with browser(probes) as one:
        await one.closed.wait()
    await probes.stop()


async def test_it_ends_when_too_much_was_sent() -> None:
    probes = Probes(budget=500_000)
    async with browser(probes) as one:
        one.channel.send(json.dumps({"t": "send", "bytes": 5_000_000}))
        await one.closed.wait()
        assert one.received <= 500_000
    await probes.stop()


async def test_only_so_many_at_once_and_one_for_each() -> None:
    probes = Probes(at_once=1)
    async with browser(probes, "visit/a") as first:
        with pytest.raises(RateLimited) as refused:
            async with browser(probes, "visit/b"):
                pass
        assert refused.value.code == "probe-busy"
        async with browser(probes, "visit/a") as again:
            assert await again.frames.get()
            await first.closed.wait()
    await probes.stop()


async def test_a_picture_is_not_echoed() -> None:
    probes = Probes()
    pc = aiortc.RTCPeerConnection(aiortc.RTCConfiguration([]))
    pc.addTrack(MovingBars())
    await pc.setLocalDescription()
    with pytest.raises(UsageError) as refused:
        await probes.echo("visit/patient", pc.localDescription.sdp)
    assert refused.value.code == "probe-offer-invalid"
    await pc.close()


async def test_stopping_ends_all() -> None:
    probes = Probes()
    async with browser(probes) as one:
        await probes.stop()
        await one.closed.wait()
