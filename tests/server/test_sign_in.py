"""Signing in over HTTP: cookies, and what others could try with a browser that is signed in."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.conftest import CODE, assert_problem, r4

from vsdk.sdk import VideoSdk
from vsdk.testing.fakes import FakeClock

PARK = {"practice": "park"}
GOOD = PARK | {"params": {"code": CODE}}


@pytest.fixture
def page(http: TestClient) -> TestClient:
    """Signed in, as a page of our own is: the client keeps cookies."""
    assert http.post("/api/v1/sign-in", json=GOOD).status_code == 200
    return http


@pytest.fixture
def secure(make_video: Callable[..., VideoSdk], clock: FakeClock) -> Iterator[TestClient]:
    video = make_video(clock, base_url="https://praxis.example/video")
    with TestClient(video, base_url="https://praxis.example", follow_redirects=False) as client:
        yield client


def of(client: TestClient, name: str = "vsdk-sign-in") -> str:
    return str(client.cookies.get(name) or "")


def test_a_page_learns_what_to_ask_for(http: TestClient) -> None:
    assert http.get("/api/v1/practices/park/sign-in").json() == {
        "asks": ["code"],
        "url": "http://localhost:8000/practice/park/sign-in",
    }
    assert_problem(http.get("/api/v1/practices/mitte/sign-in"), 404, "practice-unknown")
    assert_problem(http.get("/api/v1/practices/nothing/sign-in"), 404, "practice-unknown")


def test_a_reload_comes_back_by_a_cookie_that_scripts_and_other_sites_have_not(http: TestClient) -> None:
    reply = http.post("/api/v1/sign-in", json=GOOD)
    set_cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in set_cookie
    assert "SameSite=strict" in set_cookie
    assert "Max-Age" not in set_cookie, "gone with the browser"
    assert of(http) not in reply.text
    again = http.post("/api/v1/sign-in/grant", json=PARK).json()
    assert again["identity"]["role"] == "practitioner"
    assert again["grant"] != ""


def test_over_https_the_cookie_is_for_this_host_only(secure: TestClient) -> None:
    set_cookie = secure.post("/api/v1/sign-in", json=GOOD).headers["set-cookie"]
    assert set_cookie.startswith("__Host-vsdk-sign-in=")
    assert "Secure" in set_cookie
    assert "Path=/;" in set_cookie
    assert "Domain" not in set_cookie
    assert secure.post("/api/v1/sign-in/grant", json=PARK).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://attacker.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://pms.example"},
    ],
)
def test_what_another_site_sends_with_the_cookie_is_refused(
    page: TestClient, headers: dict[str, str]
) -> None:
    for path in ("sign-in/grant", "sign-out"):
        assert_problem(page.post(f"/api/v1/{path}", json=PARK, headers=headers), 403, "form-foreign")
    assert page.post("/api/v1/sign-in/grant", json=PARK).status_code == 200, "nobody was signed out"


def test_a_page_of_another_origin_gets_a_grant_and_no_cookie(http: TestClient) -> None:
    reply = http.post("/api/v1/sign-in", json=GOOD, headers={"origin": "https://pms.example"})
    assert reply.json()["grant"]
    assert "set-cookie" not in reply.headers


def test_signing_in_gives_a_new_secret_whatever_was_there_before(http: TestClient) -> None:
    """Session fixation: what somebody planted is not taken over."""
    http.cookies.set("vsdk-sign-in", "planted-by-somebody-else")
    http.post("/api/v1/sign-in", json=GOOD)
    secrets = [cookie.value for cookie in http.cookies.jar if cookie.name == "vsdk-sign-in"]
    assert any(secret != "planted-by-somebody-else" and len(secret or "") == 43 for secret in secrets)
    http.cookies.clear()
    http.cookies.set("vsdk-sign-in", "planted-by-somebody-else")
    assert_problem(http.post("/api/v1/sign-in/grant", json=PARK), 403, "sign-in-over")


def test_signing_in_again_ends_what_was_before(page: TestClient) -> None:
    first = of(page)
    page.post("/api/v1/sign-in", json=GOOD)
    assert of(page) != first
    page.cookies.clear()
    page.cookies.set("vsdk-sign-in", first)
    assert_problem(page.post("/api/v1/sign-in/grant", json=PARK), 403, "sign-in-over")


def test_signing_out_ends_it_here_and_for_every_grant(page: TestClient) -> None:
    secret = of(page)
    token = page.post("/api/v1/sign-in/grant", json=PARK).json()["grant"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert len(page.get("/api/v1/sign-ins", headers=bearer).json()["sign_ins"]) == 1
    reply = page.post("/api/v1/sign-out")
    assert reply.json() == {"url": ""}
    assert of(page) == ""
    page.cookies.set("vsdk-sign-in", secret)
    assert_problem(page.post("/api/v1/sign-in/grant", json=PARK), 403, "sign-in-over")
    assert_problem(page.get("/api/v1/sign-ins", headers=bearer), 403, "sign-in-over")
    assert page.post("/api/v1/sign-out").json() == {"url": ""}, "twice does no harm"


def test_the_way_back_leads_to_the_list_and_nowhere_else(http: TestClient) -> None:
    """Open redirect: no parameter has a say in it."""
    for query in ("?return_to=https://attacker.example", "?next=//attacker.example", f"?code={CODE}"):
        for path in ("sign-in", "signed-in"):
            reply = http.get(f"/practice/park/{path}{query}")
            place = reply.headers.get("location", "")
            assert place.startswith("http://localhost:8000/practice/park") or reply.status_code == 401, path
            assert "attacker" not in place
    assert http.get("/practice/nothing/signed-in?code=x").status_code == 401


def test_who_is_wrong_reads_so_on_a_page(http: TestClient) -> None:
    reply = http.get("/practice/park/signed-in?code=wrong", headers={"accept-language": "de"})
    assert reply.status_code == 401
    assert "text/html" in reply.headers["content-type"]
    assert "vsdk-sign-in" not in reply.headers.get("set-cookie", "")


def test_sign_ins_are_listed_with_their_devices_and_ended_one_by_one(page: TestClient) -> None:
    other = page.post(
        "/api/v1/sign-in",
        json=GOOD,
        headers={"user-agent": "Mozilla/5.0 (iPhone) Safari/604.1", "origin": "https://pms.example"},
    ).json()
    token = page.post("/api/v1/sign-in/grant", json=PARK).json()["grant"]
    bearer = {"Authorization": f"Bearer {token}"}
    found = page.get("/api/v1/sign-ins", headers=bearer).json()["sign_ins"]
    assert {entry["device"]: entry["current"] for entry in found} == {"": True, "Safari, iPhone": False}
    phone = next(entry for entry in found if not entry["current"])
    assert set(phone) == {"id", "name", "role", "provider", "device", "since", "used", "current"}
    assert page.post(f"/api/v1/sign-ins/{phone['id']}/end", headers=bearer).status_code == 204
    of_phone = {"Authorization": f"Bearer {other['grant']}"}
    assert_problem(page.get("/api/v1/sign-ins", headers=of_phone), 403, "sign-in-over")
    assert_problem(page.post(f"/api/v1/sign-ins/{phone['id']}/end", headers=bearer), 404, "sign-in-unknown")
    assert_problem(page.get("/api/v1/sign-ins"), 401, "grant-invalid")


def test_guessing_is_limited(make_video: Callable[..., VideoSdk], clock: FakeClock) -> None:
    with TestClient(make_video(clock, exchanges_per_minute=5)) as client:
        for _ in range(5):
            client.post("/api/v1/sign-in", json=PARK | {"params": {"code": "wrong"}})
        assert_problem(client.post("/api/v1/sign-in", json=GOOD), 429, "rate-limited")
        assert client.get("/practice/park/signed-in?code=x").status_code == 429


def test_what_a_cookie_keeps_cannot_be_sent_in_the_body(http: TestClient) -> None:
    reply = http.post("/api/v1/sign-in", json=PARK | {"params": {"kept": "x", "state": "y"}})
    assert_problem(reply, 401, "sign-in-refused")


async def test_whoever_is_signed_out_is_out_of_the_list_and_the_visit_at_once(server: Any) -> None:
    planned = await server.plan()
    answer = await server.post("/sign-in", GOOD)
    listed = await server.hello(answer["grant"])
    await listed.get("queue")
    bearer = {"Authorization": f"Bearer {answer['grant']}"}
    reply = await server.http.post(f"/api/v1/visits/{planned['visit']}/grant", headers=bearer)
    seated = await server.hello(reply.json()["grant"])
    await seated.get("queue")
    others = await server.list(planned)
    await others.get("queue")

    await server.http.post("/api/v1/sign-out")
    for gone in (listed, seated):
        assert await gone.closed() == 4401
    again = await server.hello(answer["grant"])
    assert (await again.get("error"))["code"] == "sign-in-over"
    assert await again.closed() == 4401
    assert await others.settle() is not None, "who is here by the practice system stays"


async def test_an_open_list_keeps_the_sign_in_alive(server: Any, clock: FakeClock) -> None:
    answer = await server.post("/sign-in", GOOD)
    listed = await server.hello(answer["grant"])
    await listed.get("queue")
    for _ in range(20):
        clock.advance(minutes=6)
        await listed.send("ping")
        await listed.get("grant")
    assert (await server.http.post("/api/v1/sign-in/grant", json=PARK)).status_code == 200
    clock.advance(minutes=6)
    [sign_in] = await server.video.store.sign_ins("park")
    await server.video.store.end_sign_ins("park", id_=sign_in.id)
    await listed.send("ping")
    assert await asyncio.wait_for(listed.closed(), 5) == 4401


def test_plans_of_the_practice_system_need_no_sign_in(http: TestClient, plan: Any) -> None:
    planned = plan()
    assert planned["grant"]
    assert r4()["status"] == "booked"
