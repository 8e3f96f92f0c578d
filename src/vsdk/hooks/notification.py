"""Notification: how people are reached, and in which words."""

from collections.abc import Sequence
from pathlib import Path

from vsdk.hooks.markers import hookspec
from vsdk.hooks.ports import Config, Http, NotificationChannel


@hookspec
def vsdk_notification_channels(config: Config, http: Http) -> Sequence[NotificationChannel]:  # type: ignore[empty-body]
    """Give channels, such as an SMS gateway.

    When: once, at start-up. Combination: tried for each message in the order of the settings' ``channels``,
    the next one after a failure that will not pass, and after the fourth that might. Failure of the hook:
    start-up fails. Failure of a delivery: retried under the same key, as long as it is retryable and the
    message is of use.
    """


@hookspec
def vsdk_message_catalogs() -> Sequence[Path]:  # type: ignore[empty-body]
    """Give folders with gettext catalogues, ``<folder>/<language>/*.po``, whose texts replace ours by id.

    When: once, at start-up. Combination: later in the enabled list overrides. Failure: start-up fails.
    """
