"""The order in which a practice sees its visits. Who waits never learns of anyone else who waits."""

from collections.abc import Iterable
from datetime import datetime

from vsdk.domain.visit import ACTIVE, Visit


def waiting_first(visits: Iterable[tuple[Visit, datetime]]) -> list[Visit]:
    """Visits with their planned start, ordered for the practice's list.

    Where someone is there comes first, the longest wait on top; the rest follows by planned start.
    """

    def place(entry: tuple[Visit, datetime]) -> tuple[int, datetime]:
        visit, start = entry
        if visit.state in ACTIVE:
            return (0, visit.waiting_since or start)
        return (1, start)

    return [visit for visit, _ in sorted(visits, key=place)]
