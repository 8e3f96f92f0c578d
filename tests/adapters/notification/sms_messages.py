"""Messages to nobody, and reports on them, for the tests of SMS channels."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from vsdk.domain.message import Message
from vsdk.hooks.ports import Notification

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = "3b5c7f0e9a5d4d7c8f1e2a3b4c5d6e7f"
NUMBER = "+491713920099"
TEXT = "Zu Ihrer Videosprechstunde um 14 Uhr: https://praxis.example/v/j#h4ndle"
BASE = "https://praxis.example/video"


def a_message(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "recipient": NUMBER,
        "text": TEXT,
        "idempotency_key": KEY,
        "template": "link-at-time",
        "language": "de",
    }
    return Message(**(values | changes))


def a_report(
    plugin: str,
    path: str = "",
    *,
    body: bytes = b"",
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    method: str = "POST",
) -> Notification:
    """As the server hands it over, called at ``/receipts/<plugin>`` or below."""
    url = f"{BASE}/receipts/{plugin}" + (f"/{path}" if path else "")
    return Notification(
        method, path, headers or {}, body, f"{url}?{urlencode(query)}" if query is not None else url
    )
