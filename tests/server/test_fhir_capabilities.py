"""The CapabilityStatement and SMART's discovery, against what is really there."""

from typing import Any

import pytest
from fhir.resources.capabilitystatement import CapabilityStatement as R5Statement
from fhir.resources.R4B.capabilitystatement import CapabilityStatement as R4BStatement
from fhir.resources.STU3.capabilitystatement import CapabilityStatement as Stu3Statement
from starlette.testclient import TestClient
from tests.server.conftest import bearer
from tests.server.test_fhir_face import assert_outcome

from vsdk.server.fhir.search import PARAMETERS

RELEASES: dict[str, tuple[str, Any]] = {
    "STU3": ("3.0.2", Stu3Statement),
    "R4": ("4.0.1", R4BStatement),
    "R4B": ("4.3.0", R4BStatement),
    "R5": ("5.0.0", R5Statement),
}


@pytest.mark.parametrize("release", sorted(RELEASES))
def test_each_release_describes_itself_without_login(standing: TestClient, release: str) -> None:
    reply = standing.get(f"/fhir/{release}/metadata")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/fhir+json; charset=utf-8")
    statement = reply.json()
    number, model = RELEASES[release]
    model.model_validate(statement)
    assert statement["fhirVersion"] == number
    assert statement["implementation"]["url"] == f"http://localhost:8000/fhir/{release}"
    assert statement["patchFormat"] == ["application/json-patch+json"]
    assert "service" not in statement["rest"][0]["security"]


def of_appointments(standing: TestClient) -> Any:
    (resource,) = standing.get("/fhir/R4/metadata").json()["rest"][0]["resource"]
    return resource


def test_the_search_parameters_are_those_that_are_understood(standing: TestClient) -> None:
    listed = {p["name"]: p["type"] for p in of_appointments(standing)["searchParam"]}
    assert listed == {name: type_ for name, (type_, _) in PARAMETERS.items()}
    values = {"date": "2026", "token": "x", "reference": "x"}
    strict = bearer() | {"Prefer": "handling=strict"}
    for name, type_ in listed.items():
        found = standing.get("/fhir/R4/Appointment", params={name: values[type_]}, headers=strict)
        assert found.status_code == 200, name


def test_the_interactions_are_those_that_are_answered(standing: TestClient) -> None:
    resource = of_appointments(standing)
    calls = {
        "read": ("GET", "Appointment/none", 404),
        "update": ("PUT", "Appointment/none", 400),
        "patch": ("PATCH", "Appointment/none", 400),
        "delete": ("DELETE", "Appointment/none", 204),
        "create": ("POST", "Appointment", 400),
        "search-type": ("GET", "Appointment?_id=none", 200),
    }
    assert {one["code"] for one in resource["interaction"]} == set(calls)
    for method, path, status in calls.values():
        assert standing.request(method, f"/fhir/R4/{path}", headers=bearer()).status_code == status
    history = standing.get("/fhir/R4/Appointment/none/_history/1", headers=bearer())
    assert_outcome(history, 404, "not-found")
    everything = standing.delete("/fhir/R4/Appointment?status=booked", headers=bearer())
    assert_outcome(everything, 405, "method-not-allowed")


@pytest.mark.parametrize(
    "path", ["metadata", "Appointment", "Appointment/a1", ".well-known/smart-configuration"]
)
def test_other_releases_are_refused_everywhere(standing: TestClient, path: str) -> None:
    assert_outcome(standing.get(f"/fhir/R3/{path}", headers=bearer()), 422, "release-unsupported")


def test_without_named_clients_there_are_no_tokens(standing: TestClient) -> None:
    assert_outcome(standing.get("/fhir/R4/.well-known/smart-configuration"), 404, "not-found")
    assert standing.post("/oauth/token", data={"grant_type": "client_credentials"}).status_code == 404
