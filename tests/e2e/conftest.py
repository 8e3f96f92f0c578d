"""Real servers as processes of their own, and real Chromium with its fake camera."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.e2e.turn import SECRET, turn_server
from tests.ports import free_port

__all__ = ["free_port", "turn_server"]

PLUGINS = ["console_messages", "local_login", "doctolib_like", "kbv_compliance"]
CHECKED = "try { sessionStorage.setItem('vsdk-checked', '1'); } catch { /* a frame of another origin */ }"
REPOSITORY = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(180))


def an_appointment(
    appointment_id: str = "e2e-1",
    *,
    starts_in: timedelta = timedelta(minutes=5),
    patient: str = "Erika Beispiel",
    practitioner: str = "Dr. Jonas Muster",
    language: str = "de",
    status: str = "booked",
) -> dict[str, Any]:
    """A FHIR R4 Appointment by video, as a PMS would send it."""
    start = (datetime.now(UTC) + starts_in).replace(microsecond=0)
    return {
        "resourceType": "Appointment",
        "id": appointment_id,
        "status": status,
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=20)).isoformat(),
        "appointmentType": {"coding": [{"system": "http://snomed.info/sct", "code": "448337001"}]},
        "contained": [
            {
                "resourceType": "Patient",
                "id": "patient",
                "telecom": [{"system": "phone", "value": "+4915100000001"}],
                "communication": [{"language": {"coding": [{"code": language}]}, "preferred": True}],
            }
        ],
        "participant": [
            {"actor": {"reference": "#patient", "display": patient}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/7", "display": practitioner}, "status": "accepted"},
        ],
    }


@dataclass
class Server:
    """One `vsdk serve` with its own database, that can be killed and started again."""

    folder: Path
    port: int
    code: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    api_key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    turn_secret: str = SECRET
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def list_url(self) -> str:
        return f"{self.base}/practice/park#{self.code}"

    @property
    def environment(self) -> dict[str, str]:
        secrets_ = {"PARK_API_KEY": self.api_key, "PARK_CODE": self.code, "TURN_SECRET": self.turn_secret}
        return os.environ | secrets_

    def write_settings(self, **extra: Any) -> None:
        plugins = extra.pop("plugins", PLUGINS)
        turn = extra.pop("turn", None)
        provider = extra.pop("identity_provider", "local")
        sections = extra.pop("sections", [])
        lines = [
            f'base_url = "{self.base}"',
            f'database = "sqlite+aiosqlite:///{self.folder / "vsdk.sqlite3"}"',
            f"plugins = {json.dumps(plugins)}",
            *(f"{key} = {json.dumps(value)}" for key, value in extra.items()),
            "[[practices]]",
            'id = "park"',
            'name = "Praxis am Park"',
            'phone = "+493023125000"',
            f"identity_provider = {json.dumps(provider)}",
            'api_key = { env = "PARK_API_KEY" }',
            "[plugin.local_login.codes]",
            'park = { env = "PARK_CODE" }',
        ]
        if turn:
            lines += ["[turn]", f"urls = {json.dumps(turn)}", 'secret = { env = "TURN_SECRET" }']
        lines += sections
        (self.folder / "vsdk.toml").write_text("\n".join(lines), encoding="utf-8")

    def start(self) -> None:
        environment = self.environment
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vsdk", "--config", "vsdk.toml", "serve", "--port", str(self.port)],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if httpx2.get(f"{self.base}/api/v1/ping", timeout=1).status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
            assert self.process.poll() is None, self.log()
        raise AssertionError("the server did not start: " + self.log())

    def signal(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)

    def kill(self) -> None:
        """As a power cut would: no chance to say goodbye."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8")

    def plan(self, appointment: dict[str, Any]) -> dict[str, Any]:
        """The API's answer to an appointment."""
        reply = httpx2.post(
            f"{self.base}/api/v1/visits",
            json={"appointment": appointment},
            headers={"Authorization": f"Bearer {self.api_key}"},
        )
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def patient_link(self, appointment: dict[str, Any]) -> str:
        links = self.plan(appointment)["links"]
        return str(next(link["join_url"] for link in links if link["role"] == "patient"))

    def put(self, appointment: dict[str, Any], release: str = "R4") -> httpx2.Response:
        return httpx2.put(
            f"{self.base}/fhir/{release}/Appointment/{appointment['id']}",
            json=appointment,
            headers={"Authorization": f"Bearer {self.api_key}"},
        )

    def mirrored_status(self, appointment_id: str) -> str:
        reply = httpx2.get(
            f"{self.base}/fhir/R4/Appointment/{appointment_id}",
            headers={"Authorization": f"Bearer {self.api_key}"},
        )
        return str(reply.json()["status"])

    def vsdk(self, *arguments: str, typed: str = "") -> str:
        """A command with this server's settings."""
        done = subprocess.run(
            [sys.executable, "-m", "vsdk", "--config", "vsdk.toml", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            text=True,
            capture_output=True,
            check=True,
        )
        return done.stdout

    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.vsdk("audit", "--format", "jsonl").splitlines()]


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def make(**settings: Any) -> Server:
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        server = Server(folder, free_port(), turn_secret=settings.pop("turn_secret", SECRET))
        servers.append(server)
        server.write_settings(exchanges_per_minute=settings.pop("exchanges_per_minute", 600), **settings)
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    return make_server()


@dataclass
class Watched:
    """A context whose pages are watched for what must never happen."""

    context: BrowserContext
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def page(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", self._console)
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        return page

    def _console(self, message: Any) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(message.text)


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., Watched]]:
    contexts: list[Watched] = []

    def make(*, phone: bool = False, language: str = "de", checked: bool = True, **options: Any) -> Watched:
        """``checked``: as somebody whose devices were found good before, so that the check is short."""
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 800}
        context = browser.new_context(viewport=size, locale=language, **options)
        if checked:
            context.add_init_script(CHECKED)
        watched = Watched(context)
        contexts.append(watched)
        return watched

    yield make
    for watched in contexts:
        watched.context.close()
