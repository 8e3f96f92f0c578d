"""The pytest plugin; imports vsdk lazily."""

import pytest


@pytest.fixture
def clock():  # type: ignore[no-untyped-def]
    from vsdk.testing.fakes import FakeClock

    return FakeClock()
