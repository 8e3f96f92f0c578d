"""A real TURN server, coturn, on loopback: UDP, TCP and TLS, with credentials as a practice's has them."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.ports import free_port

from vsdk.commands.lan import make_certificate

SECRET = "a-shared-secret-of-the-tests"
REALM = "turn.test"


@dataclass(frozen=True)
class Turn:
    """Where it listens, and the ``[turn]`` section for it. ``secret`` is what it accepts."""

    port: int
    tls_port: int
    secret: str = SECRET

    @property
    def udp(self) -> str:
        return f"turn:127.0.0.1:{self.port}?transport=udp"

    @property
    def tls(self) -> str:
        return f"turns:127.0.0.1:{self.tls_port}?transport=tcp"


@pytest.fixture(scope="session")
def turn_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    """One for all tests."""
    program = shutil.which("turnserver")
    assert program, "coturn is missing: run tools/system-packages"
    folder = tmp_path_factory.mktemp("turn")
    cert, key = make_certificate("127.0.0.1", folder)
    turn = Turn(free_port(), free_port())
    log = folder / "turn.log"
    command = [
        program,
        "-n",
        "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1",
        f"--listening-port={turn.port}",
        f"--tls-listening-port={turn.tls_port}",
        "--min-port=49160",
        "--max-port=49260",
        "--use-auth-secret",
        f"--static-auth-secret={SECRET}",
        f"--realm={REALM}",
        "--fingerprint",
        "--no-cli",
        "--no-multicast-peers",
        "--allow-loopback-peers",
        f"--cert={cert}",
        f"--pkey={key}",
        f"--userdb={folder / 'turn.sqlite'}",
        f"--pidfile={folder / 'turn.pid'}",
        f"--log-file={log}",
        "--simple-log",
    ]
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        _wait_for(turn.tls_port, process, log)
        yield turn
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(100):
        assert process.poll() is None, log.read_text(errors="replace")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("coturn does not listen: " + log.read_text(errors="replace"))
