"""Each page and state that a patient or a practitioner sees: WCAG 2.2 AA, narrow, large, dark; and pictures.

With ``VSDK_PICTURES`` in the environment, those that the pages of the two journeys show are kept in that
folder, in English.
"""

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.conftest import REPOSITORY, Server, an_appointment
from tests.e2e.journey import (
    WATCH_PEERS,
    admit_button,
    at_step,
    control,
    enter_waiting_room,
    media_flows,
    primary,
    sign_in,
    visit,
)
from tests.e2e.looks import accessible, bears
from tests.e2e.test_my_appointments import code_sent
from tests.e2e.test_permission import ASKED, FAILS_FIRST, IN_AN_APP, ON_A_PHONE
from tests.e2e.test_phone_call import PHONE

PICTURES = os.environ.get("VSDK_PICTURES", "")
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 800}}
JOURNEY = "".join(
    (REPOSITORY / "docs" / f"{who}-journey.md").read_text(encoding="utf-8")
    for who in ("patient", "practitioner")
)
WAYS = [("phone", "light", "de"), ("desktop", "dark", "fr")]
if PICTURES:
    WAYS = [(size, scheme, "en") for size in SIZES for scheme in ("light", "dark")]


class Tour:
    """One way of looking: goes from state to state, and judges each."""

    def __init__(self, browser: Any, size: str, scheme: str, language: str) -> None:
        self.size, self.scheme = size, scheme
        self._browser = browser
        self._contexts: list[Any] = []
        self._options = {"color_scheme": scheme, "locale": language, "reduced_motion": "reduce"}
        self.language = language

    def page(self, *scripts: str, agent: str | None = None, viewport: str = "") -> Page:
        agent = agent or (ON_A_PHONE if self.size == "phone" else None)
        more = {"user_agent": agent} if agent else {}
        shown = SIZES[viewport or self.size]
        context = self._browser.new_context(viewport=shown, bypass_csp=False, **self._options, **more)
        self._contexts.append(context)
        for script in scripts:
            context.add_init_script(script)
        page: Page = context.new_page()
        page.set_default_timeout(20_000)
        return page

    def look(self, page: Page, name: str) -> None:
        page.wait_for_timeout(250)
        if PICTURES:
            file = f"{name}-{self.size}-{self.scheme}.png"
            if f"/{file})" in JOURNEY:
                page.screenshot(path=Path(PICTURES) / file)
            return
        accessible(page, name)
        bears(page, name)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture(params=WAYS, ids=lambda way: "-".join(way))
def tour(request: pytest.FixtureRequest, browser: Any) -> Iterator[Tour]:
    made = Tour(browser, *request.param)
    yield made
    made.close()


def until_check(page: Page, tour: Tour, names: list[str]) -> None:
    for name in names:
        at_step(page, "allow")
        tour.look(page, name)
        title = visit(page).locator("h2").last.inner_text()
        primary(page).click()
        expect(visit(page).locator("h2").last).not_to_have_text(title)
    at_step(page, "check")


@pytest.mark.timeout(300)
def test_every_state_of_the_patient(server: Server, tour: Tour) -> None:
    link = server.patient_link(an_appointment("now", language=tour.language))
    early = server.patient_link(an_appointment("early", starts_in=timedelta(hours=3), language=tour.language))

    page = tour.page()
    page.goto(early)
    at_step(page, "early")
    tour.look(page, "early")
    page = tour.page(agent=IN_AN_APP)
    page.goto(link)
    at_step(page, "browser")
    tour.look(page, "in-an-app")
    page = tour.page(FAILS_FIRST % ["NotAllowedError", "Permission denied"])
    page.goto(link)
    primary(page).click()
    at_step(page, "allow", "no-media")
    if visit(page).get_attribute("step") == "allow":
        primary(page).click()
    at_step(page, "no-media")
    tour.look(page, "refused-camera")

    page = tour.page(ASKED, PHONE, WATCH_PEERS)
    page.goto(link)
    at_step(page, "start")
    tour.look(page, "start")
    primary(page).click()
    until_check(page, tour, ["allow"] if tour.size == "phone" else ["allow-camera", "allow-microphone"])
    tour.look(page, "checking")
    expect(primary(page)).to_be_enabled(timeout=20_000)
    tour.look(page, "checked")
    primary(page).click()
    at_step(page, "waiting")
    tour.look(page, "waiting")

    practice = tour.page(viewport="desktop")
    sign_in(practice, server.list_url)
    tour.look(practice, "list-waiting")
    admit_button(practice).click()
    at_step(page, "visit")
    at_step(practice, "visit")
    practice.wait_for_timeout(3_000)
    tour.look(page, "visit")
    page.evaluate("() => window.phone.take('audio')")
    expect(visit(practice).locator(".away")).to_be_visible()
    tour.look(page, "on-the-phone")
    tour.look(practice, "practice-on-the-phone")
    page.evaluate("() => window.phone.take()")
    expect(visit(practice).locator(".away")).to_be_hidden()
    page.evaluate("() => window.peers.forEach((peer) => peer.close())")
    page.context.set_offline(True)
    expect(visit(practice).locator(".away")).to_be_visible(timeout=15_000)
    tour.look(practice, "practice-line-lost")
    page.context.set_offline(False)
    page.reload()
    at_step(page, "visit")
    control(practice, "danger").click()
    at_step(page, "ended")
    tour.look(page, "ended")
    page.goto(f"{server.base}/j#AAAAAAAAAAAAAAAAAAAAAA")
    page.reload()
    at_step(page, "refused")
    tour.look(page, "unknown-link")


def test_every_page_around_the_visit(server: Server, tour: Tour) -> None:
    language = tour.language
    link = server.patient_link(an_appointment("now", language=language))
    server.plan(an_appointment("later", starts_in=timedelta(days=3), language=language))
    handle = link.partition("#")[2]
    page = tour.page()
    page.goto(f"{server.base}/plugins/doctolib_like/confirmation?lang={language}#{handle}")
    expect(page.locator("vsdk-appointment-confirmation a.button").first).to_be_visible()
    tour.look(page, "confirmation")
    page.goto(f"{server.base}/plugins/doctolib_like/appointments?lang={language}")
    tour.look(page, "appointments-contact")
    page.locator("input[name=contact]").fill("0151 00000001")
    page.locator("button.primary").click()
    expect(page.locator("input[name=code]")).to_be_visible()
    tour.look(page, "appointments-code")
    page.locator("input[name=code]").fill(code_sent(server))
    page.locator("button.primary").click()
    expect(page.locator("ul.cards > li")).to_have_count(2)
    tour.look(page, "appointments")
    page.locator("ul.cards > li").nth(1).locator("button").last.click()
    expect(page.locator("button.primary")).to_be_visible()
    tour.look(page, "appointments-cancel")
    for name, path in {"home": "/", "messages": f"/m#{handle}", "no-page": "/nothing"}.items():
        page.goto(f"{server.base}{path}")
        page.wait_for_load_state("networkidle")
        tour.look(page, name)


@pytest.mark.timeout(300)
def test_every_state_of_the_practitioners_visit(server: Server, tour: Tour) -> None:
    link = server.patient_link(an_appointment("now", language=tour.language))
    patient = tour.page(ASKED, WATCH_PEERS)
    practice = tour.page(WATCH_PEERS)
    practice.goto(f"{server.base}/practice/park?lang={tour.language}#{server.code}")
    enter_waiting_room(patient, link)
    admit_button(practice).click()
    at_step(patient, "visit")
    at_step(practice, "visit")
    media_flows(practice)
    lock = visit(practice).locator(".chips button")
    expect(lock).to_be_visible()
    tour.look(practice, "practice-visit")
    control(practice, "settings").click()
    expect(visit(practice).locator("dialog.settings")).to_be_visible()
    tour.look(practice, "practice-more")
    practice.keyboard.press("Escape")
    lock.click()
    expect(visit(practice).locator("dialog.compare .digits")).to_be_visible()
    tour.look(practice, "practice-digits")
    practice.keyboard.press("Escape")
    for page, words in ((practice, "Wie oft nehmen Sie es?"), (patient, "Zweimal am Tag.")):
        control(page, "message").click()
        field = visit(page).locator("vsdk-chat textarea")
        field.fill(words)
        field.press("Enter")
    expect(visit(practice).locator("vsdk-chat .words")).to_have_count(2)
    tour.look(practice, "practice-chat")

    check = tour.page()
    check.goto(f"{server.base}/check?lang={tour.language}")
    check.locator("vsdk-device-check button.primary").click()
    expect(check.locator("vsdk-device-check .results span.status:not(.muted)")).to_have_count(
        3, timeout=30_000
    )
    tour.look(check, "system-test")


def test_by_keyboard_alone_from_the_message_to_the_end(
    server: Server, new_context: Callable[..., Any]
) -> None:
    """Tab and Enter, nothing else; each new step has the focus, so that a screen reader begins there."""
    side = new_context(phone=True, user_agent=ON_A_PHONE)
    side.context.add_init_script(ASKED)
    page = side.page()
    practice = new_context().page()
    link = server.patient_link(an_appointment())
    sign_in(practice, server.list_url)
    page.goto(link)
    at_step(page, "start")
    for step in ("start", "allow", "check"):
        at_step(page, step)
        if step == "check":
            expect(primary(page)).to_be_enabled(timeout=20_000)
        press(page, primary(page).inner_text())
    at_step(page, "waiting")
    expect(visit(page).locator("h2").last).to_be_focused()
    admit_button(practice).click()
    at_step(page, "visit")
    press(page, "Auflegen")
    at_step(page, "ended")
    expect(visit(page).locator("h2").last).to_be_focused()


FOCUSED = """
() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element?.textContent.trim() ?? '';
}
"""


def press(page: Page, name: str) -> None:
    """Tabs to the button of that name, and presses it."""
    for _ in range(40):
        if re.sub(r"\s+", " ", page.evaluate(FOCUSED)) == re.sub(r"\s+", " ", name):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {name!r} by keyboard")
