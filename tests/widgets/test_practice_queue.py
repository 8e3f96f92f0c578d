"""The practice's list in a real browser. The server is played here, HTTP and WebSocket both."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, Route, WebSocketRoute, expect
from tests.browser import QUIET, chromium

from vsdk.testing.factories import a_practice
from vsdk.widgets.assets import Assets
from vsdk.widgets.render import Pages
from vsdk.widgets.texts import Texts

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

BASE = "https://pms.example/video"
PAGE = f"{BASE}/practice/practice?lang=en"
CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' wss:"
COUNT_SOUNDS = """
window.sounds = 0;
window.AudioContext = class extends window.AudioContext { constructor() { super(); window.sounds++; } };
"""
TEXTS, ASSETS = Texts(), Assets("/video")
PAGES = Pages(TEXTS, ASSETS, BASE)


def at(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def person(name: str, waited: float | None = None, **changes: Any) -> dict[str, Any]:
    waiting = waited is not None
    since = at(-waited) if waited is not None else None
    known = {"participant": "p1", "name": name, "role": "patient", "present": waiting, "waiting": waiting}
    return known | {"since": since, "check": None} | changes


def entry(visit: str, state: str, *people: dict[str, Any], **changes: Any) -> dict[str, Any]:
    practitioner = person("Dr. Jonas Muster", participant="p9", role="practitioner")
    known = {"visit": visit, "start": at(0), "end": at(20), "state": state, "waiting_since": None}
    known |= {"delay_minutes": 0, "messages": {"total": 0, "latest": None, "problem": None}}
    return known | {"people": [*people, practitioner], "come_back_until": None} | changes


class Server:
    """Answers one page; `sent` holds what came over the WebSocket, `requests` what was posted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.entries: list[dict[str, Any]] = []
        self.given_up: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.requests: list[tuple[str, dict[str, Any], str | None]] = []
        self.socket: WebSocketRoute | None = None
        self.doors: list[str] = []
        """what was asked about signing in and out"""
        self.asks = ["code"]
        page.add_init_script(COUNT_SOUNDS)
        page.route("**/*", self._answer)
        page.route_web_socket("**/signal", self._accept)

    def _answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path.removeprefix("/video")
        if path.startswith("/static/"):
            asset = ASSETS.read(path.removeprefix("/static/"))
            assert asset is not None, path
            route.fulfill(body=asset.content, content_type=asset.content_type)
        elif path.startswith("/texts/"):
            route.fulfill(json=TEXTS.browser(path[len("/texts/") : -len(".json")]))
        elif path.startswith("/api/"):
            self._api(route, path)
        else:
            html = PAGES.practice("en", a_practice())
            route.fulfill(body=html, headers={"content-security-policy": CSP, "content-type": "text/html"})

    def _api(self, route: Route, path: str) -> None:
        body: dict[str, Any] = json.loads(route.request.post_data or "{}")
        if path.endswith(("practice/sign-in", "/sign-in/grant", "/sign-out")):
            self.doors.append(path)
            over = {"code": "sign-in-over", "status": 403}
            if path.endswith("/grant"):
                route.fulfill(status=403, json=over)
            else:
                route.fulfill(json={"asks": self.asks, "url": f"{BASE}/practice/practice/sign-in"})
            return
        self.requests.append((path, body, route.request.headers.get("authorization")))
        signalling = f"{BASE.replace('https', 'wss')}/signal"
        if path.endswith("/sign-in") and body["params"].get("code") != "right":
            route.fulfill(status=401, json={"code": "sign-in-refused", "status": 401})
        elif path.endswith("/sign-in"):
            practice = {"id": "practice", "name": "Praxis am Park"}
            route.fulfill(json={"grant": "list-grant", "signalling": signalling, "practice": practice})
        elif path.endswith("/outbox"):
            route.fulfill(json={"entries": self.given_up})
        elif path.endswith(("/messages", "/again")):
            route.fulfill(json={"messages": self.messages})
        else:
            route.fulfill(json={"grant": "visit-grant", "signalling": signalling})

    def _accept(self, socket: WebSocketRoute) -> None:
        def heard(text: str | bytes) -> None:
            message = json.loads(text)
            self.sent.append(message)
            if message["type"] == "hello" and message["grant"] == "list-grant":
                self.socket = socket
                may = ["admit", "close", "list", "talk"]
                you = {"participant": "u", "role": "practitioner", "name": "", "capabilities": may}
                socket.send(json.dumps({"type": "welcome", "you": you, "visit": None, "ice_servers": []}))
                self._show(socket)

        socket.on_message(heard)

    def show(self, *entries: dict[str, Any]) -> None:
        """The list changes."""
        self.entries = list(entries)
        if self.socket:
            self._show(self.socket)

    def _show(self, socket: WebSocketRoute) -> None:
        queue = {"type": "queue", "entries": self.entries, "given_up": len(self.given_up)}
        socket.send(json.dumps(queue))

    def heard(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.sent if message["type"] == kind]


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    arguments = [*QUIET, "--autoplay-policy=no-user-gesture-required"]
    launched = playwright.chromium.launch(executable_path=chromium(), args=arguments)
    yield launched
    launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 400, "height": 800}, locale="en-GB", timezone_id="America/Lima"
    )
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    context.close()
    assert failures == []


@pytest.fixture
def server(page: Page) -> Server:
    return Server(page)


def sign_in(page: Page) -> None:
    page.goto(f"{PAGE}#right")
    expect(page.get_by_role("heading", name="Here now")).to_be_visible()


def row(page: Page, visit: str) -> Locator:
    return page.locator(f'[data-visit="{visit}"]')


def test_wrong_code_is_explained_and_right_code_opens_the_list(page: Page, server: Server) -> None:
    page.goto(PAGE)
    page.get_by_label("Access code").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This access code is not right")
    page.get_by_label("Access code").fill("right")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nobody is in the waiting room.")).to_be_visible()
    assert [body for _, body, _ in server.requests] == [
        {"practice": "practice", "params": {"code": "wrong"}},
        {"practice": "practice", "params": {"code": "right"}},
    ]


def test_reload_stays_signed_in_and_signing_out_forgets(page: Page, server: Server) -> None:
    sign_in(page)
    page.goto("about:blank")
    page.goto(PAGE)
    expect(page.get_by_role("heading", name="Praxis am Park", level=2)).to_be_visible()
    assert len(server.requests) == 1
    with page.expect_response("**/api/v1/sign-out"):
        page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Access code")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_who_has_an_account_is_asked_for_it(page: Page, server: Server) -> None:
    server.asks = ["login", "password"]
    page.goto(PAGE)
    page.get_by_label("User name").fill(" berg ")
    page.get_by_label("Password").fill(" spaces count ")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("User name or password is wrong.")
    expect(page.get_by_label("User name")).to_have_value("berg")
    expect(page.get_by_label("Password")).to_be_focused()
    assert server.requests[-1][1]["params"] == {"login": "berg", "password": " spaces count "}


def test_who_signs_in_elsewhere_is_led_there(page: Page, server: Server) -> None:
    server.asks = []
    page.goto(PAGE)
    link = page.get_by_role("link", name="Sign in")
    expect(link).to_have_attribute("href", f"{BASE}/practice/practice/sign-in")
    expect(page.locator("vsdk-practice-queue")).to_contain_text("You sign in with your account")


def test_row_says_who_waits_how_long_and_with_what(page: Page, server: Server) -> None:
    check = {"camera": "good", "microphone": "bad", "connection": "fair"}
    good = dict.fromkeys(check, "good")
    server.show(
        entry("v1", "waiting", person("Erika Beispiel", 4.5, check=check)),
        entry("v2", "waiting", person("Ida Probe", 0, check=good)),
        entry("v3", "planned", person("Ada Test"), start=at(1500)),
    )
    sign_in(page)
    for words in ("Erika Beispiel", "Waiting for 4 min", "No microphone", "Connection fair"):
        expect(row(page, "v1")).to_contain_text(words)
    expect(row(page, "v1")).not_to_contain_text("Camera")
    expect(row(page, "v2")).to_contain_text("Waiting, has just come")
    expect(row(page, "v2")).to_contain_text("Camera, microphone and connection good")
    expect(page.get_by_role("heading", name="Tomorrow (1)")).to_be_visible()


def test_times_are_the_local_time_of_the_practice(page: Page, server: Server) -> None:
    server.show(entry("v1", "planned", person("Ada Test"), start="2026-07-01T10:00:00Z"))
    sign_in(page)
    expect(row(page, "v1").locator("time")).to_have_text("12:00")


def test_names_are_text_and_never_html(page: Page, server: Server) -> None:
    server.show(entry("v1", "waiting", person("<img src=x onerror=alert(1)>", 1)))
    sign_in(page)
    expect(row(page, "v1").get_by_role("heading")).to_have_text("<img src=x onerror=alert(1)>")
    assert row(page, "v1").locator("img").count() == 0


def test_arrival_is_announced_counted_and_heard_once(page: Page, server: Server) -> None:
    server.show(entry("v1", "waiting", person("Erika Beispiel", 1)))
    sign_in(page)
    expect(page).to_have_title("(1) Video visits – Praxis am Park")
    assert page.evaluate("window.sounds") == 0
    both = [
        entry("v1", "waiting", person("Erika Beispiel", 1)),
        entry("v2", "waiting", person("Ida Probe", 0)),
    ]
    server.show(*both)
    expect(page.get_by_text("Now in the waiting room: Ida Probe")).to_be_attached()
    expect(page).to_have_title("(2) Video visits – Praxis am Park")
    server.show(*both)
    server.show()
    expect(page).to_have_title("Video visits – Praxis am Park")
    assert page.evaluate("window.sounds") == 1


def test_admitting_takes_one_click_and_leads_into_the_visit(page: Page, server: Server) -> None:
    server.show(entry("v1", "waiting", person("Erika Beispiel", 1)))
    sign_in(page)
    page.get_by_role("button", name="Admit Erika Beispiel").click()
    visit = page.locator("vsdk-video-visit")
    expect(visit).to_have_attribute("admit", "p1")
    expect(visit).to_have_attribute("grant", "visit-grant")
    assert server.requests[-1] == ("/api/v1/visits/v1/grant", {}, "Bearer list-grant")


def test_the_list_does_not_change_under_a_finger(page: Page, server: Server) -> None:
    """What comes between press and release is shown after it: else the press would reach nothing."""
    server.show(entry("v1", "waiting", person("Erika Beispiel", 1)))
    sign_in(page)
    page.get_by_role("button", name="Admit Erika Beispiel").hover()
    page.mouse.down()
    server.show(
        entry("v1", "waiting", person("Erika Beispiel", 2)), entry("v2", "waiting", person("Ida Probe", 3))
    )
    expect(page).to_have_title("(2) Video visits – Praxis am Park")
    expect(row(page, "v2")).to_have_count(0)
    page.mouse.up()
    expect(page.locator("vsdk-video-visit")).to_have_attribute("admit", "p1")
    expect(row(page, "v2")).to_have_count(1)


def test_a_press_whose_release_is_never_heard_holds_the_list_for_two_seconds_at_most(
    page: Page, server: Server
) -> None:
    server.show(entry("v1", "waiting", person("Erika Beispiel", 1)))
    sign_in(page)
    both = entry("v1", "waiting", person("Erika Beispiel", 2)), entry("v2", "waiting", person("Ida Probe", 3))
    page.get_by_role("button", name="Admit Erika Beispiel").hover()
    page.mouse.down()
    server.show(*both)
    expect(row(page, "v2")).to_have_count(1, timeout=4_000)
    page.mouse.up()


def test_reload_goes_back_into_the_visit_and_admits_nobody(page: Page, server: Server) -> None:
    server.show(entry("v1", "waiting", person("Erika Beispiel", 1)))
    sign_in(page)
    page.get_by_role("button", name="Admit Erika Beispiel").click()
    expect(page.locator("vsdk-video-visit")).to_have_attribute("admit", "p1")
    page.reload()
    visit = page.locator("vsdk-video-visit")
    expect(visit).to_have_attribute("grant", "visit-grant")
    assert visit.get_attribute("admit") is None


def test_no_sound_during_a_visit_and_its_end_brings_the_list_back(page: Page, server: Server) -> None:
    waiting = entry("v1", "waiting", person("Erika Beispiel", 1))
    server.show(waiting)
    sign_in(page)
    page.get_by_role("button", name="Admit Erika Beispiel").click()
    expect(page.locator("vsdk-video-visit")).to_be_attached()
    server.show(waiting, entry("v2", "waiting", person("Ida Probe", 0)))
    expect(page).to_have_title("(2) Video visits – Praxis am Park")
    assert page.evaluate("window.sounds") == 0
    page.locator("vsdk-video-visit").dispatch_event("vsdk-visit-ended")
    expect(page.locator("vsdk-video-visit")).to_have_count(0)
    expect(page.get_by_role("heading", name="Praxis am Park", level=2)).to_be_focused()
    expect(page.get_by_role("button", name="Admit Ida Probe")).to_be_visible()


def test_refused_grant_is_explained_in_the_list(page: Page, server: Server) -> None:
    server.show(entry("v1", "in-progress", person("Erika Beispiel")))
    sign_in(page)
    refusal = {"code": "policy-denied", "status": 403}
    page.route("**/grant", lambda route: route.fulfill(status=403, json=refusal))
    page.get_by_role("button", name="Open the visit with Erika Beispiel").click()
    expect(page.get_by_text("A rule of your practice does not allow this")).to_be_visible()
    expect(page.locator("vsdk-video-visit")).to_have_count(0)


def test_ended_visit_can_be_invited_back(page: Page, server: Server) -> None:
    server.show(entry("v1", "ended", person("Erika Beispiel"), come_back_until=at(20)))
    sign_in(page)
    page.get_by_role("button", name="Invite back: Erika Beispiel").click()
    expect(page.get_by_text("Invitation goes to Erika Beispiel")).to_be_attached()
    assert server.heard("invite") == [{"type": "invite", "visit": "v1", "participant": "p1"}]


def test_what_the_pms_was_not_told_is_said_at_the_visit(page: Page, server: Server) -> None:
    server.show(entry("v1", "planned", person("Erika Beispiel"), not_written_back="foreign-link"))
    sign_in(page)
    expect(page.get_by_text("did not reach the practice system (foreign-link)")).to_be_visible()


def sent(template: str, state: str, **changes: Any) -> dict[str, Any]:
    latest = {"template": template, "state": state, "at": "2026-07-01T11:50:00Z"}
    return {"messages": {"total": 1, "latest": latest, "problem": None} | changes}


def message(**changes: Any) -> dict[str, Any]:
    known = {"id": "m1", "template": "link-at-time", "participant": "p1", "role": "patient", "code": ""}
    known |= {"channel": "sms", "recipient": "+49 … 01", "state": "sent", "segments": 1, "attempts": 1}
    return known | {"created": at(-60), "updated": at(-60)} | changes


def test_row_says_in_one_line_what_was_sent_last_or_what_went_wrong(page: Page, server: Server) -> None:
    server.show(
        entry("v1", "planned", person("Ada Test"), **sent("link-at-time", "delivered")),
        entry("v2", "planned", person("Ida Probe"), **sent("delay", "failed", problem="gateway-credit")),
        entry("v3", "planned", person("Erika Beispiel")),
        entry("v4", "planned", person("Karl Neu"), **sent("of-a-plugin", "sent", problem="new-code")),
        entry("v5", "closed", person("Uwe Vorbei")),
    )
    sign_in(page)
    expect(row(page, "v1")).to_contain_text("Link · delivered · Wed 1 Jul, 13:50")
    expect(row(page, "v2")).to_contain_text("Not sent: the SMS credit is used up.")
    expect(row(page, "v2")).not_to_contain_text("13:50")
    expect(row(page, "v3")).to_contain_text("Nothing sent yet")
    expect(row(page, "v4")).to_contain_text("(For questions: new-code)")
    expect(row(page, "v5").get_by_role("button")).to_have_count(0)


def test_open_messages_stay_current_and_keep_the_focus(page: Page, server: Server) -> None:
    planned = entry("v1", "planned", person("Ada Test"))
    server.show(planned)
    sign_in(page)
    page.get_by_role("button", name="See the messages to Ada Test").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Nothing sent yet")).to_be_visible()
    server.messages = [message()]
    dialog.get_by_role("button", name="Send link").click()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    assert server.requests[-1] == (
        "/api/v1/visits/v1/messages",
        {"template": "link-at-time"},
        "Bearer list-grant",
    )
    again = dialog.get_by_role("button", name="Send again: Link to Ada Test")
    again.focus()
    server.messages = [message(state="undelivered", code="number-unreachable", segments=2)]
    server.show(planned | sent("link-at-time", "undelivered"))
    expect(dialog.get_by_role("listitem")).to_contain_text("the phone could not be reached")
    expect(dialog.get_by_role("listitem")).to_contain_text("2 SMS")
    expect(again).to_be_focused()
    again.click()
    expect(dialog.get_by_text("It is being sent.")).to_be_visible()
    assert server.requests[-1][0] == "/api/v1/messages/m1/again"
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="See the messages to Ada Test")).to_be_focused()


def test_nothing_is_sent_again_to_the_team_or_about_what_is_over(page: Page, server: Server) -> None:
    server.messages = [message(), message(id="m2", template="patient-waiting", participant="practice")]
    server.show(
        entry("v1", "cancelled", person("Ada Test"), **sent("cancelled", "sent")),
        entry("v2", "planned", person("Ida Probe"), **sent("link-at-time", "sent")),
    )
    sign_in(page)
    page.get_by_role("button", name="See the messages to Ada Test").click()
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("button", name="Send again")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="See the messages to Ida Probe").click()
    expect(page.get_by_role("button", name="Send again")).to_have_count(1)


def test_delay_offers_what_lies_ahead_and_is_announced_with_one_tap(page: Page, server: Server) -> None:
    server.show(
        entry("v1", "waiting", person("Erika Beispiel", 1), start=at(-22)),
        entry("v2", "planned", person("Ida Probe"), start=at(1500)),
        entry("v3", "planned", person("Ada Test"), start=at(-1), delay_minutes=15),
    )
    sign_in(page)
    expect(row(page, "v3")).to_contain_text("15 min late, at about ")
    expect(row(page, "v2").get_by_role("button", name="Delay")).to_have_count(0)
    page.get_by_role("button", name="Delay: tell Erika Beispiel").click()
    dialog = page.get_by_role("dialog")
    offered = dialog.get_by_role("button").filter(has_text="min")
    expect(offered).to_have_text([re.compile(f"^{minutes} min") for minutes in (30, 45, 60, 75, 90, 105)])
    expect(dialog.get_by_role("button", name="No delay")).to_have_count(0)
    offered.first.click()
    expect(dialog).to_have_count(0)
    assert server.requests[-1] == ("/api/v1/visits/v1/delay", {"minutes": 30}, "Bearer list-grant")
    page.get_by_role("button", name="Delay: tell Ada Test").click()
    asked = len(server.requests)
    dialog.get_by_role("button", name="15 min", pressed=True).click()
    expect(dialog).to_have_count(0)
    assert len(server.requests) == asked, "what was announced already is not announced again"


def test_what_was_refused_is_said_in_the_dialog(page: Page, server: Server) -> None:
    server.show(entry("v1", "waiting", person("Erika Beispiel", 1)))
    sign_in(page)
    refusal = {"code": "visit-state", "status": 409}
    page.route("**/delay", lambda route: route.fulfill(status=409, json=refusal))
    page.get_by_role("button", name="Delay: tell Erika Beispiel").click()
    page.get_by_role("dialog").get_by_role("button", name="45 min").click()
    expect(page.get_by_role("alert")).to_contain_text("the visit has changed")
    expect(page.get_by_role("dialog").get_by_role("button", name="45 min")).to_be_enabled()


GIVEN_UP = {"id": "m1", "kind": "message", "template": "link-at-time", "visit": "v1", "name": "Ada Test"}
GIVEN_UP |= {"role": "patient", "start": at(30), "over": False, "recipient": "+49 … 01", "channel": "sms"}
GIVEN_UP |= {"code": "number-invalid", "since": at(-5), "attempts": 1}


def test_messages_that_did_not_arrive_are_counted_and_one_click_away(page: Page, server: Server) -> None:
    server.given_up = [GIVEN_UP, GIVEN_UP | {"id": "m2", "name": "Ida Probe", "over": True}]
    sign_in(page)
    link = page.get_by_role("link", name="2 messages did not arrive")
    expect(link).to_have_attribute("href", f"{BASE}/practice/practice/messages?lang=en")
    server.given_up = [GIVEN_UP]
    server.show()
    expect(page.get_by_role("link", name="One message did not arrive")).to_be_visible()
    server.given_up = []
    server.show()
    expect(page.get_by_text("did not arrive")).to_have_count(0)


def test_a_page_of_the_pms_shows_them_in_a_dialog_with_the_same_grant(page: Page, server: Server) -> None:
    server.given_up = [GIVEN_UP]
    page.goto(PAGE)
    page.evaluate(
        """([server]) => {
            const queue = document.createElement('vsdk-practice-queue');
            for (const [name, value] of Object.entries({ server, grant: 'list-grant', lang: 'en' }))
              queue.setAttribute(name, value);
            document.querySelector('main').replaceChildren(queue);
        }""",
        [BASE],
    )
    page.get_by_role("button", name="One message did not arrive").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_contain_text("Ada Test, appointment")
    expect(dialog.get_by_role("link", name="Back to the list")).to_have_count(0)
    server.given_up = []
    dialog.get_by_role("button", name="Remove: Link to Ada Test").click()
    expect(dialog.get_by_text("Everything arrived.")).to_be_visible()
    assert ("/api/v1/outbox/m1/drop", {}, "Bearer list-grant") in server.requests


def test_ending_asks_first(page: Page, server: Server) -> None:
    server.show(entry("v1", "waiting", person("Erika Beispiel", 1)))
    sign_in(page)
    end = page.get_by_role("button", name="End the visit of Erika Beispiel")
    end.click()
    page.get_by_role("button", name="Go back").click()
    assert server.heard("close") == []
    end.click()
    page.get_by_role("button", name="End visit").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert server.heard("close") == [{"type": "close", "visit": "v1"}]


def test_focus_survives_a_change_of_the_list(page: Page, server: Server) -> None:
    waiting = entry("v1", "waiting", person("Erika Beispiel", 1))
    server.show(waiting)
    sign_in(page)
    button = page.get_by_role("button", name="Admit Erika Beispiel")
    button.focus()
    server.show(entry("v2", "waiting", person("Ida Probe", 3)), waiting)
    expect(row(page, "v2")).to_be_visible()
    expect(button).to_be_focused()


def test_list_that_was_taken_over_says_so_and_can_be_taken_back(page: Page, server: Server) -> None:
    sign_in(page)
    assert server.socket is not None
    server.socket.close(code=4409)
    expect(page.get_by_text("The list is open in another window.")).to_be_visible()
    page.get_by_role("button", name="Connect here").click()
    expect(page.get_by_text("The list is open in another window.")).to_have_count(0)
    assert len(server.heard("hello")) == 2


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_scrolls_sideways(page: Page, server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    name = "Maximilian von Hohenlohe-Schillingsfürst"
    server.show(entry("v1", "waiting", person(name, 1)), entry("v2", "ended", person(name)))
    sign_in(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    button = page.get_by_role("button", name=f"Admit {name}").bounding_box()
    assert button is not None
    assert button["height"] >= 44


NAMES = ["Erika Beispiel", "Jürgen Groß", "Ida Probe", "Ada Test", "Otto Müller", "Mia Åkesson", "Leo Neu"]


def test_a_long_list_can_be_searched_and_who_waits_stays_in_sight(page: Page, server: Server) -> None:
    planned = [entry(f"v{n}", "planned", person(name), start=at(60)) for n, name in enumerate(NAMES)]
    server.show(entry("w", "waiting", person("Wanda Wartend", 3)), *planned)
    sign_in(page)
    search = page.get_by_label("Find a name")
    expect(page.locator("li.row")).to_have_count(8)
    for typed, found in (("gross", "Jürgen Groß"), ("MULLER", "Otto Müller"), ("akes", "Mia Åkesson")):
        search.fill(typed)
        expect(page.locator("li.row")).to_have_count(2)
        expect(page.locator("li.row").first).to_contain_text("Wanda Wartend")
        expect(page.locator("li.row").last).to_contain_text(found)
    search.press("Escape")
    expect(page.locator("li.row")).to_have_count(8)
    server.show(*planned[:3])
    expect(search).to_be_hidden()


def test_the_list_has_keys_of_its_own(page: Page, server: Server) -> None:
    planned = [entry(f"v{n}", "planned", person(name), start=at(60)) for n, name in enumerate(NAMES)]
    server.show(entry("w", "waiting", person("Wanda Wartend", 3)), *planned)
    sign_in(page)
    page.get_by_role("button", name="Admit Wanda Wartend").focus()
    page.keyboard.press("/")
    expect(page.get_by_label("Find a name")).to_be_focused()
    page.keyboard.type("a/a")
    expect(page.get_by_label("Find a name")).to_have_value("a/a")  # letters, in a field
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Admit Wanda Wartend")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(row(page, "v0").get_by_role("button").first).to_be_focused()
    page.keyboard.press("Control+a")
    assert "visiting" not in str(page.locator("vsdk-practice-queue").get_attribute("visiting"))
    page.keyboard.press("a")
    expect(page.locator("vsdk-video-visit")).to_have_attribute("admit", "p1")
