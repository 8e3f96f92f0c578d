"""The two servers, each a process of its own: the product, and the bare relay of `bench.bare`."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

REPOSITORY = Path(__file__).parents[1]
START_WITHIN = 60.0
"""seconds"""


@dataclass
class Server:
    """A running server process. ``api_key`` is the PMS's, for the product."""

    port: int
    process: subprocess.Popen[bytes]
    api_key: str = ""

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def resident(self) -> int:
        """Memory of the process in kB (VmRSS, proc(5))."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s*(\d+) kB", status)
        assert found, "a live process has memory"
        return int(found[1])

    def cpu(self) -> float:
        """Seconds of processor time that it has used (utime and stime, proc(5))."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def post(self, path: str, body: Any = None, bearer: str = "") -> dict[str, Any]:
        """Raises urllib.error.HTTPError."""
        request = urllib.request.Request(
            f"{self.base}/api/v1{path}",
            data=json.dumps(body or {}).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {bearer}"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            answer: dict[str, Any] = json.load(reply)
            return answer


@dataclass(frozen=True)
class Planned:
    """A visit and the way in for both."""

    visit: str
    handle: str
    link: str
    practitioner_grant: str


def plan(server: Server) -> Planned:
    """A visit of its own that starts in five minutes, and a grant for its practitioner."""
    answer = server.post("/visits", {"appointment": an_appointment()}, server.api_key)
    link = next(link["join_url"] for link in answer["links"] if link["role"] == "patient")
    entered = server.post(f"/visits/{answer['visit']}/grant", bearer=answer["grant"])
    return Planned(answer["visit"], link.partition("#")[2], link, entered["grant"])


def join(server: Server, planned: Planned) -> str:
    """The patient's grant."""
    return str(server.post("/join", {"handle": planned.handle})["grant"])


def an_appointment() -> dict[str, Any]:
    """A FHIR R4 Appointment by video."""
    start = (datetime.now(UTC) + timedelta(minutes=5)).replace(microsecond=0)
    return {
        "resourceType": "Appointment",
        "id": secrets.token_hex(8),
        "status": "booked",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=20)).isoformat(),
        "appointmentType": {"coding": [{"system": "http://snomed.info/sct", "code": "448337001"}]},
        "participant": [
            {"actor": {"reference": "Patient/1", "display": "Erika Beispiel"}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/7", "display": "Dr. Jonas Muster"}, "status": "accepted"},
        ],
    }


@contextmanager
def product(*, limited: bool = True) -> Iterator[Server]:
    """``vsdk serve`` with a database file of its own; see `bench.serve` for ``limited=False``."""
    module = "vsdk" if limited else "bench.serve"
    with TemporaryDirectory() as folder:
        port, api_key = _free_port(), secrets.token_urlsafe(24)
        settings = Path(folder) / "vsdk.toml"
        settings.write_text(
            f'base_url = "http://127.0.0.1:{port}"\n'
            f'database = "sqlite+aiosqlite:///{folder}/vsdk.sqlite3"\n'
            "grant_minutes = 60\n"
            "exchanges_per_minute = 1000000\n"
            "[[practices]]\n"
            'id = "park"\n'
            'name = "Praxis am Park"\n'
            'api_key = { env = "PARK_API_KEY" }\n',
            encoding="utf-8",
        )
        command = ["-m", module, "--config", str(settings), "serve", "--port", str(port)]
        with _running(command, port, "/api/v1/ping", {"PARK_API_KEY": api_key}) as process:
            yield Server(port, process, api_key)


@contextmanager
def bare() -> Iterator[Server]:
    port = _free_port()
    with _running(["-m", "bench.bare", str(port)], port, "/", {}) as process:
        yield Server(port, process)


@contextmanager
def _running(
    command: list[str], port: int, path: str, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + START_WITHIN
        while not _answers(f"http://127.0.0.1:{port}{path}"):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[1]} did not start")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
