"""Connections to the database, for reading and for writing.

SQLite lets one writer in at a time. Writers therefore share a single connection, so that they queue fairly
in this process, and start with ``BEGIN IMMEDIATE``, so that a writer of another process makes them wait
(``busy_timeout``) instead of fail. Readers have connections of their own and never wait (WAL).

``synchronous=FULL``: a commit that was acknowledged survives a power cut. NORMAL would be enough for a
killed process, as what is in the write-ahead log belongs to the operating system by then; but a waiting room
that forgets who was admitted is not worth the milliseconds saved.
"""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from sqlalchemy import URL, AsyncAdaptedQueuePool, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from vsdk.domain.errors import ConfigurationError, VsdkError
from vsdk.hooks import json_text

PRAGMAS = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)

READERS = 8
"""connections that stay; one more would be made anew, with a thread of its own, whenever it is needed"""

_OPTIONS: dict[str, Any] = {
    "hide_parameters": True,
    "json_serializer": lambda value: json_text.write(value).decode(),
    "json_deserializer": json_text.parse,
}

logging.getLogger("aiosqlite").setLevel(logging.INFO)
"""at DEBUG it would log the values of every statement, whoever set the level of the root logger"""


P = ParamSpec("P")
T = TypeVar("T")


def whole(work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A method that goes on to its end when its caller is cancelled, who waits for that.

    Cut off in the middle, a connection is left behind that rolls back whenever its thread gets to it, and
    may never be closed: the next writer finds the database locked, and the process does not end.
    """

    @wraps(work)
    async def uncut(*args: P.args, **kwargs: P.kwargs) -> T:
        task = asyncio.create_task(work(*args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # whoever would have been told of it is gone
            raise

    return uncut


class Database:
    """``url`` is an SQLAlchemy address with an asynchronous driver; ``sqlite+aiosqlite://`` is in memory."""

    def __init__(self, url: str) -> None:
        """Raises ConfigurationError for an address that leads to no database that can be used."""
        self._memory_name = ""
        self._file = ""
        self._keeper: sqlite3.Connection | None = None
        try:
            self._connect(make_url(url))
        except (ArgumentError, InvalidRequestError):
            raise ConfigurationError(
                "database: this is no SQLAlchemy address with an asynchronous driver"
            ) from None
        except ImportError as error:
            raise ConfigurationError(f"database: its driver is not installed: {error.name}") from None

    def _connect(self, parsed: URL) -> None:
        if parsed.get_backend_name() != "sqlite":
            self._reads = self._writes = create_async_engine(parsed, **_OPTIONS)
        elif parsed.database in (None, "", ":memory:"):
            self._memory_name = f"file:vsdk-{uuid4().hex}"
            shared = parsed.set(
                database=self._memory_name, query={"mode": "memory", "cache": "shared", "uri": "true"}
            )
            self._reads = self._writes = _single_writer(shared)
        else:
            self._file = parsed.database or ""
            self._reads = _sqlite_engine(parsed)
            self._writes = _single_writer(parsed)

    @property
    def is_shared(self) -> bool:
        """Whether other processes may work on it too: not with SQLite."""
        return not (self._file or self._memory_name)

    async def open(self) -> None:
        """Makes a new file readable by its owner only. Raises VsdkError ``database-failed`` where it cannot.

        A database in memory lives as long as one connection to it, whatever happens to the others.
        """
        if self._file:
            try:
                os.close(os.open(self._file, os.O_CREAT | os.O_RDWR, 0o600))
            except OSError as error:
                raise VsdkError(f"cannot open its file: {error.strerror}", code="database-failed") from None
        if self._memory_name and self._keeper is None:
            self._keeper = sqlite3.connect(f"{self._memory_name}?mode=memory&cache=shared", uri=True)

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._reads.connect()

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when an exception leaves it."""
        return self._writes.begin()

    async def close(self) -> None:
        await self._reads.dispose()
        await self._writes.dispose()
        if self._keeper:
            self._keeper.close()
            self._keeper = None


def failure(error: Exception) -> VsdkError | None:
    """What can be said of an error of the database, without a value; None for other errors."""
    if not isinstance(error, SQLAlchemyError):
        return None
    cause = error.orig if isinstance(error, DBAPIError) else error
    reason = str(cause) if isinstance(cause, sqlite3.Error) else type(cause).__name__
    return VsdkError(reason, code="database-failed")


def _sqlite_engine(url: URL, **options: Any) -> AsyncEngine:
    sizes = {"pool_size": READERS, "max_overflow": 0} | options
    engine = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, **_OPTIONS, **sizes)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver opens no transactions of its own
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    return engine


def _single_writer(url: URL) -> AsyncEngine:
    engine = _sqlite_engine(url, pool_size=1, max_overflow=0)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
