"""Standard output: its encoding, and what is said when it takes no more."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from vsdk.domain.errors import VsdkError


def standard_output() -> TextIO:
    """In UTF-8, as JSON is, whatever the locale says. Raises VsdkError ``output-failed`` where none is."""
    if sys.stdout is None:
        raise VsdkError("there is no standard output", code="output-failed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


@contextmanager
def writing() -> Iterator[None]:
    """Raises VsdkError ``output-failed`` when no more can be written; BrokenPipeError when nobody reads."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise VsdkError(f"cannot be written: {error.strerror}", code="output-failed") from None


def discard_output() -> None:
    """What could not be written is forgotten: the interpreter would try again when it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
