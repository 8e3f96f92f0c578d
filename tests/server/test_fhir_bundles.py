"""Batches and transactions (hl7.org/fhir/http.html#transaction)."""

import base64
import json
from typing import Any

import pytest
from fhir.resources.bundle import Bundle as R5Bundle
from fhir.resources.R4B.bundle import Bundle as R4BBundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.server.conftest import OTHER_KEY, PATIENT_NAME, bearer, r4, r5
from tests.server.test_api_fuzz import ANYTHING, MARKER
from tests.server.test_fhir_face import assert_outcome, link_in, put

from vsdk.domain.errors import Conflict, Refused

Json = dict[str, Any]
UUID = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"
NEW = {k: v for k, v in r4().items() if k != "id"}


def entry(method: str, url: str, resource: Any = None, *, full_url: str = "", **request: str) -> Json:
    made: Json = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    return made | {"fullUrl": full_url} if full_url else made


def patch(*operations: Json) -> Json:
    data = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


def send(
    http: TestClient, type_: str, *entries: Any, release: str = "R4", key: str = "", **headers: str
) -> Any:
    bundle = {"resourceType": "Bundle", "type": type_, "entry": list(entries)}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    authorized = bearer(key) if key else bearer()
    return http.post(f"/fhir/{release}", json=bundle, headers=authorized | named)


def statuses(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [one["response"]["status"].split()[0] for one in reply.json()["entry"]]


def code_of(one: Json) -> str:
    return str(one["response"]["outcome"]["issue"][0]["details"]["coding"][0]["code"])


def total(http: TestClient) -> int:
    return int(http.get("/fhir/R4/Appointment", headers=bearer()).json()["total"])


def test_a_batch_does_each_entry_by_itself(http: TestClient) -> None:
    put(http, "R4", r4("a1"))
    put(http, "R4", r4("a2"), "a2")
    put(http, "R4", r4("a4"), "a4")
    reply = send(
        http,
        "batch",
        entry("PUT", "Appointment/a1", r4("a1", description="new"), ifMatch='W/"1"'),
        entry("PUT", "Appointment/a2", r4("a2", description="new"), ifMatch='W/"9"'),
        entry("POST", "Appointment", NEW),
        entry("PUT", "Appointment/a3", r4("a3", status="maybe")),
        entry("PATCH", "Appointment/a2", patch({"op": "add", "path": "/comment", "value": "x"})),
        entry("DELETE", "/Appointment/a1"),
        entry("GET", "Appointment/a1"),
        entry("GET", "http://localhost:8000/fhir/R4/Appointment/a2"),
        entry("GET", "Appointment/a4", ifNoneMatch='W/"1"'),
        entry("GET", "Appointment?_id=a2,a1"),
        entry("GET", "Patient/17"),
        entry("BREW", "Appointment/a2"),
        entry("DELETE", "Appointment?_id=a2"),
        {"fullUrl": "x"},
        None,
    )
    R4BBundle.model_validate(reply.json())
    assert reply.json()["type"] == "batch-response"
    assert statuses(reply) == (
        [
            "200",
            "412",
            "201",
            "422",
            "200",
            "204",
            "410",
            "200",
            "304",
            "200",
            "404",
            "405",
            "405",
            "400",
            "400",
        ]
    )
    answers = reply.json()["entry"]
    assert code_of(answers[1]) == "version-mismatch"
    assert answers[0]["response"]["etag"] == 'W/"2"'
    assert link_in(answers[2]["resource"])
    assert answers[2]["response"]["location"] == answers[2]["fullUrl"]
    assert answers[3]["response"]["outcome"]["issue"][0]["expression"] == ["Appointment.status"]
    assert answers[9]["resource"]["total"] == 1
    assert "resource" not in answers[8]


def test_the_answers_hold_what_the_caller_prefers(http: TestClient) -> None:
    def answered(prefer: str) -> Json:
        changes = entry("PUT", "Appointment/a1", r4("a1"))
        found: Json = send(http, "batch", changes, entry("GET", "Appointment/a1"), Prefer=prefer).json()
        assert found["entry"][1]["resource"]["id"] == "a1"
        return dict(found["entry"][0])

    assert "resource" not in answered("return=minimal")
    assert answered("return=OperationOutcome")["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert link_in(answered("return=representation")["resource"])


def test_a_batch_goes_on_after_a_crash(http: TestClient, video: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = video.scheduling.schedule

    async def crash(sourced: Any, **options: Any) -> Any:
        if sourced.appointment.id == "a1":
            raise ValueError(PATIENT_NAME)
        return await schedule(sourced, **options)

    monkeypatch.setattr(video.scheduling, "schedule", crash)
    entries = [entry("PUT", f"Appointment/{id_}", r4(id_)) for id_ in ("a1", "a2")]
    reply = send(http, "batch", *entries)
    assert statuses(reply) == ["500", "201"]
    assert PATIENT_NAME not in json.dumps(reply.json()["entry"][0])


def test_a_transaction_does_all_in_the_order_of_the_standard(http: TestClient) -> None:
    put(http, "R4", r4("a1"))
    put(http, "R4", r4("a2"), "a2")
    put(http, "R4", r4("a3"), "a3")
    reply = send(
        http,
        "transaction",
        entry("GET", "Appointment?status=booked"),
        entry("GET", "Appointment/a1"),
        entry("PATCH", "Appointment/a3", patch({"op": "replace", "path": "/status", "value": "cancelled"})),
        entry("PUT", "Appointment/a2", r4("a2", description="new"), ifMatch='W/"1"'),
        entry("POST", "Appointment", NEW),
        entry("DELETE", "Appointment/a1"),
    )
    R4BBundle.model_validate(reply.json())
    assert reply.json()["type"] == "transaction-response"
    assert statuses(reply) == ["200", "410", "200", "200", "201", "204"]
    answers = reply.json()["entry"]
    assert answers[0]["resource"]["total"] == 2
    assert answers[3]["resource"]["description"] == "new"
    assert link_in(answers[2]["resource"]) is None


REFUSED: list[tuple[Json, int, str]] = [
    (entry("PUT", "Appointment/b1", r4("b1", status="maybe")), 422, "appointment-status-unknown"),
    (entry("PUT", "Appointment/b1", r4("other")), 422, "appointment-id-mismatch"),
    (entry("PUT", "Appointment/a1", r4(), ifMatch='W/"9"'), 412, "version-mismatch"),
    (entry("PUT", "Appointment/b1", r4("b1"), ifMatch="*"), 412, "version-mismatch"),
    (entry("PATCH", "Appointment/b1", patch({"op": "remove", "path": "/x"})), 404, "appointment-unknown"),
    (entry("PATCH", "Appointment/a1", patch({"op": "remove", "path": "/x"})), 422, "patch-not-applicable"),
    (entry("PATCH", "Appointment/a1", {"resourceType": "Parameters"}), 400, "media-type"),
    (
        entry("PATCH", "Appointment/a1", patch() | {"data": "%"}),
        400,
        "bundle-invalid",
    ),
    (entry("DELETE", "Appointment/a1", ifMatch='W/"9"'), 412, "version-mismatch"),
    (entry("POST", "Appointment"), 400, "not-json-object"),
    (entry("POST", "Appointment", NEW, ifNoneExist="status=booked"), 412, "multiple-matches"),
    (entry("PUT", "Appointment?room=1", NEW), 400, "search-parameter-unknown"),
    (entry("PUT", "Appointment", NEW), 400, "criteria-missing"),
    (entry("POST", "Patient", {"resourceType": "Patient"}), 404, "resource-type-unknown"),
    (entry("POST", "http://[", NEW), 400, "bundle-invalid"),
    (entry("GET", "Appointment/a1/_history/1"), 404, "not-found"),
    (entry("POST", "Appointment/a1", NEW), 405, "method-not-allowed"),
    (entry("PUT", "Appointment/x1", r4("x1")), 400, "bundle-invalid"),
    (entry("PUT", "Appointment/c1", r4("c1"), ifMatch=5), 400, "bundle-invalid"),  # type: ignore[arg-type]
    (entry("PUT", "Appointment/c1", r4("c1", x={"reference": "Patient?id=1"})), 412, "reference-unresolved"),
    ({"request": {"url": "Appointment"}}, 400, "bundle-invalid"),
    ({"request": {"method": "POST"}}, 400, "bundle-invalid"),
]


@pytest.mark.parametrize(("bad", "status", "code"), REFUSED)
@pytest.mark.parametrize("last", [True, False])
def test_a_transaction_with_one_bad_entry_does_nothing(
    http: TestClient, video: Any, bad: Json, status: int, code: str, last: bool
) -> None:
    put(http, "R4", r4("a1"))
    put(http, "R4", r4("a2"), "a2")
    good = [entry("PUT", "Appointment/x1", r4("x1")), entry("DELETE", "Appointment/a2")]
    reply = send(http, "transaction", *([*good, bad] if last else [bad, *good]))
    if code == "media-type":
        status = 415
    outcome = assert_outcome(reply, status, code)
    place = outcome["issue"][0]["expression"][0]
    if code != "bundle-invalid":
        assert place.startswith(f"Bundle.entry[{2 if last else 0}]")
    if code == "appointment-status-unknown":
        assert place.endswith(".resource.status")
    found = http.get("/fhir/R4/Appointment", headers=bearer()).json()
    assert [(e["resource"]["id"], e["resource"]["meta"]["versionId"]) for e in found["entry"]] == [
        ("a1", "1"),
        ("a2", "1"),
    ]
    assert http.portal.call(video.store.visit_of, "park", "x1") is None  # type: ignore[union-attr]


def test_a_transaction_that_policy_forbids_does_nothing(
    http: TestClient, video: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(http, "R4", r4("a1"))
    new_visit = video.scheduling.new_visit

    def forbid(sourced: Any, window: Any) -> Any:
        if sourced.appointment.id == "sunday":
            raise Refused("not on Sundays", code="policy-denied")
        return new_visit(sourced, window)

    monkeypatch.setattr(video.scheduling, "new_visit", forbid)
    reply = send(
        http,
        "transaction",
        entry("DELETE", "Appointment/a1"),
        entry("PUT", "Appointment/monday", r4("monday")),
        entry("PUT", "Appointment/sunday", r4("sunday")),
    )
    assert_outcome(reply, 403, "policy-denied")
    assert total(http) == 1


def test_a_transaction_that_is_broken_off_says_so(
    http: TestClient, video: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = video.scheduling.schedule

    async def disk_full(sourced: Any, **options: Any) -> Any:
        if sourced.appointment.id == "a2":
            raise OSError(PATIENT_NAME)
        return await schedule(sourced, **options)

    monkeypatch.setattr(video.scheduling, "schedule", disk_full)
    entries = [entry("PUT", f"Appointment/{id_}", r4(id_)) for id_ in ("a1", "a2", "a3")]
    reply = send(http, "transaction", *entries)
    outcome = assert_outcome(reply, 409, "transaction-incomplete")
    assert outcome["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert "after 1 change" in outcome["issue"][0]["details"]["text"]
    assert PATIENT_NAME not in reply.text
    assert total(http) == 1

    async def conflict(sourced: Any, **_: Any) -> Any:
        raise Conflict("changed", code="version-mismatch")

    monkeypatch.setattr(video.scheduling, "schedule", conflict)
    assert_outcome(send(http, "transaction", entries[0]), 412, "version-mismatch")


def test_entries_refer_to_each_other_by_uuid_and_by_criteria(http: TestClient) -> None:
    put(http, "R5", r5("old", identifier=[{"system": "urn:pms", "value": "17"}]), "old")
    new = {k: v for k, v in r5().items() if k != "id"}
    later = new | {
        "previousAppointment": {"reference": UUID},
        "replaces": [{"reference": "Appointment?identifier=17"}],
    }
    reply = send(
        http,
        "transaction",
        entry("PUT", "Appointment/later", later | {"id": "later"}),
        entry("POST", "Appointment", new, full_url=UUID),
        release="R5",
    )
    R5Bundle.model_validate(reply.json())
    first, created = (one["resource"] for one in reply.json()["entry"])
    assert first["previousAppointment"] == {"reference": f"Appointment/{created['id']}"}
    assert first["replaces"] == [{"reference": "Appointment/old"}]


def test_a_transaction_can_be_repeated_by_conditions(http: TestClient) -> None:
    identified = NEW | {"identifier": [{"system": "urn:pms", "value": "17"}]}
    entries = [
        entry("POST", "Appointment", identified, ifNoneExist="identifier=urn:pms|17"),
        entry(
            "PUT",
            "Appointment?identifier=urn:pms|18",
            NEW | {"identifier": [{"system": "urn:pms", "value": "18"}]},
        ),
    ]
    assert statuses(send(http, "transaction", *entries)) == ["201", "201"]
    assert statuses(send(http, "transaction", *entries)) == ["200", "200"]
    assert total(http) == 2


@pytest.mark.parametrize(
    "entries",
    [
        (entry("PUT", "Appointment/a1", r4()), entry("DELETE", "Appointment/a1")),
        (entry("PUT", "Appointment/a1", r4()), entry("PUT", "Appointment?identifier=17", r4())),
        (
            entry("POST", "Appointment", NEW, ifNoneExist="_id=z"),
            entry("POST", "Appointment", NEW, ifNoneExist="_id=z"),
        ),
        (
            entry("PUT", "Appointment?identifier=18", NEW),
            entry("PUT", "Appointment?identifier=18", NEW),
        ),
        (
            entry("PUT", "Appointment?identifier=18", r4("b1")),
            entry("PUT", "Appointment?identifier=18", r4("b2")),
        ),
        (
            entry("POST", "Appointment", NEW, ifNoneExist="?status=pending&identifier=18"),
            entry("PUT", "Appointment?identifier=18&status=pending", NEW),
        ),
        (
            entry("POST", "Appointment", NEW, full_url=UUID),
            entry("POST", "Appointment", NEW, full_url=UUID),
        ),
    ],
)
def test_an_appointment_comes_once_in_a_transaction(http: TestClient, entries: tuple[Json, ...]) -> None:
    put(http, "R4", r4(identifier=[{"value": "17"}]))
    assert_outcome(send(http, "transaction", *entries), 400, "bundle-invalid")
    assert total(http) == 1


def test_an_empty_bundle_has_an_empty_answer(http: TestClient) -> None:
    for type_ in ("batch", "transaction"):
        assert send(http, type_).json() == {"resourceType": "Bundle", "type": f"{type_}-response"}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"type": "collection"}, 400, "bundle-invalid"),
        ({"type": None}, 400, "bundle-invalid"),
        ({"type": ["batch"]}, 400, "bundle-invalid"),
        ({"resourceType": "Appointment"}, 400, "bundle-invalid"),
        ({"entry": {"x": 1}}, 400, "bundle-invalid"),
        ({"entry": [{}] * 501}, 413, "bundle-too-large"),
    ],
)
def test_what_is_no_bundle_to_work_through_is_refused(
    standing: TestClient, changes: Json, status: int, code: str
) -> None:
    body = {"resourceType": "Bundle", "type": "batch", "entry": []} | changes
    assert_outcome(standing.post("/fhir/R4", json=body, headers=bearer()), status, code)


def test_a_bundle_stays_within_the_practice(http: TestClient) -> None:
    put(http, "R4", r4(identifier=[{"value": "17"}]))
    for type_ in ("batch", "transaction"):
        reply = send(
            http,
            type_,
            entry("DELETE", "Appointment/a1"),
            entry("GET", "Appointment?identifier=17"),
            entry("PUT", "Appointment?identifier=17", NEW),
            key=OTHER_KEY,
        )
        assert statuses(reply) == ["204", "200", "201"]
        assert reply.json()["entry"][1]["resource"]["total"] == 0
    assert http.get("/fhir/R4/Appointment/a1", headers=bearer()).headers["etag"] == 'W/"1"'


def test_two_transactions_at_once_do_not_create_the_same_twice(http: TestClient, video: Any) -> None:
    import anyio

    from vsdk.server.clients import Caller
    from vsdk.server.fhir.calls import Call
    from vsdk.server.fhir.interactions import Appointments

    face = Appointments(
        video.scheduling, video.appointment_format, video.practices, video.clock, video.settings.base_url
    )
    resource = r4(identifier=[{"value": "17"}])
    call = Call(Caller("park"), "R4", "POST", body=resource, if_none_exist="identifier=17")  # type: ignore[arg-type]
    got = []

    async def create() -> None:
        got.append((await face.change(call)).status)

    async def both() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(create)

    http.portal.call(both)  # type: ignore[union-attr]
    assert sorted(got) == [200, 200, 200, 200, 201]


URLS = st.sampled_from(
    [
        "Appointment",
        "Appointment/fuzz",
        "Appointment/x",
        "/Appointment/fuzz",
        "Appointment?_id=fuzz",
        "Appointment?date=x",
        "Patient/1",
        "Appointment/fuzz/_history/1",
        "http://[",
        "?",
        "/",
        "//",
        "Appointment?identifier=a",
        "http://x/fhir/R4/Appointment/fuzz",
    ]
)
REQUESTS = st.fixed_dictionaries(
    {"method": st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"]), "url": URLS},
    optional={"ifMatch": ANYTHING, "ifNoneExist": st.text(max_size=9), "ifNoneMatch": ANYTHING},
)
RESOURCES = st.sampled_from([r4("fuzz"), NEW, patch({"op": "add", "path": "/x", "value": 1})]) | ANYTHING
ENTRIES = st.fixed_dictionaries(
    {}, optional={"request": REQUESTS | ANYTHING, "resource": RESOURCES, "fullUrl": ANYTHING}
)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    type_=st.sampled_from(["batch", "transaction"]) | ANYTHING,
    entries=st.lists(ENTRIES | ANYTHING, max_size=4) | ANYTHING,
)
def test_any_bundle_is_answered(standing: TestClient, type_: Any, entries: Any) -> None:
    content = json.dumps({"resourceType": "Bundle", "type": type_, "entry": entries}).encode()
    reply = standing.post("/fhir/R4", content=content, headers=bearer())
    assert reply.status_code < 500, reply.text
    assert reply.headers["content-type"] == "application/fhir+json; charset=utf-8"
    if reply.status_code >= 400:
        assert MARKER not in reply.text
    else:
        R4BBundle.model_validate(reply.json())
        assert not [e for e in reply.json().get("entry", []) if e["response"]["status"].startswith("5")]
