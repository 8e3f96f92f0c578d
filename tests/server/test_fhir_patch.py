"""JSON Patch on Appointments (RFC 6902, hl7.org/fhir/http.html#patch)."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.server.conftest import bearer, handle_of, r4, r5
from tests.server.test_api_fuzz import ANYTHING, MARKER
from tests.server.test_fhir_face import assert_outcome, link_in, put

from vsdk.domain.errors import UsageError, VsdkError
from vsdk.server.fhir import patch as json_patch

DESCRIBE = {"op": "add", "path": "/description", "value": "new"}


def patch(http: TestClient, operations: Any, id_: str = "a1", release: str = "R4", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = operations if isinstance(operations, bytes) else json.dumps(operations).encode()
    type_ = {"Content-Type": "application/json-patch+json"}
    path = f"/fhir/{release}/Appointment/{id_}"
    return http.patch(path, content=content, headers=bearer() | type_ | named)


def test_a_patch_changes_a_part_and_keeps_the_link(http: TestClient) -> None:
    first = put(http, "R5", r5()).json()
    reply = patch(http, [DESCRIBE], release="R5")
    assert (reply.status_code, reply.headers["etag"]) == (200, 'W/"2"')
    assert reply.json() == first | {"description": "new", "meta": reply.json()["meta"]}
    assert link_in(reply.json()) == link_in(first)


def test_a_patch_that_changes_nothing_raises_no_version(http: TestClient) -> None:
    put(http, "R4", r4())
    assert patch(http, [{"op": "test", "path": "/status", "value": "booked"}]).headers["etag"] == 'W/"1"'


def test_a_patch_cancels(http: TestClient) -> None:
    link = link_in(put(http, "R4", r4()).json()) or ""
    reply = patch(http, [{"op": "replace", "path": "/status", "value": "cancelled"}])
    assert (reply.status_code, link_in(reply.json())) == (200, None)
    assert http.post("/api/v1/join", json={"handle": handle_of(link)}).status_code == 410


def test_a_version_can_be_asked_for(http: TestClient) -> None:
    put(http, "R4", r4())
    assert_outcome(patch(http, [DESCRIBE], If_Match='W/"2"'), 412, "version-mismatch")
    assert patch(http, [DESCRIBE], If_Match='W/"1"').status_code == 200
    assert_outcome(patch(http, [DESCRIBE], "none"), 404, "appointment-unknown")
    assert_outcome(patch(http, [DESCRIBE], "none", If_Match="*"), 404, "appointment-unknown")


@pytest.mark.parametrize(
    ("operations", "status", "code"),
    [
        ([{"op": "test", "path": "/status", "value": "arrived"}], 422, "patch-test-failed"),
        ([{"op": "test", "path": "/nothing", "value": 1}], 422, "patch-test-failed"),
        ([{"op": "remove", "path": "/nothing"}], 422, "patch-not-applicable"),
        ([{"op": "replace", "path": "/participant/9/status", "value": "x"}], 422, "patch-not-applicable"),
        ([{"op": "add", "path": "/status/deeper", "value": 1}], 422, "patch-not-applicable"),
        ([{"op": "move", "from": "/participant", "path": "/participant/0/x"}], 422, "patch-not-applicable"),
        ([{"op": "replace", "path": "/id", "value": "a2"}], 422, "patch-forbidden"),
        ([{"op": "remove", "path": "/id"}], 422, "patch-forbidden"),
        ([{"op": "replace", "path": "/resourceType", "value": "Patient"}], 422, "patch-forbidden"),
        ([{"op": "replace", "path": "", "value": []}], 422, "patch-forbidden"),
        ([{"op": "replace", "path": "/status", "value": "maybe"}], 422, "appointment-status-unknown"),
        ([{"op": "remove", "path": "/start"}], 422, "appointment-without-time"),
        ([], 400, "patch-invalid"),
        ({}, 400, "patch-invalid"),
        ([1], 400, "patch-invalid"),
        ([{"op": ["add"]}], 400, "patch-invalid"),
        ([{"op": "add"}], 400, "patch-invalid"),
        ([{"op": "add", "path": "/x"}], 400, "patch-invalid"),
        ([{"op": "add", "path": "x", "value": 1}], 400, "patch-invalid"),
        ([{"op": "add", "path": 5, "value": 1}], 400, "patch-invalid"),
        ([{"op": "add", "path": "/~2", "value": 1}], 400, "patch-invalid"),
        ([{"op": "copy", "path": "/x"}], 400, "patch-invalid"),
        ([{"op": "merge", "path": "/x", "value": 1}], 400, "patch-invalid"),
        ([DESCRIBE] * 201, 400, "patch-invalid"),
        (b"{", 400, "not-json"),
    ],
)
def test_what_cannot_be_applied_changes_nothing(
    http: TestClient, operations: Any, status: int, code: str
) -> None:
    before = put(http, "R4", r4()).json()
    whole = [DESCRIBE, *operations] if isinstance(operations, list) and operations else operations
    assert_outcome(patch(http, whole), status, code)
    assert http.get("/fhir/R4/Appointment/a1", headers=bearer()).json() == before


def test_other_kinds_of_patch_are_refused(http: TestClient) -> None:
    put(http, "R4", r4())
    for type_ in ("application/fhir+json", "application/merge-patch+json", "application/json"):
        assert_outcome(patch(http, [DESCRIBE], Content_Type=type_), 415, "media-type")


def test_copies_of_copies_end_before_the_memory_does() -> None:
    doubling = [{"op": "copy", "from": "/x", "path": "/x/-"}] * 200
    with pytest.raises(UsageError) as refused:
        json_patch.apply({"x": [["y" * 1000]]}, doubling)
    assert refused.value.code == "patch-forbidden"
    inward = [{"op": "copy", "from": "/x", "path": "/x" + "/x" * n} for n in range(1, 120)]
    with pytest.raises(UsageError) as refused:
        json_patch.apply({"x": {"x": {}}}, inward)
    assert refused.value.code == "patch-forbidden"


def test_what_came_with_too_many_levels_is_refused_and_not_a_crash() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"x": deep}
    with pytest.raises(UsageError) as refused:
        json_patch.apply({"id": "a", "deep": deep}, [DESCRIBE])
    assert refused.value.code == "patch-forbidden"


def test_a_visit_that_is_one_only_because_the_caller_said_so_stays_one(http: TestClient) -> None:
    plain = r4(serviceType=[])
    http.post("/api/v1/visits", json={"appointment": plain}, headers=bearer())
    assert link_in(patch(http, [DESCRIBE]).json())
    removed = [{"op": "remove", "path": "/extension"}, {"op": "add", "path": "/comment", "value": "x"}]
    assert link_in(patch(http, removed).json())


def test_a_change_that_comes_between_is_not_lost(
    http: TestClient, video: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(http, "R4", r4())
    schedule, others = video.scheduling.schedule, ["from elsewhere"]

    async def interrupted(sourced: Any, **options: Any) -> Any:
        if others:
            changed = (await video.scheduling.current("park", "a1")).mirrored.sourced
            changed.original["comment"] = others.pop()
            await schedule(changed)
        return await schedule(sourced, **options)

    monkeypatch.setattr(video.scheduling, "schedule", interrupted)
    reply = patch(http, [DESCRIBE])
    assert (reply.status_code, reply.json()["description"], reply.json()["comment"]) == (
        200,
        "new",
        "from elsewhere",
    )
    others.append("again")
    assert_outcome(patch(http, [DESCRIBE], If_Match=reply.headers["etag"]), 412, "version-mismatch")


POINTERS = st.sampled_from(
    [
        "",
        "/",
        "/status",
        "/start",
        "/participant",
        "/participant/0",
        "/participant/-",
        "/participant/-1",
        "/participant/01",
        "/meta",
        "/id",
        "/participant/0/actor/reference",
        "/extension/0",
        "/serviceType/0/coding/0",
        "/~1",
        "/~",
        "status",
        "/status/0",
        "/identifier",
        "/contained/0/name/0/text",
    ]
)
OPERATION = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": POINTERS},
    optional={"value": ANYTHING, "from": POINTERS},
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(operations=st.lists(OPERATION | ANYTHING, max_size=6) | ANYTHING)
def test_any_patch_is_answered(standing: TestClient, operations: Any) -> None:
    put(standing, "R4", r4("fuzz"), "fuzz")
    reply = patch(standing, json.dumps(operations).encode(), "fuzz")
    assert reply.status_code in (200, 400, 422), reply.text
    assert reply.headers["content-type"] == "application/fhir+json; charset=utf-8"
    if reply.status_code >= 400:
        assert MARKER not in reply.text
    read = standing.get("/fhir/R4/Appointment/fuzz", headers=bearer())
    assert (read.status_code, read.json()["id"]) == (200, "fuzz")


@given(st.lists(OPERATION, max_size=8))
def test_a_patch_leaves_the_resource_that_it_was_given(operations: list[Any]) -> None:
    resource = r4()
    with suppress(VsdkError):
        json_patch.apply(resource, operations)
    assert resource == r4()
