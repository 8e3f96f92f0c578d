"""The pytest plugin: fixtures for tests of plugins. Imports vsdk only when a fixture is used."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vsdk.testing.fakes import FakeClock, FakeHttp
    from vsdk.testing.loopback import LoopbackHttp

pytest.register_assert_rewrite(
    "vsdk.testing.channel_contract",
    "vsdk.testing.contract",
    "vsdk.testing.identity_contract",
    "vsdk.testing.panel_contract",
    "vsdk.testing.plan_contract",
    "vsdk.testing.report_contract",
    "vsdk.testing.rule_contract",
    "vsdk.testing.schedule_contract",
)


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


@pytest.fixture
def loopback_http() -> "Iterator[LoopbackHttp]":
    """The same over TLS to a server on this machine, which can also fail in the ways of `LoopbackHttp`."""
    from vsdk.testing.loopback import LoopbackHttp

    with LoopbackHttp() as http:
        yield http
