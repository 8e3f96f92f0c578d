"""One visit, all the way through, in each language, on a phone and on a desktop."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from .conftest import Server, Watched, an_appointment
from .journey import (
    WATCH_PEERS,
    admit_button,
    at_step,
    control,
    enter_waiting_room,
    falls_silent,
    hears_something,
    media_flows,
    remote_picture,
    sign_in,
    visit,
)
from .looks import accessible, fits

THEIR_CAMERA_OFF = {"de": "Kamera ist aus", "fr": "La caméra est coupée", "en": "Camera is off"}


def switches_reach_the_other_side(practice: Page, patient: Page, language: str) -> None:
    """M9, M10: off means that nothing is seen and heard over there, and that it says so."""
    assert remote_picture(patient) > 50
    control(practice, "camera").click()
    expect(visit(patient).get_by_text(THEIR_CAMERA_OFF[language])).to_be_visible()
    patient.wait_for_timeout(1_000)
    assert remote_picture(patient) < 20, "the picture is black, not only covered"
    control(practice, "camera").click()
    expect(visit(patient).get_by_text(THEIR_CAMERA_OFF[language])).to_be_hidden()
    patient.wait_for_timeout(1_000)
    assert remote_picture(patient) > 50
    assert hears_something(practice)
    control(patient, "microphone").click()
    practice.wait_for_timeout(1_000)
    falls_silent(practice)
    control(patient, "microphone").click()
    practice.wait_for_timeout(500)
    assert hears_something(practice)


@pytest.mark.parametrize(("language", "patient_on_phone"), [("de", True), ("fr", False), ("en", True)])
def test_from_the_list_to_the_end_page(
    server: Server, new_context: Callable[..., Watched], language: str, patient_on_phone: bool
) -> None:
    link = server.patient_link(an_appointment(language=language))
    practice_side = new_context(language=language)
    patient_side = new_context(language=language, phone=patient_on_phone)
    for side in (practice_side, patient_side):
        side.context.add_init_script(WATCH_PEERS)
    practice, patient = practice_side.page(), patient_side.page()

    rows = sign_in(practice, server.list_url)
    expect(rows).to_have_count(1)
    accessible(practice, "list")

    def look(step: str) -> None:
        assert patient.evaluate("document.documentElement.lang") == language
        accessible(patient, step)
        fits(patient, step)

    enter_waiting_room(patient, link, look=look)
    expect(visit(patient)).to_contain_text("Dr. Jonas Muster")
    expect(visit(patient)).not_to_contain_text("Erika")

    expect(admit_button(practice)).to_be_visible(timeout=2_000)
    expect(rows.first).to_contain_text("Erika Beispiel")
    accessible(practice, "list with someone waiting")
    admit_button(practice).click()
    at_step(practice, "visit")
    at_step(patient, "visit")
    for page in (practice, patient):
        figures = media_flows(page)
        assert figures["dtls"] == "connected"
        assert figures["srtp"]
        assert {figures["local"], figures["remote"]} <= {"host", "prflx"}, "direct, not relayed"
        assert figures["connections"] == 1
        accessible(page, "visit")
        fits(page, "visit")

    switches_reach_the_other_side(practice, patient, language)

    control(patient, "danger").click()
    at_step(patient, "ended")
    accessible(patient, "end")
    fits(patient, "end")
    expect(practice.locator("vsdk-video-visit")).to_have_count(0, timeout=10_000)
    expect(rows.first).to_be_visible()
    accessible(practice, "list after the visit")

    for _ in range(50):
        if server.mirrored_status("e2e-1") == "fulfilled":
            break
        patient.wait_for_timeout(100)
    assert server.mirrored_status("e2e-1") == "fulfilled"
    story = server.audit()
    happened = [line["what"] for line in story]
    order = ["visit-planned", "join-link-exchanged", "participant-arrived", "practitioner-admitted"]
    order += ["peers-connected", "hung-up"]
    assert [what for what in happened if what in order] == order
    assert "Erika" not in str(story)
    assert "Muster" not in str(story)
    log = server.log()
    assert "Erika" not in log
    assert link.partition("#")[2] not in log

    own = f"localhost:{server.port}"
    for side in (practice_side, patient_side):
        assert side.hosts <= {own}, "nobody else's server is asked for anything"
        assert side.complaints == []


def test_sms_is_sent_when_the_window_opens(server: Server, new_context: Callable[..., Watched]) -> None:
    """D2: the SMS ten minutes before, and its link leads into the visit (D1)."""
    link = server.patient_link(an_appointment(starts_in=timedelta(minutes=9)))
    page = new_context().page()
    page.goto(f"{server.base}/plugins/console_messages/messages")
    for _ in range(50):
        if page.locator(f"a[href='{link}']").count():
            break
        page.wait_for_timeout(200)
        page.reload()
    page.locator(f"a[href='{link}']").first.click()
    expect(visit(page)).to_have_attribute("step", "start")


def test_a_practitioner_may_come_by_link_and_lets_the_patient_in(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    """For those who have no list open: ``vsdk links`` and the API give practitioners a link as well."""
    links = {link["role"]: link["join_url"] for link in server.plan(an_appointment())["links"]}
    sides = new_context(), new_context(phone=True)
    for side in sides:
        side.context.add_init_script(WATCH_PEERS)
    practice, patient = (side.page() for side in sides)
    enter_waiting_room(patient, links["patient"])
    enter_waiting_room(practice, links["practitioner"])
    expect(visit(practice)).to_contain_text("Erika Beispiel")
    visit(practice).locator("button.primary").click()
    at_step(patient, "visit")
    media_flows(patient)
    media_flows(practice)


def test_somebody_else_who_arrives_leaves_the_button_under_the_finger(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    appointment = an_appointment()
    relative = {"reference": "RelatedPerson/3", "display": "Karl Beispiel"}
    appointment["participant"].append({"actor": relative, "status": "accepted"})
    links = {link["role"]: link["join_url"] for link in server.plan(appointment)["links"]}
    practice, patient, relatives = new_context().page(), new_context().page(), new_context().page()
    enter_waiting_room(practice, links["practitioner"])
    enter_waiting_room(patient, links["patient"])
    button = visit(practice).get_by_role("button", name="Einlassen")
    expect(button).to_have_count(1)
    button.hover()
    practice.mouse.down()
    enter_waiting_room(relatives, links["companion"])
    expect(button).to_have_count(2)
    practice.mouse.up()
    at_step(patient, "visit")
