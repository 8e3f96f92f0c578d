"""A visit that goes on: how long a reload takes away the picture, and what it costs the processor.

Reload: from the navigation of the patient's page to the first picture of the practitioner, beside a bare page
that opens a camera and connects two RTCPeerConnections as soon as it is loaded. Processor: all processes of
the browser, with two pages in a visit beside one page with two bare connections that send and show the same.
"""

from collections.abc import Callable

from playwright.sync_api import Browser, CDPSession, sync_playwright

from bench.admit import ARGUMENTS, BARE_CALL, UNTIL, begin, page_of
from bench.report import Section, chromium, chromium_version, spread
from bench.servers import Server, bare, product

TURNS = 8
WATCHED = 10.0
"""seconds for which the processor is watched"""
CALM = 4000
"""milliseconds after the beginning, in which the first small pictures have grown"""
NOTE = (
    "Ratios are of neighbours in time. The reloaded page fetches its scripts from the browser's cache, "
    "gets a new grant for its link, opens camera and microphone, signals, and connects; the bare page has "
    "no server to ask. The processor's time is the sum over all processes of the browser "
    "(SystemInfo.getProcessInfo), in percent of one core; each side encodes and decodes one stream of the "
    "fake camera."
)


def measure() -> Section:
    reloads: list[tuple[float, float]] = []
    costs: list[tuple[float, float]] = []
    with product() as server, bare() as empty, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for turn in range(TURNS + 1):
            back, cost = _visit(browser, server)
            bare_back, bare_cost = _bare(browser, empty)
            print(f"{turn}: {back:.0f} and {bare_back:.0f} ms, {cost:.0f} and {bare_cost:.0f} %", flush=True)
            if turn:  # the first one starts the browser's camera, and counts for nobody
                reloads.append((back, bare_back))
                costs.append((cost, bare_cost))
        browser.close()
    return Section(
        "In a visit: a reload, and the processor",
        [f"n = {TURNS} of each, in turns", "product", "bare page", "product : bare"],
        [
            _row("reload → picture back, ms", reloads),
            _row("processor, % of one core", costs),
        ],
        versions=[chromium_version()],
        notes=[NOTE],
    )


def _row(name: str, pairs: list[tuple[float, float]]) -> list[str]:
    ours, theirs = zip(*pairs, strict=True)
    return [name, spread(list(ours)), spread(list(theirs)), spread([a / b for a, b in pairs], 2)]


def _visit(browser: Browser, server: Server) -> tuple[float, float]:
    with page_of(browser) as patient, page_of(browser) as practice:
        begin(practice, patient, server)
        practice.wait_for_timeout(CALM)
        cost = _cost(browser, lambda: practice.wait_for_timeout(1000 * WATCHED))
        patient.reload()
        patient.evaluate(UNTIL, "frame")
        return float(patient.evaluate("times.frame - performance.timeOrigin")), cost


def _bare(browser: Browser, server: Server) -> tuple[float, float]:
    with page_of(browser, record=False) as page:
        page.goto(server.base)
        page.evaluate(BARE_CALL.read_text(encoding="utf-8"), {"height": 0, "hold": True})
        page.wait_for_timeout(CALM)
        cost = _cost(browser, lambda: page.wait_for_timeout(1000 * WATCHED))
        page.goto(server.base)
        once = {"height": 0, "wait": 0, "shared": True}
        return float(page.evaluate(BARE_CALL.read_text(encoding="utf-8"), once)["loaded"]), cost


def _cost(browser: Browser, watched: Callable[[], None]) -> float:
    session = browser.new_browser_cdp_session()
    before = _used(session)
    watched()
    used = _used(session) - before
    session.detach()
    return 100 * used / WATCHED


def _used(session: CDPSession) -> float:
    """Seconds that the browser's processes have used so far."""
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(float(process["cpuTime"]) for process in processes)
