"""``POST /api/v1/visits`` and what a PMS does with its answer."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.conftest import KEY, OTHER_KEY, assert_problem, bearer, handle_of, r4, r5

from vsdk.server.schemas import VisitReply
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeClock

Plan = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(("release", "make"), [("R4", r4), ("R4B", r4), ("R5", r5)])
def test_an_appointment_becomes_a_visit_with_a_link_each(http: TestClient, release: str, make: Any) -> None:
    body = {"appointment": make(), "fhir_version": release}
    reply = http.post("/api/v1/visits", json=body, headers=bearer())
    assert reply.status_code == 200, reply.text
    found = VisitReply.model_validate_json(reply.content)
    assert set(reply.json()) == set(VisitReply.model_fields)
    assert (found.appointment, found.state, found.version) == ("a1", "planned", 1)
    assert [(link.participant, link.role) for link in found.links] == [
        ("#patient", "patient"),
        ("Practitioner/berg", "practitioner"),
    ]
    assert found.signalling == "ws://localhost:8000/signal"
    assert found.expires == NOON + timedelta(minutes=10)
    for link in found.links:
        assert (link.opens, link.closes) == (NOON - timedelta(minutes=15), NOON + timedelta(minutes=60))
        assert link.join_url.startswith("http://localhost:8000/j#")
        assert len(handle_of(link.join_url)) == 22
    assert len({link.join_url for link in found.links}) == 2


def test_r4_is_the_release_when_none_is_named(plan: Plan) -> None:
    assert plan()["state"] == "planned"


def test_repeating_it_gives_the_same_visit_and_links(plan: Plan) -> None:
    first, second = plan(), plan()
    assert (first["visit"], first["links"]) == (second["visit"], second["links"])
    assert second["version"] == 1


def test_links_are_the_same_after_a_restart(make_video: Any, clock: FakeClock) -> None:
    answers = []
    for _ in range(2):
        with TestClient(make_video(clock)) as client:
            reply = client.post("/api/v1/visits", json={"appointment": r4()}, headers=bearer())
            answers.append(reply.json()["links"])
    assert answers[0] == answers[1]


def test_an_appointment_without_any_sign_of_video_is_believed_here(plan: Plan) -> None:
    assert plan(serviceType=[])["links"]


def test_a_moved_appointment_moves_the_window_and_keeps_the_links(plan: Plan) -> None:
    before = plan()
    after = plan(start=NOON + timedelta(minutes=30))
    assert [link["join_url"] for link in after["links"]] == [link["join_url"] for link in before["links"]]
    assert datetime.fromisoformat(after["links"][0]["opens"]) == NOON + timedelta(minutes=15)
    assert after["version"] == 2


def test_an_appointment_moved_to_another_day_gets_other_links(plan: Plan, http: TestClient) -> None:
    before, after = plan(), plan(start=NOON + timedelta(days=1))
    assert after["visit"] == before["visit"]
    old = http.post("/api/v1/join", json={"handle": handle_of(before["links"][0]["join_url"])})
    assert_problem(old, 410, "join-link-revoked")
    assert after["links"][0]["join_url"] != before["links"][0]["join_url"]


def test_a_cancelled_appointment_has_no_links(plan: Plan, http: TestClient) -> None:
    before, after = plan(), plan(status="cancelled")
    assert (after["state"], after["links"]) == ("cancelled", [])
    old = http.post("/api/v1/join", json={"handle": handle_of(before["links"][0]["join_url"])})
    assert_problem(old, 410, "appointment-cancelled")


def test_a_cancelled_appointment_that_is_booked_again_gets_a_new_visit(plan: Plan) -> None:
    first, _, third = plan(), plan(status="cancelled"), plan()
    assert third["visit"] != first["visit"]
    assert third["links"]


@pytest.mark.parametrize("changes", [{"status": "cancelled"}, {"start": NOON - timedelta(hours=2)}])
def test_no_visit_comes_of_what_is_over_or_cancelled(http: TestClient, changes: dict[str, Any]) -> None:
    reply = http.post("/api/v1/visits", json={"appointment": r4(**changes)}, headers=bearer())
    assert_problem(reply, 403, "no-visit")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("wrong"),
        bearer(""),
        {"Authorization": KEY},
        {"Authorization": f"Basic {KEY}"},
        bearer(KEY[:-1]),
    ],
)
def test_without_the_key_there_is_nothing(standing: TestClient, headers: dict[str, str]) -> None:
    reply = standing.post("/api/v1/visits", json={"appointment": r4()}, headers=headers)
    problem = assert_problem(reply, 401, "api-key-invalid")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert KEY not in json.dumps(problem)


def test_the_key_says_which_practice_it_is(plan: Plan, http: TestClient) -> None:
    own, other = plan(), plan(key=OTHER_KEY)
    assert own["visit"] != other["visit"]
    reply = http.post(f"/api/v1/visits/{own['visit']}/links", headers=bearer(OTHER_KEY))
    assert_problem(reply, 404, "visit-unknown")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "request-invalid"),
        (b"{", 400, "not-json"),
        (b"\xff\xfe", 400, "not-json"),
        (b'{"appointment": ' + b"[" * 100_000, 400, "not-json"),
        (b"[]", 400, "request-invalid"),
        (b'"text"', 400, "request-invalid"),
        (b"null", 400, "request-invalid"),
        (b"{}", 400, "request-invalid"),
        (b'{"appointment": null}', 400, "request-invalid"),
        (b'{"appointment": []}', 400, "request-invalid"),
        (b'{"appointment": {"a": NaN}}', 400, "request-invalid"),
        (b'{"appointment": {"a": "\\ud800"}}', 400, "request-invalid"),
        (b'{"appointment": {}, "fhirVersion": "R4"}', 400, "request-invalid"),
        (b'{"appointment": {}, "\\ud800": 1}', 400, "request-invalid"),
        (b'{"appointment": {}}', 422, "wrong-resource-type"),
        (b'{"appointment": {"resourceType": "Patient"}}', 422, "wrong-resource-type"),
    ],
)
def test_bodies_that_are_no_request_are_told_apart(
    standing: TestClient, body: bytes, status: int, code: str
) -> None:
    headers = bearer() | {"Content-Type": "application/json"}
    assert_problem(standing.post("/api/v1/visits", content=body, headers=headers), status, code)


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"id": None}, "appointment-without-id", "Appointment.id"),
        ({"status": "maybe"}, "appointment-status-unknown", "Appointment.status"),
        ({"start": None}, "appointment-without-time", "Appointment.start"),
        ({"start": "soon"}, "appointment-time-invalid", "Appointment.start"),
        ({"end": "2020-01-01T00:00:00Z"}, "appointment-time-invalid", "Appointment.end"),
        ({"participant": []}, "appointment-without-participant", "Appointment.participant"),
        ({"participant": None}, "appointment-without-participant", "Appointment.participant"),
    ],
)
def test_what_an_appointment_lacks_is_named_with_its_fhirpath(
    standing: TestClient, changes: dict[str, Any], code: str, path: str
) -> None:
    body = {"appointment": r4() | changes}
    problem = assert_problem(standing.post("/api/v1/visits", json=body, headers=bearer()), 422, code)
    assert path in [issue["path"] for issue in problem["issues"]]


@pytest.mark.parametrize("release", ["R3", "r4", "", "DSTU2", "R4\n"])
def test_releases_that_are_not_known_are_refused(standing: TestClient, release: str) -> None:
    body = {"appointment": r4(), "fhir_version": release}
    problem = standing.post("/api/v1/visits", json=body, headers=bearer())
    assert_problem(problem, 422, "release-unsupported")


def test_a_body_of_two_mebibytes_is_refused_however_it_comes(standing: TestClient) -> None:
    body = b'{"appointment": {"comment": "' + b"x" * (2 * 1024 * 1024) + b'"}}'
    headers = bearer() | {"Content-Type": "application/json"}
    whole = standing.post("/api/v1/visits", content=body, headers=headers)
    pieces = (body[i : i + 65536] for i in range(0, len(body), 65536))
    chunked = standing.post("/api/v1/visits", content=pieces, headers=headers)
    for reply in (whole, chunked):
        assert_problem(reply, 413, "message-too-big")


def test_deep_nesting_in_an_unknown_element_harms_nobody(http: TestClient) -> None:
    for depth in (50, 190, 250, 400, 900, 5000):
        nested = "[" * depth + "]" * depth
        body = json.dumps({"appointment": r4(note="@")}).replace('"@"', nested)
        headers = bearer() | {"Content-Type": "application/json"}
        reply = http.post("/api/v1/visits", content=body, headers=headers)
        assert reply.status_code == (200 if depth < 200 else 400)
        if reply.status_code == 400:
            assert reply.json()["code"] in ("not-json", "request-invalid")


def test_new_links_make_the_old_ones_useless(plan: Plan, http: TestClient) -> None:
    planned = plan()
    reply = http.post(f"/api/v1/visits/{planned['visit']}/links", headers=bearer())
    assert reply.status_code == 200
    fresh = reply.json()
    old = [handle_of(link["join_url"]) for link in planned["links"]]
    new = [handle_of(link["join_url"]) for link in fresh["links"]]
    assert not set(old) & set(new)
    for handle in old:
        assert_problem(http.post("/api/v1/join", json={"handle": handle}), 410, "join-link-revoked")
    for handle in new:
        assert http.post("/api/v1/join", json={"handle": handle}).status_code == 200


def test_new_links_are_for_the_practice_itself_and_for_a_visit_that_is_not_over(
    plan: Plan, http: TestClient
) -> None:
    assert_problem(http.post("/api/v1/visits/none/links", headers=bearer()), 404, "visit-unknown")
    planned = plan()
    path = f"/api/v1/visits/{planned['visit']}/links"
    assert_problem(http.post(path), 401, "api-key-invalid")
    assert_problem(http.post(path, headers=bearer(planned["grant"])), 401, "api-key-invalid")
    plan(status="cancelled")
    assert_problem(http.post(path, headers=bearer()), 409, "visit-state")


def test_the_grant_of_the_list_opens_each_visit_of_the_practice_and_no_other(
    plan: Plan, http: TestClient
) -> None:
    own, other = plan(), plan(key=OTHER_KEY)
    path = "/api/v1/visits/{}/grant"
    entered = http.post(path.format(own["visit"]), headers=bearer(own["grant"]))
    assert entered.status_code == 200
    assert set(entered.json()) == {"grant", "expires", "signalling"}
    for visit, token, status, code in (
        (other["visit"], own["grant"], 404, "visit-unknown"),
        ("none", own["grant"], 404, "visit-unknown"),
        (own["visit"], entered.json()["grant"], 404, "visit-unknown"),
        (own["visit"], KEY, 401, "grant-invalid"),
        (own["visit"], "", 401, "grant-invalid"),
    ):
        assert_problem(http.post(path.format(visit), headers=bearer(token)), status, code)


def test_the_key_alone_gives_a_grant_for_the_list(plan: Plan, http: TestClient) -> None:
    planned, other = plan(), plan(key=OTHER_KEY)
    reply = http.post("/api/v1/grant", headers=bearer())
    assert set(reply.json()) == {"grant", "expires", "signalling"}
    path = "/api/v1/visits/{}/grant"
    headers = bearer(reply.json()["grant"])
    assert http.post(path.format(planned["visit"]), headers=headers).status_code == 200
    assert http.post(path.format(other["visit"]), headers=headers).status_code == 404
    for key in ("", "wrong", planned["grant"]):
        assert_problem(http.post("/api/v1/grant", headers=bearer(key)), 401, "api-key-invalid")


def test_the_grant_of_the_list_expires(plan: Plan, http: TestClient, clock: FakeClock) -> None:
    planned = plan()
    clock.advance(minutes=10)
    path = f"/api/v1/visits/{planned['visit']}/grant"
    assert_problem(http.post(path, headers=bearer(planned["grant"])), 401, "grant-expired")


def test_a_cancellation_without_times_is_refused_and_yet_revokes_the_links(http: TestClient) -> None:
    links = http.post("/api/v1/visits", json={"appointment": r4()}, headers=bearer()).json()["links"]
    bare = {"resourceType": "Appointment", "id": r4()["id"], "status": "cancelled"}
    refused = http.post("/api/v1/visits", json={"appointment": bare}, headers=bearer())
    assert_problem(refused, 422, "appointment-without-time")
    handle = links[0]["join_url"].partition("#")[2]
    assert http.post("/api/v1/join", json={"handle": handle}).status_code == 410
