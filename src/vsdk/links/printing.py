"""Rows on standard output, and on standard error how far it is."""

import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TextIO

from vsdk.links.rows import Row

COLUMNS = ("appointment", "participant", "role", "opens", "expires", "join_url")
_EVERY = 0.2
"""seconds between two pictures of the progress"""
_BAR, _SHORTEST_BAR = 30, 8
"""characters"""


def terminal_columns(out: TextIO) -> int | None:
    """How wide the terminal is, or None where there is none."""
    try:
        return os.get_terminal_size(out.fileno()).columns or None
    except (OSError, ValueError):
        return None


def print_lines(rows: Iterable[Row], out: TextIO) -> None:
    """JSON Lines."""
    out.write("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    out.flush()


class Table:
    """For people. Columns are as wide as the first rows need; a later value that is longer moves its line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._widths: dict[str, int] = {}

    def print(self, rows: Iterable[Row]) -> None:
        """Links first, then what could not be mapped."""
        rows = list(rows)
        links = [row for row in rows if "error" not in row]
        if links and not self._widths:
            self._widths = {c: max(len(c), *(len(str(row[c])) for row in links)) for c in COLUMNS}
            self._print(c.upper() for c in COLUMNS)
        for row in links:
            self._print(str(row[c]) for c in COLUMNS)
        for row in rows:
            if "error" in row:
                print(f"{row['source']}: {row['error']}: {row['detail']}", file=self._out)
        self._out.flush()

    def _print(self, cells: Iterable[str]) -> None:
        padded = (cell.ljust(width) for cell, width in zip(cells, self._widths.values(), strict=True))
        print("  ".join(padded).rstrip(), file=self._out)


class Progress:
    """One line that is written again and again. ``size`` is that of the input in bytes, where it is known.

    On a terminal it fits into the line, at its end a bar where there is room. The time that is left follows
    from the last ten seconds: what was stored before is passed faster than what is new.
    """

    def __init__(
        self,
        out: TextIO,
        size: int | None,
        clock: Callable[[], float] = time.monotonic,
        columns: Callable[[TextIO], int | None] = terminal_columns,
    ) -> None:
        self._out = out
        self._size = size
        self._clock = clock
        self._columns = columns
        self._began = clock()
        self._shown_at = 0.0
        self._width = 0
        self._past = deque([(self._began, 0)], maxlen=round(10 / _EVERY))
        """when the last pictures were made, and where the reading was"""

    def show(self, done: int, failed: int, position: int) -> None:
        """At most a few times a second. ``position`` is how far the input was read, in bytes."""
        now = self._clock()
        if now - self._shown_at < _EVERY:
            return
        self._shown_at = now
        parts = [_count(done), f"{done / max(now - self._began, 1e-9):,.0f}/s", f"{failed:,} failed"]
        share = 0.0
        if self._size and position:
            share = min(position / self._size, 1)
            parts.append(f"{share:.0%}")
            then, before = self._past[0]
            if position > before:
                left = (now - then) * max(self._size - position, 0) / (position - before)
                parts.append(f"{_duration(left)} left")
        self._past.append((now, position))
        columns = self._columns(self._out)
        self._write(", ".join(parts) if columns is None else _fitting(parts, share, columns - 1))

    def clear(self) -> None:
        """Makes room for a row."""
        if self._width:
            self._write("")
            self._out.write("\r")

    def finish(self, done: int, failed: int) -> None:
        took = self._clock() - self._began
        rate = f"{done / max(took, 1e-9):,.0f}/s"
        self._write(f"{_count(done)} in {_duration(took)} ({rate}), {failed:,} failed")
        self._out.write("\n")
        self._out.flush()

    def _write(self, text: str) -> None:
        self._out.write(f"\r{text.ljust(self._width)}")
        self._out.flush()
        self._width = len(text)


def _fitting(parts: list[str], share: float, width: int) -> str:
    """In a line that is too short the rate is left out first, then the failures, which the end tells."""
    while len(parts) > 1 and len(", ".join(parts)) > width:
        parts = [parts[0], *parts[2:]]
    text = ", ".join(parts)
    room = min(width - len(text) - len(" []"), _BAR)
    if share and room >= _SHORTEST_BAR:
        text += f" [{'#' * int(share * room):{room}}]"
    return text[: max(width, 0)]


def _count(done: int) -> str:
    return f"{done:,} appointment{'' if done == 1 else 's'}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
