"""The pytest plugin: fixtures for tests of plugins. Imports vsdk only when a fixture is used."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vsdk.testing.fakes import FakeClock, FakeHttp

pytest.register_assert_rewrite("vsdk.testing.contracts", "vsdk.testing.channel_contract")


@pytest.fixture
def clock() -> "FakeClock":
    """Time that stands still until told."""
    from vsdk.testing.fakes import FakeClock

    return FakeClock()


@pytest.fixture
def mock_http() -> "FakeHttp":
    """The port Http without a network: ``.answering(…)``, ``.failing(…)``, ``.hanging()``, ``.requests``."""
    from vsdk.testing.fakes import FakeHttp

    return FakeHttp()
