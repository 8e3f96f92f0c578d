"""Which events of a Subscription have come, told by their numbers (Subscriptions Backport, gap detection)."""

from collections.abc import Collection

MOST_SUBSCRIPTIONS = 100
MOST_MISSING = 1000


class EventNumbers:
    """Counts for each Subscription. Notifications may come twice and in any order.

    What came before we were started is not our concern: every start reads everything.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._missing: dict[str, set[int]] = {}

    def is_complete(self, subscription: str, total: int, numbers: Collection[int]) -> bool:
        """Whether all events up to ``total`` are known now; each gap is told once.

        ``numbers`` are those of the events in this notification. A count that goes back means that the
        server began again, and that nobody knows what was lost.
        """
        if subscription not in self._last:
            self._begin(subscription, max([total, *numbers]))
            return True
        last, missing, highest = self._last[subscription], self._missing[subscription], max([total, *numbers])
        news = {number for number in numbers if number > last}
        late = missing.intersection(numbers)
        if highest < last and not late:
            self._begin(subscription, highest)
            return False
        self._last[subscription] = max(last, highest)
        missing -= late
        if len(missing) < MOST_MISSING:
            missing.update(set(range(last + 1, min(highest, last + MOST_MISSING) + 1)) - news)
        return highest - last <= len(news)

    def _begin(self, subscription: str, total: int) -> None:
        if len(self._last) >= MOST_SUBSCRIPTIONS:
            self._last.clear()
            self._missing.clear()
        self._last[subscription] = total
        self._missing[subscription] = set()
