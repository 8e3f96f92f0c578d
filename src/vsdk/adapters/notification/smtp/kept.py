"""A few connections to one server, kept for a while between one message and the next."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar


class Connection(Protocol):
    """What is asked of a connection so that it can be kept."""

    @property
    def usable(self) -> bool:
        """Whether the next message could go over it, as far as is known without asking."""

    async def answers(self) -> bool:
        """Whether the other side is still there, and ready for a message."""

    async def leave(self) -> None:
        """Takes leave of the other side and closes; never raises."""

    def drop(self) -> None:
        """Closes at once, in whatever state it is."""


C = TypeVar("C", bound=Connection)


class KeptConnections(Generic[C]):
    """At most ``most`` at a time; whoever comes when all are in use waits for a turn.

    Connections that nobody used for ``idle`` seconds are left. They belong to the event loop that they were
    made in, as does this object from its first use on.
    """

    def __init__(self, make: Callable[[], Awaitable[C]], *, most: int, idle: float) -> None:
        self._make = make
        self._idle = idle
        self._turns = asyncio.Semaphore(most)
        self._kept: list[C] = []
        self._timer: asyncio.TimerHandle | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits until one more connection may be used."""
        async with self._turns:
            yield

    @asynccontextmanager
    async def one(self) -> AsyncIterator[C]:
        """A connection, a kept one if there is one that still answers; within a `turn`."""
        connection = await self._still_there() or await self._make()
        try:
            yield connection
        finally:
            if connection.usable:
                self._keep(connection)
            else:
                connection.drop()

    async def close(self) -> None:
        """Leaves all that are kept."""
        self._leave_all()
        await asyncio.gather(*self._leaving)

    async def _still_there(self) -> C | None:
        while self._kept:
            connection = self._kept.pop()
            there = False
            try:
                there = connection.usable and await connection.answers()
            finally:
                if not there:
                    connection.drop()
            if there:
                return connection
        return None

    def _keep(self, connection: C) -> None:
        self._kept.append(connection)
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._idle, self._leave_all)

    def _leave_all(self) -> None:
        if self._timer:
            self._timer.cancel()
        kept, self._kept, self._timer = self._kept, [], None
        for connection in kept:
            task = asyncio.get_running_loop().create_task(connection.leave())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
