"""Pages, static files and texts, and the headers that protect them."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.conftest import rows

PAGES = ["/", "/j", "/check", "/practice/park", "/practice/mitte", "/plugins/console_messages/messages"]
STATIC = re.compile(r'(?:src|href)="(/static/[^"]+)"')


@pytest.mark.parametrize("language", ["de", "fr", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_each_page_speaks_each_language_and_is_protected(
    standing: TestClient, path: str, language: str
) -> None:
    reply = standing.get(path, params={"lang": language})
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<html lang="{language}">' in reply.text
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'self' https://pms.example" in policy
    assert "script-src 'self';" in policy
    assert "connect-src 'self' ws://localhost:8000" in policy
    assert "camera=(self)" in reply.headers["permissions-policy"]
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("path", PAGES)
def test_pages_hold_no_inline_script_or_style_and_nothing_of_third_parties(
    standing: TestClient, path: str
) -> None:
    page = standing.get(path).text
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", page)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page)


@pytest.mark.parametrize("path", PAGES)
def test_everything_that_a_page_loads_is_there(standing: TestClient, path: str) -> None:
    found = set(STATIC.findall(standing.get(path).text))
    assert found
    for address in found:
        assert standing.get(address).status_code == 200, address


def test_opening_a_join_page_changes_nothing_in_the_database(
    http: TestClient, plan: Any, database: Path
) -> None:
    plan()
    http.get("/j")
    before = rows(database)
    for method in ("GET", "HEAD"):
        assert http.request(method, "/j?lang=fr").status_code == 200
    after = rows(database)
    for unsettled in ("outbox", "audit", "deadline"):  # the worker sends the notice of this visit meanwhile
        assert [r for r in after[unsettled] if "join" in str(r)] == []
    assert {k: after[k] for k in ("appointment", "visit", "join_link")} == {
        k: before[k] for k in ("appointment", "visit", "join_link")
    }


@pytest.mark.parametrize(
    ("accept", "language"),
    [("fr-FR,fr;q=0.9,en;q=0.5", "fr"), ("it, en;q=0.3", "en"), ("", "de"), ("*;;q=x", "de"), ("tlh", "de")],
)
def test_the_browser_chooses_and_else_the_practice(standing: TestClient, accept: str, language: str) -> None:
    page = standing.get("/practice/park", headers={"Accept-Language": accept})
    assert f'<html lang="{language}">' in page.text
    assert '<html lang="fr">' in standing.get("/practice/mitte", headers={"Accept-Language": ""}).text


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/practice/unknown",
        "/practice/unknown/sign-in",
        "/practice/mitte/sign-in",
        "/plugins/none/none",
        "/plugins/console_messages/other",
        "/texts/xx.json",
        "/static/none.js",
        "/static/",
        "/j/extra",
    ],
)
def test_what_is_not_there_is_a_page_for_people(standing: TestClient, path: str) -> None:
    reply = standing.get(path, params={"lang": "en"})
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert "unsafe" not in reply.headers["content-security-policy"]
    assert '<html lang="en">' in reply.text


def test_what_someone_typed_is_not_repeated_on_the_page(standing: TestClient) -> None:
    page = standing.get("/practice/<script>alert(1)</script>?lang=<b>").text
    assert "alert(1)" not in page
    assert "<b>" not in page


def test_static_files_are_kept_for_a_year_by_their_hash(standing: TestClient) -> None:
    address = next(a for a in STATIC.findall(standing.get("/j").text) if a.endswith(".js"))
    assert re.fullmatch(r"/static/[0-9a-f]{12}/.+", address)
    reply = standing.get(address)
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["content-type"].startswith("text/javascript")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_static_files_are_compressed_for_who_can_read_it(standing: TestClient) -> None:
    address = next(a for a in STATIC.findall(standing.get("/j").text) if a.endswith(".css"))
    plain = standing.get(address, headers={"Accept-Encoding": "identity"})
    packed = standing.get(address, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in plain.headers["vary"]
    assert "Accept-Encoding" in packed.headers["vary"]
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])


def test_the_one_address_without_a_hash_is_asked_for_again_each_time(standing: TestClient) -> None:
    door = standing.get("/static/vsdk.js")
    assert door.headers["cache-control"] == "no-cache"
    found = re.fullmatch(r'import "\./([0-9a-f]{12}/vsdk\.js)";\n', door.text)
    assert found
    assert standing.get(f"/static/{found[1]}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../sdk.py",
        "/static/%2e%2e/sdk.py",
        "/static/..%2f..%2fsdk.py",
        "/static//etc/passwd",
        "/static/....//etc/passwd",
        "/static/%00",
        "/static/vsdk.js%00.css",
    ],
)
def test_no_path_leads_out_of_the_static_files(standing: TestClient, path: str) -> None:
    reply = standing.get(path)
    assert reply.status_code == 404
    assert "VideoSdk" not in reply.text


@pytest.mark.parametrize("language", ["de", "fr", "en"])
def test_texts_for_the_browser_are_json_that_any_page_may_load(standing: TestClient, language: str) -> None:
    reply = standing.get(f"/texts/{language}.json")
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["access-control-allow-origin"] == "*"
    texts = reply.json()
    assert texts["page.footer"]
    assert not [key for key in texts if key.startswith("message.")]
    assert set(texts) == set(standing.get("/texts/en.json").json())


def test_signing_in_starts_at_the_practices_provider_and_comes_back(standing: TestClient) -> None:
    reply = standing.get("/practice/park/sign-in")
    back = "http://localhost:8000/practice/park"
    assert (reply.status_code, reply.headers["location"]) == (303, f"{back}/signed-in")
    again = standing.get("/practice/park/signed-in")
    assert (again.status_code, again.headers["location"]) == (303, back)
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [*PAGES, "/texts/de.json", "/static/vsdk.js"])
def test_head_is_answered_like_get(standing: TestClient, path: str) -> None:
    head, get = standing.head(path), standing.get(path)
    assert head.status_code == 200
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
@pytest.mark.parametrize("path", ["/", "/j", "/practice/park", "/static/vsdk.js"])
def test_pages_take_no_other_method(standing: TestClient, path: str, method: str) -> None:
    reply = standing.request(method, path)
    assert reply.status_code == 405
    assert "GET" in reply.headers["allow"]


def test_a_server_behind_https_says_so(make_video: Any) -> None:
    with TestClient(make_video(base_url="https://pms.example/video")) as http:
        reply = http.get("/")
        assert reply.headers["strict-transport-security"] == "max-age=31536000"
        assert "connect-src 'self' wss://pms.example" in reply.headers["content-security-policy"]
        assert 'href="/video/static/' in reply.text


def test_mounted_under_a_path_it_still_tells_its_faces_apart(make_video: Any) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    video = make_video(base_url="http://testserver/video")
    pms = Starlette(routes=[Mount("/video", video)], lifespan=video.lifespan)
    with TestClient(pms, raise_server_exceptions=False) as http:
        assert http.get("/video/j").status_code == 200
        for address in set(re.findall(r'(?:src|href)="(/video/static/[^"]+)"', http.get("/video/j").text)):
            assert http.get(address).status_code == 200
        api, fhir, page = (http.get(f"/video{p}") for p in ("/api/v1/none", "/fhir/R4/none", "/none"))
        assert api.headers["content-type"] == "application/problem+json"
        assert fhir.headers["content-type"] == "application/fhir+json; charset=utf-8"
        assert page.headers["content-type"].startswith("text/html")
        with http.websocket_connect("/video/signal", subprotocols=["vsdk.v1"]) as socket:
            socket.send_text("{}")
            assert socket.receive_json()["code"] == "bad-message"


def test_mounted_without_its_lifespan_it_says_what_to_do(make_video: Any) -> None:
    http = TestClient(make_video())
    for path in ("/", "/api/v1/ping", "/fhir/R4/Appointment/a1"):
        reply = http.get(path)
        assert (reply.status_code, reply.json()["code"]) == (503, "not-started")
        assert "lifespan=video.lifespan" in reply.json()["detail"]
