"""A server in a thread of the tests, where a test has to reach into it: its clock, what it trusts."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from pydantic import SecretStr
from tests.e2e.conftest import PLUGINS

from vsdk.sdk import VideoSdk
from vsdk.service.clock import SystemClock
from vsdk.serving import server_options
from vsdk.settings import Settings

CODE, KEY = "code-of-the-practice", "key-of-the-practice"


class ShiftedClock(SystemClock):
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


def settings(
    base: str,
    folder: Path,
    *,
    more_plugins: dict[str, dict[str, Any]] | None = None,
    **practice: Any,
) -> Settings:
    """Of one practice; keywords are more settings of it, ``more_plugins`` is what further plugins need."""
    more = more_plugins or {}
    park = {
        "id": "park",
        "name": "Praxis am Park",
        "phone": "+493023125000",
        "identity_provider": "local",
        "api_key": SecretStr(KEY),
    }
    return Settings.of(
        {
            "base_url": base,
            "database": f"sqlite+aiosqlite:///{folder / 'vsdk.sqlite3'}",
            "plugins": [*PLUGINS, *more],
            "plugin": {"local_login": {"codes": {"park": SecretStr(CODE)}}} | more,
            "practices": [park | practice],
        }
    )


def list_url(base: str) -> str:
    return f"{base}/practice/park#{CODE}"


def patient_link(base: str, appointment: dict[str, Any]) -> str:
    body, headers = {"appointment": appointment}, {"Authorization": f"Bearer {KEY}"}
    links = httpx2.post(f"{base}/api/v1/visits", json=body, headers=headers).json()["links"]
    return str(next(link["join_url"] for link in links if link["role"] == "patient"))


@contextmanager
def running(make: Callable[[str], VideoSdk]) -> Iterator[tuple[str, VideoSdk]]:
    """Gives the server's address, and the server; ``make`` gets the address."""
    listening = socket.create_server(("127.0.0.1", 0))
    base = f"http://localhost:{listening.getsockname()[1]}"
    video = make(base)
    options: dict[str, Any] = server_options(video.settings)
    server = uvicorn.Server(uvicorn.Config(video, **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.05)
        assert thread.is_alive(), "the server did not start"
    try:
        yield base, video
    finally:
        server.should_exit = True
        thread.join(20)
