"""The command itself: reads, schedules and prints batch by batch, so that what was printed is stored."""

import asyncio
import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from vsdk.domain.practice import Practice
from vsdk.links.documents import Documents, Found
from vsdk.links.output import standard_output, writing
from vsdk.links.printing import Progress, Table, print_lines
from vsdk.links.rows import Rows
from vsdk.sdk import VideoSdk
from vsdk.service.bulk import BATCH

HEAVIEST_BATCH = 2**22
"""bytes of JSON, after which a batch is not made longer"""

COLLECTED_AFTER = 20
"""batches, each of which leaves a few kilobytes of cycles behind"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says. ``progress`` None: where a person would see nothing else."""

    files: Sequence[str]
    release: str
    practice: Practice
    table: bool = False
    progress: bool | None = None


def run(video: VideoSdk, wish: Wish) -> int:
    """Gives the number of failures. Files are read between the batches, outside the event loop, so that
    Ctrl-C ends the waiting for standard input too; within a batch, it undoes the batch."""
    out = standard_output()
    documents = Documents(wish.files)
    rows = Rows(video, wish.release, wish.practice)
    progress = Progress(sys.stderr, documents.size) if _is_shown(wish) else None
    table = Table(out) if wish.table else None
    done = failed = 0
    with _rare_collections(), asyncio.Runner() as runner:
        try:
            runner.run(video.store.open())
            for number, batch in enumerate(_batches(documents), start=1):
                printed = runner.run(rows.of(batch))
                done += len(batch)
                failed += sum("error" in row for row in printed)
                with writing():
                    if progress:
                        progress.clear()
                    if table:
                        table.print(printed)
                    else:
                        print_lines(printed, out)
                    if progress:
                        progress.show(done, failed, documents.position)
                if number % COLLECTED_AFTER == 0:
                    gc.collect()
        finally:
            runner.run(video.store.close())
            if progress:
                progress.finish(done, failed)
    return failed


@contextmanager
def _rare_collections() -> Iterator[None]:
    """The garbage collector looks at a batch as a whole, not many times while it is made: a tenth faster.

    By itself it would never get to the little that outlives its batch: `run` calls it, so that a file of a
    million appointments needs no more memory than a short one.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _is_shown(wish: Wish) -> bool:
    if wish.progress is None:
        return sys.stderr.isatty() and not sys.stdout.isatty()
    return wish.progress


def _batches(documents: Documents) -> Iterator[list[Found]]:
    batch: list[Found] = []
    began_at = 0
    for found in documents.resources():
        batch.append(found)
        if len(batch) == BATCH or documents.weight - began_at > HEAVIEST_BATCH:
            yield batch
            batch, began_at = [], documents.weight
    if batch:
        yield batch
