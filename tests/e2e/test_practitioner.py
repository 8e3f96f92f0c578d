"""M8 to M13: the practitioner's visit, its buttons and its menu, in a column of 400 pixels."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.e2e.conftest import Server, Watched, an_appointment
from tests.e2e.journey import (
    WATCH_PEERS,
    BothSides,
    at_step,
    both_in_visit,
    control,
    falls_silent,
    hears_something,
    media_flows,
    remote_picture,
    stats,
    visit,
)
from tests.e2e.looks import accessible

COLUMN = {"width": 400, "height": 800}


@pytest.fixture
def call(server: Server, new_context: Callable[..., Watched]) -> BothSides:
    sides = new_context(), new_context()
    for side in sides:
        side.context.add_init_script(WATCH_PEERS)
    practice, patient = (side.page() for side in sides)
    practice.set_viewport_size(COLUMN)
    return both_in_visit(practice, patient, server.list_url, server.patient_link(an_appointment()))


def more(page: Page) -> Locator:
    """Opens the dialog behind *More*."""
    control(page, "settings").click()
    dialog = visit(page).locator("dialog.settings")
    expect(dialog).to_be_visible()
    return dialog


def area(shown: Locator) -> float:
    box = shown.bounding_box()
    assert box
    return box["width"] * box["height"]


def sends(page: Page, kind: str) -> str:
    """The device whose track of this kind goes to the other side."""
    return str(
        page.evaluate(
            """(kind) => window.peers.findLast((peer) => peer.connectionState === 'connected')
                .getSenders().find((sender) => sender.track?.kind === kind).track.getSettings().deviceId""",
            kind,
        )
    )


def test_m8_the_other_is_large_oneself_small_and_each_only_with_a_camera(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    large = area(visit(practice).locator("video[part='remote']"))
    assert large > 8 * area(visit(practice).locator("button.self"))
    control(patient, "camera").click()
    expect(visit(practice).locator(".covered")).to_be_visible()
    expect(visit(patient).locator("button.self")).to_be_hidden()
    control(patient, "camera").click()
    expect(visit(practice).locator(".covered")).to_be_hidden()
    expect(visit(practice).locator(".elapsed")).to_contain_text(":")


def test_m9_m10_camera_and_microphone_can_be_switched_off_and_on(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    control(practice, "microphone").click()
    expect(visit(patient).locator(".name .status")).to_have_text("Mikrofon aus")
    patient.wait_for_timeout(1_000)
    falls_silent(patient)
    control(practice, "microphone").click()
    expect(visit(patient).locator(".name .status")).to_have_count(0)
    assert hears_something(patient)
    control(practice, "camera").click()
    expect(visit(patient).locator(".covered")).to_be_visible()
    control(practice, "camera").click()
    expect(visit(patient).locator(".covered")).to_be_hidden()


def test_m11_the_connection_can_be_made_anew(call: BothSides) -> None:
    fragment = "window.peers.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]"
    before = call.practice.evaluate(fragment)
    control(call.practice, "refresh").click()
    call.practice.wait_for_function(f"(before) => {fragment} !== before", arg=before)
    media_flows(call.practice, since=stats(call.practice))
    media_flows(call.patient, since=stats(call.patient))


def test_m15_another_network_is_looked_for_at_once(call: BothSides) -> None:
    """The browser says that the network is another one; media is not silent yet."""
    fragment = "window.peers.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]"
    before = call.practice.evaluate(fragment)
    call.practice.evaluate("() => navigator.connection.dispatchEvent(new Event('change'))")
    call.practice.wait_for_function(f"(before) => {fragment} !== before", arg=before, timeout=2_000)
    media_flows(call.practice, since=stats(call.practice))


def test_m12_the_red_button_ends_the_visit_for_both(call: BothSides) -> None:
    control(call.practice, "danger").click()
    at_step(call.patient, "ended")
    expect(visit(call.practice)).to_have_count(0)
    expect(call.practice.locator("vsdk-practice-queue")).to_contain_text("Beendet")


def test_m13_camera_microphone_and_loudspeaker_are_chosen_among_several(call: BothSides) -> None:
    practice = call.practice
    dialog = more(practice)
    for name, kind in {"Kamera": "video", "Mikrofon": "audio"}.items():
        now = sends(practice, kind)
        select = dialog.get_by_label(name, exact=True)
        expect(select).to_have_value(now)
        values = select.locator("option").evaluate_all("all => all.map((option) => option.value)")
        other = values[-1]  # the second camera that Chromium makes up shows depth, no picture
        assert other != now
        select.select_option(other)
        expect(dialog.get_by_role("status")).to_have_text("Wird jetzt benutzt.")
        for _ in range(50):
            if sends(practice, kind) == other:
                break
            practice.wait_for_timeout(100)
        assert sends(practice, kind) == other, kind
    speaker = dialog.get_by_label("Lautsprecher")
    chosen = speaker.locator("option").evaluate_all("all => all.at(-1).value")
    speaker.select_option(chosen)
    remote = visit(practice).locator("video[part='remote']")
    for _ in range(50):
        if remote.evaluate("(video) => video.sinkId") == chosen:
            break
        practice.wait_for_timeout(100)
    assert remote.evaluate("(video) => video.sinkId") == chosen
    accessible(practice, "settings")
    dialog.get_by_role("button", name="Fertig").click()
    expect(dialog).to_have_count(0)
    media_flows(call.patient, since=stats(call.patient))
    assert remote_picture(call.patient) > 20
    assert hears_something(call.patient)


def test_m13_a_device_that_is_plugged_in_appears_at_once(call: BothSides) -> None:
    practice = call.practice
    dialog = more(practice)
    practice.evaluate(
        """() => {
          const real = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
          const headset = { kind: 'audioinput', deviceId: 'headset', label: 'Headset', groupId: 'h' };
          navigator.mediaDevices.enumerateDevices = async () => [...(await real()), headset];
          navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
        }"""
    )
    expect(dialog.get_by_label("Mikrofon", exact=True).locator("option", has_text="Headset")).to_have_count(1)
    expect(dialog.get_by_role("status")).to_have_text("Ein Gerät kam dazu oder wurde entfernt.")


def test_m13_ones_own_picture_can_be_hidden_and_what_was_chosen_is_kept(call: BothSides) -> None:
    practice = call.practice
    dialog = more(practice)
    dialog.get_by_label("Eigenes Bild zeigen").uncheck()
    dialog.get_by_label("Eigenes Bild wie im Spiegel").uncheck()
    dialog.get_by_role("button", name="Fertig").click()
    expect(visit(practice).locator("button.self")).to_be_hidden()
    kept = practice.evaluate("() => JSON.parse(localStorage.getItem('vsdk-preferences'))")
    assert (kept["self"], kept["mirror"]) == (False, False)
    more(practice).get_by_label("Eigenes Bild zeigen").check()
    expect(visit(practice).locator("button.self")).to_be_visible()
    expect(visit(practice).locator("button.self.mirror")).to_have_count(0)


def test_m13_full_screen_and_the_small_window(call: BothSides) -> None:
    practice = call.practice
    more(practice).get_by_role("button", name="Vollbild").click()
    practice.wait_for_function("() => document.fullscreenElement !== null")
    more(practice).get_by_role("button", name="Vollbild beenden").click()
    practice.wait_for_function("() => document.fullscreenElement === null")
    more(practice).get_by_role("button", name="Bild im kleinen Fenster").click()
    practice.wait_for_function("() => document.pictureInPictureElement !== null")


def test_the_practitioner_shows_a_screen_and_stops(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    screen = visit(patient).locator("video[part='screen']")
    expect(screen).to_be_hidden()
    more(practice).get_by_role("button", name="Bildschirm zeigen").click()
    expect(visit(practice).get_by_text("Die anderen sehen Ihren Bildschirm.")).to_be_visible()
    expect(screen).to_be_visible()
    shown(patient, screen)
    media_flows(patient, since=stats(patient))
    visit(practice).get_by_role("button", name="Nicht mehr zeigen").click()
    expect(screen).to_be_hidden()
    expect(visit(practice).get_by_text("Die anderen sehen Ihren Bildschirm.")).to_have_count(0)
    # A second time, over what was negotiated before.
    more(practice).get_by_role("button", name="Bildschirm zeigen").click()
    expect(screen).to_be_visible()
    shown(patient, screen)


def test_a_patient_shows_a_screen_only_when_asked(call: BothSides) -> None:
    practice, patient = call.practice, call.patient
    expect(more(patient).get_by_role("button", name="Bildschirm zeigen")).to_have_count(0)
    visit(patient).locator("dialog.settings").get_by_role("button", name="Fertig").click()
    more(practice).get_by_role("button", name="Um Bildschirm bitten").click()
    visit(patient).get_by_role("button", name="Nicht jetzt").click()
    expect(visit(patient).get_by_role("button", name="Bildschirm zeigen")).to_have_count(0)
    more(practice).get_by_role("button", name="Um Bildschirm bitten").click()
    visit(patient).get_by_role("button", name="Bildschirm zeigen").click()
    screen = visit(practice).locator("video[part='screen']")
    expect(screen).to_be_visible()
    shown(practice, screen)
    visit(patient).get_by_role("button", name="Nicht mehr zeigen").click()
    expect(screen).to_be_hidden()


def shown(page: Page, video: Locator) -> None:
    """Waits until pictures of this video come."""
    first = frames(video)
    for _ in range(100):
        if frames(video) > first + 2:
            return
        page.wait_for_timeout(100)
    raise AssertionError("no pictures of the screen came")


def frames(video: Locator) -> Any:
    return video.evaluate("(video) => video.getVideoPlaybackQuality().totalVideoFrames")
