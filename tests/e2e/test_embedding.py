"""The widgets inside somebody else's page, and somebody else's program inside a visit."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect
from tests.ports import free_port

from vsdk.rtc.peer import HeadlessPeer

from .conftest import Server, Watched, an_appointment
from .journey import WATCH_PEERS, admit_button, at_step, enter_waiting_room, media_flows, visit

EXAMPLE = Path(__file__).parents[2] / "examples" / "embed.html"


@pytest.fixture
def pms() -> Iterator[Callable[[str], str]]:
    """A web server of the PMS's own, on another origin; gives the address of a page with that HTML."""
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages["page"])

        def log_message(self, *_: Any) -> None:
            pass

    port = free_port()
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(html: str) -> str:
        pages["page"] = html.encode()
        return f"http://localhost:{port}/"

    serve.origin = f"http://localhost:{port}"  # type: ignore[attr-defined]
    yield serve
    server.shutdown()
    server.server_close()


def test_two_tags_put_the_list_into_the_pms(
    make_server: Callable[..., Server], new_context: Callable[..., Watched], pms: Any
) -> None:
    server = make_server(embed_origins=[pms.origin])
    planned = server.plan(an_appointment())
    link = next(x["join_url"] for x in planned["links"] if x["role"] == "patient")
    html = EXAMPLE.read_text(encoding="utf-8")
    html = html.replace("https://praxis.example/video", server.base).replace("GRANT", planned["grant"])
    side, patient_side = new_context(), new_context(phone=True)
    for watched in (side, patient_side):
        watched.context.add_init_script(WATCH_PEERS)
    page, patient = side.page(), patient_side.page()
    page.goto(pms(html))
    expect(page.locator("vsdk-practice-queue li.row")).to_contain_text("Erika Beispiel")
    enter_waiting_room(patient, link)
    admit_button(page).click()
    at_step(patient, "visit")
    media_flows(page)
    media_flows(patient)
    assert side.complaints == []


def test_one_tag_confirms_a_booking_in_the_page_of_a_booking_system(
    make_server: Callable[..., Server], new_context: Callable[..., Watched], pms: Any
) -> None:
    """D3; and where that page stays open, it becomes the way in."""
    server = make_server(embed_origins=[pms.origin])
    link = server.patient_link(an_appointment(starts_in=timedelta(minutes=10, seconds=8)))
    handle = link.partition("#")[2]
    tag = f'<vsdk-appointment-confirmation server="{server.base}" handle="{handle}" lang="en">'
    script = f'<script type="module" src="{server.base}/static/confirmation.js"></script>'
    side = new_context(phone=True)
    page = side.page()
    page.goto(pms(f"<!doctype html><html lang=en><title>Booked</title>{script}{tag}"))
    booked = page.locator("vsdk-appointment-confirmation")
    expect(booked).to_contain_text("Dr. Jonas Muster")
    expect(booked.get_by_role("link", name="Start")).to_have_count(0)
    with page.expect_download() as downloading:
        booked.get_by_role("button", name="Add to calendar").click()
    assert link.encode() in downloading.value.path().read_bytes().replace(b"\r\n ", b"")
    # At that very moment there is no network.
    side.context.route("**/api/v1/join/preview", lambda route: route.abort(), times=1)
    way_in = booked.get_by_role("link", name="Start")
    expect(way_in).to_be_visible(timeout=20_000)
    with side.context.expect_page() as opened:
        way_in.click()
    at_step(opened.value, "start")
    assert opened.value.url == link
    assert side.complaints == ["Failed to load resource: net::ERR_FAILED"], "the one that was cut off"


def test_a_page_that_was_not_allowed_gets_nothing(
    server: Server, new_context: Callable[..., Watched], pms: Any
) -> None:
    planned = server.plan(an_appointment())
    html = EXAMPLE.read_text(encoding="utf-8")
    html = html.replace("https://praxis.example/video", server.base).replace("GRANT", planned["grant"])
    page = new_context().page()
    page.goto(pms(html))
    page.wait_for_timeout(3_000)
    expect(page.locator("vsdk-practice-queue li.row")).to_have_count(0)


def test_a_program_is_the_patient(server: Server, new_context: Callable[..., Watched]) -> None:
    """Chromium and a headless aiortc participant see and hear each other through the real protocol."""
    planned = server.plan(an_appointment())
    link = next(x["join_url"] for x in planned["links"] if x["role"] == "patient")
    joined = httpx2.post(f"{server.base}/api/v1/join", json={"handle": link.partition("#")[2]}).json()
    side = new_context()
    side.context.add_init_script(WATCH_PEERS)
    page = side.page()
    page.goto(server.list_url)
    expect(page.locator("vsdk-practice-queue li.row").first).to_be_visible()

    async def be_the_patient() -> dict[str, int]:
        async with asyncio.timeout(60), HeadlessPeer(joined["signalling"], joined["grant"]) as peer:
            await peer.waiting()
            await peer.admitted()
            await peer.sees_and_hears()
            seen = dict(peer.frames)
            await peer.ended()
            return seen

    result: Future[dict[str, int]] = Future()

    def run() -> None:
        try:
            result.set_result(asyncio.run(be_the_patient()))
        except BaseException as error:
            result.set_exception(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    admit_button(page).click()
    at_step(page, "visit")
    media_flows(page, seconds=30)
    page.wait_for_timeout(1_500)
    visit(page).locator(".bar button.danger").click()
    seen = result.result(timeout=30)
    assert seen["video"] > 0
    assert seen["audio"] > 0


def test_the_first_page_is_small(server: Server, new_context: Callable[..., Watched]) -> None:
    """At most 60 kB over the wire, script and style included."""
    link = server.patient_link(an_appointment())
    page = new_context(phone=True).page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(link)
    at_step(page, "start")
    page.wait_for_timeout(500)
    total = sum(received)
    print(f"first page: {total / 1000:.1f} kB over the wire in {len(received)} answers")  # noqa: T201
    assert 5_000 < total <= 60_000
