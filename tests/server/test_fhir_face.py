"""The FHIR face: update and read of Appointment, with entity tags (hl7.org/fhir/http.html)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.conftest import OTHER_KEY, XVER, bearer, handle_of, r4, r5
from tests.server.draining import drained

from vsdk.adapters.scheduling.fhir.strict import issues
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeClock

RELEASES = pytest.mark.parametrize(("release", "make"), [("R4", r4), ("R4B", r4), ("R5", r5)])


def put(http: TestClient, release: str, resource: Any, id_: str = "a1", **headers: str) -> Any:
    content = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    all_headers = {**bearer(), "Content-Type": "application/fhir+json", **named}
    return http.put(f"/fhir/{release}/Appointment/{id_}", content=content, headers=all_headers)


def link_in(resource: dict[str, Any]) -> str | None:
    """The video link of an Appointment, wherever its release has it."""
    for service in resource.get("virtualService", []):
        return str(service["addressUrl"])
    for extension in resource.get("extension", []):
        if extension["url"] == XVER:
            address = next(e for e in extension["extension"] if e["url"] == "address")
            return str(address.get("valueUrl") or address["valueUri"])
    return None


def assert_outcome(reply: Any, status: int, code: str) -> dict[str, Any]:
    assert (reply.status_code, reply.headers["content-type"]) == (
        status,
        "application/fhir+json; charset=utf-8",
    )
    outcome: dict[str, Any] = reply.json()
    assert outcome["resourceType"] == "OperationOutcome"
    for issue in outcome["issue"]:
        assert issue["severity"] == "error"
        assert issue["code"]
        assert issue["details"]["coding"] == [{"system": "urn:vsdk:error", "code": code}]
    return outcome


@RELEASES
def test_what_is_put_comes_back_with_its_link_and_is_valid_fhir(
    http: TestClient, release: str, make: Any
) -> None:
    reply = put(http, release, make())
    assert (reply.status_code, reply.headers["etag"]) == (201, 'W/"1"')
    assert reply.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    resource = reply.json()
    assert issues(resource, release) == []
    assert link_in(resource)
    unlinked = {k: v for k, v in resource.items() if k not in ("extension", "virtualService", "meta")}
    assert unlinked == make()
    assert resource["meta"] == {"versionId": "1", "lastUpdated": "2026-03-02T12:00:00.000Z"}


def test_decimals_keep_their_precision(http: TestClient) -> None:
    text = json.dumps(r4(extension=[{"url": "https://pms.example/fee", "valueDecimal": 12345}]))
    for precise in ("21.50", "12345678901234567890.123", "1e2"):
        reply = put(http, "R4", text.replace("12345", precise).encode())
        assert f'"valueDecimal":{precise}}}' in reply.text
        assert http.get("/fhir/R4/Appointment/a1", headers=bearer()).text == reply.text


@RELEASES
def test_the_link_is_the_patients_and_nobody_elses(http: TestClient, release: str, make: Any) -> None:
    text = put(http, release, make()).text
    assert text.count("/j#") == 1
    handle = handle_of(link_in(json.loads(text)) or "")
    assert http.post("/api/v1/join/preview", json={"handle": handle}).json()["role"] == "patient"


@RELEASES
def test_a_change_raises_the_entity_tag(http: TestClient, release: str, make: Any) -> None:
    first = put(http, release, make())
    second = put(http, release, make(description="later"), If_Match='W/"1"')
    assert (second.status_code, second.headers["etag"]) == (200, 'W/"2"')
    assert link_in(second.json()) == link_in(first.json())
    read = http.get(f"/fhir/{release}/Appointment/a1", headers=bearer())
    assert (read.status_code, read.headers["etag"]) == (200, 'W/"2"')
    assert read.json() == second.json()


@pytest.mark.parametrize("tag", ['W/"1"', 'W/"3"', '"x"', "W/", "1,2", 'W/"99999999999999999999"'])
def test_a_tag_that_does_not_match_stops_the_change(http: TestClient, tag: str) -> None:
    put(http, "R4", r4())
    put(http, "R4", r4(description="someone else was faster"))
    assert_outcome(put(http, "R4", r4(description="mine"), If_Match=tag), 412, "version-mismatch")
    kept = http.get("/fhir/R4/Appointment/a1", headers=bearer())
    assert (kept.headers["etag"], kept.json()["description"]) == ('W/"2"', "someone else was faster")


def test_a_tag_for_what_does_not_exist_stops_the_creation(http: TestClient) -> None:
    assert_outcome(put(http, "R4", r4(), If_Match='W/"1"'), 412, "version-mismatch")
    assert_outcome(http.get("/fhir/R4/Appointment/a1", headers=bearer()), 404, "appointment-unknown")


def test_unknown_elements_and_foreign_extensions_survive(http: TestClient) -> None:
    foreign = {"url": "https://pms.example/extension", "valueString": "kept"}
    reply = put(http, "R4", r4(extension=[foreign], unheardOf={"deep": [1, None, 1.5]}))
    resource = reply.json()
    assert foreign in resource["extension"]
    assert resource["unheardOf"] == {"deep": [1, None, 1.5]}


def test_putting_back_what_was_answered_changes_nothing(http: TestClient) -> None:
    first = put(http, "R5", r5())
    again = put(http, "R5", first.json())
    assert (again.status_code, again.headers["etag"], again.json()) == (200, 'W/"1"', first.json())


def test_a_small_move_keeps_the_link_and_moves_its_window(http: TestClient) -> None:
    before = link_in(put(http, "R4", r4()).json()) or ""
    after = link_in(put(http, "R4", r4(start=NOON + timedelta(minutes=30))).json())
    assert after == before
    preview = http.post("/api/v1/join/preview", json={"handle": handle_of(before)}).json()
    assert (preview["opens"], preview["problem"]) == ("2026-03-02T12:15:00Z", "join-link-early")


def test_a_move_to_another_day_replaces_the_link(http: TestClient) -> None:
    before = link_in(put(http, "R4", r4()).json()) or ""
    after = link_in(put(http, "R4", r4(start=NOON + timedelta(days=2))).json())
    assert after
    assert after != before
    preview = http.post("/api/v1/join/preview", json={"handle": handle_of(before)}).json()
    assert preview["problem"] == "join-link-revoked"


@RELEASES
def test_a_cancelled_appointment_loses_its_link(http: TestClient, release: str, make: Any) -> None:
    booked = put(http, release, make()).json()
    link = link_in(booked) or ""
    cancelled = put(http, release, booked | {"status": "cancelled"})
    assert cancelled.status_code == 200
    assert link_in(cancelled.json()) is None
    assert cancelled.json()["status"] == "cancelled"
    join = http.post("/api/v1/join", json={"handle": handle_of(link)})
    assert (join.status_code, join.json()["code"]) == (410, "appointment-cancelled")


def test_what_is_no_video_visit_is_kept_without_a_link(http: TestClient) -> None:
    reply = put(http, "R4", r4(serviceType=[]))
    assert (reply.status_code, link_in(reply.json())) == (201, None)
    kept = http.get("/fhir/R4/Appointment/a1", headers=bearer()).json()
    assert kept == r4(serviceType=[], meta=reply.json()["meta"])


def test_a_visit_that_is_no_longer_by_video_loses_its_link(http: TestClient) -> None:
    link = link_in(put(http, "R4", r4()).json()) or ""
    assert link_in(put(http, "R4", r4(serviceType=[])).json()) is None
    join = http.post("/api/v1/join", json={"handle": handle_of(link)})
    assert join.status_code == 410


def test_the_id_must_be_that_of_the_address(standing: TestClient) -> None:
    outcome = assert_outcome(put(standing, "R4", r4("a2")), 422, "appointment-id-mismatch")
    assert outcome["issue"][0]["expression"] == ["Appointment.id"]


@pytest.mark.parametrize(
    ("changes", "code", "expression"),
    [
        ({"status": "maybe"}, "appointment-status-unknown", "Appointment.status"),
        ({"start": None}, "appointment-without-time", "Appointment.start"),
        ({"start": "soon"}, "appointment-time-invalid", "Appointment.start"),
        ({"participant": []}, "appointment-without-participant", "Appointment.participant"),
        ({"resourceType": "Patient"}, "wrong-resource-type", "resourceType"),
    ],
)
def test_what_is_wrong_is_named_by_a_fhirpath(
    standing: TestClient, changes: dict[str, Any], code: str, expression: str
) -> None:
    outcome = assert_outcome(put(standing, "R4", r4() | changes), 422, code)
    assert [expression] in [issue["expression"] for issue in outcome["issue"]]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not-json"),
        (b"{", 400, "not-json"),
        (b"\xff", 400, "not-json"),
        (b"[" * 100_000, 400, "not-json"),
        (b"[]", 400, "not-json-object"),
        (b"null", 400, "not-json-object"),
        (b'{"resourceType": "Appointment", "x": NaN}', 400, "not-json"),
        (b'{"resourceType": "Appointment", "x": "\\udfff"}', 400, "not-json"),
        (b"x" * (2 * 1024 * 1024), 413, "message-too-big"),
    ],
)
def test_bodies_that_are_no_resource(standing: TestClient, body: bytes, status: int, code: str) -> None:
    assert_outcome(put(standing, "R4", body), status, code)


def test_a_resource_may_be_nested_deeply_but_not_endlessly(http: TestClient) -> None:
    for depth, status in ((50, 201), (98, 200), (99, 200), (100, 400), (900, 400), (5000, 400)):
        body = json.dumps(r4(note="@")).replace('"@"', "[" * depth + "]" * depth).encode()
        assert put(http, "R4", body).status_code == status, depth
    assert http.get("/fhir/R4/Appointment/a1", headers=bearer()).status_code == 200


def test_an_unknown_release_is_refused(standing: TestClient) -> None:
    assert_outcome(put(standing, "R3", r4()), 422, "release-unsupported")


def test_an_appointment_is_read_in_its_own_release_only(http: TestClient) -> None:
    put(http, "R5", r5("five"), "five")
    put(http, "R4", r4("four"), "four")
    assert_outcome(http.get("/fhir/R4/Appointment/five", headers=bearer()), 404, "appointment-unknown")
    assert_outcome(http.get("/fhir/R5/Appointment/four", headers=bearer()), 404, "appointment-unknown")
    assert http.get("/fhir/R5/Appointment/five", headers=bearer()).status_code == 200


def test_appointments_belong_to_the_practice_of_the_key(http: TestClient) -> None:
    put(http, "R4", r4())
    other = http.get("/fhir/R4/Appointment/a1", headers=bearer(OTHER_KEY))
    assert_outcome(other, 404, "appointment-unknown")
    for reply in (
        http.get("/fhir/R4/Appointment/a1"),
        put(http, "R4", r4(), Authorization="Bearer wrong"),
    ):
        outcome = assert_outcome(reply, 401, "api-key-invalid")
        assert outcome["issue"][0]["code"] == "login"


def test_addresses_and_methods_that_do_not_exist_are_outcomes_too(standing: TestClient) -> None:
    assert_outcome(standing.get("/fhir/R4/Patient/1", headers=bearer()), 404, "not-found")
    for path, allowed in (
        ("Appointment/a1", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
        ("Appointment", {"GET", "HEAD", "POST", "PUT"}),
        ("metadata", {"GET", "HEAD"}),
    ):
        other = next(m for m in ("DELETE", "POST") if m not in allowed)
        reply = standing.request(other, f"/fhir/R4/{path}", headers=bearer())
        assert_outcome(reply, 405, "method-not-allowed")
        assert set(reply.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["", "/Appointment"])
def test_a_slash_at_the_end_of_an_address_changes_nothing(http: TestClient, path: str) -> None:
    bundle = {"resourceType": "Bundle", "type": "batch"}
    resource = {k: v for k, v in r4().items() if k != "id"} if path else bundle
    replies = [http.post(f"/fhir/R4{path}{slash}", json=resource, headers=bearer()) for slash in ("", "/")]
    assert [reply.status_code for reply in replies] == [201 if path else 200] * 2
    refused = [http.delete(f"/fhir/R4{path}{slash}", headers=bearer()) for slash in ("", "/")]
    for reply in refused:
        assert_outcome(reply, 405, "method-not-allowed")
    assert refused[0].headers["allow"] == refused[1].headers["allow"]


def test_a_slash_before_the_criteria_changes_nothing(http: TestClient) -> None:
    """hl7.org/fhir/STU3/http.html#cond-update writes them so."""
    address = "/fhir/R4/Appointment/?identifier=urn:pms|17"
    resource = {k: v for k, v in r4(identifier=[{"system": "urn:pms", "value": "17"}]).items() if k != "id"}
    assert [http.put(address, json=resource, headers=bearer()).status_code for _ in "12"] == [201, 200]
    assert http.get(address, headers=bearer()).json()["total"] == 1


def test_a_link_is_at_most_255_characters_long(http: TestClient) -> None:
    assert len(link_in(put(http, "R4", r4()).json()) or "") <= 255


def test_the_status_of_the_visit_is_in_the_appointment(
    http: TestClient, video: Any, clock: FakeClock
) -> None:
    put(http, "R4", r4())
    (visit, _), *_ = http.portal.call(video.visits.day, "park", NOON, NOON + timedelta(days=1))  # type: ignore[union-attr]
    http.portal.call(video.visits.arrive, visit.id, "p1")  # type: ignore[union-attr]
    http.portal.call(drained, video)  # type: ignore[union-attr]
    read = http.get("/fhir/R4/Appointment/a1", headers=bearer())
    assert read.json()["status"] == "arrived"
    assert issues(read.json(), "R4") == []
