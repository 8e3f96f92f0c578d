"""``vsdk demo`` as a process: two links that work, and nothing left behind."""

import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Playwright
from tests.browser import FAKE_CAMERA, QUIET, chromium
from tests.e2e.journey import enter_waiting_room
from tests.ports import free_port

from vsdk.commands.lan import address, qr_lines

pytestmark = pytest.mark.e2e

Start = Callable[..., "subprocess.Popen[str]"]


def read_until(process: "subprocess.Popen[str]", word: str) -> str:
    """What the process prints, up to the line with ``word``."""
    assert process.stdout
    watchdog = threading.Timer(40, process.kill)
    watchdog.start()
    text = ""
    try:
        for line in process.stdout:
            text += line
            if word in line:
                return text
    finally:
        watchdog.cancel()
    raise AssertionError(f"it ended before saying {word!r}: {text}")


def test_the_demo_prints_links_that_answer_and_cleans_up_on_ctrl_c(start: Start, tmp_path: Path) -> None:
    port = free_port()
    process = start("demo", "--port", str(port), TMPDIR=str(tmp_path))
    text = read_until(process, "Ctrl-C")
    base = f"http://localhost:{port}"
    practice = re.search(rf"{base}/practice/demo#(\S+)", text)
    patient = re.search(rf"{base}/j#(\S+)", text)
    key = re.search(rf"API key for {base}/api/v1: (\S+)", text)
    assert practice
    assert patient
    assert key
    assert [f.name for f in tmp_path.iterdir() if f.name.startswith("vsdk-demo-")]
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http:
        for path in ("/j", "/practice/demo", "/plugins/console_messages/messages"):
            assert http.get(path).status_code == 200
        joined = http.post("/api/v1/join", json={"handle": patient[1]})
        assert (joined.status_code, list(joined.json())) == (200, ["grant", "expires", "signalling"])
        signed_in = http.post("/api/v1/sign-in", json={"practice": "demo", "params": {"code": practice[1]}})
        assert signed_in.status_code == 200
        headers = {"Authorization": f"Bearer {key[1]}"}
        assert http.post("/api/v1/visits/none/links", headers=headers).status_code == 404
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=15)
    assert process.returncode == 0, err
    assert "stopped" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_said(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start("demo", "--port", str(port))
        _, err = process.communicate(timeout=40)
    assert process.returncode == 1
    assert f"port {port} is in use" in err


def test_a_phone_in_the_network_joins_over_https_by_a_code_from_the_terminal(
    start: Start, tmp_path: Path, playwright: Playwright
) -> None:
    """The address is this machine's own, so that nothing leaves it."""
    own = address_or_skip()
    process = start("demo", "--lan", TMPDIR=str(tmp_path), PYTHONIOENCODING="utf-8")
    text = read_until(process, "Ctrl-C ends")
    found = re.search(rf"https://{re.escape(own)}:\d+/j#\S+", text)
    assert found
    assert qr_lines(found[0]).rstrip("\n") in text
    assert "visit this website" in text
    (folder,) = (f for f in tmp_path.iterdir() if f.name.startswith("vsdk-demo-"))
    assert (folder / "key.pem").stat().st_mode & 0o077 == 0
    browser = playwright.chromium.launch(executable_path=chromium(), args=[*QUIET, *FAKE_CAMERA])
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    enter_waiting_room(page, found[0])
    assert page.evaluate("() => window.isSecureContext")
    browser.close()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=15)
    assert list(tmp_path.iterdir()) == []


def address_or_skip() -> str:
    try:
        return address()
    except SystemExit:
        pytest.skip("this machine is in no network")
