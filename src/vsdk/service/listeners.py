"""Tells plugins what happened: isolated from one another, and never for longer than five seconds."""

import asyncio
import inspect
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from vsdk.hooks.lifecycle import Happened

log = logging.getLogger(__name__)
TIME_LIMIT = 5.0
"""seconds"""


class Listeners:
    """The implementations of ``vsdk_event``. ``failures`` counts by plugin."""

    def __init__(self, listeners: Sequence[tuple[str, Callable[..., Any]]]) -> None:
        self._listeners = tuple(listeners)
        self.failures: Counter[str] = Counter()
        self._telling: set[asyncio.Task[None]] = set()

    def tell_soon(self, happened: Happened) -> None:
        """Without waiting: what plugins do with an event must not hold up the visit."""
        if self._listeners:
            task = asyncio.create_task(self.tell(happened))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def finish(self) -> None:
        """Waits for those who are still being told."""
        await asyncio.gather(*self._telling)

    async def tell(self, happened: Happened) -> None:
        await asyncio.gather(*(self._tell(name, listen, happened) for name, listen in self._listeners))

    async def _tell(self, plugin: str, listen: Callable[..., Any], happened: Happened) -> None:
        try:
            result = listen(event=happened)
            if inspect.isawaitable(result):
                async with asyncio.timeout(TIME_LIMIT):
                    await result
        except Exception as error:
            self.failures[plugin] += 1
            log.warning("event listener failed", extra={"plugin": plugin, "error": type(error).__name__})
