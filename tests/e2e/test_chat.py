"""M7 and M16: the chat, from the waiting room to the end, sealed between the browsers."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.e2e.conftest import Server, Watched, an_appointment
from tests.e2e.journey import (
    WATCH_PEERS,
    BothSides,
    admit_button,
    at_step,
    both_in_visit,
    control,
    enter_waiting_room,
    media_flows,
    sign_in,
    stats,
    visit,
)
from tests.e2e.looks import accessible, bears

LEFT = """
async () => {
  const known = await indexedDB.databases();
  if (!known.some(({ name }) => name === 'vsdk-chat')) return 0;
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open('vsdk-chat');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  let left = 0;
  for (const name of database.objectStoreNames) {
    const request = database.transaction(name).objectStore(name).count();
    await new Promise((resolve) => (request.onsuccess = resolve));
    left += request.result;
  }
  database.close();
  return left;
}
"""
"""How many rows the chat has left in this browser."""

OTHER_KEYS = """
(() => {
  const add = WebSocket.prototype.addEventListener;
  const described = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
  Object.defineProperty(WebSocket.prototype, 'onmessage', {
    set(handler) {
      described.set.call(this, (event) => {
        const message = JSON.parse(event.data);
        if (message.type !== 'chat-peers' || !message.peers.length) return handler(event);
        void (async () => {
          const curve = { name: 'ECDH', namedCurve: 'P-256' };
          const pair = await crypto.subtle.generateKey(curve, false, ['deriveBits']);
          const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
          const text = btoa(String.fromCharCode(...raw));
          const key = text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
          const peers = message.peers.map((peer) => ({ ...peer, key }));
          handler(new MessageEvent('message', { data: JSON.stringify({ ...message, peers }) }));
        })();
      });
    },
  });
})();
"""
"""A server that lies about the keys, as the patient's page sees it."""


@pytest.fixture
def call(server: Server, new_context: Callable[..., Watched]) -> BothSides:
    sides = new_context(), new_context(phone=True)
    for side in sides:
        side.context.add_init_script(WATCH_PEERS)
    practice, patient = (side.page() for side in sides)
    return both_in_visit(practice, patient, server.list_url, server.patient_link(an_appointment()))


def chat(page: Page) -> Locator:
    return visit(page).locator("vsdk-chat")


def open_chat(page: Page) -> Locator:
    control(page, "message").click()
    expect(chat(page).locator("textarea")).to_be_visible()
    return chat(page)


def write(page: Page, text: str) -> None:
    chat(page).locator("textarea").fill(text)
    chat(page).locator("button[type=submit]").click()


def attach(page: Page, file: Path) -> None:
    chat(page).locator("input[type=file]").set_input_files(file)


def carried(page: Page) -> list[str]:
    """All that goes through this page's WebSockets from now on."""
    frames: list[str] = []

    def watch(socket: Any) -> None:
        socket.on("framesent", lambda payload: frames.append(str(payload)))
        socket.on("framereceived", lambda payload: frames.append(str(payload)))

    page.on("websocket", watch)
    return frames


def test_m7_the_practice_writes_to_who_waits_and_gets_an_answer(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    practice_side, patient_side = new_context(), new_context(phone=True)
    practice, patient = practice_side.page(), patient_side.page()
    frames = carried(patient)
    link = server.patient_link(an_appointment())
    rows = sign_in(practice, server.list_url)
    enter_waiting_room(patient, link)
    rows.get_by_role("button", name="Erika Beispiel eine Nachricht schreiben").click()
    expect(chat(practice)).to_contain_text("An: Erika Beispiel")
    write(practice, "Es dauert noch zehn Minuten.")
    # It opens by itself over there; nobody has to look for it.
    expect(chat(patient).get_by_text("Es dauert noch zehn Minuten.")).to_be_visible()
    expect(chat(practice).locator(".own .state")).to_have_text("gelesen")
    accessible(patient, "waiting with a message")
    bears(patient, "waiting with a message")
    write(patient, "Danke, ich warte.")
    expect(chat(practice).get_by_text("Danke, ich warte.")).to_be_visible()
    expect(chat(patient).locator(".own .state")).to_have_text("gelesen")
    accessible(practice, "the lobby with a message")
    at_step(patient, "waiting")

    boxes = [frame for frame in frames if '"chat"' in frame]
    assert len(boxes) >= 4
    assert not [frame for frame in frames if "zehn Minuten" in frame or "Danke" in frame]
    for secret in ("zehn Minuten", "Danke, ich warte", "chat-key"):
        assert secret not in server.log()
    assert practice_side.complaints + patient_side.complaints == []


def test_m7_what_was_written_before_is_still_there_in_the_visit_and_when_the_practice_comes_back(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    sides = new_context(), new_context(phone=True)
    for side in sides:
        side.context.add_init_script(WATCH_PEERS)
    practice, patient = (side.page() for side in sides)
    link = server.patient_link(an_appointment())
    rows = sign_in(practice, server.list_url)
    enter_waiting_room(patient, link)
    visit(patient).get_by_text("Der Praxis schreiben").click()
    expect(chat(patient)).to_contain_text("Noch ist niemand da.")
    write(patient, "Meine Kamera geht nicht.")
    expect(chat(patient).locator(".own .state")).to_have_text("wird zugestellt, sobald jemand da ist")
    rows.get_by_role("button", name="Erika Beispiel eine Nachricht schreiben").click()
    expect(chat(practice).get_by_text("Meine Kamera geht nicht.")).to_be_visible()
    write(practice, "Das macht nichts.")
    expect(chat(patient).get_by_text("Das macht nichts.")).to_be_visible()
    visit(practice).get_by_role("button", name="Zurück").click()
    expect(visit(practice)).to_have_count(0)
    admit_button(practice).click()
    for page in (practice, patient):
        at_step(page, "visit")
        media_flows(page)
        texts = open_chat(page).locator(".words")
        expect(texts).to_have_text(["Meine Kamera geht nicht.", "Das macht nichts."])


def test_m16_a_reload_keeps_the_chat_and_the_end_erases_it_on_both_sides(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    open_chat(practice)
    write(practice, "Erste Zeile\nzweite Zeile")
    expect(control(patient, "message").locator(".count")).to_have_text("1")
    open_chat(patient)
    expect(control(patient, "message").locator(".count")).to_be_hidden()
    write(patient, "Verstanden")
    expect(chat(practice).get_by_text("Verstanden")).to_be_visible()
    for page in (patient, practice):
        page.reload()
        at_step(page, "visit")
        media_flows(page)
        open_chat(page)
        expect(chat(page).locator(".words")).to_have_text(["Erste Zeile\nzweite Zeile", "Verstanden"])
        assert page.evaluate(LEFT) >= 3
    write(patient, "Noch da")
    expect(chat(practice).get_by_text("Noch da")).to_be_visible()
    expect(chat(patient).locator(".own .state").last).to_have_text("gelesen")
    control(practice, "danger").click()
    at_step(patient, "ended")
    for page in (practice, patient):
        for _ in range(50):
            if page.evaluate(LEFT) == 0:
                break
            page.wait_for_timeout(100)
        assert page.evaluate(LEFT) == 0


def test_m16_files_arrive_unchanged_and_too_large_ones_are_refused(call: BothSides, tmp_path: Path) -> None:
    practice, patient = call.practice, call.patient
    picture = tmp_path / "Ausschlag.png"
    practice.screenshot(path=picture)
    large = tmp_path / "Befund.pdf"
    large.write_bytes(hashlib.shake_256(b"a finding").digest(2_500_000))
    for page in (practice, patient):
        open_chat(page)
    attach(patient, large)
    expect(chat(patient).locator("progress").first).to_be_visible()
    attach(patient, picture)
    for file in (large, picture):
        link = chat(practice).get_by_role("link", name=file.name)
        expect(link).to_be_visible(timeout=60_000)
        with practice.expect_download() as download:
            link.click()
        assert Path(download.value.path()).read_bytes() == file.read_bytes()
        assert download.value.suggested_filename == file.name
    shown = chat(practice).locator("img")
    assert shown.evaluate("(picture) => picture.decode().then(() => picture.naturalWidth)") > 100
    expect(chat(patient).locator("progress:not([hidden])")).to_have_count(0)
    media_flows(practice, since=stats(practice))
    too_large = tmp_path / "Film.mp4"
    too_large.write_bytes(bytes(10_000_001))
    attach(patient, too_large)
    said = chat(patient).get_by_role("alert")
    expect(said).to_have_text("Die Datei ist zu groß. Höchstens 10 MB sind möglich.")


def test_m16_the_chat_goes_on_while_signalling_is_away(call: BothSides, server: Server) -> None:
    practice, patient = call.practice, call.patient
    for page in (practice, patient):
        open_chat(page)
    write(patient, "davor")
    expect(chat(practice).get_by_text("davor")).to_be_visible()
    server.kill()
    write(patient, "währenddessen")
    expect(chat(patient).locator(".own .state").last).to_have_text("wird gesendet …")
    server.start()
    expect(chat(practice).get_by_text("währenddessen")).to_be_visible(timeout=30_000)
    expect(chat(practice).locator(".words")).to_have_text(["davor", "währenddessen"])


def test_m16_the_practitioner_takes_a_copy_and_the_system_around_may_take_it(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    for page in (practice, patient):
        open_chat(page)
    write(patient, "Seit gestern Fieber")
    expect(chat(practice).get_by_text("Seit gestern Fieber")).to_be_visible()
    expect(chat(patient).get_by_role("button", name="Kopie für die Akte")).to_be_hidden()
    with practice.expect_download() as download:
        chat(practice).get_by_role("button", name="Kopie für die Akte").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.endswith(" Erika Beispiel: Seit gestern Fieber\n")
    practice.evaluate(
        """() => document.addEventListener('vsdk-chat-export', (event) => {
            event.preventDefault();
            window.taken = JSON.stringify(event.detail);
        })"""
    )
    chat(practice).get_by_role("button", name="Kopie für die Akte").click()
    [message] = json.loads(practice.evaluate("() => window.taken"))["messages"]
    assert (message["text"], message["role"]) == ("Seit gestern Fieber", "patient")


def test_m16_another_tab_of_the_same_browser_goes_on_with_the_chat(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    sides = new_context(), new_context()
    for side in sides:
        side.context.add_init_script(WATCH_PEERS)
    practice, patient = (side.page() for side in sides)
    link = server.patient_link(an_appointment())
    both_in_visit(practice, patient, server.list_url, link)
    open_chat(patient)
    write(patient, "Im ersten Fenster")
    expect(chat(patient).locator(".own .state")).to_have_text("zugestellt")
    tab = sides[1].page()
    tab.goto(link)
    while visit(tab).get_attribute("step") != "visit":
        at_step(tab, "start", "allow", "check", "visit")
        button = visit(tab).locator("button.primary")
        if button.count() and button.is_enabled():
            button.click()
        tab.wait_for_timeout(300)
    at_step(patient, "refused")
    for _ in range(2):
        open_chat(tab)
        expect(chat(tab).locator(".words")).to_have_text("Im ersten Fenster")
        tab.reload()
        at_step(tab, "visit")


def test_m21_a_server_that_lies_about_the_keys_of_the_chat_is_caught(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    practice_side, patient_side = new_context(), new_context(phone=True)
    patient_side.context.add_init_script(OTHER_KEYS)
    for side in (practice_side, patient_side):
        side.context.add_init_script(WATCH_PEERS)
    patient = patient_side.page()
    both_in_visit(practice_side.page(), patient, server.list_url, server.patient_link(an_appointment()))
    expect(visit(patient).locator(".chips button")).to_have_text("Nicht sicher")


def test_the_chat_is_usable_by_keyboard_and_at_every_size(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    control(practice, "message").focus()
    practice.keyboard.press("Enter")
    expect(chat(practice).locator("textarea")).to_be_focused()
    practice.keyboard.type("Mit der Tastatur")
    practice.keyboard.press("Shift+Enter")
    practice.keyboard.type("zweite Zeile")
    practice.keyboard.press("Enter")
    expect(chat(practice).locator(".words")).to_have_text("Mit der Tastatur\nzweite Zeile")
    open_chat(patient)
    for page in (practice, patient):
        accessible(page, "the chat in a visit")
        bears(page, "the chat in a visit")
    practice.keyboard.press("Escape")
    expect(chat(practice)).to_be_hidden()
    expect(control(practice, "message")).to_be_focused()
