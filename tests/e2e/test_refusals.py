"""Every way in that does not open has an answer with a way on."""

from collections.abc import Callable
from datetime import timedelta

import httpx2
from playwright.sync_api import expect

from .conftest import Server, Watched, an_appointment
from .journey import at_step, visit

PHONE = "tel:+493023125000"


def test_d1_too_early_says_when_it_opens_and_opens_by_itself(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    opens_soon = timedelta(minutes=10, seconds=4)
    page = new_context(phone=True).page()
    page.goto(server.patient_link(an_appointment(starts_in=opens_soon)))
    at_step(page, "early")
    expect(visit(page)).to_contain_text("Dr. Jonas Muster")
    at_step(page, "start", timeout=20_000)


def test_cancelled_and_unknown_links_say_what_to_do(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    appointment = an_appointment()
    link = server.patient_link(appointment)
    page = new_context(phone=True).page()
    page.goto(link)
    at_step(page, "start")
    assert server.put(appointment | {"status": "cancelled"}).status_code == 200
    page.reload()
    at_step(page, "refused")
    expect(visit(page)).to_contain_text("abgesagt")
    expect(visit(page).locator(f"a[href='{PHONE}']")).to_be_visible()
    page.goto(f"{server.base}/j#AAAAAAAAAAAAAAAAAAAAAA")
    page.reload()
    at_step(page, "refused")


def test_a_replaced_link_is_refused_and_the_new_one_opens(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    planned = server.plan(an_appointment())
    old = next(x["join_url"] for x in planned["links"] if x["role"] == "patient")
    reply = httpx2.post(
        f"{server.base}/api/v1/visits/{planned['visit']}/links",
        headers={"Authorization": f"Bearer {server.api_key}"},
    )
    new = next(x["join_url"] for x in reply.json()["links"] if x["role"] == "patient")
    assert new != old
    page = new_context().page()
    page.goto(old)
    at_step(page, "refused")
    page.goto(new)
    page.reload()
    at_step(page, "start")


def test_cancelled_while_waiting(server: Server, new_context: Callable[..., Watched]) -> None:
    from .journey import enter_waiting_room

    appointment = an_appointment()
    page = new_context(phone=True).page()
    enter_waiting_room(page, server.patient_link(appointment))
    server.put(appointment | {"status": "cancelled"})
    at_step(page, "refused")
    expect(visit(page)).to_contain_text("abgesagt")


def test_a_wrong_access_code_is_refused_and_the_right_one_opens(
    server: Server, new_context: Callable[..., Watched]
) -> None:
    page = new_context().page()
    page.goto(f"{server.base}/practice/park#wrong-wrong-wrong-wrong")
    queue = page.locator("vsdk-practice-queue")
    field = queue.get_by_label("Zugangscode")
    expect(field).to_be_visible()
    field.fill(server.code)
    queue.locator("button.primary").click()
    expect(field).to_have_count(0)
    expect(queue.locator(".list")).to_be_visible()


def test_many_attempts_from_one_address_are_slowed_down(
    make_server: Callable[..., Server], new_context: Callable[..., Watched]
) -> None:
    server = make_server(exchanges_per_minute=5)
    answers = [
        httpx2.post(f"{server.base}/api/v1/join", json={"handle": "A" * 22}).status_code for _ in range(100)
    ]
    assert answers[:5] == [404] * 5
    assert set(answers[5:]) == {429}
    page = new_context().page()
    page.goto(f"{server.base}/j#AAAAAAAAAAAAAAAAAAAAAA")
    at_step(page, "refused")
