"""Presentation: parts of pages, and pages of a plugin's own."""

from collections.abc import Sequence

from vsdk.hooks.markers import hookspec
from vsdk.hooks.ports import Config, PageSource, Panel


@hookspec
def vsdk_panels() -> Sequence[Panel]:  # type: ignore[empty-body]
    """Give custom elements that appear in a slot of a page.

    When: once, at start-up. Combination: unique names, in the order of the enabled list. Failure: start-up
    fails.
    """


@hookspec
def vsdk_pages(config: Config) -> Sequence[PageSource]:  # type: ignore[empty-body]
    """Give pages, reached under ``/plugins/<plugin>/<path>``.

    When: once, at start-up. Combination: unique paths per plugin. Failure: start-up fails.
    """
