"""Rows on standard output, and on standard error how far it is."""

import json
import time
from collections.abc import Callable, Iterable
from typing import TextIO

from vsdk.links.rows import Row

COLUMNS = ("appointment", "participant", "role", "opens", "expires", "join_url")
_EVERY = 0.2
"""seconds between two pictures of the progress"""


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
    """One line that is written again and again. ``size`` is that of the input in bytes, where it is known."""

    def __init__(self, out: TextIO, size: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._size = size
        self._clock = clock
        self._began = clock()
        self._shown_at = 0.0
        self._width = 0

    def show(self, done: int, failed: int, position: int) -> None:
        """At most a few times a second. ``position`` is how far the input was read, in bytes."""
        now = self._clock()
        if now - self._shown_at < _EVERY:
            return
        self._shown_at = now
        parts = [_count(done), f"{done / max(now - self._began, 1e-9):,.0f}/s", f"{failed:,} failed"]
        if self._size and position:
            share = min(position / self._size, 1)
            left = (now - self._began) * (1 - share) / share
            parts += [f"{share:.0%}", f"{_duration(left)} left"]
        self._write(", ".join(parts))

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


def _count(done: int) -> str:
    return f"{done:,} appointment{'' if done == 1 else 's'}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
