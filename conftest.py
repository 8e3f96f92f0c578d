"""Shared by all tests of the repository."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """aiortc and SQLAlchemy need asyncio."""
    return "asyncio"
