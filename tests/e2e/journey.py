"""What the two people do, so that tests read like the journey."""

from typing import Any

from playwright.sync_api import Page, expect

TEXTS = {
    "de": {"start": "Start", "join": "Beitreten"},
    "fr": {},
    "en": {},
}

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
  const pc = window.peers.findLast((peer) => peer.connectionState === 'connected');
  if (!pc) return null;
  const found = { video: 0, audio: 0, sentVideo: 0, dtls: '', local: '', remote: '', srtp: '' };
  const report = await pc.getStats();
  for (const s of report.values()) {
    if (s.type === 'inbound-rtp' && s.kind === 'video') found.video += s.framesDecoded ?? 0;
    if (s.type === 'inbound-rtp' && s.kind === 'audio') found.audio += s.packetsReceived ?? 0;
    if (s.type === 'outbound-rtp' && s.kind === 'video') found.sentVideo += s.framesEncoded ?? 0;
    if (s.type === 'transport') {
      found.dtls = s.dtlsState; found.srtp = s.srtpCipher;
      const pair = report.get(s.selectedCandidatePairId);
      if (pair) {
        found.local = report.get(pair.localCandidateId)?.candidateType;
        found.remote = report.get(pair.remoteCandidateId)?.candidateType;
      }
    }
  }
  return found;
}
"""


def stats(page: Page) -> dict[str, Any] | None:
    return page.evaluate(STATS)  # type: ignore[no-any-return]


def wait_for_media(page: Page, *, video: int = 5, audio: int = 10, since: dict[str, Any] | None = None) -> dict[str, Any]:
    """Until so many more frames were decoded and audio packets received."""
    base = since or {"video": 0, "audio": 0}
    for _ in range(100):
        now = stats(page)
        if now and now["video"] >= base["video"] + video and now["audio"] >= base["audio"] + audio:
            return now
        page.wait_for_timeout(100)
    raise AssertionError(f"media does not flow: {stats(page)}")


def visit(page: Page) -> Any:
    return page.locator("vsdk-video-visit")


def step(page: Page, name: str, timeout: float = 15_000) -> None:
    """Waits until the visit is at that step."""
    expect(visit(page)).to_have_attribute("step", name, timeout=timeout)
