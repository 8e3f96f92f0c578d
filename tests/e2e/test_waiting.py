"""D1, D2, D12 to D15, D24: early, told in time, waiting, and called in."""

import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx2
from playwright.sync_api import Page, expect
from tests.e2e.conftest import Server, Watched, an_appointment
from tests.e2e.in_process import ShiftedClock, list_url, patient_link, running, settings
from tests.e2e.journey import WATCH_PEERS, at_step, enter_waiting_room, media_flows, sign_in, visit

from vsdk.sdk import VideoSdk

WAKE_LOCK = """
(() => {
  const real = navigator.wakeLock.request.bind(navigator.wakeLock);
  window.locks = 0;
  navigator.wakeLock.request = async (kind) => {
    const lock = await real(kind);
    window.locks++;
    return lock;
  };
})();
"""
HIDE = """
(hidden) => {
  const value = hidden ? 'hidden' : 'visible';
  Object.defineProperty(document, 'visibilityState', { value, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}
"""
SENSES = """
(() => {
  window.felt = [];
  window.notes = 0;
  navigator.vibrate = (pattern) => window.felt.push(pattern);
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) {
    if (this.context.destination) window.notes++;
    return start.apply(this, when);
  };
  navigator.setAppBadge = async (count) => { window.badge = count; };
  navigator.clearAppBadge = async () => { window.badge = 0; };
})();
"""
"""What a person would hear and feel is counted; the notes are really played."""


def messages(server: Server) -> str:
    """The page that shows what a real gateway would get."""
    return httpx2.get(f"{server.base}/plugins/console_messages/messages").text


def test_d2_d5_the_link_comes_ten_minutes_before_and_one_click_leads_to_the_waiting_room(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    """The plan of the plugin: opens 10 minutes before, and says so at that moment."""
    server.plan(an_appointment(starts_in=timedelta(minutes=10, seconds=3)))
    assert "/j#" not in messages(server)
    deadline = time.monotonic() + 20
    while "/j#" not in messages(server) and time.monotonic() < deadline:
        time.sleep(0.2)
    found = re.search(rf"{re.escape(server.base)}/j#[\w-]+", messages(server))
    assert found, "no message came"
    assert "Dr. Jonas Muster" in messages(server)
    assert "10 Minuten" in messages(server)
    page = new_context(phone=True).page()
    enter_waiting_room(page, found[0])


def test_d12_d15_waiting_says_what_is_known_and_nothing_of_others(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    first = server.patient_link(an_appointment("first", starts_in=timedelta(minutes=-2)))
    second = server.patient_link(an_appointment("second", patient="Otto Andermann"))
    board = new_context().page()
    rows = sign_in(board, server.list_url)
    page = new_context(phone=True).page()
    frames: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda text: frames.append(str(text))))
    enter_waiting_room(page, first)
    expect(visit(page)).to_contain_text("Dr. Jonas Muster weiß, dass Sie da sind.")
    expect(visit(page)).to_contain_text("legen Sie nicht auf")
    expect(visit(page)).to_contain_text("Die geplante Zeit ist vorbei.")
    assert "Wartezimmer" in page.title()
    expect(rows.filter(has_text="Erika Beispiel")).to_contain_text("Wartet")

    # D14, D15: the delay is read at once
    rows.filter(has_text="Erika Beispiel").get_by_role("button", name=re.compile("Verspätung")).click()
    board.locator("vsdk-practice-queue").get_by_role("button", name=re.compile("^15 min", re.I)).click()
    expect(visit(page)).to_contain_text("15 Minuten Verspätung")
    expect(visit(page)).not_to_contain_text("Die geplante Zeit ist vorbei.")

    # another patient comes, and is let in: the first learns nothing of it
    before = len(frames)
    side = new_context(phone=True)
    side.context.add_init_script(WATCH_PEERS)
    other = side.page()
    enter_waiting_room(other, second)
    rows.filter(has_text="Otto Andermann").locator("button[data-key$='/admit']").click()
    at_step(other, "visit")
    media_flows(other)
    page.wait_for_timeout(500)
    assert not [text for text in frames if "Andermann" in text or "second" in text]
    assert all(json.loads(text)["type"] in {"pong", "grant", "waiting"} for text in frames[before:])
    at_step(page, "waiting")


def test_d13_the_practitioner_is_reminded_every_two_minutes_until_the_patient_is_let_in(
    new_context: Callable[..., Watched], tmp_path: Path
) -> None:
    """The server's clock is put forward; everything else takes its time."""
    clock = ShiftedClock()

    def make(base: str) -> VideoSdk:
        told = {"staff_email": "team@park.example"}
        return VideoSdk(settings(base, tmp_path, messages=told), clock=clock)

    with running(make) as (base, _):
        page = new_context(phone=True).page()
        enter_waiting_room(page, patient_link(base, an_appointment()))
        board = new_context().page()
        sign_in(board, list_url(base))

        def reminders() -> int:
            shown = httpx2.get(f"{base}/plugins/console_messages/messages?lang=de").text
            return shown.count("wartet")

        def wait_for(count: int) -> None:
            for _ in range(50):
                if reminders() >= count:
                    return
                page.wait_for_timeout(100)
            raise AssertionError(f"{reminders()} of {count} reminders")

        page.wait_for_timeout(2_500)
        first = reminders()
        assert first
        clock.shift += timedelta(minutes=2)
        wait_for(2 * first)
        clock.shift += timedelta(minutes=2)
        wait_for(3 * first)
        board.locator("vsdk-practice-queue button[data-key$='/admit']").click()
        at_step(page, "visit")
        clock.shift += timedelta(minutes=2)
        page.wait_for_timeout(2_500)
        assert reminders() == 3 * first


def test_d24_the_screen_stays_on_and_a_place_is_kept(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    side = new_context(phone=True)
    side.context.add_init_script(WAKE_LOCK)
    page = side.page()
    enter_waiting_room(page, server.patient_link(an_appointment()))
    page.wait_for_function("() => window.locks > 0")
    locks = page.evaluate("() => window.locks")
    page.evaluate(HIDE, True)
    page.evaluate(HIDE, False)
    page.wait_for_function("(before) => window.locks > before", arg=locks)

    board = new_context().page()
    row = sign_in(board, server.list_url)
    since = row.locator("[data-since]").get_attribute("data-since")
    page.reload()
    at_step(page, "waiting")
    expect(row.locator("[data-since]")).to_have_attribute("data-since", str(since))
    side.context.set_offline(True)
    expect(visit(page)).to_contain_text("Ihr Platz wird gehalten", timeout=30_000)
    side.context.set_offline(False)
    expect(visit(page)).not_to_contain_text("Ihr Platz wird gehalten", timeout=30_000)
    expect(row.locator("[data-since]")).to_have_attribute("data-since", str(since))


def test_d24_a_film_keeps_the_screen_on_where_there_is_no_lock(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    side = new_context(phone=True)
    side.context.add_init_script("delete Navigator.prototype.wakeLock")
    page = side.page()
    enter_waiting_room(page, server.patient_link(an_appointment()))
    page.wait_for_function("() => document.querySelector('body > video')?.paused === false")


def test_d12_called_in_while_the_page_is_in_the_background(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    side = new_context(phone=True)
    side.context.add_init_script(SENSES)
    page = side.page()
    link = server.patient_link(an_appointment())
    board = new_context().page()
    sign_in(board, server.list_url)
    enter_waiting_room(page, link)
    usual = page.title()
    notes = page.evaluate("() => window.notes")
    page.evaluate(HIDE, True)
    board.locator("vsdk-practice-queue button[data-key$='/admit']").click()
    at_step(page, "visit")
    page.wait_for_function("(before) => window.notes > before", arg=notes)
    assert page.title().startswith("● Bitte kommen Sie herein")
    assert page.evaluate("() => [window.felt.length, window.badge]") == [1, 1]
    assert icon(page).startswith("data:image/svg+xml")
    page.evaluate(HIDE, False)
    assert not page.title().startswith("●")
    assert page.evaluate("() => window.badge") == 0
    assert icon(page).endswith("/icon.svg")
    assert usual.startswith("Wartezimmer")


def icon(page: Page) -> str:
    return str(page.evaluate("() => document.querySelector('link[rel=icon]').href"))
