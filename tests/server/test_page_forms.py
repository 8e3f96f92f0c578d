"""Pages of plugins that read forms: from their own page only, below the path that people see."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from vsdk.testing.fakes import FakeClock

PAGE = "/plugins/doctolib_like/appointments"
PLUGINS = ["standard_plan", "console_messages", "local_login", "doctolib_like"]


@pytest.fixture
def pages(make_video: Callable[..., Any], clock: FakeClock) -> Callable[..., TestClient]:
    """A server whose pages read forms; keywords are settings."""

    def make(**settings: Any) -> TestClient:
        video = make_video(clock, plugins=PLUGINS, **settings)
        return TestClient(video, raise_server_exceptions=False, follow_redirects=False)

    return make


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost:8000", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "null", "sec-fetch-site": "same-site"}, 403),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
    ],
)
def test_forms_come_from_their_own_page(
    pages: Callable[..., TestClient], headers: dict[str, str], status: int
) -> None:
    with pages(base_url="http://localhost:8000") as http:
        form = {"do": "code", "contact": "+4915199999999"}
        assert http.post(PAGE, data=form, headers=headers).status_code == status


def test_a_form_that_cannot_be_read_has_its_answer(pages: Callable[..., TestClient]) -> None:
    with pages() as http:
        many = {f"field{n}": "x" for n in range(30)}
        for reply in (
            http.post(PAGE, data=many),
            http.post(PAGE, content=b"do=\xff", headers={"content-type": "text/plain"}),
        ):
            assert reply.status_code == 400
            assert "form-invalid" in reply.text


def test_what_leads_on_lies_where_people_reach_the_server(pages: Callable[..., TestClient]) -> None:
    """Behind a proxy that takes the path away, as docs/operations.md has it."""
    with pages(base_url="https://praxis.example/video") as http:
        reply = http.post(f"{PAGE}?lang=fr", data={"do": "sign-out"})
        assert reply.headers["location"] == f"/video{PAGE}?lang=fr"
        assert f"Path=/video{PAGE}" in reply.headers["set-cookie"]
        assert "Secure" in reply.headers["set-cookie"]


def test_a_page_without_forms_takes_none(pages: Callable[..., TestClient]) -> None:
    with pages() as http:
        assert http.post("/plugins/console_messages/messages", data={"a": "b"}).status_code == 404


def test_so_many_forms_from_one_address(pages: Callable[..., TestClient]) -> None:
    with pages(exchanges_per_minute=3) as http:
        answers = [http.post(PAGE, data={"do": "back"}).status_code for _ in range(5)]
    assert answers == [303, 303, 303, 429, 429]
