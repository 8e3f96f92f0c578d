"""From the click on Admit to the first picture on both sides, beside two bare peer connections.

The product: a real server, a patient who came by the join link and did the device check, a practitioner whose
`<vsdk-video-visit grant>` shows who waits. The bare page: two RTCPeerConnections in one page, from
createOffer on; once as a browser does it by itself, once with the first pictures as small as the product's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.report import Section, Table, chromium, chromium_version, spread
from bench.servers import Server, bare, plan, product

PAIRS = 16
READY = 1000
"""milliseconds in which nothing happens before the click, as while a practitioner reads a name"""
SETTLED = 3000
"""milliseconds in the waiting room. When a connection begins within four seconds after a page opened its
camera, Chromium may stop all cameras for most of a second; nobody is admitted so soon"""
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
CHECKED = "try { sessionStorage.setItem('vsdk-checked', '1'); } catch {}"
UNTIL = """
async (what) => {
  const end = performance.now() + 20000;
  while (!(what in times)) {
    if (performance.now() > end) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
"""
STEPS = {
    "practice got admitted": "admitted reaches the practice",
    "patient got admitted": "admitted reaches the patient",
    "practice sent offer": "the practice sends its offer",
    "patient got offer": "the offer reaches the patient",
    "patient sent answer": "the patient sends its answer",
    "practice got answer": "the answer reaches the practice",
    "patient connected": "connected, patient",
    "practice connected": "connected, practice",
    "patient frame": "first picture, patient",
    "practice frame": "first picture, practice",
}
NOTE = (
    "Ratios are of neighbours in time. The product's clock starts with the click (Event.timeStamp) and "
    "stops at the first requestVideoFrameCallback of the later side; the practitioner's page and the "
    "patient's are two contexts of one browser with its fake camera, which gives a picture every 50 ms. "
    "The bare page's clock starts when createOffer is called. It is not a lower limit in every part: the "
    "product's practice side has its offer and its addresses ready before the click."
)

Times = dict[str, float]
"""milliseconds since the click, or since createOffer, by what happened; see `STEPS`"""


def measure() -> Section:
    ours: list[Times] = []
    plain: list[Times] = []
    small: list[Times] = []
    with product() as server, bare() as empty, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for pair in range(PAIRS + 1):
            turn = _admit(browser, server), _bare(browser, empty, 0), _bare(browser, empty, FIRST_HEIGHT)
            print(f"{pair}: {', '.join(f'{_both(times):.0f}' for times in turn)} ms", flush=True)
            if pair:  # the first one starts the browser's camera, and counts for nobody
                for times, kept in zip(turn, (ours, plain, small), strict=True):
                    kept.append(times)
        browser.close()
    return _section(ours, plain, small)


def _both(times: Times) -> float:
    """When both saw each other."""
    return max(times["practice frame"], times["patient frame"])


def _admit(browser: Browser, server: Server) -> Times:
    with page_of(browser) as patient, page_of(browser) as practice:
        begin(practice, patient, server)
        pages = {"practice": practice, "patient": patient}
        found = {
            f"{who} {what}": t for who, page in pages.items() for what, t in page.evaluate("times").items()
        }
        return {what: time - found["practice click"] for what, time in found.items()}


def begin(practice: Page, patient: Page, server: Server) -> None:
    """A visit of its own, until both see each other."""
    planned = plan(server)
    _wait(patient, planned.link)
    patient.wait_for_timeout(SETTLED)
    practice.goto(f"{server.base}/j")
    practice.locator("vsdk-video-visit").evaluate(
        "(element, grant) => element.setAttribute('grant', grant)", planned.practitioner_grant
    )
    admit = practice.locator("vsdk-video-visit button.primary")
    expect(admit).to_be_visible()
    for page in (practice, patient):
        page.evaluate(UNTIL, "camera")
    practice.wait_for_timeout(READY)
    admit.click()
    for page in (practice, patient):
        page.evaluate(UNTIL, "frame")


def _wait(page: Page, link: str) -> None:
    """From the link to the waiting room, as a patient clicks it."""
    page.goto(link)
    page.locator("vsdk-video-visit[step=start] button.primary").click()
    page.locator("vsdk-video-visit[step=check] button.primary:enabled").click()
    page.wait_for_selector("vsdk-video-visit[step=waiting]")


def _bare(browser: Browser, server: Server, height: int) -> Times:
    with page_of(browser, record=False) as page:
        page.goto(server.base)
        times: Times = page.evaluate(BARE_CALL.read_text(encoding="utf-8"), {"height": height})
        return times


@contextmanager
def page_of(browser: Browser, *, record: bool = True, checked: bool = True) -> Iterator[Page]:
    """``checked``: as somebody whose devices and connection were found good in this tab before."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.grant_permissions(["camera", "microphone"])
    if checked:
        context.add_init_script(CHECKED)
    if record:
        context.add_init_script(path=RECORDER)
    try:
        page = context.new_page()
        page.set_default_timeout(30_000)
        yield page
    finally:
        context.close()


def _section(ours: list[Times], plain: list[Times], small: list[Times]) -> Section:
    def row(name: str, times: list[Times]) -> list[str]:
        ratios = [_both(a) / _both(b) for a, b in zip(ours, times, strict=True)]
        return [name, spread([_both(t) for t in times]), "" if times is ours else spread(ratios, 2)]

    def when(what: str, times: list[Times]) -> str:
        return spread([t[what] for t in times]) if what in times[0] else ""

    small_name = f"the same, first pictures {FIRST_HEIGHT} lines high"
    return Section(
        "Admit: from the click to the first picture on both sides",
        [f"n = {len(ours)} of each, in turns", "ms, median (min–max)", "product : this"],
        [row("product", ours), row("two bare peer connections", plain), row(small_name, small)],
        more=[
            Table(
                "The way there, in ms since the click or since createOffer:",
                ["", "product", "bare", small_name],
                [
                    [name, *(when(what, times) for times in (ours, plain, small))]
                    for what, name in STEPS.items()
                ],
            )
        ],
        versions=[chromium_version()],
        notes=[NOTE],
    )
