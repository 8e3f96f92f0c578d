"""Shared by all tests of the repository."""

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is, and what else runs on it, is not what the tests are about.
settings.register_profile("vsdk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vsdk")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """aiortc and SQLAlchemy need asyncio."""
    return "asyncio"
