"""From the click on Admit to the first picture on both sides, beside two bare peer connections.

The product: a real server, a patient who came by the join link and did the device check, a practitioner whose
`<vsdk-video-visit grant>` shows who waits. The bare page: two RTCPeerConnections in one page, from createOffer on;
once as a browser does it by itself, once with the first pictures as small as the product sends them.
"""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.report import Section, Table, chromium, chromium_version, spread
from bench.servers import Server, bare, plan, product

PAIRS = 20
READY = 1000
"""milliseconds in which nothing happens before the click, as while a practitioner reads a name"""
FIRST_HEIGHT = 360
"""as in the product's peer.js"""
RECORDER = Path(__file__).with_name("recorder.js")
BARE_CALL = Path(__file__).with_name("bare_call.js")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
]
UNTIL = """
async (what) => {
  const end = performance.now() + 20000;
  while (!(what in times)) {
    if (performance.now() > end) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
"""
STEPS = (
    ("admitted reaches the practice", "practice", "got admitted"),
    ("admitted reaches the patient", "patient", "got admitted"),
    ("the practice sends its offer", "practice", "sent offer"),
    ("the offer reaches the patient", "patient", "got offer"),
    ("the patient sends the answer", "patient", "sent answer"),
    ("the answer reaches the practice", "practice", "got answer"),
    ("connected, patient", "patient", "connected"),
    ("connected, practice", "practice", "connected"),
    ("first picture, patient", "patient", "frame"),
    ("first picture, practice", "practice", "frame"),
)


@dataclass
class Seen:
    """Milliseconds since the click at which each of `STEPS` happened."""

    steps: list[float]

    @property
    def both(self) -> float:
        return max(self.steps[-2:])


def measure() -> Section:
    ours: list[Seen] = []
    plain: list[float] = []
    small: list[float] = []
    with product() as server, bare() as empty, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for pair in range(PAIRS + 1):
            seen = _admit(browser, server)
            bare_plain, bare_small = _bare(browser, empty, 0), _bare(browser, empty, FIRST_HEIGHT)
            print(
                f"{pair}: product {seen.both:.0f}, bare {bare_plain:.0f}, small {bare_small:.0f}", flush=True
            )
            if pair:  # the first one starts the browser's camera, and counts for nobody
                ours.append(seen)
                plain.append(bare_plain)
                small.append(bare_small)
        browser.close()
    return _section(ours, plain, small)


def _admit(browser: Browser, server: Server) -> Seen:
    planned = plan(server)
    with _page(browser) as patient, _page(browser) as practice:
        _wait(patient, planned.link)
        practice.goto(f"{server.base}/j")
        practice.locator("vsdk-video-visit").evaluate(
            "(element, grant) => element.setAttribute('grant', grant)", planned.practitioner_grant
        )
        admit = practice.locator("vsdk-video-visit button.primary")
        expect(admit).to_be_visible()
        for page in (practice, patient):
            page.evaluate(UNTIL, "camera")
        practice.wait_for_timeout(READY)
        practice.evaluate("delete times.click")
        admit.click()
        pages = {"practice": practice, "patient": patient}
        for page in pages.values():
            page.evaluate(UNTIL, "frame")
        times = {name: page.evaluate("times") for name, page in pages.items()}
        click = times["practice"]["click"]
        return Seen([times[who][what] - click for _, who, what in STEPS])


def _wait(page: Page, link: str) -> None:
    """From the link to the waiting room, as a patient clicks it."""
    page.goto(link)
    page.locator("vsdk-video-visit[step=start] button.primary").click()
    page.wait_for_selector("vsdk-video-visit[step=allow], vsdk-video-visit[step=check]")
    if page.locator("vsdk-video-visit[step=allow]").count():
        page.locator("vsdk-video-visit[step=allow] button.primary").click()
    page.locator("vsdk-video-visit[step=check] button.primary:enabled").click()
    page.wait_for_selector("vsdk-video-visit[step=waiting]")


def _bare(browser: Browser, server: Server, height: int) -> float:
    with _page(browser, record=False) as page:
        page.goto(server.base)
        return float(max(page.evaluate(BARE_CALL.read_text(encoding="utf-8"), {"height": height})))


@contextmanager
def _page(browser: Browser, *, record: bool = True) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    if record:
        context.add_init_script(path=RECORDER)
    try:
        page = context.new_page()
        page.set_default_timeout(30_000)
        yield page
    finally:
        context.close()


def _section(ours: list[Seen], plain: list[float], small: list[float]) -> Section:
    product_times = [seen.both for seen in ours]

    def ratio(bare_times: list[float]) -> str:
        return spread([a / b for a, b in zip(product_times, bare_times, strict=True)], 2)

    split = []
    for number, (name, _, _) in enumerate(STEPS):
        split.append([name, spread([seen.steps[number] for seen in ours])])
    return Section(
        "Admit: from the click to the first picture on both sides",
        "python -m bench admit",
        ["", "ms, median (min–max)", "product : this"],
        [
            ["product", spread(product_times), ""],
            ["two bare peer connections", spread(plain), ratio(plain)],
            [f"the same, first pictures {FIRST_HEIGHT} lines high", spread(small), ratio(small)],
        ],
        more=[
            Table("Where the product's time goes, in ms since the click:", ["", "median (min–max)"], split)
        ],
        versions=[chromium_version()],
        notes=[
            f"n = {len(ours)} of each, in turns; ratios are of neighbours. The product's clock starts with the "
            "click (Event.timeStamp) and stops at the first requestVideoFrameCallback of the later side; the "
            "practitioner's page and the patient's are two contexts of one browser with its fake camera. The bare "
            "page's clock starts when createOffer is called. It is no lower limit of the product: the product's "
            "practice side has its offer and its addresses ready before the click, as they need nothing that the "
            f"click tells. Rounded to the camera: a picture every 50 ms. Median of the product: "
            f"{statistics.median(product_times):.0f} ms."
        ],
    )
