"""What the two people do, so that tests read like the journey."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

WATCH_PEERS = """
(() => {
  window.peers = [];
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) { super(...args); window.peers.push(this); }
  };
})();
"""
"""Keeps the page's connections at hand for `getStats`; changes nothing else."""

STATS = """
async () => {
  const connected = window.peers.filter((peer) => peer.connectionState === 'connected');
  if (!connected.length) return null;
  const found = { video: 0, audio: 0, dtls: '', srtp: '', local: '', remote: '' };
  found.connections = connected.length;
  const report = await connected.at(-1).getStats();
  for (const s of report.values()) {
    if (s.type === 'inbound-rtp' && s.kind === 'video') found.video += s.framesDecoded ?? 0;
    if (s.type === 'inbound-rtp' && s.kind === 'audio') found.audio += s.packetsReceived ?? 0;
    if (s.type === 'transport') {
      found.dtls = s.dtlsState;
      found.srtp = s.srtpCipher;
      const pair = report.get(s.selectedCandidatePairId);
      found.local = report.get(pair?.localCandidateId)?.candidateType;
      found.remote = report.get(pair?.remoteCandidateId)?.candidateType;
    }
  }
  return found;
}
"""


def stats(page: Page) -> dict[str, Any] | None:
    return page.evaluate(STATS)  # type: ignore[no-any-return]


def media_flows(page: Page, *, since: dict[str, Any] | None = None, seconds: float = 15) -> dict[str, Any]:
    """Waits until frames were decoded and audio packets received, more than ``since``; gives the figures."""
    base = since or {"video": 0, "audio": 0}
    now = None
    for _ in range(int(seconds * 10)):
        now = stats(page)
        if now and now["video"] >= base["video"] + 5 and now["audio"] >= base["audio"] + 10:
            return now
        page.wait_for_timeout(100)
    raise AssertionError(f"media does not flow: {now}, wanted more than {base}")


def visit(page: Page) -> Locator:
    return page.locator("vsdk-video-visit")


def at_step(page: Page, *names: str, timeout: float = 15_000) -> None:
    """Waits until the visit shows one of these steps."""
    for _ in range(int(timeout / 50)):
        if visit(page).count() and visit(page).get_attribute("step") in names:
            return
        page.wait_for_timeout(50)
    shown = visit(page).get_attribute("step") if visit(page).count() else "nothing"
    raise AssertionError(f"wanted {names}, the page shows {shown}")


def primary(page: Page) -> Locator:
    """The one large button of a step."""
    return visit(page).locator("button.primary")


def allow(page: Page, *, look: Callable[[str], None] = lambda step: None) -> None:
    """Answers what is explained, once or, on a computer, twice; ends at the check."""
    for _ in range(3):
        at_step(page, "allow", "check")
        if visit(page).get_attribute("step") == "check":
            return
        look("allow")
        title = visit(page).locator("h2").last.inner_text()
        primary(page).click()
        for _ in range(300):
            heading = visit(page).locator("h2").last
            if visit(page).get_attribute("step") != "allow" or heading.inner_text() != title:
                break
            page.wait_for_timeout(50)
    at_step(page, "check")


def enter_waiting_room(page: Page, link: str, *, look: Callable[[str], None] = lambda step: None) -> None:
    """From the link to the waiting room, as a patient clicks it. ``look`` is called at each step."""
    page.goto(link)
    at_step(page, "start")
    look("start")
    primary(page).click()
    allow(page, look=look)
    expect(primary(page)).to_be_enabled(timeout=15_000)
    look("check")
    primary(page).click()
    at_step(page, "waiting")
    look("waiting")


def sign_in(page: Page, list_url: str) -> Locator:
    """Opens the practice's list; gives its rows."""
    page.goto(list_url)
    queue = page.locator("vsdk-practice-queue")
    expect(queue.locator("li.row").first).to_be_visible()
    return queue.locator("li.row")


def admit_button(page: Page) -> Locator:
    return page.locator("vsdk-practice-queue button[data-key$='/admit']")


def control(page: Page, name: str) -> Locator:
    """A button of the bar in a visit: microphone, camera, refresh, danger (the red one)."""
    return visit(page).locator(f".bar button.{name}")


@dataclass
class BothSides:
    practice: Page
    patient: Page


def both_in_visit(practice: Page, patient: Page, list_url: str, link: str) -> BothSides:
    """The shortest way into a visit, with media flowing on both sides."""
    sign_in(practice, list_url)
    enter_waiting_room(patient, link)
    admit_button(practice).click()
    at_step(practice, "visit")
    at_step(patient, "visit")
    media_flows(practice)
    media_flows(patient)
    return BothSides(practice, patient)


SHOWN = """
(video) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 16, height: 16 });
  const pen = canvas.getContext('2d');
  pen.drawImage(video, 0, 0, 16, 16);
  const { data } = pen.getImageData(0, 0, 16, 16);
  return data.filter((_, i) => i % 4 === 1).reduce((sum, green) => sum + green, 0) / 256;
}
"""
"""How green the remote picture is, 0 to 255: the fake camera shows green."""

HEARD = """
async () => {
  const report = await window.peers.findLast((peer) => peer.connectionState === 'connected').getStats();
  return [...report.values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'audio').totalAudioEnergy;
}
"""
"""The sound energy received so far: the fake microphone beeps each second."""


def remote_picture(page: Page) -> float:
    video = visit(page).locator("video[part~='remote']").first
    return float(video.evaluate(SHOWN))


def falls_silent(page: Page) -> None:
    """Waits until nothing more is heard; what was under way when a microphone went off is still played."""
    assert any(not hears_something(page) for _ in range(4)), "something is still heard"


def hears_something(page: Page, seconds: float = 2.5) -> bool:
    before = page.evaluate(HEARD)
    page.wait_for_timeout(seconds * 1000)
    return bool(page.evaluate(HEARD) > before + 1e-6)
