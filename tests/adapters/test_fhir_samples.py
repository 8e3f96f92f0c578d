"""Our own examples, and Appointments of others where they are at hand; what the models say to them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.adapters.scheduling.fhir.strict import issues
from vsdk.domain.appointment import Appointment, VirtualService
from vsdk.domain.errors import InvalidAppointment
from vsdk.domain.participant import Role
from vsdk.testing.factories import a_practice

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted((REPOSITORY / "examples/appointments").glob("r*/*.json"))
REAL = REPOSITORY.parent / "shared/data/appointments"
PRACTICE = a_practice()
LINK = VirtualService(f"{PRACTICE.fhir.link_address}h4ndle", reference="Patient/1")

UNREADABLE = {
    "fr-ans-sas/feat-container-mode-Appointment-12345678-3.json": "appointment-without-participant",
    "fr-ans-sas/feat-container-mode-Appointment-12345678.json": "appointment-without-participant",
    "hl7-r4/Appointment-examplereq.json": "appointment-without-time",
    "hl7-r4b/Appointment-examplereq.json": "appointment-without-time",
    "hl7-r5/Appointment-examplereq.json": "appointment-without-time",
}
"""Real ones that cannot become a visit, and rightly so: the French ones name nobody (who booked is in an
extension, and does not treat), HL7's ask for any time that suits."""

real = pytest.mark.skipif(
    not REAL.is_dir(), reason="the collection of real Appointments is not beside the repository"
)


def release_of(file: Path) -> str:
    names = {"hl7-r5": "R5", "r5": "R5", "hl7-r4b": "R4B", "us-argonaut": "STU3"}
    return names.get(file.parent.name, "R4")


def loaded(file: Path) -> dict[str, Any]:
    resource: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return resource


def read(resource: Any, release: str) -> Appointment:
    return FhirFormat().read(resource, release=release, practice=PRACTICE)


def outcome(resource: Any, release: str) -> Appointment | str:
    """What was read, or the code of the first issue."""
    try:
        return read(resource, release)
    except InvalidAppointment as error:
        return error.issues[0].code


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_an_example_is_valid_and_read(file: Path) -> None:
    release = release_of(file)
    resource = loaded(file)
    assert issues(resource, release) == []
    appointment = read(resource, release)
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
    ids = [loaded(file)["id"] for file in EXAMPLES]
    assert len(set(ids)) == len(ids) == 14


@real
def test_real_appointments_are_read_or_explained() -> None:
    explained: dict[str, str] = {}
    files = sorted(REAL.glob("*/*.json"))
    assert len(files) == 40
    for file in files:
        resource = loaded(file)
        found = outcome(resource, release_of(file))
        if isinstance(found, Appointment):
            assert found.participants
            assert len(found.identifiers) == len(resource.get("identifier", []))
        else:
            explained[f"{file.parent.name}/{file.name}"] = found
    assert explained == UNREADABLE


@real
@pytest.mark.parametrize(
    ("name", "people"),
    [
        (
            "hl7-r5/Appointment-example.json",
            [(Role.PATIENT, "Patient/example"), (Role.PRACTITIONER, "Practitioner/example")],
        ),
        (
            "hl7-r4/Appointment-2docs.json",
            [(Role.PRACTITIONER, "Practitioner/example"), (Role.PRACTITIONER, "Practitioner/f202")],
        ),
        (
            "hl7-r5/Appointment-2docs.json",
            [(Role.PRACTITIONER, "Practitioner/example"), (Role.PRACTITIONER, "Practitioner/f202")],
        ),
        ("us-argonaut/Appointment-proposed-appt1.json", [(Role.PRACTITIONER, "Practitioner/dr-y")]),
        ("fr-ans-sas/feat-container-mode-Appointment-1.json", [(Role.PRACTITIONER, "")]),
        ("de-gematik-isik/book-operation-request.json", [(Role.PATIENT, "Patient/example")]),
    ],
)
def test_who_takes_part_in_real_appointments(name: str, people: list[tuple[Role, str]]) -> None:
    appointment = read(loaded(REAL / name), release_of(REAL / name))
    assert [(person.role, person.reference) for person in appointment.participants] == people


@real
def test_writing_a_link_into_real_appointments_and_removing_it_gives_them_back() -> None:
    for file in sorted(REAL.glob("*/*.json")):
        release, original = release_of(file), loaded(file)
        written = FhirFormat().write(original, release=release, practice=PRACTICE, services=[LINK])
        assert written != original
        removed = FhirFormat().write(written, release=release, practice=PRACTICE, services=[])
        assert removed == original


@real
def test_what_the_models_accept_they_accept_with_our_link() -> None:
    for file in sorted(REAL.glob("*/*.json")):
        release, original = release_of(file), loaded(file)
        written = FhirFormat().write(original, release=release, practice=PRACTICE, services=[LINK])
        assert issues(written, release) == issues(original, release)


def hl7_examples(package: str) -> Iterator[tuple[str, Any]]:
    folder = REPOSITORY / "node_modules" / package
    if not folder.is_dir():
        pytest.skip(f"the npm package {package} is not installed")
    for file in sorted(folder.glob("*.json")):
        if not file.name.startswith(("package", ".")):
            yield file.name, json.loads(file.read_bytes())


@pytest.mark.parametrize(
    ("package", "release", "at_least"),
    [("hl7.fhir.r4.examples", "R4", 5_000), ("hl7.fhir.r5.examples", "R5", 2_500)],
)
def test_every_example_of_hl7_is_read_or_explained(package: str, release: str, at_least: int) -> None:
    outcomes: dict[str, str] = {}
    others = 0
    for name, resource in hl7_examples(package):
        found = outcome(resource, release)
        if isinstance(resource, dict) and resource.get("resourceType") == "Appointment":
            outcomes[name] = found if isinstance(found, str) else "read"
        else:
            assert found == "wrong-resource-type", name
            others += 1
    assert outcomes == {
        "Appointment-2docs.json": "read",
        "Appointment-example.json": "read",
        "Appointment-examplereq.json": "appointment-without-time",
    }
    assert others > at_least


@pytest.mark.parametrize("release", ["STU3", "R4", "R5"])
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
    found = issues({"resourceType": "Appointment", "status": "booked", "start": "m4rker", "m4rker!": 1}, "R4")
    assert found
    assert all(issue.code == "fhir-invalid" and issue.path.startswith("Appointment") for issue in found)
    assert "m4rker" not in repr(found)


@pytest.mark.parametrize(
    ("release", "changes", "path"),
    [
        (
            "R4",
            {"participant": [{"actor": {}}, {"actor": {"foo": 1}}]},
            "Appointment.participant[1].actor.foo",
        ),
        ("R5", {"class": [{"coding": [{"code": ""}]}]}, "Appointment.class[0].coding[0].code"),
        (
            "R4",
            {"_start": {"extension": [{"url": "x", "valueString": 1}]}},
            "Appointment.start.extension[0].valueString",
        ),
        ("STU3", {"serviceCategory": [{"text": "x"}]}, "Appointment.serviceCategory"),
        ("R4", {"virtualService": []}, "Appointment.virtualService"),
        ("STU3", {"status": None}, "Appointment.status"),
    ],
)
def test_a_judgement_says_where(release: str, changes: dict[str, Any], path: str) -> None:
    base = {"resourceType": "Appointment", "status": "booked", "participant": [{"status": "accepted"}]}
    assert path in [issue.path for issue in issues(base | changes, release)]


@pytest.mark.parametrize("release", ["STU3", "R4", "R4B", "R5"])
def test_a_judge_who_stumbles_still_judges(release: str) -> None:
    stumbling = {"resourceType": "Appointment", "contained": [{"resourceType": "FooBar"}]}
    assert [issue.path for issue in issues(stumbling, release)] == ["Appointment.contained"]
    element = {"url": "x", "valueUrl": 5}
    assert issues({"resourceType": "Appointment", "extension": [element]}, release)
    no_objects: list[Any] = [None, [], "Appointment", 7]
    for value in no_objects:
        assert issues(value, release)


@pytest.mark.parametrize(("release", "accepted"), [("STU3", True), ("R4", False), ("R5", False)])
def test_stu3_has_its_own_judge(release: str, accepted: bool) -> None:
    given = {
        "resourceType": "Appointment",
        "status": "booked",
        "serviceCategory": {"text": "General"},
        "incomingReferral": [{"reference": "ReferralRequest/1"}],
        "participant": [{"status": "accepted"}],
    }
    assert (issues(given, release) == []) is accepted


def test_only_known_releases_are_judged() -> None:
    with pytest.raises(InvalidAppointment) as caught:
        issues({}, "R6")
    assert caught.value.code == "release-unsupported"
    assert caught.value.issues
