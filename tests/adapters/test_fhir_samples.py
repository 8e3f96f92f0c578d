"""Our own examples, and real Appointments of others where they are at hand."""

import json
from pathlib import Path

import pytest

from vsdk.adapters.scheduling.fhir_strict import issues
from vsdk.adapters.scheduling.format import FhirFormat
from vsdk.domain.appointment import VirtualService
from vsdk.domain.errors import InvalidAppointment
from vsdk.domain.participant import Role
from vsdk.testing.factories import a_practice

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted((REPOSITORY / "examples/appointments").glob("r*/*.json"))
REAL = REPOSITORY.parent / "shared/data/appointments"
LINK = VirtualService("https://praxis.example/v/j#h4ndle")

UNREADABLE = {
    "fr-ans-sas/feat-container-mode-Appointment-12345678-3.json": "appointment-without-participant",
    "fr-ans-sas/feat-container-mode-Appointment-12345678.json": "appointment-without-participant",
    "hl7-r4/Appointment-examplereq.json": "appointment-without-time",
    "hl7-r4b/Appointment-examplereq.json": "appointment-without-time",
    "hl7-r5/Appointment-examplereq.json": "appointment-without-time",
}
"""Real ones that cannot become a visit: nobody is named in them, or they ask for any time that suits."""


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_an_example_is_valid_before_and_after_our_link(file: Path) -> None:
    release = file.parent.name.upper()
    resource = json.loads(file.read_text(encoding="utf-8"))
    assert issues(resource, release) == []
    assert issues(FhirFormat().write(resource, release=release, virtual_service=LINK), release) == []
    appointment = FhirFormat().read(resource, release=release, practice=a_practice())
    patient = appointment.first(Role.PATIENT)
    practitioner = appointment.first(Role.PRACTITIONER)
    assert patient
    assert patient.phone.startswith(("+49171392", "+33639980", "+447700900"))
    assert patient.name
    assert patient.language in ("de", "fr", "en")
    assert practitioner
    assert practitioner.name.startswith("Dr")
    assert appointment.is_video is ("in-the-practice" not in file.name)
    assert appointment.status.takes_place is ("cancelled" not in file.name)


def test_the_examples_are_of_both_releases_and_have_ids_of_their_own() -> None:
    assert {file.parent.name for file in EXAMPLES} == {"r4", "r5"}
    ids = [json.loads(file.read_text(encoding="utf-8"))["id"] for file in EXAMPLES]
    assert len(set(ids)) == len(ids) == 14


@pytest.mark.skipif(
    not REAL.is_dir(), reason="the collection of real Appointments is not beside the repository"
)
def test_real_appointments_are_read_or_explained() -> None:
    explained: dict[str, str] = {}
    files = sorted(REAL.glob("*/*.json"))
    assert files
    for file in files:
        resource = json.loads(file.read_text(encoding="utf-8"))
        release = "R5" if file.parent.name.endswith("r5") else "R4"
        try:
            FhirFormat().read(resource, release=release, practice=a_practice())
        except InvalidAppointment as error:
            explained[f"{file.parent.name}/{file.name}"] = error.code
        written = FhirFormat().write(resource, release=release, virtual_service=LINK)
        assert FhirFormat().write(written, release=release, virtual_service=None) == resource
    assert explained == UNREADABLE


@pytest.mark.skipif(
    not REAL.is_dir(), reason="the collection of real Appointments is not beside the repository"
)
def test_what_the_models_accept_they_accept_with_our_link() -> None:
    for file in sorted(REAL.glob("*/*.json")):
        release = "R5" if file.parent.name.endswith("r5") else "R4"
        resource = json.loads(file.read_text(encoding="utf-8"))
        written = FhirFormat().write(resource, release=release, virtual_service=LINK)
        assert issues(written, release) == issues(resource, release)


@pytest.mark.parametrize("release", ["R4", "R5"])
@pytest.mark.parametrize(
    "place", ["resourceType", "id", "start", "participant", "contained", "subject", "meta"]
)
@pytest.mark.parametrize("shape", ["{}", '["{}"]', '[{{"resourceType": "{}"}}]', '{{"resourceType": "{}"}}'])
def test_a_judgement_repeats_no_value(release: str, place: str, shape: str) -> None:
    value = "m4rker" if shape == "{}" else json.loads(shape.format("m4rker"))
    found = issues({"resourceType": "Appointment", "status": "booked", place: value}, release)
    assert found
    assert "m4rker" not in repr(found)


def test_a_judgement_gives_places_and_no_values() -> None:
    found = issues({"resourceType": "Appointment", "status": "booked", "start": "m4rker", "m4rker": 1}, "R4")
    assert found
    assert all(path.startswith("Appointment") for path, _ in found)
    assert "m4rker" not in repr([text for _, text in found])


def test_an_unknown_contained_resource_is_judged_too() -> None:
    resource = {"resourceType": "Appointment", "contained": [{"resourceType": "FooBar"}]}
    assert ("Appointment.contained", issues(resource, "R4")[0][1]) in issues(resource, "R4")


def test_only_known_releases_are_judged() -> None:
    with pytest.raises(InvalidAppointment) as caught:
        issues({}, "STU3")
    assert caught.value.code == "release-unsupported"
