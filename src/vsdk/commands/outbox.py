"""``vsdk outbox``: messages and write-backs that were given up. What is printed holds no personal data."""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from vsdk.commands.database import opened
from vsdk.domain.effects import Notify
from vsdk.domain.errors import NotFound
from vsdk.domain.ids import PracticeId
from vsdk.hooks.store import DeadLetter, Outbox
from vsdk.links.output import writing
from vsdk.service.clock import SystemClock
from vsdk.settings import Settings

MOST = 500
"""dead letters that are read at once"""
COLUMNS = ("id", "practice", "kind", "channel", "recipient", "reason", "since", "attempts")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some by their ids, or, where there are none, all of a practice, or of all practices."""

    ids: Sequence[str] = ()
    practice_id: PracticeId | None = None
    confirmed: bool = False
    """whether nobody is to be asked"""


async def show(settings: Settings, practice_id: PracticeId | None, *, table: bool, out: TextIO) -> int:
    async with opened(settings) as outbox:
        letters = await outbox.dead_letters(practice_id, MOST)
    rows = [_row(letter) for letter in letters]
    with writing():
        for line in _table(rows) if table else (json.dumps(row, ensure_ascii=False) for row in rows):
            print(line, file=out)
        out.flush()
    if len(rows) == MOST:
        print(f"vsdk: these are the oldest {MOST}; there may be more", file=sys.stderr)
    return 0


async def retry(settings: Settings, chosen: Chosen, out: TextIO) -> int:
    """Raises NotFound ``dead-letter-unknown``, after the others were done."""
    clock = SystemClock()
    async with opened(settings) as outbox:
        return await _each(outbox, chosen, lambda id_: outbox.retry(id_, clock.now()), "tried again", out)


async def drop(settings: Settings, chosen: Chosen, out: TextIO) -> int:
    """Raises NotFound ``dead-letter-unknown``, after the others were done."""
    async with opened(settings) as outbox:
        return await _each(outbox, chosen, outbox.drop, "dropped", out)


async def _each(
    outbox: Outbox, chosen: Chosen, act: Callable[[str], Awaitable[bool]], done: str, out: TextIO
) -> int:
    if not chosen.ids:
        return await _all(outbox, chosen, act, done, out)
    unknown = [id_ for id_ in dict.fromkeys(chosen.ids) if not await act(id_)]
    print(f"{len(set(chosen.ids)) - len(unknown)} {done}", file=out)
    if unknown:
        raise NotFound(
            f"no message or write-back that was given up has the id {', '.join(unknown)}",
            code="dead-letter-unknown",
        )
    return 0


async def _all(
    outbox: Outbox, chosen: Chosen, act: Callable[[str], Awaitable[bool]], done: str, out: TextIO
) -> int:
    """Batch by batch; one that could not be changed, as someone else was quicker, ends it."""
    letters = await outbox.dead_letters(chosen.practice_id, MOST)
    if letters and not chosen.confirmed and not _agreed(len(letters), done):
        print("nothing was changed", file=out)
        return 1
    count = 0
    while letters:
        changed = sum([await act(letter.entry.id) for letter in letters])
        count += changed
        letters = await outbox.dead_letters(chosen.practice_id, MOST) if changed else []
    print(f"{count} {done}", file=out)
    return 0


def _agreed(count: int, done: str) -> bool:
    """Asks a person; a script, which could not answer, has said ``--all``."""
    if not sys.stdin.isatty():
        return True
    number = f"{count} or more" if count == MOST else str(count)
    print(f"{number} will be {done}. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _row(letter: DeadLetter) -> dict[str, str | int]:
    effect, record = letter.entry.effect, letter.record
    return {
        "id": letter.entry.id,
        "practice": letter.practice_id,
        "kind": effect.template if isinstance(effect, Notify) else "write-back",
        "channel": record.channel if record else "",
        "recipient": record.recipient if record else "",
        "reason": letter.reason,
        "since": letter.entry.created.isoformat(timespec="seconds"),
        "attempts": letter.entry.attempts,
    }


def _table(rows: Sequence[dict[str, str | int]]) -> list[str]:
    if not rows:
        return []
    lines = [[c.upper() for c in COLUMNS], *([str(row[c]) or "-" for c in COLUMNS] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
