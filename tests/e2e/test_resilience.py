"""What breaks, and comes back by itself: the server, the network, the page, the device."""

import signal
from collections.abc import Callable

from playwright.sync_api import expect

from .conftest import Server, Watched, an_appointment
from .journey import (
    WATCH_PEERS,
    at_step,
    both_in_visit,
    control,
    enter_waiting_room,
    media_flows,
    primary,
    sign_in,
    stats,
    visit,
)


def two_sides(new_context: Callable[..., Watched]) -> tuple[Watched, Watched]:
    sides = new_context(), new_context(phone=True)
    for side in sides:
        side.context.add_init_script(WATCH_PEERS)
    return sides


def test_a_killed_server_does_not_touch_media_and_pages_come_back(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    link = server.patient_link(an_appointment())
    practice_side, patient_side = two_sides(new_context)
    both = both_in_visit(practice_side.page(), patient_side.page(), server.list_url, link)
    server.kill()
    before = [stats(page) for page in (both.practice, both.patient)]
    for page, figures in zip((both.practice, both.patient), before, strict=True):
        media_flows(page, since=figures)
    server.start()
    both.practice.wait_for_timeout(8_000)
    for page, figures in zip((both.practice, both.patient), before, strict=True):
        now = media_flows(page, since=figures)
        assert now["connections"] == 1
        assert (
            page.evaluate("window.peers.filter((peer) => peer.connectionState !== 'closed').length") == 1
        ), "the same connection as before"
    control(both.practice, "danger").click()
    at_step(both.patient, "ended")
    for _ in range(50):
        if server.mirrored_status("e2e-1") == "fulfilled":
            break
        both.patient.wait_for_timeout(100)
    assert server.mirrored_status("e2e-1") == "fulfilled"


def test_thirty_seconds_without_signalling_cost_nothing(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    link = server.patient_link(an_appointment())
    practice_side, patient_side = two_sides(new_context)
    both = both_in_visit(practice_side.page(), patient_side.page(), server.list_url, link)
    server.signal(signal.SIGSTOP)
    try:
        both.patient.wait_for_timeout(30_000)
        figures = [media_flows(page, since=stats(page)) for page in (both.practice, both.patient)]
    finally:
        server.signal(signal.SIGCONT)
    both.patient.wait_for_timeout(8_000)
    for page, then in zip((both.practice, both.patient), figures, strict=True):
        media_flows(page, since=then)
        assert page.evaluate("window.peers.filter((peer) => peer.connectionState !== 'closed').length") == 1
    control(both.patient, "danger").click()
    at_step(both.patient, "ended")
    expect(visit(both.practice)).to_have_count(0, timeout=15_000)


def test_a_waiting_patient_survives_a_killed_server(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    link = server.patient_link(an_appointment())
    practice_side, patient_side = two_sides(new_context)
    practice, patient = practice_side.page(), patient_side.page()
    rows = sign_in(practice, server.list_url)
    enter_waiting_room(patient, link)
    expect(rows.first).to_contain_text("Erika Beispiel")
    server.kill()
    server.start()
    admit = practice.locator("vsdk-practice-queue button[data-key$='/admit']")
    expect(admit).to_be_enabled(timeout=15_000)
    patient.wait_for_timeout(3_000)
    admit.click()
    at_step(patient, "visit")
    media_flows(patient)
    media_flows(practice)


def test_reloading_either_page_leads_back_into_the_visit(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    """M15, D20."""
    link = server.patient_link(an_appointment())
    practice_side, patient_side = two_sides(new_context)
    both = both_in_visit(practice_side.page(), patient_side.page(), server.list_url, link)
    both.patient.reload()
    at_step(both.patient, "visit", timeout=20_000)
    media_flows(both.patient)
    both.practice.reload()
    at_step(both.practice, "visit", timeout=20_000)
    media_flows(both.practice)
    media_flows(both.patient, since=stats(both.patient))
    admissions = [line for line in server.audit() if line["what"] == "practitioner-admitted"]
    assert len(admissions) == 1, "nobody had to be admitted again"


def test_the_newer_device_takes_over_and_the_older_is_told(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    link = server.patient_link(an_appointment())
    older_side, newer_side = two_sides(new_context)
    older, newer = older_side.page(), newer_side.page()
    enter_waiting_room(older, link)
    enter_waiting_room(newer, link)
    at_step(older, "refused")
    expect(visit(older)).to_contain_text("anderen Gerät")
    newer.wait_for_timeout(1_500)
    at_step(newer, "waiting")
    primary(older).click()
    at_step(older, "waiting")
    at_step(newer, "refused")


def test_hung_up_by_mistake_the_patient_comes_back(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    """D16, D20: after the red button, the same link leads back while the grace lasts."""
    link = server.patient_link(an_appointment())
    practice_side, patient_side = two_sides(new_context)
    both = both_in_visit(practice_side.page(), patient_side.page(), server.list_url, link)
    control(both.patient, "danger").click()
    at_step(both.patient, "ended")
    visit(both.patient).get_by_role("button", name="Zurück in die Videosprechstunde").click()
    at_step(both.patient, "start", "allow", "check")
    while visit(both.patient).get_attribute("step") in ("start", "allow", "check"):
        here = str(visit(both.patient).get_attribute("step"))
        expect(primary(both.patient)).to_be_enabled(timeout=15_000)
        primary(both.patient).click()
        for _ in range(100):
            if visit(both.patient).get_attribute("step") != here:
                break
            both.patient.wait_for_timeout(50)
    at_step(both.patient, "waiting")
    both.practice.locator("vsdk-practice-queue button[data-key$='/admit']").click()
    at_step(both.patient, "visit")
    media_flows(both.patient)
    media_flows(both.practice)
