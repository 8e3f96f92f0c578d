"""The example that a PMS vendor copies: a FastAPI application with video visits in it."""

import ast
import json
import runpy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

EXAMPLES = Path(__file__).parents[2] / "examples"
FILE = EXAMPLES / "embed_fastapi.py"
KEY = "api-key-of-nobody"
CONFIGURATION = """
base_url = "https://pms.example/video"
database = "sqlite+aiosqlite://"

[[practices]]
id = "park"
name = "Praxis am Park"
api_key = { env = "PARK_API_KEY" }
"""


@pytest.fixture
def pms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    (tmp_path / "vsdk.toml").write_text(CONFIGURATION, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARK_API_KEY", KEY)
    application = runpy.run_path(str(FILE))["pms"]
    assert isinstance(application, FastAPI)
    return application


@pytest.fixture
def client(pms: FastAPI) -> Iterator[TestClient]:
    with TestClient(pms) as started:
        yield started


def an_appointment() -> dict[str, Any]:
    """The first sample, moved to in an hour from now."""
    sample = EXAMPLES / "appointments" / "r4" / "01-first-of-the-day.json"
    appointment: dict[str, Any] = json.loads(sample.read_text(encoding="utf-8"))
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    return appointment | {"start": start.isoformat(), "end": (start + timedelta(minutes=20)).isoformat()}


def plan(client: TestClient) -> dict[str, Any]:
    reply = client.post(
        "/video/api/v1/visits",
        json={"appointment": an_appointment()},
        headers={"Authorization": f"Bearer {KEY}"},
    )
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def test_the_example_has_fewer_than_ten_lines_of_code() -> None:
    text = FILE.read_text(encoding="utf-8")
    first = ast.parse(text).body[0]
    code = [line for line in text.splitlines()[first.end_lineno or 0 :] if line.strip()]
    assert 0 < len(code) < 10


def test_it_answers_under_the_path_where_it_is_mounted(client: TestClient) -> None:
    assert client.get("/video/api/v1/ping").json() == {"ok": True}
    assert client.get("/api/v1/ping").status_code == 404


def test_the_join_page_loads_its_parts_from_under_that_path(client: TestClient) -> None:
    page = client.get("/video/j")
    assert page.status_code == 200
    assert '<vsdk-video-visit server="/video"' in page.text
    script = page.text.partition('<script type="module" src="')[2].partition('"')[0]
    assert script.startswith("/video/static/")
    assert client.get(script).status_code == 200


def test_links_and_the_signalling_address_carry_the_prefix(client: TestClient) -> None:
    answer = plan(client)
    assert answer["signalling"] == "wss://pms.example/video/signal"
    assert len(answer["links"]) == 2
    for link in answer["links"]:
        assert link["join_url"].startswith("https://pms.example/video/j#")


def test_a_link_of_it_can_be_looked_at(client: TestClient) -> None:
    handle = plan(client)["links"][0]["join_url"].partition("#")[2]
    preview = client.post("/video/api/v1/join/preview", json={"handle": handle})
    assert preview.json()["practice"]["name"] == "Praxis am Park"
    assert preview.json()["problem"] == "join-link-early"


def test_the_list_opens_over_the_mounted_websocket(client: TestClient) -> None:
    grant = plan(client)["grant"]
    hello = {"type": "hello", "grant": grant, "seat": "0123456789abcdef"}
    with client.websocket_connect("/video/signal", subprotocols=["vsdk.v1"]) as socket:
        socket.send_json(hello)
        assert socket.receive_json()["type"] == "welcome"
        assert len(socket.receive_json()["entries"]) == 1


def test_errors_are_problem_documents_under_the_prefix_too(client: TestClient) -> None:
    reply = client.post("/video/api/v1/visits", json={"appointment": {}})
    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["code"] == "api-key-invalid"


def test_without_its_lifespan_it_refuses_and_says_what_to_add(pms: FastAPI) -> None:
    reply = TestClient(pms).get("/video/api/v1/ping")
    assert reply.status_code == 503
    assert reply.json()["code"] == "not-started"
    assert "FastAPI(lifespan=video.lifespan)" in reply.json()["detail"]
