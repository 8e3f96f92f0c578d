"""The ``vsdk`` command, in this process and as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vsdk.cli import main

NOW = datetime.now(UTC).replace(microsecond=0)


def appointment(id_: str = "a1", **changes: Any) -> dict[str, Any]:
    """A booked video visit in an hour, as FHIR R4."""
    start = NOW + timedelta(hours=1)
    resource = {
        "resourceType": "Appointment",
        "id": id_,
        "status": "booked",
        "serviceType": [{"coding": [{"system": "http://snomed.info/sct", "code": "448337001"}]}],
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=20)).isoformat(),
        "participant": [
            {"actor": {"reference": "Patient/17", "display": "Marlene Sommerfeld"}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/berg", "display": "Dr. Berg"}, "status": "accepted"},
        ],
    }
    return resource | changes


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of two practices, chosen by $VSDK_CONFIG, with secrets from the environment."""
    file = tmp_path / "vsdk.toml"
    file.write_text(
        f"""
database = "sqlite+aiosqlite:///{tmp_path}/vsdk.sqlite3"
base_url = "https://praxis.example/video"
plugins = ["standard_plan", "console_messages"]
signing_key = {{ env = "TEST_SIGNING_KEY" }}

[[practices]]
id = "park"
name = "Praxis am Park"
api_key = {{ env = "TEST_API_KEY" }}

[[practices]]
id = "mitte"
name = "Praxis Mitte"
"""
    )
    monkeypatch.setenv("TEST_SIGNING_KEY", "signing-s3cret-of-more-than-32-characters")
    monkeypatch.setenv("TEST_API_KEY", "api-s3cret")
    monkeypatch.setenv("VSDK_CONFIG", str(file))
    return file


@dataclass
class Result:
    code: int
    out: str
    err: str


Vsdk = Callable[..., Result]


@pytest.fixture
def vsdk(config: Path, capsys: pytest.CaptureFixture[str]) -> Vsdk:
    """Runs a command in this process."""

    def run(*arguments: str) -> Result:
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return run


def heeds_interruption() -> None:
    """In a new process: Ctrl-C counts, even where the tests themselves run in the background without it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts ``vsdk …`` as a process; what still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def start_one(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("vsdk")), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
            preexec_fn=heeds_interruption,
        )
        running.append(process)
        return process

    yield start_one
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()
