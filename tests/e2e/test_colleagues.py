"""M1: visits between colleagues, and with several people, each with their role."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from playwright.sync_api import Page, expect
from tests.e2e.conftest import Server, Watched, an_appointment
from tests.e2e.journey import (
    WATCH_PEERS,
    admit_button,
    at_step,
    enter_waiting_room,
    media_flows,
    sign_in,
    visit,
)


def actor(reference: str, name: str) -> dict[str, Any]:
    return {"actor": {"reference": reference, "display": name}, "status": "accepted"}


def watched(new_context: Callable[..., Watched], many: int) -> list[Page]:
    sides = [new_context() for _ in range(many)]
    for side in sides:
        side.context.add_init_script(WATCH_PEERS)
    return [side.page() for side in sides]


def links(server: Server, appointment: dict[str, Any]) -> list[str]:
    """In the order of the participants."""
    return [link["join_url"] for link in server.plan(appointment)["links"]]


def test_m1_two_practitioners_meet_without_a_patient(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    appointment = an_appointment()
    appointment["participant"] = [
        actor("Practitioner/7", "Dr. Jonas Muster"),
        actor("Practitioner/8", "Dr. Ida Rat"),
    ]
    _, link = links(server, appointment)
    practice, colleague = watched(new_context, 2)
    rows = sign_in(practice, server.list_url)
    expect(rows).to_contain_text("Dr. Ida Rat")
    enter_waiting_room(colleague, link)
    expect(admit_button(practice)).to_have_count(1)
    admit_button(practice).click()
    for page, other in ((practice, "Dr. Ida Rat"), (colleague, "Dr. Jonas Muster")):
        at_step(page, "visit")
        media_flows(page)
        expect(visit(page).locator(".name")).to_contain_text(other)
    visit(practice).locator(".bar button.danger").click()
    at_step(colleague, "ended")


def test_m1_four_people_see_each_other_and_who_each_is(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    """A practitioner at the list, a second one by link, a patient, and a relative: six connections."""
    appointment = an_appointment()
    appointment["participant"] += [
        actor("Practitioner/8", "Dr. Ida Rat"),
        actor("RelatedPerson/3", "Karl Beispiel"),
    ]
    patients, _, colleagues, relatives = links(server, appointment)
    practice, patient, colleague, relative = watched(new_context, 4)
    sign_in(practice, server.list_url)
    for page, link in ((patient, patients), (relative, relatives)):
        enter_waiting_room(page, link)
    expect(admit_button(practice)).to_have_count(2)
    admit_button(practice).first.click()
    at_step(practice, "visit")
    # Both knock until the first is in.
    visit(practice).locator(".knocks p").filter(has_text="Karl").get_by_role("button").click()
    enter_waiting_room_as_host(colleague, colleagues)
    names = {
        practice: {"Erika Beispiel", "Karl Beispiel", "Dr. Ida Rat"},
        patient: {"Dr. Jonas Muster", "Karl Beispiel", "Dr. Ida Rat"},
        colleague: {"Dr. Jonas Muster", "Karl Beispiel", "Erika Beispiel"},
        relative: {"Dr. Jonas Muster", "Dr. Ida Rat", "Erika Beispiel"},
    }
    for page, others in names.items():
        at_step(page, "visit")
        expect(visit(page).locator(".remote")).to_have_count(3)
        for name in others:
            expect(visit(page).locator(".name").filter(has_text=name)).to_have_count(1)
        for index in range(3):
            picture = visit(page).locator("video[part~='remote']").nth(index)
            for _ in range(150):
                if picture.evaluate("(video) => video.videoWidth > 0 && video.currentTime > 0"):
                    break
                page.wait_for_timeout(100)
            else:
                raise AssertionError("a picture does not come")
    expect(visit(practice).locator(".name").filter(has_text="Karl Beispiel")).to_contain_text("Begleitperson")
    expect(visit(patient).locator(".name").filter(has_text="Dr. Ida Rat")).to_contain_text("Ärztin/Arzt")
    visit(practice).locator(".bar button.danger").click()
    for page in (patient, colleague, relative):
        at_step(page, "ended")


def enter_waiting_room_as_host(page: Page, link: str) -> None:
    """A practitioner by link, into a visit that goes on: the check, and straight in."""
    page.goto(link)
    for _ in range(6):
        at_step(page, "start", "allow", "check", "visit")
        if visit(page).get_attribute("step") == "visit":
            return
        button = visit(page).locator("button.primary")
        expect(button).to_be_enabled(timeout=15_000)
        button.click()
        page.wait_for_timeout(700)
    at_step(page, "visit")


def test_m6_who_opens_the_visit_is_asked_to_wait_past_the_time(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    server.plan(an_appointment(starts_in=timedelta(minutes=-3)))
    [practice] = watched(new_context, 1)
    appointment = an_appointment(starts_in=timedelta(minutes=-3))
    practitioners = links(server, appointment)[1]
    enter_waiting_room(practice, practitioners)
    expect(visit(practice)).to_contain_text("Bitte warten Sie bis mindestens")
