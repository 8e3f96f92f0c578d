"""What a join link can be turned into: a calendar entry, and a code for the camera of a phone."""

from collections.abc import Callable
from typing import Any

from icalendar import Calendar
from starlette.testclient import TestClient
from tests.server.conftest import KEY, r4


def handle_of(planned: dict[str, Any]) -> str:
    return str(next(x["join_url"] for x in planned["links"] if x["role"] == "patient")).partition("#")[2]


def test_a_calendar_entry_with_the_link_and_no_name(http: TestClient, plan: Callable[..., Any]) -> None:
    handle = handle_of(plan())
    reply = http.post("/api/v1/join/calendar", json={"handle": handle, "language": "fr"})
    assert reply.headers["content-type"].startswith("text/calendar")
    assert reply.headers["cache-control"] == "no-store"
    (event,) = Calendar.from_ical(reply.content).walk("VEVENT")
    assert str(event["CONFERENCE"]).endswith(f"/j#{handle}")
    assert event["CONFERENCE"].params["VALUE"] == "URI"
    assert "Marlene" not in reply.text


def test_neither_for_a_link_that_does_not_exist(http: TestClient) -> None:
    for path in ("calendar", "code"):
        reply = http.post(f"/api/v1/join/{path}", json={"handle": "A" * 22})
        assert (reply.status_code, reply.json()["code"]) == (404, "join-link-unknown")


def test_neither_for_an_appointment_that_was_cancelled(http: TestClient, plan: Callable[..., Any]) -> None:
    handle = handle_of(plan())
    http.post(
        "/api/v1/visits",
        json={"appointment": r4(status="cancelled")},
        headers={"Authorization": f"Bearer {KEY}"},
    )
    for path in ("calendar", "code"):
        reply = http.post(f"/api/v1/join/{path}", json={"handle": handle})
        assert (reply.status_code, reply.json()["code"]) == (410, "appointment-cancelled")
