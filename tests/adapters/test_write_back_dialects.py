"""What is sent, by dialect: pure functions."""

from dataclasses import replace
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.peers.resources import an_r4_appointment

from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.adapters.scheduling.fhir.writing.dialects import DIALECTS
from vsdk.adapters.scheduling.fhir.writing.fhirpath_patch import FhirPathPatch
from vsdk.adapters.scheduling.fhir.writing.json_patch import JsonPatch, differences
from vsdk.adapters.scheduling.fhir.writing.oracle import OraclePatch
from vsdk.domain.appointment import AppointmentStatus as Status
from vsdk.domain.appointment import VirtualService
from vsdk.domain.errors import PartnerError
from vsdk.testing.factories import NOON, a_practice

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
RESOURCES = st.dictionaries(st.text(max_size=3), JSON, max_size=5)
PATIENT, PROVIDER = "https://praxis.example/video/j#p", "https://praxis.example/video/practice/practice"
NAMES = ["put", "json-patch", "oracle", "fhirpath-patch"]


@given(RESOURCES, RESOURCES)
def test_a_json_patch_makes_the_one_resource_the_other(
    original: dict[str, Any], changed: dict[str, Any]
) -> None:
    assert jsonpatch.apply_patch(original, differences(original, changed)) == changed


@given(RESOURCES)
def test_a_json_patch_of_nothing_is_empty(original: dict[str, Any]) -> None:
    assert differences(original, dict(original)) == []
    assert JsonPatch().bodies(original, dict(original)) == []


def test_a_json_patch_names_whole_elements_and_tests_the_version() -> None:
    original = {"status": "booked", "a/b~c": 1, "extension": [1], "meta": {"versionId": "7"}}
    changed = {"status": "arrived", "extension": [1, 2], "meta": {"versionId": "7"}, "comment": "c"}
    guarded, plain = JsonPatch().bodies(original, changed)
    assert guarded[0] == {"op": "test", "path": "/meta/versionId", "value": "7"}
    assert guarded[1:] == plain
    assert plain == [
        {"op": "remove", "path": "/a~1b~0c"},
        {"op": "replace", "path": "/status", "value": "arrived"},
        {"op": "replace", "path": "/extension", "value": [1, 2]},
        {"op": "add", "path": "/comment", "value": "c"},
    ]


def operation(kind: str, path: str, *more: dict[str, Any]) -> dict[str, Any]:
    parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}, *more]
    return {"name": "operation", "part": parts}


def test_a_fhirpath_patch_adds_replaces_and_deletes_primitives() -> None:
    status = {"name": "value", "valueCode": "arrived"}
    text = {"name": "value", "valueString": "t"}
    named = {"name": "name", "valueString": "patientInstruction"}
    bodies = FhirPathPatch().bodies
    assert bodies({"status": "booked"}, {"status": "arrived", "patientInstruction": "t"}) == [
        {
            "resourceType": "Parameters",
            "parameter": [
                operation("replace", "Appointment.status", status),
                operation("add", "Appointment", named, text),
            ],
        }
    ]
    assert bodies({"patientInstruction": "s"}, {"patientInstruction": "t"})[0]["parameter"] == [
        operation("replace", "Appointment.patientInstruction", text)
    ]
    assert bodies({"patientInstruction": "s"}, {})[0]["parameter"] == [
        operation("delete", "Appointment.patientInstruction")
    ]
    assert bodies({"status": "booked"}, {"status": "booked"}) == []


@pytest.mark.parametrize(
    "changed",
    [{"start": "2026"}, {"extension": []}, {"patientInstruction": [{}]}, {"status": 7}, {"slot": []}],
)
def test_a_fhirpath_patch_of_anything_else_is_not_expressible(changed: dict[str, Any]) -> None:
    with pytest.raises(PartnerError) as caught:
        FhirPathPatch().bodies({"status": "booked"}, {"status": "arrived", **changed})
    assert (caught.value.code, caught.value.retryable) == ("not-expressible", False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("carrier", "release", "writable"),
    [
        ("virtual-service", "R4", {"put", "json-patch"}),
        ("patient-instruction", "R4", {"put", "json-patch", "fhirpath-patch"}),
        ("patient-instruction", "", {"put", "json-patch", "fhirpath-patch"}),
        ("patient-instruction", "R5", {"put", "json-patch"}),
        ("contained-healthcare-service", "R4", {"put", "json-patch", "oracle"}),
        ("none", "R5", set(NAMES)),
    ],
)
def test_a_dialect_says_at_the_start_which_carriers_it_cannot_write(
    name: str, carrier: str, release: str, writable: set[str]
) -> None:
    conventions = replace(a_practice().fhir, carrier=carrier)
    assert (DIALECTS[name].problem(conventions, release) == "") is (name in writable)


def rooms(patient: str, provider: str, start: str = "", end: str = "") -> dict[str, Any]:
    """As reading shows them: the patient's first."""
    period = {name: value for name, value in (("start", start), ("end", end)) if value}
    contained = [
        {
            "resourceType": "HealthcareService",
            "id": str(place),
            "type": [{"text": f"{whose} Virtual Meeting Room"}],
            "telecom": [{"system": "url", "value": url, "period": period}],
        }
        for place, (whose, url) in enumerate([("Patient", patient), ("Provider", provider)])
    ]
    return an_r4_appointment(contained=contained)


def test_oracle_gets_its_four_operations_together_with_the_provider_at_0() -> None:
    changed = rooms(PATIENT, PROVIDER, "2026-11-23T08:45:00Z", "2026-11-23T10:00:00Z")
    added, replaced = OraclePatch().bodies(an_r4_appointment(), changed)
    assert added == [
        {"op": "add", "path": "/contained/0/telecom/0/value", "value": PROVIDER},
        {"op": "add", "path": "/contained/1/telecom/0/value", "value": PATIENT},
        {"op": "add", "path": "/contained/0/telecom/0/period/start", "value": "2026-11-23T08:45:00Z"},
        {"op": "add", "path": "/contained/0/telecom/0/period/end", "value": "2026-11-23T10:00:00Z"},
    ]
    assert [o | {"op": "add"} for o in replaced] == added
    assert {o["op"] for o in replaced} == {"replace"}


def test_oracle_gets_replace_where_there_are_links_and_the_appointments_own_times_without_a_period() -> None:
    before, after = rooms("https://old.example", PROVIDER), rooms(PATIENT, PROVIDER)
    first, second = OraclePatch().bodies(before, after)
    assert {o["op"] for o in first} == {"replace"}
    assert {o["op"] for o in second} == {"add"}
    assert [o["value"] for o in first][2:] == [before["start"], before["end"]]


def test_oracle_gets_links_before_the_status_and_each_alone() -> None:
    before, after = an_r4_appointment(), rooms(PATIENT, PROVIDER) | {"status": "arrived"}
    assert "/status" not in repr(OraclePatch().bodies(before, after))
    status = [[{"op": "replace", "path": "/status", "value": "arrived"}]]
    assert [OraclePatch().bodies(before, after, step) for step in (1, 2, 3)] == [status] * 3


def test_oracle_is_not_asked_to_take_links_away() -> None:
    assert OraclePatch().bodies(rooms(PATIENT, PROVIDER), an_r4_appointment()) == []


def test_oracle_takes_what_the_carrier_writes() -> None:
    practice = a_practice()
    conventions = replace(practice.fhir, carrier="contained-healthcare-service")
    changed = FhirFormat().write(
        an_r4_appointment(),
        release="R4",
        practice=replace(practice, fhir=conventions),
        services=(VirtualService(PATIENT, opens=NOON, closes=NOON),),
    )
    values = [o["value"] for o in OraclePatch().bodies(an_r4_appointment(), changed)[0]]
    assert values[:2] == [PROVIDER, PATIENT]
    assert values[2] == values[3] == NOON.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("now", "wanted", "step"),
    [
        (Status.BOOKED, Status.ARRIVED, Status.ARRIVED),
        (Status.BOOKED, Status.FULFILLED, Status.CHECKED_IN),
        (Status.ARRIVED, Status.FULFILLED, Status.CHECKED_IN),
        (Status.CHECKED_IN, Status.FULFILLED, Status.FULFILLED),
        (Status.PROPOSED, Status.ARRIVED, Status.PROPOSED),
        (Status.WAITLIST, Status.ARRIVED, Status.WAITLIST),
        (Status.BOOKED, Status.NOSHOW, Status.BOOKED),
        (Status.PROPOSED, Status.CANCELLED, Status.CANCELLED),
    ],
)
def test_oracle_is_led_step_by_step(now: Status, wanted: Status, step: Status) -> None:
    assert OraclePatch().next_status(now, wanted) is step
