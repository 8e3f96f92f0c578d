"""The echo behind the connection check, where a practice has no TURN server to measure by.

A browser sends a tone that it makes itself, never its microphone, and gets it back: is the server reachable
by media, how long is the way, what is lost. A reliable data channel measures throughput. Loss is not measured
on an unreliable one, nor bandwidth by aiortc's own estimate: both were measured to be far from the truth.

On the data channel ``throughput`` the browser sends binary messages, which are counted and confirmed with
``{"t": "got", "bytes": total}``; ``{"t": "send", "bytes": n}`` asks for as much the other way. Nothing is
kept.
"""

import asyncio
import json
import re

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from vsdk.domain.errors import RateLimited, UsageError
from vsdk.rtc.sdp import check_sdp, resolvable

AT_ONCE = 4
"""an echo of sound takes about a tenth of a processor core"""
SECONDS = 15.0
BYTES = 16_000_000
"""in both directions together"""
_CHUNK = bytes(16 * 1024)
_CONFIRM_EVERY = 64 * 1024
_AHEAD = 256 * 1024
"""bytes that may wait to be sent"""


class Probes:
    """All echoes that run now: at most `at_once`, and one for each subject."""

    def __init__(self, at_once: int = AT_ONCE, seconds: float = SECONDS, budget: int = BYTES) -> None:
        self._at_once = at_once
        self._seconds = seconds
        self._budget = budget
        self._running: dict[str, _Echo] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def echo(self, subject: str, offer: str) -> str:
        """Answers a complete offer of one audio section and data. A new one of a subject ends the old one.

        Raises UsageError ``sdp-malformed``, ``sdp-unencrypted`` or ``probe-offer-invalid``, and RateLimited
        ``probe-busy``.
        """
        check_sdp(offer)
        if sorted(re.findall(r"^m=(\w+)", offer, re.MULTILINE)) != ["application", "audio"]:
            raise UsageError("a probe offers one audio section and data", code="probe-offer-invalid")
        if before := self._running.pop(subject, None):
            await before.close()
        if len(self._running) >= self._at_once:
            raise RateLimited(
                "too many connections are being measured", retry_after=self._seconds, code="probe-busy"
            )
        echo = _Echo(self._budget)
        self._running[subject] = echo
        try:
            answer = await echo.answer(offer)
        except Exception as error:
            await self._end(subject, echo, 0)
            raise UsageError("the offer cannot be answered", code="probe-offer-invalid") from error
        ending = asyncio.create_task(self._end(subject, echo, self._seconds))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return answer

    async def stop(self) -> None:
        for task in list(self._ending):
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)
        await asyncio.gather(*(echo.close() for echo in self._running.values()))
        self._running.clear()

    async def _end(self, subject: str, echo: "_Echo", seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await echo.over.wait()
        except TimeoutError:
            pass
        if self._running.get(subject) is echo:
            del self._running[subject]
        await echo.close()


class _Echo:
    """One browser's echo; ``over`` is set when it has nothing more to do."""

    def __init__(self, budget: int) -> None:
        self.over = asyncio.Event()
        self._budget = budget
        self._sending: set[asyncio.Task[None]] = set()
        # An empty list, not None: without one, aiortc would ask a public STUN server.
        self._pc = RTCPeerConnection(RTCConfiguration([]))
        self._pc.on("track", lambda track: self._pc.addTrack(track))
        self._pc.on("datachannel", self._open)
        self._pc.on("connectionstatechange", self._state_changed)

    async def answer(self, offer: str) -> str:
        await self._pc.setRemoteDescription(RTCSessionDescription(resolvable(offer), "offer"))
        await self._pc.setLocalDescription()
        return str(self._pc.localDescription.sdp)

    async def close(self) -> None:
        self.over.set()
        for task in list(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._pc.close()

    async def _state_changed(self) -> None:
        if self._pc.connectionState in ("failed", "closed"):
            self.over.set()

    def _open(self, channel: RTCDataChannel) -> None:
        got = confirmed = 0

        def told(message: str | bytes) -> None:
            nonlocal got, confirmed
            self._spend(len(message))
            if self.over.is_set():
                return
            if isinstance(message, str):
                self._asked(channel, message)
                return
            got += len(message)
            if got - confirmed >= _CONFIRM_EVERY:
                confirmed = got
                channel.send(json.dumps({"t": "got", "bytes": got}))

        channel.on("message", told)

    def _asked(self, channel: RTCDataChannel, text: str) -> None:
        """Whatever cannot be understood is passed over."""
        try:
            message = json.loads(text)
            kind, wanted = message["t"], int(message["bytes"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if kind == "send" and wanted > 0 and not self._sending:
            task = asyncio.create_task(self._send(channel, wanted))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, channel: RTCDataChannel, wanted: int) -> None:
        sent = 0
        while sent < wanted and not self.over.is_set() and channel.readyState == "open":
            if channel.bufferedAmount > _AHEAD:
                await asyncio.sleep(0.005)
                continue
            self._spend(len(_CHUNK))
            channel.send(_CHUNK)
            sent += len(_CHUNK)

    def _spend(self, count: int) -> None:
        self._budget -= count
        if self._budget < 0:
            self.over.set()
