"""The database of the settings, for one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vsdk.settings import Settings
from vsdk.store.sql import SqlStore


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[SqlStore]:
    store = SqlStore(settings.database)
    await store.open()
    try:
        yield store
    finally:
        await store.close()
