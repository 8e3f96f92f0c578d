"""M21: two people compare six digits, and whoever stands between them is caught.

The man in the middle lives in the patient's page, between its WebSocket and its code, where a lying server
would be: ``man_in_the_middle.js``.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.e2e.conftest import Server, Watched, an_appointment
from tests.e2e.journey import (
    WATCH_PEERS,
    BothSides,
    at_step,
    both_in_visit,
    control,
    media_flows,
    remote_picture,
    stats,
    visit,
)
from tests.e2e.looks import accessible, bears

MIDDLE = (Path(__file__).parent / "man_in_the_middle.js").read_text(encoding="utf-8")


@pytest.fixture
def sides(server: Server, new_context: Callable[..., Watched]) -> Callable[..., BothSides]:
    def begin(*scripts: str) -> BothSides:
        practice, patient = new_context(), new_context(phone=True)
        for script in scripts:
            patient.context.add_init_script(script)
        for side in (practice, patient):
            side.context.add_init_script(WATCH_PEERS)
        link = server.patient_link(an_appointment())
        return both_in_visit(practice.page(), patient.page(), server.list_url, link)

    return begin


def lock(page: Page) -> Locator:
    return visit(page).locator(".chips button")


def compare(page: Page) -> Locator:
    lock(page).click()
    dialog = visit(page).locator("dialog.compare")
    expect(dialog).to_be_visible()
    return dialog


def digits(dialog: Locator) -> str:
    shown = dialog.locator(".digits").inner_text()
    assert re.fullmatch(r"\d{3} \d{3}", shown)
    return shown


def test_m21_both_screens_show_the_same_six_digits(sides: Callable[..., BothSides]) -> None:
    call = sides()
    practice, patient = call.practice, call.patient
    expect(lock(practice)).to_have_text("Verschlüsselt")
    here, there = compare(practice), compare(patient)
    assert digits(here) == digits(there)
    symbols = []
    for dialog in (here, there):
        dialog.get_by_text("Noch genauer: sieben Symbole").click()
        symbols.append(dialog.locator(".symbols").inner_text())
    assert symbols[0] == symbols[1]
    assert len(symbols[0].split()) == 7
    accessible(patient, "comparing")
    bears(patient, "comparing")
    for page, dialog in ((practice, here), (patient, there)):
        dialog.get_by_role("button", name="Gleich").click()
        expect(dialog.get_by_text("Verglichen: Niemand steht dazwischen.")).to_be_focused()
        dialog.get_by_role("button", name="Schließen").click()
        expect(lock(page)).to_have_text("Geprüft")

    # A new path is no new certificate; a new page has one.
    control(practice, "refresh").click()
    media_flows(practice, since=stats(practice))
    expect(lock(practice)).to_have_text("Geprüft")
    patient.reload()
    at_step(patient, "visit")
    expect(lock(practice)).to_have_text("Verschlüsselt")
    assert digits(compare(practice)) == digits(compare(patient))


def test_m21_other_digits_are_a_warning_and_the_way_out(sides: Callable[..., BothSides]) -> None:
    call = sides()
    dialog = compare(call.patient)
    dialog.get_by_role("button", name="Verschieden").click()
    expect(dialog).to_contain_text("Jemand könnte mithören")
    expect(lock(call.patient)).to_have_text("Nicht sicher")
    dialog.get_by_role("button", name="Auflegen").click()
    at_step(call.patient, "ended")


def test_m21_a_man_in_the_middle_is_caught(sides: Callable[..., BothSides]) -> None:
    call = sides(MIDDLE)
    practice, patient = call.practice, call.patient
    # He succeeds in all that one sees and hears ...
    assert patient.evaluate("() => window.middle.practice.connectionState") == "connected"
    assert remote_picture(practice) > 20
    assert remote_picture(patient) > 20
    # ... and not in this.
    expect(lock(patient)).to_have_text("Nicht sicher")
    expect(compare(patient)).to_contain_text("Jemand könnte mithören")
    expect(visit(patient).locator("dialog.compare .digits")).to_have_count(0)
