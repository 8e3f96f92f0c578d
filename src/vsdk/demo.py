"""``vsdk demo``: a practice to try out. Everything is made in a temporary folder and gone afterwards."""

import asyncio
import json
import logging
import secrets
import socket
import sys
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn

from vsdk.commands.lan import ADVICE, address, make_certificate, qr_lines
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.sdk import VideoSdk
from vsdk.server import logs
from vsdk.service.clock import SystemClock
from vsdk.serving import server_options
from vsdk.settings import Settings

PRACTICE = PracticeId("demo")
FIRST_STARTS_IN = timedelta(minutes=5)
PREFERRED_PORT = 8000
PLUGINS = ("folder_schedule", "console_messages", "local_login")
OPTIONAL_PLUGINS = ("doctolib_like", "kbv_compliance")
"""enabled when they are installed"""


def samples() -> Path:
    """The sample Appointments: in the wheel, or in the checkout."""
    here = Path(__file__).parent
    packaged = here / "examples" / "appointments"
    return packaged if packaged.is_dir() else here.parents[1] / "examples" / "appointments"


def move_to_now(source: Path, target: Path, now: datetime) -> int:
    """Copies the samples, moved so that the earliest booked one begins soon. Returns their number."""
    files = {
        f.relative_to(source): json.loads(f.read_text(encoding="utf-8"))
        for f in sorted(source.rglob("*.json"))
    }
    first = min(datetime.fromisoformat(r["start"]) for r in files.values() if r["status"] == "booked")
    shift = now + FIRST_STARTS_IN - first
    for name, resource in files.items():
        for key in ("start", "end"):
            if key in resource:
                resource[key] = (datetime.fromisoformat(resource[key]) + shift).isoformat(timespec="seconds")
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(resource, indent=2, ensure_ascii=False), encoding="utf-8")
    return len(files)


def free_port(wanted: int | None) -> int:
    """``wanted``, or 8000 if it is free, or any other."""
    for port in [wanted] if wanted else [PREFERRED_PORT, 0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SystemExit(f"vsdk: port {wanted} is in use; choose another with --port")


def settings(folder: Path, base_url: str, code: str, api_key: str) -> Settings:
    from pydantic import SecretStr

    from vsdk.service.registry import installed

    available = [name for name in OPTIONAL_PLUGINS if name in installed()]
    return Settings.of(
        {
            "base_url": base_url,
            "database": f"sqlite+aiosqlite:///{folder / 'vsdk.sqlite3'}",
            "plugins": [*PLUGINS, *available],
            "poll_seconds": 2,
            "plugin": {
                "folder_schedule": {"directory": str(folder / "appointments")},
                "local_login": {"codes": {PRACTICE: SecretStr(code)}},
            },
            "practices": [
                {
                    "id": PRACTICE,
                    "name": "Praxis am Lindenplatz",
                    "phone": "+493023125000",
                    "schedule_source": "folder",
                    "identity_provider": "local",
                    "api_key": SecretStr(api_key),
                    "messages": {"staff_email": "team@lindenplatz.example"},
                }
            ],
        }
    )


def run(port: int | None = None, *, in_network: bool = False) -> int:
    """Serves until Ctrl-C. ``in_network``: over HTTPS, for phones in the same network."""
    logs.configure(level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="vsdk-demo-") as name:
        folder, chosen = Path(name), free_port(port)
        host = address() if in_network else "127.0.0.1"
        base_url = f"https://{host}:{chosen}" if in_network else f"http://localhost:{chosen}"
        certificate = make_certificate(host, folder) if in_network else None
        say("preparing sample appointments")
        count = move_to_now(samples(), folder / "appointments", SystemClock().now())
        code, api_key = secrets.token_urlsafe(12), secrets.token_urlsafe(24)
        video = VideoSdk(settings(folder, base_url, code, api_key))
        say(f"starting with {count} appointments and the plugins {', '.join(video.registry.plugins)}")
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve(video, host, chosen, certificate, code, api_key))
    say("stopped; everything the demo made is deleted")
    return 0


async def _serve(
    video: VideoSdk, host: str, port: int, certificate: tuple[Path, Path] | None, code: str, api_key: str
) -> None:
    options = server_options(video.settings)
    if certificate:
        options |= {"ssl_certfile": certificate[0], "ssl_keyfile": certificate[1]}
    config = uvicorn.Config(video, host, port, **options)
    server = uvicorn.Server(config)
    introduction = asyncio.create_task(_introduce(video, server, code, api_key))
    try:
        await server.serve()
    finally:
        introduction.cancel()


async def _introduce(video: VideoSdk, server: uvicorn.Server, code: str, api_key: str) -> None:
    """Prints the two links as soon as the server answers and the first appointment was taken over."""
    base, now = video.settings.base_url, video.clock.now()
    url = None
    for _ in range(200):
        if not server.started:
            await asyncio.sleep(0.1)
            continue
        day = await video.visits.day(PRACTICE, now, now + timedelta(hours=1))
        url = await _patient_url(video, day[0][1].appointment.id) if day else None
        if url:
            break
        await asyncio.sleep(0.1)
    else:
        say("the sample appointments did not arrive; please report this with what is printed above")
        server.should_exit = True
        return
    phone = base.startswith("https:")
    where = ADVICE if phone else "  Open each in a window of its own, on this machine."
    lines = [
        "",
        *(qr_lines(url).splitlines() if phone else ()),
        f"  The practice:      {base}/practice/{PRACTICE}#{code}",
        f"  The patient (SMS): {url}",
        "",
        where,
        f"  All messages sent: {base}/plugins/console_messages/messages",
        f"  API key for {base}/api/v1: {api_key}",
        "",
        "  Ctrl-C ends the demo.",
        "",
    ]
    print("\n".join(lines), flush=True)


async def _patient_url(video: VideoSdk, appointment_id: Any) -> str | None:
    scheduled = await video.scheduling.current(PRACTICE, appointment_id)
    return next((link.url for link in scheduled.links if link.participant.role is Role.PATIENT), None)


def say(text: str) -> None:
    print(f"vsdk demo: {text}", file=sys.stderr, flush=True)
