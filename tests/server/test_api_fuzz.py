"""Whatever is sent: never a crash, always a problem document, and nothing of it is repeated."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.server.conftest import bearer, r4, r5

MARKER = "m4rk3r"
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([MARKER, f"{MARKER}\ud800", f"{MARKER}\x00", "", "booked", "R4", "park", 10**400])
    | st.text(st.characters(exclude_categories=())).map(lambda text: MARKER + text)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ELEMENTS = st.sampled_from([*r4(), *r5(), "extension", "virtualService", "subject", "minutesDuration"])
APPOINTMENTS = st.builds(
    lambda start, changes: start | changes,
    st.sampled_from([r4("fuzz"), r5("fuzz")]),
    st.dictionaries(ELEMENTS, ANYTHING, max_size=4),
)


def body(value: Any) -> bytes:
    """JSON as sloppy programs write it, with NaN and halves of characters."""
    return json.dumps(value).encode()


def assert_harmless(reply: Any, media_type: str = "application/problem+json") -> None:
    assert reply.status_code < 500, reply.text
    if reply.status_code < 400:
        return
    assert reply.headers["content-type"] == media_type
    assert MARKER not in reply.text
    assert MARKER not in str(reply.headers)
    if media_type == "application/problem+json":
        problem = reply.json()
        assert problem["code"]
        assert problem["status"] == reply.status_code


def fields(*names: str) -> st.SearchStrategy[Any]:
    return ANYTHING | st.fixed_dictionaries({}, optional=dict.fromkeys(names, ANYTHING))


@SETTINGS
@given(value=fields("handle"), path=st.sampled_from(["join", "join/preview"]))
def test_join(standing: TestClient, value: Any, path: str) -> None:
    assert_harmless(standing.post(f"/api/v1/{path}", content=body(value), headers=JSON))


@SETTINGS
@given(value=fields("practice", "params"))
def test_sign_in(standing: TestClient, value: Any) -> None:
    assert_harmless(standing.post("/api/v1/sign-in", content=body(value), headers=JSON))


@SETTINGS
@given(value=st.dictionaries(st.text(max_size=8), SCALARS, max_size=3))
def test_sign_in_params(standing: TestClient, value: Any) -> None:
    params = {key: MARKER if item is None else str(item) for key, item in value.items()}
    content = body({"practice": "park", "params": params | {"code": f"{MARKER}\udcff"}})
    assert_harmless(standing.post("/api/v1/sign-in", content=content, headers=JSON))


@SETTINGS
@given(value=fields("appointment", "fhir_version"))
def test_visits(standing: TestClient, value: Any) -> None:
    assert_harmless(standing.post("/api/v1/visits", content=body(value), headers=JSON | bearer()))


@SETTINGS
@given(appointment=APPOINTMENTS, release=st.sampled_from(["R4", "R4B", "R5", MARKER]))
def test_visits_with_odd_appointments(standing: TestClient, appointment: Any, release: str) -> None:
    content = body({"appointment": appointment, "fhir_version": release})
    assert_harmless(standing.post("/api/v1/visits", content=content, headers=JSON | bearer()))


@SETTINGS
@given(appointment=APPOINTMENTS | ANYTHING, release=st.sampled_from(["R4", "R5"]))
def test_the_fhir_face_with_odd_appointments(standing: TestClient, appointment: Any, release: str) -> None:
    path = f"/fhir/{release}/Appointment/fuzz"
    reply = standing.put(path, content=body(appointment), headers=JSON | bearer())
    assert_harmless(reply, "application/fhir+json; charset=utf-8")
    assert standing.get(path, headers=bearer()).status_code in (200, 404)


@SETTINGS
@given(visit=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), content=st.binary(max_size=40))
def test_routes_of_one_visit(standing: TestClient, visit: str, content: bytes) -> None:
    from urllib.parse import quote

    for end in ("links", "grant"):
        path = f"/api/v1/visits/{MARKER}{quote(visit, safe='')}/{end}"
        assert_harmless(standing.post(path, content=content, headers=JSON | bearer()))


@SETTINGS
@given(content=st.binary(max_size=60), path=st.sampled_from(["visits", "join", "join/preview", "sign-in"]))
def test_bytes(standing: TestClient, content: bytes, path: str) -> None:
    assert_harmless(standing.post(f"/api/v1/{path}", content=content, headers=JSON | bearer()))


@SETTINGS
@given(key=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=40))
def test_keys(standing: TestClient, key: str) -> None:
    headers = {b"authorization": f"Bearer {MARKER}{key}".encode("latin-1")}
    for path in ("visits", "visits/v1/links", "visits/v1/grant", "grant"):
        reply = standing.post(f"/api/v1/{path}", json={"appointment": {}}, headers=headers)
        assert_harmless(reply)
        assert reply.status_code == 401


JSON = {"Content-Type": "application/json"}
