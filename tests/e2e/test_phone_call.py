"""D11, D20 to D23: the patient's phone rings during the visit.

No browser here can be made to lose its microphone to a phone call, so the tests mute real tracks of a real
stream as the system would, by their own events. What only a real phone can show stands in
docs/manual-test-phones.md.
"""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect
from tests.e2e.conftest import Server, an_appointment
from tests.e2e.in_process import list_url, patient_link, running, settings
from tests.e2e.journey import (
    WATCH_PEERS,
    BothSides,
    admit_button,
    at_step,
    both_in_visit,
    control,
    enter_waiting_room,
    hears_something,
    media_flows,
    primary,
    sign_in,
    stats,
    visit,
)

from vsdk.sdk import VideoSdk
from vsdk.server.rooms import HoldTimes

PHONE = """
(() => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const mute = (track, muted) => {
    if (track.muted === muted) return;
    Object.defineProperty(track, 'muted', { value: muted, configurable: true });
    track.dispatchEvent(new Event(muted ? 'mute' : 'unmute'));
  };
  window.phone = { tracks: [], taken: new Set() };
  window.phone.take = (...kinds) => {
    window.phone.taken = new Set(kinds);
    for (const track of window.phone.tracks) mute(track, window.phone.taken.has(track.kind));
  };
  window.phone.hide = (hidden) => {
    const value = hidden ? 'hidden' : 'visible';
    Object.defineProperty(document, 'visibilityState', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  };
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await real(wanted);
    for (const track of stream.getTracks()) {
      window.phone.tracks.push(track);
      mute(track, window.phone.taken.has(track.kind));
    }
    return stream;
  };
})();
"""
"""Microphone and camera of a phone that can ring. What is asked for during the call comes muted too."""


@pytest.fixture
def call(server: Server, new_context: Any) -> BothSides:
    practice, patient = new_context(), new_context(phone=True)
    for context in (practice.context, patient.context):
        context.add_init_script(WATCH_PEERS)
    patient.context.add_init_script(PHONE)
    link = server.patient_link(an_appointment())
    return both_in_visit(practice.page(), patient.page(), server.list_url, link)


def messages(base: str) -> str:
    return httpx2.get(f"{base}/plugins/console_messages/messages").text


def away(page: Page) -> Any:
    return visit(page).locator(".away")


def frames_come(page: Page, seconds: float = 2.0) -> bool:
    before = (stats(page) or {})["video"]
    page.wait_for_timeout(seconds * 1000)
    return bool((stats(page) or {})["video"] > before)


def test_d21_d22_d23_a_phone_call_is_heard_and_seen_by_nobody(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    assert hears_something(practice)

    # D21: the phone rings, and is answered
    patient.evaluate("() => window.phone.take('audio')")
    expect(away(practice)).to_contain_text("Erika Beispiel telefoniert gerade")
    expect(visit(patient).locator(".own")).to_contain_text("sieht und hört Sie nicht")
    patient.evaluate("() => window.phone.hide(true)")
    practice.wait_for_timeout(500)
    assert not frames_come(practice)
    assert not hears_something(practice)
    expect(visit(practice).locator(".badge")).to_be_hidden()
    at_step(practice, "visit")

    # D22: back on the page, still on the phone
    patient.evaluate("() => window.phone.hide(false)")
    expect(visit(patient).locator(".own")).to_contain_text("Sie hört Sie, sobald Sie aufgelegt haben")
    practice.wait_for_timeout(500)
    assert frames_come(practice)
    assert not hears_something(practice)
    expect(away(practice)).to_contain_text("telefoniert gerade")
    expect(visit(patient).locator(".own")).to_contain_text("Seite neu laden", timeout=10_000)

    # D23: hung up
    patient.evaluate("() => window.phone.take()")
    expect(away(practice)).to_be_hidden()
    expect(visit(patient).locator(".own")).to_have_count(0)
    assert hears_something(practice)
    media_flows(practice, since=stats(practice))
    media_flows(patient, since=stats(patient))


def test_d11_d16_the_practitioner_calls_or_invites_back_whoever_is_on_the_phone(
    call: BothSides, server: Server
) -> None:
    practice, patient = call.practice, call.patient
    patient.evaluate("() => window.phone.take('audio', 'video')")
    ways = away(practice)
    ways.get_by_role("button", name="Telefonnummer zeigen").click()
    number = ways.get_by_role("link", name="+4915100000001")
    expect(number).to_be_focused()
    expect(number).to_have_attribute("href", "tel:+4915100000001")
    ways.get_by_role("button", name="Noch einmal einladen").click()
    expect(ways).to_contain_text("Die Einladung ist unterwegs.")
    practice.wait_for_timeout(500)
    assert "invited-back" in {line["what"] for line in server.audit()}
    at_step(practice, "visit")
    at_step(patient, "visit")
    # Whoever is on the phone can also say so and be seen, without leaving the page.
    patient.evaluate("() => window.phone.take('audio')")
    visit(patient).get_by_role("button", name="Mein Bild wieder zeigen").click()
    practice.wait_for_timeout(500)
    assert frames_come(practice)


def test_d11_when_the_line_breaks_the_practitioner_has_the_number_at_hand(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    expect(away(practice)).to_be_hidden()
    expect(visit(practice).get_by_role("button", name="Telefonnummer zeigen")).to_have_count(0)

    # The patient's line is dead: no packets, no signalling, no goodbye.
    patient.evaluate("() => window.peers.forEach((peer) => peer.close())")
    patient.context.set_offline(True)
    expect(away(practice)).to_contain_text("unterbrochen", timeout=15_000)
    away(practice).get_by_role("button", name="Telefonnummer zeigen").click()
    expect(away(practice).get_by_role("link", name="+4915100000001")).to_be_focused()
    expect(visit(practice).locator(".badge")).to_be_hidden()

    # Back again: what stood there for the break goes with it.
    patient.context.set_offline(False)
    patient.reload()
    at_step(patient, "visit")
    media_flows(patient)
    expect(away(practice)).to_be_hidden(timeout=15_000)


def test_d11_whoever_is_gone_can_be_called_and_invited_back(new_context: Any, tmp_path: Path) -> None:
    """The patient's page is closed while interrupted; their seat is given up sooner here than in earnest."""

    def make(base: str) -> VideoSdk:
        return VideoSdk(settings(base, tmp_path), hold_times=HoldTimes(visit=2, interrupted=2))

    with running(make) as (base, _):
        link = patient_link(base, an_appointment())
        sides = new_context(), new_context(phone=True)
        for side in sides:
            side.context.add_init_script(WATCH_PEERS)
        sides[1].context.add_init_script(PHONE)
        call = both_in_visit(sides[0].page(), sides[1].page(), list_url(base), link)
        call.patient.evaluate("() => window.phone.take('audio', 'video')")
        expect(away(call.practice)).to_be_visible()
        call.patient.close()
        alone = visit(call.practice).locator(".alone")
        expect(alone).to_be_visible(timeout=15_000)
        expect(alone).to_contain_text("nicht mehr verbunden")
        alone.get_by_role("button", name="Telefonnummer zeigen").click()
        expect(alone.get_by_role("link", name="+4915100000001")).to_be_focused()
        sent = messages(base).count(link)
        alone.get_by_role("button", name="Noch einmal einladen").click()
        expect(alone).to_contain_text("Die Einladung ist unterwegs.")
        for _ in range(100):
            if messages(base).count(link) > sent:
                break
            call.practice.wait_for_timeout(100)
        else:
            raise AssertionError("no invitation came")


def test_a_phone_call_that_began_in_the_waiting_room_is_known_in_the_list(
    server: Server, new_context: Any
) -> None:
    practice, patient = new_context().page(), new_context(phone=True)
    patient.context.add_init_script(PHONE)
    page = patient.page()
    enter_waiting_room(page, server.patient_link(an_appointment()))
    page.evaluate("() => window.phone.take('audio')")
    other = new_context().page()
    rows = sign_in(other, server.list_url)
    sign_in(practice, server.list_url)
    admit_button(practice).click()
    at_step(practice, "visit")
    expect(away(practice)).to_contain_text("telefoniert gerade")
    expect(rows.first).to_contain_text("Telefoniert seit")
    page.evaluate("() => window.phone.take()")
    expect(away(practice)).to_be_hidden()
    expect(rows.first).not_to_contain_text("Telefoniert seit")


def test_what_was_switched_off_stays_off_when_the_page_is_loaded_anew(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    control(patient, "microphone").click()
    expect(visit(practice)).to_contain_text("Mikrofon aus")
    patient.evaluate("() => window.phone.take('audio')")
    patient.evaluate("() => window.phone.hide(true)")
    patient.evaluate("() => window.phone.hide(false)")
    loads = patient.evaluate("() => performance.timeOrigin")
    visit(patient).get_by_role("button", name="Seite neu laden").click(timeout=15_000)
    patient.wait_for_function("(before) => performance.timeOrigin !== before", arg=loads)
    at_step(patient, "visit")
    expect(control(patient, "microphone")).to_contain_text("Mikrofon aus")
    media_flows(patient)
    assert not hears_something(practice)
    expect(visit(practice)).to_contain_text("Mikrofon aus")


def test_d20_after_an_interruption_the_first_step_leads_back_into_the_visit(
    call: BothSides, server: Server, new_context: Any
) -> None:
    practice, patient = call.practice, call.patient
    link = patient.url
    patient.evaluate("() => window.phone.take('audio')")
    expect(away(practice)).to_be_visible()
    patient.close()
    again = new_context(phone=True)
    again.context.add_init_script(WATCH_PEERS)
    page = again.page()
    page.goto(link)
    at_step(page, "start")
    primary(page).click()
    for _ in range(4):
        at_step(page, "allow", "check", "visit")
        if visit(page).get_attribute("step") == "visit":
            break
        expect(primary(page)).to_be_enabled(timeout=15_000)
        primary(page).click()
        page.wait_for_timeout(300)
    at_step(page, "visit")
    media_flows(page)
    expect(away(practice)).to_be_hidden()
    media_flows(practice)
    control(practice, "danger").click()
    at_step(page, "ended")


def test_a_camera_that_is_unplugged_is_said_on_both_sides(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    patient.evaluate(
        """() => {
          const track = window.phone.tracks.find(({ kind }) => kind === 'video');
          const real = navigator.mediaDevices.getUserMedia;
          navigator.mediaDevices.getUserMedia = async (wanted) => {
            if (window.unplugged && wanted.video) throw new DOMException('', 'NotFoundError');
            return real(wanted);
          };
          window.unplugged = true;
          track.stop();
          track.dispatchEvent(new Event('ended'));
        }"""
    )
    expect(away(practice)).to_contain_text("Kamera oder Mikrofon ausgefallen")
    expect(visit(patient).locator(".own")).to_contain_text("Ihre Kamera ist ausgefallen")
    assert hears_something(practice)
    expect(visit(patient).locator(".own")).to_contain_text("Seite neu laden", timeout=10_000)
    patient.evaluate(
        """() => {
          window.unplugged = false;
          navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
        }"""
    )
    expect(away(practice)).to_be_hidden()
    assert frames_come(practice)
