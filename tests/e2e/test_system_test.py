"""M2, M3, M14: the system test for anyone, advice beforehand, and a report that names nobody."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect
from tests.e2e.conftest import Server, Watched, an_appointment
from tests.e2e.journey import WATCH_PEERS, both_in_visit, control, media_flows, stats, visit
from tests.e2e.looks import accessible, bears

ADDRESS = re.compile(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b")

SUBJECTS = {"microphone": "Mikrofon", "camera": "Kamera", "connection": "Internetverbindung"}


def saved(page: Page, place: Locator, name: str) -> str:
    with page.expect_download() as waiting:
        place.get_by_role("button", name=name).click()
    return Path(waiting.value.path()).read_text(encoding="utf-8")


def names_nobody(report: str, server: Server, link: str = "") -> None:
    for secret in ("Erika", "Beispiel", "Park", server.code, link.partition("#")[2] or "no link"):
        assert secret not in report
    # The version of a browser looks like an address.
    assert not ADDRESS.search(re.sub(r"(Chrome|Firefox|HeadlessChrome)/[\d.]+", "", report))


def test_m2_m3_anyone_tests_their_system_at_any_time_and_finds_advice(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    side = new_context(phone=True)
    page = side.page()
    page.goto(f"{server.base}/")
    page.get_by_role("link", name="Systemtest").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Systemtest")
    expect(page.get_by_text("Kopfhörer mit Mikrofon")).to_be_visible()
    check = page.locator("vsdk-device-check")
    check.get_by_role("button").first.click()
    words = {"gut": "good", "mäßig": "fair", "schlecht": "bad"}
    shown = {}
    for subject, name in SUBJECTS.items():
        word = check.locator(".results li", has_text=name).locator("span.status:not(.muted)")
        expect(word).to_be_visible(timeout=30_000)
        shown[subject] = words[word.inner_text()]
    accessible(page, "system test")
    bears(page, "system test")
    report = json.loads(saved(page, check, "Als JSON"))
    assert {subject: found["grade"] for subject, found in report["checks"].items()} == shown
    assert report["devices"]["videoinput"] == 3
    assert report["permissions"]["camera"] == "granted"
    assert side.complaints == []
    assert side.hosts == {server.base.partition("//")[2]}


def test_m14_a_report_of_the_line_is_saved_during_the_visit_and_names_nobody(
    server: Server, new_context: Callable[..., Watched], browser: Any, tmp_path: Path
) -> None:
    sides = new_context(), new_context(phone=True)
    for side in sides:
        side.context.add_init_script(WATCH_PEERS)
    practice, patient = (side.page() for side in sides)
    link = server.patient_link(an_appointment())
    both_in_visit(practice, patient, server.list_url, link)
    control(practice, "refresh").click()
    practice.wait_for_timeout(12_000)
    media_flows(practice, since=stats(practice))
    control(practice, "settings").click()
    dialog = visit(practice).locator("dialog.settings")
    dialog.get_by_text("Systembericht", exact=True).click()
    text = saved(practice, dialog, "Als JSON")
    report = json.loads(text)
    names_nobody(text, server, link)
    [line] = report["lines"]
    assert line["selected"]
    assert {candidate["type"] for candidate in line["local"]} >= {"host"}
    best = {name: max(sample[name] or 0 for sample in line["samples"]) for name in ("up", "down", "frames")}
    assert best["up"] > 20
    assert best["down"] > 20
    assert best["frames"] > 5
    assert {"restart", "phase admitted", "line good"} <= {event["code"] for event in report["events"]}

    html = saved(practice, dialog, "Systembericht speichern")
    names_nobody(html, server, link)
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    reader = browser.new_page()
    reader.goto(file.as_uri())
    expect(reader.get_by_role("heading", level=1)).to_have_text("Systembericht")
    assert reader.locator("svg polyline").count() >= 5
    reader.close()
