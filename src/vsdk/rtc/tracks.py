"""Test sound and picture: a tone, and bars that move. Imports aiortc."""

import array
import asyncio
import fractions
import math
import time

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

SAMPLE_RATE = 48_000
TONE = 440
"""hertz"""
WIDTH, HEIGHT, BARS = 320, 240, 8
_FRAME = SAMPLE_RATE // 50
_VIDEO_CLOCK = 90_000
_FRAMES_PER_SECOND = 15


class _Paced(MediaStreamTrack):
    """Frame ``n`` comes ``n`` intervals after the first one, however long each took to make."""

    interval: float

    def __init__(self) -> None:
        super().__init__()
        self._began: float | None = None
        self._count = 0

    async def _next(self) -> int:
        if self.readyState != "live":
            raise MediaStreamError
        if self._began is None:
            self._began = time.monotonic()
        number, self._count = self._count, self._count + 1
        await asyncio.sleep(self._began + number * self.interval - time.monotonic())
        return number


class Tone(_Paced):
    """A quiet sine tone, mono, in frames of 20 ms."""

    kind = "audio"
    interval = 1 / 50

    async def recv(self) -> AudioFrame:
        first = await self._next() * _FRAME
        step = 2 * math.pi * TONE / SAMPLE_RATE
        samples = array.array("h", (int(4000 * math.sin(step * (first + n))) for n in range(_FRAME)))
        frame = AudioFrame(format="s16", layout="mono", samples=_FRAME)
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate = SAMPLE_RATE
        frame.pts = first
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE)
        return frame


class MovingBars(_Paced):
    """Grey bars of 320 × 240 that wander to the left, 15 frames a second."""

    kind = "video"
    interval = 1 / _FRAMES_PER_SECOND

    async def recv(self) -> VideoFrame:
        number = await self._next()
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        grey, *colours = frame.planes
        line = bytes(
            16 + 200 * (((x + 4 * number) * BARS // WIDTH) % BARS) // (BARS - 1)
            for x in range(grey.line_size)
        )
        grey.update(line * grey.height)
        for colour in colours:
            colour.update(bytes([128]) * colour.buffer_size)
        frame.pts = number * _VIDEO_CLOCK // _FRAMES_PER_SECOND
        frame.time_base = fractions.Fraction(1, _VIDEO_CLOCK)
        return frame
