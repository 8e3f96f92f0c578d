"""D6, D7, D19: the browser that can, the question that is explained, and a way on from each answer."""

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import segno
from playwright.sync_api import Browser, Page, Playwright, expect
from tests.browser import QUIET, chromium
from tests.e2e.conftest import Server, Watched, an_appointment
from tests.e2e.journey import at_step, primary, visit

PHONE = "tel:+493023125000"
IN_AN_APP = (
    "Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv) "
    "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/139.0.7258.94 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/520.0.0.0;]"
)
ON_A_PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36"
)
FAILS_FIRST = """
(([name, message]) => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.asked = [];
  let failed = 0;
  navigator.mediaDevices.getUserMedia = (wanted) => {
    window.asked.push([Boolean(wanted.video), Boolean(wanted.audio)]);
    if (failed++ < 3 && window.failing) return Promise.reject(new DOMException(message, name));
    return real(wanted);
  };
  window.failing = true;
})(%s);
"""
ASKED = """
(() => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.asked = [];
  navigator.mediaDevices.getUserMedia = (wanted) => {
    window.asked.push([Boolean(wanted.video), Boolean(wanted.audio)]);
    return real(wanted);
  };
  navigator.permissions.query = async () => Object.assign(new EventTarget(), { state: 'prompt' });
})();
"""


@pytest.fixture
def refusing(playwright: Playwright) -> Iterator[Browser]:
    """Chromium whose camera question is answered with no, until the permission is given."""
    flags = [*QUIET, "--use-fake-device-for-media-stream", "--deny-permission-prompts"]
    flags.append("--allow-loopback-in-peer-connection")
    launched = playwright.chromium.launch(executable_path=chromium(), args=flags)
    yield launched
    launched.close()


def start(page: Page, link: str) -> None:
    page.goto(link)
    at_step(page, "start")
    primary(page).click()


def test_d6_an_app_is_told_from_a_browser_before_the_camera_is_asked_for(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    side = new_context(phone=True, user_agent=IN_AN_APP)
    side.context.add_init_script(ASKED)
    side.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = side.page()
    link = server.patient_link(an_appointment())
    page.goto(link)
    at_step(page, "browser")
    expect(visit(page)).to_contain_text("Bitte in Chrome öffnen")
    expect(visit(page)).to_contain_text("innerhalb von Facebook")
    expect(visit(page).locator(f"a[href='{PHONE}']")).to_be_visible()
    assert page.evaluate("() => window.asked") == []
    visit(page).get_by_role("button", name="Link kopieren").click()
    expect(visit(page)).to_contain_text("Der Link ist kopiert.")
    assert page.evaluate("() => navigator.clipboard.readText()") == link
    visit(page).get_by_role("button", name="Trotzdem hier versuchen").click()
    at_step(page, "start")


def test_d6_a_browser_without_video_calls_is_told_so(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    side = new_context()
    side.context.add_init_script("delete window.RTCPeerConnection")
    page = side.page()
    page.goto(server.patient_link(an_appointment()))
    at_step(page, "browser")
    expect(visit(page)).to_contain_text("in Chrome, Firefox oder Edge")
    expect(visit(page).locator(f"a[href='{PHONE}']")).to_be_visible()


def test_d7_a_phone_asks_once_for_both(server: Server, new_context: Callable[..., Watched]) -> None:
    side = new_context(phone=True, user_agent=ON_A_PHONE)
    side.context.add_init_script(ASKED)
    page = side.page()
    start(page, server.patient_link(an_appointment()))
    at_step(page, "allow")
    expect(visit(page).locator("h2").last).to_be_focused()
    expect(visit(page)).to_contain_text("Bitte wählen Sie „Zulassen“.")
    expect(visit(page)).to_contain_text("mitten auf dem Bildschirm")
    primary(page).click()
    at_step(page, "check")
    assert page.evaluate("() => window.asked") == [[True, True]]


def test_d19_a_computer_asks_for_one_after_the_other(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    side = new_context()
    side.context.add_init_script(ASKED)
    page = side.page()
    start(page, server.patient_link(an_appointment()))
    at_step(page, "allow")
    expect(visit(page)).to_contain_text("Zuerst die Kamera erlauben")
    expect(visit(page)).to_contain_text("damit man Sie sieht")
    primary(page).click()
    expect(visit(page)).to_contain_text("Jetzt das Mikrofon erlauben")
    expect(visit(page)).to_contain_text("Die Kamera ist bereit")
    expect(visit(page)).to_contain_text("damit man Sie hört")
    primary(page).click()
    at_step(page, "check")
    assert page.evaluate("() => window.asked") == [[True, False], [False, True]]
    expect(primary(page)).to_be_enabled(timeout=20_000)
    primary(page).click()
    at_step(page, "waiting")


def test_d7_a_refusal_is_undone_and_it_goes_on_by_itself(server: Server, refusing: Browser) -> None:
    context = refusing.new_context(locale="de", user_agent=ON_A_PHONE, viewport={"width": 390, "height": 844})
    page = context.new_page()
    start(page, server.patient_link(an_appointment()))
    at_step(page, "allow")
    primary(page).click()
    at_step(page, "no-media")
    expect(visit(page)).to_contain_text("Kamera und Mikrofon sind gesperrt")
    expect(visit(page).locator("ol li")).to_have_count(3)
    expect(visit(page).locator(f"a[href='{PHONE}']")).to_be_visible()
    context.grant_permissions(["camera", "microphone"], origin=server.base)
    at_step(page, "check")


@pytest.mark.parametrize(
    ("name", "message", "words"),
    [
        ("NotAllowedError", "Permission dismissed", "Die Frage wurde nicht beantwortet"),
        ("NotFoundError", "Requested device not found", "Keine Kamera und kein Mikrofon gefunden"),
        ("NotReadableError", "Could not start video source", "Kamera oder Mikrofon sind belegt"),
    ],
)
def test_d7_each_failure_has_its_own_help_and_a_way_on(
    server: Server, new_context: Callable[..., Watched], name: str, message: str, words: str
) -> None:
    side = new_context(phone=True, user_agent=ON_A_PHONE)
    side.context.add_init_script(FAILS_FIRST % [name, message])
    page = side.page()
    start(page, server.patient_link(an_appointment()))
    at_step(page, "allow", "no-media")
    if visit(page).get_attribute("step") == "allow":
        primary(page).click()
    at_step(page, "no-media")
    expect(visit(page)).to_contain_text(words)
    expect(visit(page).locator(f"a[href='{PHONE}']")).to_be_visible()
    page.evaluate("() => { window.failing = false; }")
    primary(page).click()
    at_step(page, "check")


def test_d7_a_computer_without_camera_hands_over_to_the_phone(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    side = new_context()
    side.context.add_init_script(FAILS_FIRST % ["NotFoundError", "Requested device not found"])
    page = side.page()
    link = server.patient_link(an_appointment())
    start(page, link)
    for _ in range(4):
        at_step(page, "allow", "no-media")
        if visit(page).get_attribute("step") == "no-media":
            break
        primary(page).click()
        page.wait_for_timeout(300)
    visit(page).get_by_text("Mit dem Telefon weitermachen").click()
    code = visit(page).get_by_role("img", name="Ihr Link als Zeichen")
    expect(code).to_be_visible()
    shown = page.evaluate(
        """async (handle) => (await fetch('/api/v1/join/code', {
          method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ handle }),
        })).text()""",
        link.partition("#")[2],
    )
    assert modules(shown) == modules(svg(link))
    assert code.evaluate("(image) => image.naturalWidth > 0")
    visit(page).locator("button.quiet").click()
    at_step(page, "waiting")


def svg(link: str) -> str:
    picture = io.BytesIO()
    segno.make(link, error="m", micro=False).save(picture, kind="svg", omitsize=True, xmldecl=False, border=4)
    return picture.getvalue().decode()


def modules(picture: str) -> str:
    """The path that draws the dark squares."""
    return re.findall(r'<path[^>]*stroke[^>]* d="([^"]+)"|<path[^>]* d="([^"]+)"[^>]*stroke', picture)[-1][0]


def test_d7_a_page_around_that_forbids_the_camera_leads_to_a_window_of_its_own(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    side = new_context(phone=True, user_agent=ON_A_PHONE)
    link = server.patient_link(an_appointment())
    page = side.page()
    page.route(
        "**/around",
        lambda route: route.fulfill(
            content_type="text/html",
            headers={"Permissions-Policy": "camera=(), microphone=()"},
            body=f'<!doctype html><title>around</title><iframe src="{link}" width=380 height=800></iframe>',
        ),
    )
    page.goto(f"{server.base}/around")
    frame = page.frame_locator("iframe")
    frame.locator("vsdk-video-visit[step=start] button.primary").click()
    frame.locator("vsdk-video-visit[step=allow] button.primary").click()
    own = frame.get_by_role("link", name="In eigenem Fenster öffnen")
    expect(own).to_be_visible()
    with side.context.expect_page() as opened:
        own.click()
    new = opened.value
    at_step(new, "start")
    assert new.url == link
    primary(new).click()
    at_step(new, "allow", "check")


def test_the_code_is_as_secret_as_the_link(server: Server, new_context: Any) -> None:
    page = new_context().page()
    page.goto(server.base)
    answers = page.evaluate(
        """async () => {
          const ask = (handle) => fetch('/api/v1/join/code', {
            method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ handle }),
          });
          return Promise.all(['A'.repeat(22), ''].map(async (handle) => (await ask(handle)).status));
        }"""
    )
    assert answers == [404, 400]


def test_d7_an_address_that_is_not_secure_is_said_before_anything_is_asked(
    server: Server, playwright: Playwright
) -> None:
    """A name that is not localhost, over http: there the browser has no camera for anyone."""
    rules = "--host-resolver-rules=MAP praxis.test 127.0.0.1"
    launched = playwright.chromium.launch(executable_path=chromium(), args=[*QUIET, rules])
    page = launched.new_context(locale="de").new_page()
    link = server.patient_link(an_appointment())
    page.goto(link.replace("localhost", "praxis.test"))
    at_step(page, "browser")
    expect(visit(page)).to_contain_text("Die Adresse muss mit „https“ beginnen.")
    expect(visit(page).locator(f"a[href='{PHONE}']")).to_be_visible()
    launched.close()
