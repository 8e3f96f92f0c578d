"""What all contracts share: asyncio, a limit in time, and ears for what must stay private."""

import asyncio
import logging
import re
import time
import traceback
from collections.abc import Awaitable, Iterator, Sequence
from typing import ClassVar, Self, TypeVar
from urllib.parse import unquote_plus

import pytest

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST = 3.0
"""seconds that anything may take here, where nothing is far away"""

T = TypeVar("T")


class Overheard:
    """All that is logged from DEBUG on, with its extra fields, and all that is printed.

    A logger that was given a level of its own keeps it, as it would in earnest.
    """

    def __init__(self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
        self._caplog, self._capsys = caplog, capsys
        self._before: list[tuple[logging.Logger, bool]] = []

    def __enter__(self) -> Self:
        self._caplog.set_level(logging.DEBUG)
        for logger in logging.root.manager.loggerDict.values():
            if isinstance(logger, logging.Logger):
                self._before.append((logger, logger.propagate))
                logger.propagate = True
        return self

    def __exit__(self, *_: object) -> None:
        for logger, propagate in self._before:
            logger.propagate = propagate

    @property
    def text(self) -> str:
        fields = "".join(repr(vars(record)) for record in self._caplog.records)
        return self._caplog.text + fields + "".join(self._capsys.readouterr())


class Contract:
    """Runs async tests on asyncio, whatever the plugin's own test settings are."""

    pytestmark: ClassVar[list[pytest.MarkDecorator]] = [pytest.mark.anyio]
    secrets: ClassVar[Sequence[str]] = ()
    """tokens and passwords of the adapter under test, which no log and no error may show"""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def overheard(
        self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> Iterator[Overheard]:
        with Overheard(caplog, capsys) as ears:
            yield ears

    def assert_silent(self, private: Sequence[str], shown: str, error: BaseException | None = None) -> None:
        """Neither what was overheard nor the error, with all that led to it, shows anything private."""
        shown += _shown_by(error) if error else ""
        for text in (*private, *self.secrets):
            assert not appears(text, shown), "a log line or an error shows what must stay private"


def appears(text: str, shown: str) -> bool:
    """Whether the text is in there: as it is, percent-encoded, or as a number written in groups."""
    return (
        text in shown
        or text in unquote_plus(shown)
        or (text.isdigit() and text in re.sub(r"[\s()./-]", "", shown))
    )


async def in_time(awaitable: Awaitable[T]) -> T:
    """The outcome of something that may take no longer than `LONGEST`."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(LONGEST) as limit:
            return await awaitable
    except TimeoutError:
        if not limit.expired():
            raise
    finally:
        if time.monotonic() - began > LONGEST + 1:
            pytest.fail("everything else had to wait for it")
    pytest.fail(f"not done within {LONGEST} seconds")


def _shown_by(error: BaseException) -> str:
    """All that a log or a crash report would show of an error and of what it came from."""
    pieces = ["".join(traceback.format_exception(error))]
    cause: BaseException | None = error
    while cause is not None:
        notes = getattr(cause, "__notes__", ())
        pieces += [str(cause), repr(cause), repr(cause.args), repr(vars(cause)), *map(str, notes)]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join(pieces)
