"""One look into the database for many who ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Coalesced(Generic[K, V]):
    """``load`` gets the keys that were asked for while it was busy with others. What it raises, all get."""

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._load = load
        self._keys: list[K] = []
        self._next: asyncio.Task[Mapping[K, V]] | None = None
        self._busy = asyncio.Lock()

    async def get(self, key: K) -> V | None:
        """None where ``load`` gave nothing for this key. Who is cancelled waits for the end of the look."""
        self._keys.append(key)
        if self._next is None:
            self._next = asyncio.create_task(self._together())
        look = self._next
        try:
            return (await asyncio.shield(look)).get(key)
        except asyncio.CancelledError:
            await asyncio.wait([look])
            raise

    async def _together(self) -> Mapping[K, V]:
        async with self._busy:
            keys, self._keys, self._next = self._keys, [], None
            return await self._load(list(dict.fromkeys(keys)))
