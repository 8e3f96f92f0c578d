"""What people see and do with messages, in a real browser, with a real server and a real gateway for SMS."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect
from tests.ports import free_port

from vsdk.testing.gateway import Gateway, answering

from .conftest import Server, Watched, an_appointment
from .journey import admit_button, enter_waiting_room, sign_in, visit
from .test_visit import accessible, fits

TAKEN = answering(200, b'{"id": "m-1"}', {"Content-Type": "application/json"})
WRONG_NUMBER = answering(410, b"{}", {"Content-Type": "application/json"})
NO_CREDIT = answering(402, b"{}", {"Content-Type": "application/json"})
BERLIN = ZoneInfo("Europe/Berlin")
AT_LEAST = 44
"""pixels that can be touched"""
NewContext = Callable[..., Watched]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(TAKEN) as started:
        yield started


@pytest.fixture
def server(tmp_path: Path, gateway: Gateway) -> Iterator[Server]:
    """A server whose SMS go to the gateway."""
    made = Server(tmp_path, free_port())
    plugins = ["standard_plan", "https_sms", "local_login"]
    made.write_settings(plugins=plugins, exchanges_per_minute=600, embed_origins=["http://pms.example"])
    host, port = gateway.address
    lines = [
        "[plugin.https_sms]",
        f'url = "http://{host}:{port}/sms"',
        'body = { to = "{recipient}", text = "{text}" }',
        'id_path = "id"',
        'statuses = { 410 = "number-invalid" }',
    ]
    with (tmp_path / "vsdk.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n" + "\n".join(lines) + "\n")
    made.start()
    yield made
    made.stop()


def outbox(server: Server) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {server.api_key}"}
    entries: list[dict[str, Any]] = httpx2.get(f"{server.base}/api/v1/outbox", headers=headers).json()[
        "entries"
    ]
    return entries


def until(page: Page, holds: Callable[[], bool]) -> None:
    for _ in range(100):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come to that")


def line(page: Page) -> Locator:
    """What a row says of its messages, which is the button to all of them."""
    return page.locator("vsdk-practice-queue button[data-key$='/messages']")


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def large_enough(buttons: Locator) -> None:
    for button in buttons.all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= AT_LEAST, button.inner_text()


def test_the_list_shows_what_was_sent_and_sends_it_again_once(
    server: Server, gateway: Gateway, new_context: NewContext
) -> None:
    server.plan(an_appointment())
    side = new_context(language="en")
    page = side.page()
    sign_in(page, server.list_url)
    expect(line(page)).to_contain_text(re.compile(r"Link · sent · \d\d:\d\d"))
    assert len(gateway.arrived) == 1
    line(page).focus()
    page.keyboard.press("Enter")
    expect(dialog(page).get_by_role("heading", name="Messages: Erika Beispiel")).to_be_visible()
    expect(dialog(page)).to_contain_text("To Erika Beispiel · SMS +49 … 01")
    accessible(page, "messages")
    large_enough(dialog(page).get_by_role("button"))
    again = dialog(page).get_by_role("button", name="Send again: Link to Erika Beispiel")
    again.click()
    expect(dialog(page)).to_contain_text("This message was sent just now.")
    assert len(gateway.arrived) == 1, "a double click sends nothing"
    page.wait_for_timeout(10_000)
    again.dblclick()
    expect(dialog(page).get_by_role("listitem")).to_have_count(2)
    until(page, lambda: len(gateway.arrived) >= 2)
    expect(dialog(page).get_by_role("listitem").first).to_contain_text(re.compile("sent · "))
    page.wait_for_timeout(500)
    assert len(gateway.arrived) == 2
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(line(page)).to_be_focused()
    assert [complaint for complaint in side.complaints if "409" not in complaint] == []


def test_what_failed_is_said_in_words_and_made_good_on_its_own_page(
    server: Server, gateway: Gateway, new_context: NewContext
) -> None:
    gateway.manner = WRONG_NUMBER
    server.plan(an_appointment())
    server.plan(an_appointment("e2e-2", patient="Ida Probe", starts_in=timedelta(minutes=8)))
    side = new_context(language="en")
    page = side.page()
    rows = sign_in(page, server.list_url)
    expect(rows.first).to_contain_text("The SMS did not arrive: the number is wrong.")
    accessible(page, "list with messages that failed")
    fits(page, "list with messages that failed")
    page.get_by_role("link", name="2 messages did not arrive").click()
    expect(page.get_by_role("heading", name="Messages that did not arrive")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Ida Probe")).to_contain_text("Correct the number")
    accessible(page, "messages that did not arrive")
    fits(page, "messages that did not arrive")
    gateway.arrived.clear()
    gateway.manner = TAKEN
    page.get_by_role("button", name="Try again: Link to Ida Probe").click()
    expect(page.get_by_text("It is being tried again.")).to_be_visible()
    expect(page.get_by_text("Ida Probe")).to_have_count(0)
    until(page, lambda: len(gateway.arrived) == 1)
    assert [entry["name"] for entry in outbox(server)] == ["Erika Beispiel"]
    page.get_by_role("button", name="Remove: Link to Erika Beispiel").click()
    expect(page.get_by_text("Everything arrived.")).to_be_visible()
    expect(page.get_by_role("heading", name="Messages that did not arrive")).to_be_focused()
    accessible(page, "nothing left to do")
    page.get_by_role("link", name="Back to the list").click()
    expect(line(page).first).to_contain_text("Link · ")
    expect(page.get_by_text("did not arrive")).to_have_count(0)
    assert side.complaints == []
    assert side.hosts <= {f"localhost:{server.port}"}


def test_all_are_tried_again_with_one_button_and_what_fails_again_comes_back(
    server: Server, gateway: Gateway, new_context: NewContext
) -> None:
    gateway.manner = NO_CREDIT
    for number in range(3):
        server.plan(an_appointment(f"e2e-{number}", patient=f"Patient {number}"))
    page = new_context(language="en").page()
    page.goto(f"{server.base}/practice/park/messages#{server.code}")
    cards = page.get_by_role("listitem").filter(has_text="Patient")
    expect(cards).to_have_count(3)
    expect(cards.first).to_contain_text("the SMS credit is used up")
    page.get_by_role("button", name="Try all again").click()
    until(page, lambda: len(gateway.arrived) == 6 and len(outbox(server)) == 3)
    expect(page.get_by_role("button", name="Try all again")).to_be_enabled()
    expect(cards).to_have_count(3)
    gateway.arrived.clear()
    gateway.manner = TAKEN
    page.get_by_role("button", name="Try all again").click()
    expect(page.get_by_text("Everything arrived.")).to_be_visible()
    until(page, lambda: len(gateway.arrived) == 3)
    page.wait_for_timeout(500)
    assert len(gateway.arrived) == 3


def test_d14_d15_a_delay_takes_two_taps_and_is_read_in_the_waiting_room_at_once(
    server: Server, gateway: Gateway, new_context: NewContext
) -> None:
    appointment = an_appointment(language="en")
    link = server.patient_link(appointment)
    practice, patient = new_context(language="en").page(), new_context(language="en", phone=True).page()
    sign_in(practice, server.list_url)
    enter_waiting_room(patient, link)
    expect(visit(patient).get_by_text("minutes late")).to_have_count(0)
    expect(admit_button(practice)).to_be_visible()
    practice.get_by_role("button", name="Delay: tell Erika Beispiel").click()
    expect(dialog(practice).get_by_role("heading", name="Begin later: Erika Beispiel")).to_be_visible()
    accessible(practice, "delay")
    large_enough(dialog(practice).get_by_role("button"))
    dialog(practice).get_by_role("button", name=re.compile("^20 min")).click()
    expect(visit(patient).get_by_text("The practice is about 20 minutes late.")).to_be_visible(timeout=2_000)
    accessible(patient, "waiting with a delay")
    fits(patient, "waiting with a delay")
    expected = (datetime.fromisoformat(appointment["start"]) + timedelta(minutes=20)).astimezone(BERLIN)
    expect(visit(patient).get_by_text(f"It should begin at about {expected:%H:%M}.")).to_be_visible()
    expect(dialog(practice)).to_have_count(0)
    expect(practice.get_by_role("button", name="Delay: tell Erika Beispiel")).to_be_focused()
    expect(practice.get_by_text("20 min late, at about")).to_be_visible()
    until(practice, lambda: len(gateway.arrived) == 2)
    assert b"/j#" in gateway.arrived[-1].body.replace(b"\\/", b"/")
    practice.get_by_role("button", name="Delay: tell Erika Beispiel").click()
    expect(dialog(practice).get_by_role("button", name=re.compile("^20 min"))).to_have_attribute(
        "aria-pressed", "true"
    )
    dialog(practice).get_by_role("button", name="No delay").click()
    expect(visit(patient).get_by_text("minutes late")).to_have_count(0, timeout=2_000)
    practice.wait_for_timeout(500)
    assert len(gateway.arrived) == 2, "nobody is sent a message that there is no delay"


def test_someone_who_wants_no_messages_gets_none_until_they_want_them_again(
    server: Server, gateway: Gateway, new_context: NewContext
) -> None:
    planned = server.plan(an_appointment())
    handle = planned["links"][0]["join_url"].partition("#")[2]
    page = new_context(language="en", phone=True).page()
    page.goto(f"{server.base}/m#{handle}")
    expect(page.get_by_role("heading", name="Do you still want to get messages?")).to_be_visible()
    expect(page.get_by_text("Praxis am Park sends you messages")).to_be_visible()
    expect(page.get_by_text("+49 … 01")).to_be_visible()
    accessible(page, "wanting messages")
    fits(page, "wanting messages")
    page.get_by_role("button", name="Stop the messages").click()
    expect(page.get_by_role("heading", name="You get no more messages")).to_be_focused()
    accessible(page, "wanting no messages")
    until(page, lambda: len(gateway.arrived) == 1)
    path = f"{server.base}/api/v1/visits/{planned['visit']}/messages"
    headers = {"Authorization": f"Bearer {server.api_key}"}
    httpx2.post(path, json={"template": "invitation"}, headers=headers)
    until(page, lambda: httpx2.get(path, headers=headers).json()["messages"][-1]["state"] == "suppressed")
    page.reload()
    page.get_by_role("button", name="Get messages again").click()
    expect(page.get_by_role("heading", name="Do you still want to get messages?")).to_be_visible()
    httpx2.post(path, json={"template": "invited-back"}, headers=headers)
    until(page, lambda: len(gateway.arrived) == 2)
    assert page.url.endswith(f"/m#{handle}")


def test_a_link_that_nobody_knows_is_explained(server: Server, new_context: NewContext) -> None:
    page = new_context(language="de", phone=True).page()
    page.goto(f"{server.base}/m#wrong")
    expect(page.get_by_role("heading", name="Diesen Link kennen wir nicht")).to_be_visible()
    accessible(page, "unknown link")
