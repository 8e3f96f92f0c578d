"""How often one address may try, so that handles and access codes cannot be guessed."""

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from vsdk.domain.errors import RateLimited
from vsdk.service.clock import Clock


class AttemptLimit:
    """At most ``per_minute`` attempts from one address in any minute; one counter for all kinds."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._clock = clock
        self._item = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def count(self, address: str) -> None:
        """Counts one attempt. Raises RateLimited with the seconds to wait."""
        if not await self._limiter.hit(self._item, address):
            window = await self._limiter.get_window_stats(self._item, address)
            wait = window.reset_time - self._clock.now().timestamp()
            raise RateLimited("too many attempts from here; wait a moment", retry_after=max(1.0, wait))


class MessageBudget:
    """What a connection may send: ``rate`` a second, sustained, with bursts of twice that."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._budget = rate * 2
        self._last = now

    def spend(self, now: float, cost: float = 1) -> bool:
        """False, and nothing is spent, when there is not so much left. ``now``: monotonic, in seconds."""
        self._budget = min(self._rate * 2, self._budget + (now - self._last) * self._rate)
        self._last = now
        if self._budget < cost:
            return False
        self._budget -= cost
        return True
