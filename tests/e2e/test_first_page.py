"""The page behind a join link: light, ours alone, and good by the measure of others."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession
from tests.browser import chromium
from tests.e2e.conftest import REPOSITORY, Server, Watched, an_appointment
from tests.e2e.journey import at_step

BUDGET = 60_000
"""bytes over the wire, compressed, with script, style and texts"""
LIGHTHOUSE = REPOSITORY / "node_modules" / "lighthouse" / "cli" / "index.js"
CATEGORIES = ("performance", "accessibility", "best-practices")


def wire(session: CDPSession) -> dict[str, int]:
    """Bytes that came over the wire, headers included, by address; filled in as the page loads."""
    addresses: dict[str, str] = {}
    loaded: dict[str, int] = {}
    session.on("Network.requestWillBeSent", lambda e: addresses.update({e["requestId"]: e["request"]["url"]}))

    def finished(event: dict[str, Any]) -> None:
        loaded[addresses[event["requestId"]]] = int(event["encodedDataLength"])

    session.on("Network.loadingFinished", finished)
    session.send("Network.enable")
    return loaded


def test_first_page_weighs_little_and_asks_nobody_else(server: Server, new_context: Any) -> None:
    link = server.patient_link(an_appointment())
    watched: Watched = new_context(phone=True)
    page = watched.page()
    loaded = wire(watched.context.new_cdp_session(page))
    page.goto(link)
    at_step(page, "start")
    page.wait_for_load_state("networkidle")
    weight = sum(loaded.values())
    print(f"\nfirst page: {weight} bytes in {len(loaded)} answers, of {BUDGET} allowed")
    assert weight <= BUDGET, sorted(loaded.items(), key=lambda item: -item[1])[:10]
    assert watched.hosts == {f"localhost:{server.port}"}
    assert watched.complaints == []


@pytest.mark.timeout(180)
def test_lighthouse_finds_the_first_page_good(server: Server, tmp_path: Path) -> None:
    """Mobile, with its simulated slow network and processor; three scores of at least 95."""
    link = server.patient_link(an_appointment())
    report = tmp_path / "lighthouse.json"
    command = [
        "node",
        str(LIGHTHOUSE),
        link,
        "--quiet",
        "--output=json",
        f"--output-path={report}",
        f"--only-categories={','.join(CATEGORIES)}",
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
    ]
    environment = os.environ | {"CHROME_PATH": chromium()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150, check=False)
    assert report.exists(), done.stderr[-2000:]
    found = json.loads(report.read_text(encoding="utf-8"))
    scores = {name: round(100 * (found["categories"][name]["score"] or 0)) for name in CATEGORIES}
    print(f"\nLighthouse {found['lighthouseVersion']}, mobile: {scores}")
    short = [
        (audit["id"], audit.get("displayValue", ""))
        for audit in found["audits"].values()
        if audit.get("score") is not None and audit["score"] < 0.9
    ]
    assert min(scores.values()) >= 95, (scores, short)
