"""What surrounds the routes: CORS, the OpenAPI document, unknown addresses, and crashes."""

import pytest
from starlette.testclient import TestClient
from tests.server.conftest import assert_problem, bearer, r4

PMS = "https://pms.example"


@pytest.mark.parametrize("path", ["/api/v1/join", "/api/v1/sign-in", "/api/v1/ping"])
def test_pages_of_the_pms_may_use_the_api(standing: TestClient, path: str) -> None:
    asked = {
        "Origin": PMS,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = standing.options(path, headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == PMS
    assert "POST" in preflight.headers["access-control-allow-methods"]
    reply = standing.request("GET" if path.endswith("ping") else "POST", path, headers={"Origin": PMS})
    assert reply.headers["access-control-allow-origin"] == PMS
    assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "http://pms.example", f"{PMS}.evil", "null"])
def test_pages_of_others_may_not(standing: TestClient, origin: str) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in standing.options("/api/v1/join", headers=headers).headers
    for path in ("/api/v1/ping", "/j", "/practice/park"):
        assert "access-control-allow-origin" not in standing.get(path, headers={"Origin": origin}).headers


def test_the_openapi_document_describes_each_route_and_its_problems(standing: TestClient) -> None:
    document = standing.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/api/v1/visits",
        "/api/v1/visits/{visit}/links",
        "/api/v1/visits/{visit}/grant",
        "/api/v1/grant",
        "/api/v1/join/preview",
        "/api/v1/join",
        "/api/v1/sign-in",
        "/api/v1/sign-in/grant",
        "/api/v1/sign-in/passkey",
        "/api/v1/passkeys",
        "/api/v1/passkeys/options",
        "/api/v1/sign-out",
        "/api/v1/sign-ins",
        "/api/v1/sign-ins/{sign_in}/end",
        "/api/v1/practices/{practice}/sign-in",
        "/api/v1/ping",
        "/api/v1/visits/{visit}/messages",
        "/api/v1/visits/{visit}/delay",
        "/api/v1/messages/{message}/again",
        "/api/v1/messages/preferences",
        "/api/v1/messages/opt-out",
        "/api/v1/outbox",
        "/api/v1/outbox/{entry}/retry",
        "/api/v1/outbox/{entry}/drop",
        "/api/v1/push/key",
        "/api/v1/push/subscriptions",
        "/api/v1/join/calendar",
        "/api/v1/join/code",
        "/api/v1/probe",
        "/api/v1/probe/echo",
        "/fhir/{release}",
        "/fhir/{release}/metadata",
        "/fhir/{release}/.well-known/smart-configuration",
        "/fhir/{release}/Appointment",
        "/fhir/{release}/Appointment/_search",
        "/fhir/{release}/Appointment/{appointment_id}",
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert path.startswith("/fhir/") or "4XX" in operation["responses"], path


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_there_are_no_pages_that_load_from_third_parties(standing: TestClient, path: str) -> None:
    assert standing.get(path).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_addresses_of_the_api_that_do_not_exist_are_problems(standing: TestClient, method: str) -> None:
    assert_problem(standing.request(method, "/api/v1/nothing"), 404, "not-found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET", "BREW"])
def test_other_methods_are_refused_and_the_right_one_is_named(standing: TestClient, method: str) -> None:
    reply = standing.request(method, "/api/v1/join")
    assert_problem(reply, 405, "method-not-allowed")
    assert reply.headers["allow"] == "POST"


def test_every_answer_forbids_guessing_its_type(standing: TestClient) -> None:
    for path in ("/api/v1/ping", "/api/v1/none", "/fhir/none", "/none", "/texts/de.json", "/static/vsdk.js"):
        assert standing.get(path).headers["x-content-type-options"] == "nosniff", path


def test_a_crash_is_a_problem_without_a_word_of_its_cause(
    http: TestClient, video: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object, **__: object) -> None:
        raise ValueError("the reason for this visit is s3cret")

    monkeypatch.setattr(video.scheduling, "schedule", crash)  # type: ignore[attr-defined]
    monkeypatch.setattr(video.join, "look", crash)  # type: ignore[attr-defined]
    for reply in (
        http.post("/api/v1/visits", json={"appointment": r4()}, headers=bearer()),
        http.post("/api/v1/join", json={"handle": "h"}),
    ):
        assert_problem(reply, 500, "internal-error")
        assert "s3cret" not in reply.text + str(reply.headers)
        assert reply.headers["x-content-type-options"] == "nosniff"
    reply = http.put("/fhir/R4/Appointment/a1", json=r4(), headers=bearer())
    assert (reply.status_code, reply.json()["resourceType"]) == (500, "OperationOutcome")
    assert "s3cret" not in reply.text
