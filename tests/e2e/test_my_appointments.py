"""D3 to D5: the confirmation, "My appointments", and that all ways lead to the same place."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
from icalendar import Calendar
from playwright.sync_api import Page, expect
from tests.e2e.conftest import Server, Watched, an_appointment
from tests.e2e.journey import at_step, sign_in

NUMBER = "0151 00000001"
PHONE = {"width": 390, "height": 844}


def codes(server: Server) -> list[str]:
    """Newest first, as people read them in an SMS; from the page that shows what a gateway would get."""
    shown = httpx2.get(f"{server.base}/plugins/console_messages/messages").text
    return re.findall(r"\b(\d{6}) (?:ist Ihr|est votre|is your)", shown)


def code_sent(server: Server, before: int = 0) -> str:
    """The next code, where there were so many before."""
    for _ in range(100):
        if len(found := codes(server)) > before:
            return found[0]
        time.sleep(0.1)
    raise AssertionError("no code came")


def my_appointments(server: Server) -> str:
    return f"{server.base}/plugins/doctolib_like/appointments?lang=de"


def signed_in(page: Page, server: Server, contact: str = NUMBER) -> None:
    before = len(codes(server))
    page.goto(my_appointments(server))
    page.get_by_label("Telefonnummer oder E-Mail-Adresse").fill(contact)
    page.get_by_role("button", name="Code schicken").click()
    page.get_by_label("Code mit sechs Ziffern").fill(code_sent(server, before))
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("button", name="Abmelden")).to_be_visible()


def test_d4_d5_my_appointments_by_a_code_without_scripts_and_by_keyboard(
    server: Server, new_context: Callable[..., Watched], browser: Any
) -> None:
    link = server.patient_link(an_appointment("now"))
    server.plan(an_appointment("later", starts_in=timedelta(days=3)))
    server.plan(an_appointment("somebody-else", patient="Otto Andermann") | OTHER_NUMBER)
    plain = browser.new_context(
        java_script_enabled=False, locale="de", viewport={"width": 390, "height": 844}
    )
    page = plain.new_page()
    page.goto(my_appointments(server))
    page.get_by_label("Telefonnummer oder E-Mail-Adresse").focus()
    page.keyboard.type(NUMBER)
    page.keyboard.press("Enter")
    expect(page.get_by_text("ist jetzt ein Code unterwegs")).to_be_visible()
    page.get_by_label("Code mit sechs Ziffern").focus()
    page.keyboard.type("000000" if code_sent(server) != "000000" else "000001")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("stimmt nicht")
    page.get_by_label("Code mit sechs Ziffern").fill(code_sent(server))
    page.keyboard.press("Enter")
    cards = page.locator("ul.cards > li")
    expect(cards).to_have_count(2)
    expect(page.locator("main")).not_to_contain_text("Andermann")
    expect(cards.nth(0)).to_contain_text("Dr. Jonas Muster")
    expect(cards.nth(1)).to_contain_text("Der Zugang öffnet")
    start = cards.nth(0).get_by_role("link", name="Zur Videosprechstunde")
    assert start.get_attribute("href") == link

    # the calendar file
    with page.expect_download() as downloading:
        cards.nth(1).get_by_role("button", name="In den Kalender").click()
    file = downloading.value.path().read_bytes()
    (event,) = Calendar.from_ical(file).walk("VEVENT")
    assert event["CONFERENCE"].params["FEATURE"] == "VIDEO"
    assert str(event["CONFERENCE"]).startswith(f"{server.base}/j#")
    assert b"Erika" not in file

    # asking to cancel: asked back, told to the practice, and the visit stays
    cards.nth(1).get_by_role("button", name="Um Absage bitten").click()
    expect(page.get_by_text("Möchten Sie die Praxis um Absage bitten?")).to_be_visible()
    page.get_by_role("button", name="Ja, um Absage bitten").click()
    expect(page.locator("ul.cards > li").nth(1)).to_contain_text("Sie haben um Absage gebeten.")
    assert "cancellation-asked" in {line["what"] for line in server.audit()}
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_label("Telefonnummer oder E-Mail-Adresse")).to_be_visible()
    plain.close()

    # from the account to the same place as from the message
    side = new_context(phone=True)
    visiting = side.page()
    signed_in(visiting, server)
    visiting.get_by_role("link", name="Zur Videosprechstunde").click()
    at_step(visiting, "start")
    assert visiting.url == link


OTHER_NUMBER = {
    "contained": [
        {
            "resourceType": "Patient",
            "id": "patient",
            "telecom": [{"system": "phone", "value": "+4915100000002"}],
        }
    ]
}


def test_d4_the_practice_sees_who_asks_to_cancel(server: Server, new_context: Callable[..., Watched]) -> None:
    server.plan(an_appointment("soon", starts_in=timedelta(hours=2)))
    board = new_context().page()
    row = sign_in(board, server.list_url)
    page = new_context(phone=True).page()
    signed_in(page, server)
    page.get_by_role("button", name="Um Absage bitten").click()
    page.get_by_role("button", name="Ja, um Absage bitten").click()
    expect(row).to_contain_text("Bittet um Absage")
    expect(page.locator("ul.cards")).to_contain_text("Die Praxis meldet sich.")


def test_d3_d5_the_confirmation_leads_to_the_same_place(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    """One tag in a page of somebody else: an iframe."""
    link = server.patient_link(an_appointment())
    handle = link.partition("#")[2]
    side = new_context(phone=True)
    page = side.page()
    address = f"{server.base}/plugins/doctolib_like/confirmation?lang=de#{handle}"
    page.route(
        "**/booked",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<!doctype html><title>Gebucht</title><iframe src="{address}" height=800></iframe>',
        ),
    )
    page.goto(f"{server.base}/booked")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Ihre Videosprechstunde ist gebucht")).to_be_visible()
    expect(frame.get_by_text("Dr. Jonas Muster")).to_be_visible()
    with page.expect_download() as downloading:
        frame.get_by_role("button", name="In den Kalender").click()
    (event,) = Calendar.from_ical(downloading.value.path().read_bytes()).walk("VEVENT")
    assert str(event["CONFERENCE"]) == link
    with side.context.expect_page() as opened:
        frame.get_by_role("link", name="Start").click()
    at_step(opened.value, "start")
    assert opened.value.url == link
    assert side.complaints == []


def test_d4_nobody_learns_who_has_an_appointment(server: Server, new_context: Callable[..., Watched]) -> None:
    server.plan(an_appointment())
    page = new_context().page()
    answers = []
    for contact in (NUMBER, "0151 99999999", "nobody@example.org"):
        page.goto(my_appointments(server))
        page.get_by_label("Telefonnummer oder E-Mail-Adresse").fill(contact)
        page.get_by_role("button", name="Code schicken").click()
        expect(page.get_by_label("Code mit sechs Ziffern")).to_be_visible()
        text = page.locator("main").inner_text()
        assert contact in text, "what was typed can be seen, and mended"
        answers.append(text.replace(contact, "…"))
    assert len(set(answers)) == 1
    page.goto(my_appointments(server))
    page.get_by_label("Telefonnummer oder E-Mail-Adresse").fill("Erika")
    page.get_by_role("button", name="Code schicken").click()
    expect(page.get_by_role("alert")).to_contain_text("weder eine Telefonnummer")
    for _ in range(3):
        page.goto(my_appointments(server))
        page.get_by_label("Telefonnummer oder E-Mail-Adresse").fill(NUMBER)
        page.get_by_role("button", name="Code schicken").click()
    expect(page.get_by_role("alert")).to_contain_text("Bitte warten Sie zehn Minuten")


def test_d4_a_form_of_another_site_does_nothing(server: Server) -> None:
    reply = httpx2.post(
        my_appointments(server),
        data={"do": "code", "contact": NUMBER},
        headers={"Origin": "https://elsewhere.example"},
    )
    assert reply.status_code == 403
    assert "form-foreign" in reply.text
