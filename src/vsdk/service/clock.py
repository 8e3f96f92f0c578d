"""The only module that reads time and randomness; a `Clock` is handed to whoever needs either."""

import asyncio
import secrets
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, aware, in UTC."""

    def token(self) -> str:
        """128 random bits, 22 characters of base64url, of which the first is no hyphen.

        Ids are made of it, and a command line would read ``-x…`` as an option.
        """

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """Time and randomness of the operating system."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def token(self) -> str:
        while (token := secrets.token_urlsafe(16)).startswith("-"):
            pass
        return token

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
