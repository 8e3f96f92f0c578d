"""The device check: from the click on Start to one's own picture and to all grades.

The product: a real server, a patient who comes by the join link, whose connection is measured by the server's
echo. The bare page: the same browser opens the same camera in an empty page and shows it.
"""

from playwright.sync_api import Browser, sync_playwright

from bench.admit import ARGUMENTS, page_of
from bench.report import Section, chromium, chromium_version, spread
from bench.servers import Server, bare, plan, product

PAIRS = 8
PICTURE_LIMIT, GRADES_LIMIT = 1_000, 12_000
"""milliseconds that the product allows itself"""
BARE_CAMERA = """
async () => {
  const begun = performance.now();
  const video = document.createElement('video');
  video.muted = video.autoplay = video.playsInline = true;
  document.body.append(video);
  video.srcObject = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: 'user' },
  });
  await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  return performance.now() - begun;
}
"""
NOTE = (
    "Ratios are of neighbours in time. The product is timed from the click (Event.timeStamp). Until its "
    "picture is there it has also loaded the check's modules, asked what is permitted, and drawn the step. "
    "The grades wait for 3 s of sound and 1.5 s of data each way, which are the measurement itself."
)


def measure() -> Section:
    ours: list[dict[str, float]] = []
    plain: list[float] = []
    with product() as server, bare() as empty, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for pair in range(PAIRS + 1):
            times, camera = _check(browser, server), _camera(browser, empty)
            print(f"{pair}: {times['picture']:.0f}, {times['graded']:.0f}; bare {camera:.0f} ms", flush=True)
            if pair:  # the first one starts the browser's camera, and counts for nobody
                ours.append(times)
                plain.append(camera)
        browser.close()
    return _section(ours, plain)


def _check(browser: Browser, server: Server) -> dict[str, float]:
    with page_of(browser, checked=False) as page:
        page.goto(plan(server).link)
        page.locator("vsdk-video-visit[step=start] button.primary").click()
        page.wait_for_function("() => 'graded' in times && 'picture' in times")
        times: dict[str, float] = page.evaluate("times")
        return {what: times[what] - times["click"] for what in ("picture", "graded")}


def _camera(browser: Browser, server: Server) -> float:
    with page_of(browser, record=False) as page:
        page.goto(server.base)
        return float(page.evaluate(BARE_CAMERA))


def _section(ours: list[dict[str, float]], plain: list[float]) -> Section:
    pictures, grades = ([times[what] for times in ours] for what in ("picture", "graded"))
    ratios = [picture / camera for picture, camera in zip(pictures, plain, strict=True)]
    return Section(
        "Check: from the click on Start to one's own picture, and to all grades",
        [f"n = {len(ours)} of each, in turns", "ms, median (min–max)", "beside it"],
        [
            ["own picture, product", spread(pictures), f"limit {PICTURE_LIMIT}"],
            ["own picture, bare page", spread(plain), f"product : bare {spread(ratios, 2)}"],
            ["all graded, product, by the echo", spread(grades), f"limit {GRADES_LIMIT}"],
        ],
        versions=[chromium_version()],
        notes=[NOTE],
    )
