"""Fakes for ports. Beside each test that uses one stands a test with the real thing."""

import asyncio
from datetime import datetime, timedelta

from vsdk.testing.factories import NOON


class FakeClock:
    """Time that stands still until told; tokens are distinct and predictable, 22 characters long."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._tokens = 0

    def now(self) -> datetime:
        return self._now

    def token(self) -> str:
        self._tokens += 1
        return f"{self._tokens:022d}"

    async def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def advance(self, **delta: float) -> None:
        self._now += timedelta(**delta)
