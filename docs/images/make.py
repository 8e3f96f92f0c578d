"""Makes the pictures of the documentation from the running product: ``python docs/images/make.py``.

Starts ``vsdk demo``, opens both links in Chromium and photographs what patient and practitioner see. The only
thing that is drawn is what the cameras show.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).parent
PORT = "18561"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
]
PERSON = """
(({ wall, shirt, skin, hair }) => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
  const pen = canvas.getContext('2d');
  const circle = (x, y, rx, ry, color) => {
    pen.fillStyle = color;
    pen.beginPath();
    pen.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
    pen.fill();
  };
  let tick = 0;
  const draw = () => {
    const sway = Math.sin(tick++ / 12) * 6;
    pen.fillStyle = wall;
    pen.fillRect(0, 0, 1280, 720);
    circle(640 + sway / 2, 760, 330, 260, shirt);
    circle(640 + sway, 330, 168, 200, hair);
    pen.fillStyle = skin;
    pen.fillRect(590 + sway / 2, 450, 100, 110);
    circle(640 + sway, 360, 138, 172, skin);
    circle(590 + sway, 340, 12, 14, '#2b2b2b');
    circle(690 + sway, 340, 12, 14, '#2b2b2b');
    pen.strokeStyle = '#8a4b3c';
    pen.lineWidth = 9;
    pen.lineCap = 'round';
    pen.beginPath();
    pen.arc(640 + sway, 410, 56, 0.25 * Math.PI, 0.75 * Math.PI);
    pen.stroke();
  };
  setInterval(draw, 50);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await real(wanted);
    for (const track of stream.getVideoTracks()) {
      stream.removeTrack(track);
      stream.addTrack(canvas.captureStream(20).getVideoTracks()[0]);
    }
    return stream;
  };
})(%s);
"""
PRACTITIONER = "{ wall: '#dfe7ea', shirt: '#ffffff', skin: '#d9a27e', hair: '#3b2a20' }"
PATIENT = "{ wall: '#e9dfd2', shirt: '#7a8f6a', skin: '#f0c6a4', hair: '#b9b6b1' }"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}


def open_page(browser: Browser, size: dict[str, int], person: str, language: str) -> Page:
    context = browser.new_context(viewport=size, locale=language, device_scale_factor=1)  # type: ignore[arg-type]
    context.add_init_script(PERSON % person)
    return context.new_page()


def step(page: Page, name: str) -> None:
    page.locator(f"vsdk-video-visit[step='{name}']").wait_for()
    page.wait_for_timeout(600)


def photograph(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"{name}.png")
    print(f"docs/images/{name}.png")


def take(browser: Browser, list_url: str, link: str) -> None:
    practice = open_page(browser, DESKTOP, PRACTITIONER, "en")
    patient = open_page(browser, PHONE, PATIENT, "en")
    practice.goto(list_url)
    practice.locator("vsdk-practice-queue li.row").first.wait_for()
    patient.goto(link)
    step(patient, "start")
    photograph(patient, "patient-start")
    button = patient.locator("vsdk-video-visit button.primary")
    button.click()
    step(patient, "check")
    patient.locator("vsdk-video-visit button.primary:enabled").wait_for()
    patient.wait_for_timeout(500)
    photograph(patient, "patient-check")
    button.click()
    step(patient, "waiting")
    photograph(patient, "patient-waiting")
    admit = practice.locator("vsdk-practice-queue button[data-key$='/admit']")
    admit.wait_for()
    photograph(practice, "practice-list")
    admit.click()
    step(patient, "visit")
    patient.wait_for_timeout(8_000)
    photograph(practice, "visit")
    photograph(patient, "patient-visit")
    patient.locator("vsdk-video-visit .bar button.danger").click()
    step(patient, "ended")
    photograph(patient, "patient-end")


def main() -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    demo = subprocess.Popen(
        [sys.executable, "-m", "vsdk", "demo", "--port", PORT], stdout=subprocess.PIPE, text=True
    )
    try:
        said = ""
        assert demo.stdout
        while "Ctrl-C" not in said:
            said += demo.stdout.readline()
        list_url, link = re.findall(r"http://localhost\S+#\S+", said)[:2]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            take(browser, list_url, link)
            browser.close()
    finally:
        demo.terminate()
        demo.wait(10)


if __name__ == "__main__":
    main()
