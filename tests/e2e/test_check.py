"""D8 to D10: the check of microphone, camera and connection, with a real relay and a real echo."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser import FAKE_CAMERA, QUIET, chromium
from tests.e2e.conftest import Server, Watched, an_appointment
from tests.e2e.journey import allow, at_step, primary, sign_in, visit
from tests.e2e.turn import Turn

RESULTS = """
() => {
  window.checked = [];
  document.addEventListener('vsdk-checked', (event) => window.checked.push(event.detail));
}
"""
DARK_AND_SILENT = """
(() => {
  navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
    const pen = canvas.getContext('2d');
    setInterval(() => pen.fillRect(0, 0, 640, 480), 50);
    const context = new AudioContext();
    const silence = context.createMediaStreamDestination();
    return new MediaStream([...canvas.captureStream(20).getTracks(), ...silence.stream.getTracks()]);
  };
})();
"""
"""A lens cover is on, and the microphone hears nothing: real tracks, of a canvas and of nothing."""


@pytest.fixture
def trusting(playwright: Any) -> Any:
    """Chromium that takes the certificate that the TURN server made for itself."""
    flags = [*QUIET, *FAKE_CAMERA, "--ignore-certificate-errors"]
    browser = playwright.chromium.launch(executable_path=chromium(), args=flags)
    yield browser
    browser.close()


def to_the_check(page: Page, link: str) -> None:
    page.goto(link)
    page.evaluate(RESULTS)
    at_step(page, "start")
    primary(page).click()
    allow(page)


def checked(page: Page) -> dict[str, Any]:
    expect(primary(page)).to_be_enabled(timeout=20_000)
    return dict(page.evaluate("() => window.checked.at(-1)"))


def figures(page: Page) -> dict[str, float]:
    """Of the details under the connection's row."""
    rows = visit(page).locator("dl dt")
    values = visit(page).locator("dl dd:nth-of-type(odd)")
    return {
        rows.nth(i).inner_text(): float(
            values.nth(i).inner_text().split("\u00a0")[0].split(" ")[0].replace(".", "").replace(",", ".")
        )
        for i in range(rows.count())
    }


def open_details(page: Page) -> dict[str, float]:
    visit(page).locator("details summary").click()
    return figures(page)


def test_d8_all_is_well_without_a_relay(server: Server, new_context: Any) -> None:
    """The figures come from the server's echo."""
    page = new_context(phone=True, checked=False).page()
    to_the_check(page, server.patient_link(an_appointment()))
    expect(visit(page).locator("vsdk-device-check video")).to_be_visible()
    result = checked(page)
    assert result == {
        "microphone": "good",
        "camera": "good",
        "connection": "good",
        "speaker": None,
        "problems": [],
    }
    found = open_details(page)
    assert set(found) == {
        "Verzögerung hin und zurück",
        "Schwankung",
        "Verlust",
        "Senden",
        "Empfangen",
        "Sprachqualität (1 bis 4,5)",
    }
    assert found["Senden"] > 1000
    assert found["Empfangen"] > 1000
    assert found["Verzögerung hin und zurück"] < 200
    expect(visit(page)).to_contain_text("Gemessen mit dem Server der Praxis.")


def test_d8_the_loudspeaker_is_tried_and_asked_about(server: Server, new_context: Any) -> None:
    page = new_context(phone=True, checked=False).page()
    to_the_check(page, server.patient_link(an_appointment()))
    visit(page).get_by_role("button", name="Lautsprecher testen").click()
    yes = visit(page).get_by_role("button", name="Ja", exact=True)
    expect(yes).to_be_focused()
    visit(page).get_by_role("button", name="Nein", exact=True).click()
    expect(visit(page)).to_contain_text("Stellen Sie das Gerät lauter")
    result = checked(page)
    assert result["speaker"] == "bad"
    assert "speaker-not-heard" in result["problems"]
    assert result["microphone"] == result["camera"] == "good", "an answer about sound changes nothing else"
    expect(primary(page)).to_have_text("Ins Wartezimmer")


TREMBLING = """
(() => {
  const { getStats } = RTCPeerConnection.prototype;
  let begun = 0;
  RTCPeerConnection.prototype.getStats = async function (...args) {
    const found = new Map(await getStats.apply(this, args));
    begun ||= performance.now();
    for (const report of found.values()) {
      if (report.type === 'inbound-rtp' && report.kind === 'audio') {
        report.jitter = performance.now() - begun < SECONDS * 1000 ? 0.2 : 0.004;
      }
    }
    return found;
  };
})();
"""
"""Sound trembles by 200 ms, for so many seconds after the measurement began."""


@pytest.mark.parametrize(("seconds", "problems"), [(4, []), (60, ["connection-jitter", "connection-speech"])])
def test_d8_a_moment_that_trembles_is_measured_again(
    server: Server, new_context: Any, seconds: int, problems: list[str]
) -> None:
    watched = new_context(phone=True, checked=False)
    watched.context.add_init_script(TREMBLING.replace("SECONDS", str(seconds)))
    page = watched.page()
    to_the_check(page, server.patient_link(an_appointment()))
    result = checked(page)
    assert result["problems"] == problems
    assert result["connection"] == ("bad" if problems else "good")


def relayed(make_server: Callable[..., Server], trusting: Any, urls: list[str], **settings: Any) -> Page:
    server = make_server(turn=urls, **settings)
    context = trusting.new_context(locale="de", viewport={"width": 390, "height": 844})
    page: Page = context.new_page()
    to_the_check(page, server.patient_link(an_appointment()))
    return page


def test_d8_the_relay_is_measured_over_udp(
    make_server: Callable[..., Server], trusting: Any, turn_server: Turn
) -> None:
    page = relayed(make_server, trusting, [turn_server.udp, turn_server.tls])
    result = checked(page)
    found = open_details(page)
    assert (result["connection"], result["problems"]) == ("good", []), found
    assert found["Senden"] >= 1000
    expect(visit(page)).to_contain_text("Gemessen über den Vermittlungsserver der Praxis.")


def test_d9_where_udp_is_blocked_the_detour_is_measured(
    make_server: Callable[..., Server], trusting: Any, turn_server: Turn
) -> None:
    """Nothing listens where the UDP address points to, as behind a firewall."""
    page = relayed(make_server, trusting, ["turn:127.0.0.1:9?transport=udp", turn_server.tls])
    result = checked(page)
    assert result["problems"] == ["turn-udp-blocked"]
    assert result["connection"] == "fair"
    expect(visit(page)).to_contain_text("Ihr Netz sperrt den schnellen Weg.")
    assert open_details(page)["Senden"] >= 300
    expect(visit(page)).to_contain_text("über den gesicherten Umweg")


def test_d9_a_relay_that_turns_us_away_is_told_from_a_firewall(
    make_server: Callable[..., Server], trusting: Any, turn_server: Turn
) -> None:
    page = relayed(make_server, trusting, [turn_server.udp], turn_secret="another-secret-than-the-relay-has")
    result = checked(page)
    assert result["problems"] == ["turn-credentials", "turn-unreachable"]
    assert result["connection"] == "bad"
    visit(page).get_by_role("button", name="Noch einmal prüfen").click()
    expect(visit(page).locator(".results")).to_contain_text("wird geprüft")
    assert checked(page)["problems"] == ["turn-credentials", "turn-unreachable"]
    expect(primary(page)).to_have_text("Trotzdem ins Wartezimmer")


def test_d9_a_server_that_takes_a_question_and_never_answers_is_a_result_too(
    server: Server, new_context: Any
) -> None:
    patient: Watched = new_context(phone=True, checked=False)
    for path in ("probe", "ping"):
        patient.context.route(f"**/api/v1/{path}", lambda route: None)
    page = patient.page()
    to_the_check(page, server.patient_link(an_appointment()))
    assert checked(page)["problems"] == ["probe-unreachable", "connection-slow"]


def test_d9_d10_a_check_that_ends_badly_keeps_nobody_out_and_the_practice_knows(
    server: Server, new_context: Any
) -> None:
    practice: Watched = new_context()
    patient: Watched = new_context(phone=True, checked=False)
    patient.context.add_init_script(DARK_AND_SILENT)
    patient.context.route("**/api/v1/probe", lambda route: route.abort())
    patient.context.route_web_socket("**/signal", lambda socket: socket.close())
    link = server.patient_link(an_appointment())
    sign_in(board := practice.page(), server.list_url)
    page = patient.page()
    to_the_check(page, link)
    result = checked(page)
    assert result["camera"] == "fair"
    assert result["microphone"] == "fair"
    assert result["connection"] == "bad"
    assert result["problems"] == [
        "microphone-silent",
        "camera-black",
        "probe-unreachable",
        "signalling-unreachable",
    ]
    for advice in ("Wir hören noch nichts", "Das Bild ist schwarz", "Das Wartezimmer ist von diesem Netz"):
        expect(visit(page)).to_contain_text(advice)
    expect(primary(page)).to_have_text("Trotzdem ins Wartezimmer")
    # The way to the waiting room is open again, as after a change of networks.
    again = new_context(phone=True, checked=False)
    again.context.add_init_script(DARK_AND_SILENT)
    late = again.page()
    to_the_check(late, link)
    checked(late)
    primary(late).click()
    at_step(late, "waiting")
    row = board.locator("vsdk-practice-queue li.row")
    expect(row).to_contain_text("Mikrofon leise")
    expect(row).to_contain_text("nichts zu hören")
    expect(row).to_contain_text("Bild ist schwarz")
