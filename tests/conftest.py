"""One Playwright and one browser for the whole run: a second Playwright in the same process cannot start."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from .browser import FAKE_CAMERA, QUIET, chromium


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET + FAKE_CAMERA)
    yield launched
    launched.close()
