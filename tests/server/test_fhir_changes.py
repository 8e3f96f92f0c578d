"""Create, conditional create and update, delete, and what comes back (hl7.org/fhir/http.html)."""

import gzip
import json
import logging
import re
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient
from tests.server.conftest import OTHER_KEY, PATIENT_NAME, XVER, bearer, handle_of, r4, r5
from tests.server.draining import drained
from tests.server.test_fhir_face import RELEASES, assert_outcome, link_in, put

from vsdk.adapters.scheduling.fhir.strict import issues
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.participant import Role
from vsdk.testing.factories import NOON

BASE = "http://localhost:8000/fhir"
IDENTIFIED: dict[str, Any] = {"identifier": [{"system": "urn:pms", "value": "17"}]}


def post(http: TestClient, resource: Any, release: str = "R4", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.post(f"/fhir/{release}/Appointment", json=resource, headers=bearer() | named)


def get(http: TestClient, id_: str = "a1", release: str = "R4", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.get(f"/fhir/{release}/Appointment/{id_}", headers=bearer() | named)


def delete(http: TestClient, id_: str = "a1", release: str = "R4", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.delete(f"/fhir/{release}/Appointment/{id_}", headers=bearer() | named)


def join(http: TestClient, link: str) -> Any:
    return http.post("/api/v1/join", json={"handle": handle_of(link)})


# create


@RELEASES
def test_who_has_no_id_yet_gets_one(http: TestClient, release: str, make: Any) -> None:
    resource = {k: v for k, v in make().items() if k != "id"}
    reply = post(http, resource, release)
    assert (reply.status_code, reply.headers["etag"]) == (201, 'W/"1"')
    created = reply.json()
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{21}", created["id"])
    assert reply.headers["location"] == f"{BASE}/{release}/Appointment/{created['id']}"
    assert issues(created, release) == []
    assert link_in(created)
    assert get(http, created["id"], release).json() == created


def test_an_id_that_is_given_at_creation_is_replaced(http: TestClient) -> None:
    ids = {post(http, r4("a1")).json()["id"] for _ in range(3)}
    assert len(ids) == 3
    assert "a1" not in ids


@pytest.mark.parametrize("id_", ["a b", "ä/ö?#", "x" * 60, "50%"])
def test_an_update_creates_and_says_where(http: TestClient, id_: str) -> None:
    reply = http.put(f"/fhir/R4/Appointment/{quote(id_, safe='')}", json=r4(id_), headers=bearer())
    if "/" in id_:
        assert_outcome(reply, 404, "not-found")
        return
    assert reply.status_code == 201
    where = reply.headers["location"].removeprefix("http://localhost:8000")
    assert http.get(where, headers=bearer()).json()["id"] == id_


def test_what_exists_already_is_not_created_again(http: TestClient) -> None:
    first = post(http, r4(**IDENTIFIED), If_None_Exist="identifier=urn:pms|17")
    again = post(http, r4(description="other", **IDENTIFIED), If_None_Exist="identifier=urn:pms|17")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    "condition", ["identifier=urn:a?b|17", "?identifier=urn:a?b|17", f"{BASE}/R4/Appointment?identifier=17"]
)
def test_criteria_may_have_an_address_before_them(http: TestClient, condition: str) -> None:
    resource = r4(identifier=[{"system": "urn:a?b", "value": "17"}])
    replies = [post(http, resource, If_None_Exist=condition) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 200]


def test_criteria_in_the_address_of_a_create_are_heeded(http: TestClient) -> None:
    """fhirpy asks so (``get_or_create``)."""
    address = "/fhir/R4/Appointment?identifier=urn:pms|17&_format=json"
    replies = [http.post(address, json=r4(**IDENTIFIED), headers=bearer()) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 200]
    unconditional = [
        http.post("/fhir/R4/Appointment?_format=json", json=r4(), headers=bearer()) for _ in "12"
    ]
    assert [reply.status_code for reply in unconditional] == [201, 201]


def test_criteria_that_fit_several_or_say_nothing_are_refused(http: TestClient) -> None:
    post(http, r4(**IDENTIFIED))
    post(http, r4(**IDENTIFIED))
    assert_outcome(post(http, r4(), If_None_Exist="identifier=17"), 412, "multiple-matches")
    assert_outcome(post(http, r4(), If_None_Exist=""), 400, "criteria-missing")
    assert_outcome(post(http, r4(), If_None_Exist="_count=1"), 400, "criteria-missing")
    assert_outcome(post(http, r4(), If_None_Exist="room=1"), 400, "search-parameter-unknown")
    assert_outcome(post(http, r4(), If_None_Exist="date=soon"), 400, "search-value-invalid")


def test_what_cannot_become_a_visit_is_not_created(http: TestClient) -> None:
    outcome = assert_outcome(post(http, r4(status="maybe")), 422, "appointment-status-unknown")
    assert outcome["issue"][0]["expression"] == ["Appointment.status"]
    assert http.get("/fhir/R4/Appointment", headers=bearer()).json()["total"] == 0


# update


def test_the_criteria_of_an_update_name_none_one_or_several(http: TestClient) -> None:
    address = "/fhir/R4/Appointment?identifier=urn:pms|17"
    without_id = {k: v for k, v in r4(**IDENTIFIED).items() if k != "id"}
    first = http.put(address, json=without_id, headers=bearer())
    assert first.status_code == 201
    again = http.put(address, json=without_id | {"description": "new"}, headers=bearer())
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"2"')
    assert (again.json()["id"], again.json()["description"]) == (first.json()["id"], "new")
    assert link_in(again.json()) == link_in(first.json())
    assert_outcome(
        http.put(address, json=r4("other", **IDENTIFIED), headers=bearer()), 422, "appointment-id-mismatch"
    )
    post(http, r4(**IDENTIFIED))
    assert_outcome(http.put(address, json=without_id, headers=bearer()), 412, "multiple-matches")
    assert_outcome(http.put("/fhir/R4/Appointment", json=r4(), headers=bearer()), 400, "criteria-missing")


def test_an_update_by_criteria_that_fit_nothing_keeps_the_id_that_was_given(http: TestClient) -> None:
    reply = http.put("/fhir/R4/Appointment?identifier=17", json=r4("mine", **IDENTIFIED), headers=bearer())
    assert (reply.status_code, reply.headers["location"]) == (201, f"{BASE}/R4/Appointment/mine")


def test_an_update_by_criteria_changes_nothing_that_does_not_fit_them(http: TestClient) -> None:
    put(http, "R4", r4(**IDENTIFIED))
    address = "/fhir/R4/Appointment?identifier=urn:pms|18"
    reply = http.put(address, json=r4(description="new"), headers=bearer())
    assert_outcome(reply, 409, "appointment-id-taken")
    assert "description" not in get(http).json()


def test_one_of_several_tags_may_be_the_current_one(http: TestClient) -> None:
    put(http, "R4", r4())
    assert put(http, "R4", r4(description="x"), If_Match='W/"7", W/"1"').headers["etag"] == 'W/"2"'
    assert put(http, "R4", r4(description="y"), If_Match='"2"').headers["etag"] == 'W/"3"'
    assert put(http, "R4", r4(description="z"), If_Match="3").headers["etag"] == 'W/"4"'
    assert_outcome(put(http, "R4", r4(), If_Match='W/"1", W/"3"'), 412, "version-mismatch")


def test_a_star_means_that_it_must_exist_or_must_not(http: TestClient) -> None:
    assert_outcome(put(http, "R4", r4(), If_Match="*"), 412, "version-mismatch")
    assert put(http, "R4", r4(), If_None_Match="*").status_code == 201
    assert_outcome(put(http, "R4", r4(), If_None_Match="*"), 412, "version-mismatch")
    assert put(http, "R4", r4(description="x"), If_Match="*").headers["etag"] == 'W/"2"'


def test_the_own_link_is_not_kept_with_the_appointment(http: TestClient, video: Any) -> None:
    first = put(http, "R4", r4()).json()
    put(http, "R4", first | {"description": "x"})
    kept = http.portal.call(video.store.appointment, "park", "a1")  # type: ignore[union-attr]
    assert kept.sourced.original == r4(description="x")
    assert kept.version == 2


# read


def test_a_read_tells_version_and_time_and_can_be_spared(http: TestClient) -> None:
    put(http, "R4", r4())
    reply = get(http)
    assert reply.headers["last-modified"] == "Mon, 02 Mar 2026 12:00:00 GMT"
    for tag in ('W/"1"', '"1"', 'W/"7", W/"1"', "*"):
        spared = get(http, If_None_Match=tag)
        assert (spared.status_code, spared.content, spared.headers["etag"]) == (304, b"", 'W/"1"')
    for tag in ('W/"2"', "1", "", "x"):
        assert get(http, If_None_Match=tag).status_code == 200


def test_a_link_that_was_replaced_is_never_spared(http: TestClient) -> None:
    planned = http.post("/api/v1/visits", json={"appointment": r4()}, headers=bearer()).json()
    before = link_in(get(http).json())
    assert get(http, If_None_Match='W/"1"').status_code == 304
    http.post(f"/api/v1/visits/{planned['visit']}/links", headers=bearer())
    after = get(http, If_None_Match='W/"1"')
    assert after.status_code == 200
    assert link_in(after.json()) not in (None, before)


def test_head_works_like_get(http: TestClient) -> None:
    put(http, "R4", r4())
    for path in ("Appointment/a1", "Appointment?_id=a1", "metadata"):
        head = http.head(f"/fhir/R4/{path}", headers=bearer())
        full = http.get(f"/fhir/R4/{path}", headers=bearer())
        assert (head.status_code, head.headers) == (200, full.headers)
    assert http.head("/fhir/R4/Appointment/none", headers=bearer()).status_code == 404


async def test_head_has_no_body_on_the_wire(server: Any) -> None:
    await server.http.put("/fhir/R4/Appointment/a1", json=r4(), headers=bearer())
    reply = await server.http.head("/fhir/R4/Appointment/a1", headers=bearer())
    assert (reply.status_code, reply.content, reply.headers["etag"]) == (200, b"", 'W/"1"')


# delete


def test_a_deleted_appointment_is_gone_and_so_are_its_links(http: TestClient) -> None:
    link = link_in(put(http, "R4", r4()).json()) or ""
    reply = delete(http)
    assert (reply.status_code, reply.content) == (204, b"")
    assert_outcome(get(http), 410, "appointment-deleted")
    assert get(http).json()["issue"][0]["code"] == "deleted"
    assert join(http, link).status_code == 410
    assert delete(http).status_code == 204
    assert_outcome(get(http), 410, "appointment-deleted")
    patch = http.patch(
        "/fhir/R4/Appointment/a1",
        json=[{"op": "add", "path": "/x", "value": 1}],
        headers=bearer() | {"Content-Type": "application/json-patch+json"},
    )
    assert_outcome(patch, 410, "appointment-deleted")


@pytest.mark.parametrize("changes", [{}, {"description": "other"}])
def test_a_put_brings_back_what_was_deleted_with_a_new_link(
    http: TestClient, changes: dict[str, Any]
) -> None:
    old = link_in(put(http, "R4", r4()).json()) or ""
    delete(http)
    back = put(http, "R4", r4(**changes))
    assert (back.status_code, back.headers["etag"]) == (201, 'W/"4"')
    assert back.headers["location"].endswith("/Appointment/a1")
    new = link_in(back.json()) or ""
    assert new
    assert new != old
    assert join(http, old).status_code == 410
    assert get(http).status_code == 200


def test_a_cancellation_that_says_no_more_than_that_revokes_the_links(http: TestClient) -> None:
    """``start`` and ``end`` may be missing then (app-3); said twice, it is the same."""
    link = link_in(put(http, "R4", r4()).json()) or ""
    bare = {"resourceType": "Appointment", "id": "a1", "status": "cancelled"}
    for _ in range(2):
        reply = put(http, "R4", bare)
        assert (reply.status_code, reply.json()["status"]) == (200, "cancelled")
        assert "start" not in reply.json()
    assert join(http, link).status_code == 410
    assert put(http, "R4", bare | {"id": "new"}).status_code == 422, "of that one, nothing is known"


def test_what_was_never_there_is_deleted_too(http: TestClient) -> None:
    assert delete(http, "nothing").status_code == 204
    assert_outcome(get(http, "nothing"), 404, "appointment-unknown")


def test_a_version_can_be_asked_for_when_deleting(http: TestClient) -> None:
    put(http, "R4", r4())
    put(http, "R4", r4(description="x"))
    assert_outcome(delete(http, If_Match='W/"1"'), 412, "version-mismatch")
    assert get(http).status_code == 200
    assert delete(http, If_Match='W/"2"').status_code == 204
    assert_outcome(put(http, "R4", r4(), If_Match="*"), 412, "version-mismatch")


def test_only_the_own_release_is_deleted(http: TestClient) -> None:
    put(http, "R5", r5())
    assert delete(http, release="R4").status_code == 204
    assert get(http, release="R5").status_code == 200


def test_people_who_talk_when_it_is_deleted_go_on_to_the_end(http: TestClient, video: Any) -> None:
    call = http.portal.call  # type: ignore[union-attr]
    link = link_in(put(http, "R4", r4()).json()) or ""
    visit = call(video.store.visit_of, "park", "a1")
    call(video.visits.arrive, visit.id, "p1")
    call(video.visits.admit, visit.id, "p1", Role.PRACTITIONER)
    assert delete(http).status_code == 204
    assert call(video.visits.get, visit.id).state.value == "admitted"
    assert join(http, link).status_code == 410
    call(video.visits.hang_up, visit.id, Role.PRACTITIONER)
    call(drained, video)
    assert_outcome(get(http), 410, "appointment-deleted")


def test_a_source_that_says_the_same_later_does_not_bring_it_back(http: TestClient, video: Any) -> None:
    put(http, "R4", r4())
    delete(http)
    http.portal.call(video.scheduling.vanished, "park", "a1")  # type: ignore[union-attr]
    assert_outcome(get(http), 410, "appointment-deleted")


# what comes back


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_change_answers_as_the_caller_prefers(http: TestClient, method: str) -> None:
    path = "/fhir/R4/Appointment" + ("/a1" if method == "PUT" else "")

    def change(prefer: str) -> Any:
        return http.request(method, path, json=r4(), headers=bearer() | {"Prefer": prefer})

    minimal = change("return=minimal")
    assert (minimal.status_code, minimal.content, minimal.headers["etag"]) == (201, b"", 'W/"1"')
    assert minimal.headers["location"]
    outcome = change('handling=lenient; return="OperationOutcome"').json()
    assert (outcome["resourceType"], outcome["issue"][0]["severity"]) == ("OperationOutcome", "information")
    for prefer in ("return=representation", "", "return=everything"):
        assert link_in(change(prefer).json())


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("", 200),
        ("*/*", 200),
        ("application/fhir+json", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/fhir+json;fhirversion=5.0", 406),
        ("application/json;charset=utf-8", 200),
        ("application/*", 200),
        ("text/html, application/xml;q=0.9, */*;q=0.8", 200),
        ("application/fhir+xml, application/json;q=0.1", 200),
        ("application/fhir+xml", 406),
        ("text/html", 406),
        ("application/json;q=0", 406),
        (";;;,,,=", 406),
    ],
)
def test_answers_are_json_or_refused(http: TestClient, accept: str, status: int) -> None:
    put(http, "R4", r4())
    for path in ("Appointment/a1", "Appointment", "metadata"):
        reply = http.get(f"/fhir/R4/{path}", headers=bearer() | {"Accept": accept})
        assert reply.status_code == status
        if status == 406:
            assert_outcome(reply, 406, "format-not-offered")


def test_headers_may_come_in_several_lines(http: TestClient) -> None:
    put(http, "R4", r4())
    address, key = "/fhir/R4/Appointment/a1", *bearer().items()
    accept = [key, ("Accept", "application/fhir+xml"), ("Accept", "application/fhir+json")]
    assert http.get(address, headers=accept).status_code == 200
    tags = [key, ("If-None-Match", 'W/"7"'), ("If-None-Match", 'W/"1"')]
    assert http.get(address, headers=tags).status_code == 304
    changing = [key, ("If-Match", 'W/"7"'), ("If-Match", 'W/"1"')]
    assert http.put(address, json=r4(description="x"), headers=changing).status_code == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("json", 200),
        ("application/fhir%2Bjson", 200),
        ("application/fhir+json", 200),
        ("xml", 406),
        ("ttl", 406),
    ],
)
def test_the_format_in_the_address_goes_before_the_header(http: TestClient, name: str, status: int) -> None:
    put(http, "R4", r4())
    accept = "application/fhir+xml" if status == 200 else "application/fhir+json"
    headers = bearer() | {"Accept": accept}
    assert http.get(f"/fhir/R4/Appointment/a1?_format={name}", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("type_", "release", "status"),
    [
        ("application/fhir+json", "R4", 201),
        ("application/json; charset=UTF-8", "R4", 201),
        ('application/fhir+json; fhirVersion="4.0"', "R4", 201),
        ("application/fhir+json; fhirVersion=4.3", "R4B", 201),
        ("application/fhir+json; fhirVersion=4.3", "R4", 415),
        ("application/fhir+json; fhirVersion=5.0", "R4", 415),
        ("application/fhir+json; charset=latin-1", "R4", 415),
        ("application/fhir+xml", "R4", 415),
        ("text/plain", "R4", 415),
        ("application/json-patch+json", "R4", 415),
        ("", "R4", 201),
    ],
)
def test_bodies_are_of_the_release_of_the_address(
    http: TestClient, type_: str, release: str, status: int
) -> None:
    content = json.dumps(r4()).encode()
    headers = bearer() | {"Content-Type": type_}
    reply = http.put(f"/fhir/{release}/Appointment/a1", content=content, headers=headers)
    assert reply.status_code == status
    if status == 415:
        assert_outcome(reply, 415, "media-type")


def test_compressed_bodies_are_refused_for_what_they_are(http: TestClient) -> None:
    headers = bearer() | {"Content-Type": "application/fhir+json", "Content-Encoding": "gzip"}
    content = gzip.compress(json.dumps(r4()).encode())
    reply = http.put("/fhir/R4/Appointment/a1", content=content, headers=headers)
    assert_outcome(reply, 415, "media-type")
    headers["Content-Encoding"] = "identity"
    plain = http.put("/fhir/R4/Appointment/a1", content=json.dumps(r4()).encode(), headers=headers)
    assert plain.status_code == 201


def test_stu3_is_spoken_too(http: TestClient) -> None:
    reply = put(http, "STU3", r4())
    assert reply.status_code == 201
    assert link_in(reply.json())
    assert_outcome(get(http, release="R4"), 404, "appointment-unknown")
    assert get(http, release="STU3").json() == reply.json()


def test_nobody_changes_what_belongs_to_another_practice(http: TestClient, video: Any) -> None:
    mine = put(http, "R4", r4(**IDENTIFIED)).json()
    theirs = bearer(OTHER_KEY)
    assert http.delete("/fhir/R4/Appointment/a1", headers=theirs).status_code == 204
    patch = [{"op": "replace", "path": "/status", "value": "cancelled"}]
    headers = theirs | {"Content-Type": "application/json-patch+json"}
    assert_outcome(
        http.patch("/fhir/R4/Appointment/a1", json=patch, headers=headers), 404, "appointment-unknown"
    )
    by_criteria = http.put("/fhir/R4/Appointment?identifier=17", json=r4("b1", **IDENTIFIED), headers=theirs)
    assert by_criteria.status_code == 201
    exists = {"If-None-Exist": "_id=a1"}
    assert http.post("/fhir/R4/Appointment", json=r4(), headers=theirs | exists).status_code == 201
    assert http.put("/fhir/R4/Appointment/a1", json=r4(), headers=theirs).status_code == 201
    assert get(http).json() == mine
    assert http.get("/fhir/R4/Appointment", headers=bearer()).json()["total"] == 1


def test_names_and_links_are_in_no_log_header_or_error(
    http: TestClient, video: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    link = link_in(put(http, "R4", r4()).json()) or ""
    named = r4("a2", description=f"{PATIENT_NAME} {link}", status=PATIENT_NAME)
    entries = [
        {"request": {"method": "PUT", "url": f"Appointment/{PATIENT_NAME}"}, "resource": named},
        {"request": {"method": PATIENT_NAME, "url": PATIENT_NAME}, "fullUrl": PATIENT_NAME},
        {"request": {"method": "GET", "url": f"Appointment?date={PATIENT_NAME}"}},
        {"request": {"method": "GET", "url": f"Appointment?_count=0&{PATIENT_NAME}={PATIENT_NAME}"}},
    ]

    def send(type_: str) -> Any:
        bundle = {"resourceType": "Bundle", "type": type_, "entry": entries}
        return http.post("/fhir/R4", json=bundle, headers=bearer())

    patch = json.dumps([{"op": "test", "path": f"/{PATIENT_NAME}", "value": link}]).encode()
    type_ = {"Content-Type": "application/json-patch+json"}
    replies = [
        put(http, "R4", named, "a2"),
        post(http, named, If_None_Exist=f"date={PATIENT_NAME}"),
        http.get(f"/fhir/R4/Appointment?date={PATIENT_NAME}", headers=bearer()),
        http.patch("/fhir/R4/Appointment/a1", content=patch, headers=bearer() | type_),
        send("batch"),
        send("transaction"),
        delete(http),
        get(http),
    ]

    async def crash(*_: Any, **__: Any) -> None:
        raise ValueError(PATIENT_NAME + link)

    monkeypatch.setattr(video.scheduling, "schedule", crash)
    entries[:] = [{"request": {"method": "PUT", "url": "Appointment/a1"}, "resource": r4()}]
    replies += [put(http, "R4", r4()), send("batch"), send("transaction")]
    assert [r.status_code for r in replies] == [422, 400, 400, 422, 200, 404, 204, 410, 500, 200, 500]
    ours = "".join(r.getMessage() + str(r.exc_text) for r in caplog.records if r.name.startswith("vsdk"))
    said = "".join(r.text + str(r.headers) for r in replies) + ours
    for secret in (PATIENT_NAME, "Sommerfeld", handle_of(link), "171 3920001"):
        assert secret not in said


def test_the_status_that_was_reported_by_us_survives_a_patch(http: TestClient, video: Any) -> None:
    put(http, "R4", r4())
    call = http.portal.call  # type: ignore[union-attr]
    visit = call(video.store.visit_of, "park", "a1")
    call(video.visits.arrive, visit.id, "p1")
    call(drained, video)
    patch = [{"op": "add", "path": "/description", "value": "x"}]
    headers = bearer() | {"Content-Type": "application/json-patch+json"}
    reply = http.patch("/fhir/R4/Appointment/a1", json=patch, headers=headers)
    assert (reply.status_code, reply.json()["status"]) == (200, AppointmentStatus.ARRIVED.value)
    assert call(video.visits.get, visit.id).state.value == "waiting"
    assert XVER in str(reply.json())
    assert reply.json()["start"] == NOON.isoformat()
