"""How long to wait before another attempt."""

import random
from datetime import timedelta

PAUSES = (1, 5, 30, 120, 600, 1800, 3600)
"""seconds before each further attempt; after the last one an effect is given up"""
SWITCH_AFTER = 4
"""attempts by one channel after which another one is tried, if there is any"""
LONGEST_WAIT = 86_400.0
"""seconds that the other side can put off one attempt"""


def next_pause(attempts: int, retry_after: float | None = None) -> timedelta | None:
    """The pause after so many attempts, a fifth longer or shorter by chance; None when it was the last.

    What the other side asks for (seconds) counts where it is longer.
    """
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1] * random.uniform(0.8, 1.2)  # noqa: S311 (jitter)
    return timedelta(seconds=max(pause, min(retry_after or 0.0, LONGEST_WAIT)))
