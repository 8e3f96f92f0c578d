"""Reading Appointments of all releases: what is understood, and how what is not is explained."""

import copy
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.domain.appointment import Appointment, AppointmentStatus
from vsdk.domain.errors import InvalidAppointment
from vsdk.domain.participant import Role
from vsdk.domain.practice import FhirConventions
from vsdk.testing.factories import a_practice

PRACTICE = a_practice(phone="+493023125001")
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ALL = pytest.mark.parametrize("release", ["STU3", "R4", "R4B", "R5"])


def resource(**changes: Any) -> dict[str, Any]:
    """A minimal Appointment; a change to ``...`` removes the element."""
    values = {
        "resourceType": "Appointment",
        "id": "a1",
        "status": "booked",
        "start": "2026-11-23T09:00:00+01:00",
        "end": "2026-11-23T09:20:00+01:00",
        "participant": [
            {"actor": {"reference": "Patient/1", "display": "Erika Beispiel"}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/2", "display": "Dr. Jonas Muster"}, "status": "accepted"},
        ],
    } | changes
    return {key: value for key, value in values.items() if value is not ...}


def read(given: Any, release: str = "R4", assume_video: bool = False) -> Appointment:
    return FhirFormat().read(given, release=release, practice=PRACTICE, assume_video=assume_video)


def refused(given: Any, release: str = "R4") -> InvalidAppointment:
    with pytest.raises(InvalidAppointment) as caught:
        read(given, release)
    return caught.value


def with_patient(**elements: Any) -> dict[str, Any]:
    patient = {"resourceType": "Patient", "id": "p", **elements}
    return resource(contained=[patient], participant=[{"actor": {"reference": "#p"}}])


@ALL
def test_a_plain_appointment_is_read(release: str) -> None:
    appointment = read(resource(), release)
    assert (appointment.id, appointment.practice_id) == ("a1", PRACTICE.id)
    assert appointment.status is AppointmentStatus.BOOKED
    assert appointment.start == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    assert appointment.end == datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
    assert [(p.id, p.role, p.reference, p.name) for p in appointment.participants] == [
        ("p1", Role.PATIENT, "Patient/1", "Erika Beispiel"),
        ("p2", Role.PRACTITIONER, "Practitioner/2", "Dr. Jonas Muster"),
    ]
    assert not appointment.is_video
    assert read(resource(), release, assume_video=True).is_video


@pytest.mark.parametrize("status", AppointmentStatus)
def test_every_status_is_known_in_any_usual_spelling(status: AppointmentStatus) -> None:
    code = status.value
    spellings = {
        code,
        code.upper(),
        f" {code}\n",
        code.replace("-", "_"),
        code.replace("-", " "),
        code.title(),
    }
    for spelling in spellings:
        assert read(resource(status=spelling)).status is status


@pytest.mark.parametrize(
    ("spelling", "status"),
    [
        ("canceled", AppointmentStatus.CANCELLED),
        ("CANCELED", AppointmentStatus.CANCELLED),
        ("no-show", AppointmentStatus.NOSHOW),
        ("No Show", AppointmentStatus.NOSHOW),
        ("checkedIn", AppointmentStatus.CHECKED_IN),
        ("enteredInError", AppointmentStatus.ENTERED_IN_ERROR),
    ],
)
def test_usual_misspellings_of_a_status_are_known(spelling: str, status: AppointmentStatus) -> None:
    assert read(resource(status=spelling)).status is status


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"end": ...}, "08:30"),
        ({"end": ..., "minutesDuration": 45}, "08:45"),
        ({"end": "", "minutesDuration": "15"}, "08:15"),
        ({"end": None, "minutesDuration": 0}, "08:30"),
        ({"end": ..., "minutesDuration": -5}, "08:30"),
        ({"end": ..., "minutesDuration": 10**400}, "08:30"),
        ({"end": ..., "minutesDuration": True}, "08:30"),
        ({"end": ..., "minutesDuration": 1e-9}, "08:30"),
        ({"end": "2026-11-23T10:00"}, "09:00"),
        ({"end": "2026-11-23T08:00:00Z"}, "08:30"),
        ({"end": "2026-11-23T08:00:00Z", "minutesDuration": 20.0}, "08:20"),
    ],
)
def test_the_end_is_given_or_computed(changes: dict[str, Any], end: str) -> None:
    assert f"{read(resource(**changes)).end:%H:%M}" == end


@ALL
@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        (None, "not-json-object", "$this"),
        ([], "not-json-object", "$this"),
        ("Appointment", "not-json-object", "$this"),
        ({}, "wrong-resource-type", "resourceType"),
        ({"resourceType": "Encounter"}, "wrong-resource-type", "resourceType"),
        (resource(id=...), "appointment-without-id", "Appointment.id"),
        (resource(id=" "), "appointment-without-id", "Appointment.id"),
        (resource(id="\ud800"), "appointment-without-id", "Appointment.id"),
        (resource(id=["a1"]), "appointment-id-invalid", "Appointment.id"),
        (resource(id=True), "appointment-id-invalid", "Appointment.id"),
        (resource(id="x" * 256), "appointment-id-invalid", "Appointment.id"),
        (resource(id=10**64), "appointment-id-invalid", "Appointment.id"),
        (resource(status=...), "appointment-status-unknown", "Appointment.status"),
        (resource(status="confirmed"), "appointment-status-unknown", "Appointment.status"),
        (resource(start=..., end=...), "appointment-without-time", "Appointment.start"),
        (resource(start=None), "appointment-without-time", "Appointment.start"),
        (
            resource(start="", _start={"extension": [{"url": "x"}]}),
            "appointment-without-time",
            "Appointment.start",
        ),
        (resource(start=["2026-11-23T08:00:00Z"]), "appointment-time-invalid", "Appointment.start"),
        (resource(start="tomorrow"), "appointment-time-invalid", "Appointment.start"),
        (resource(start="2026-11-23"), "appointment-time-invalid", "Appointment.start"),
        (resource(start=1795420800), "appointment-time-invalid", "Appointment.start"),
        (resource(end="2026-11-23T08:59:00+01:00"), "appointment-time-invalid", "Appointment.end"),
        (resource(end="later"), "appointment-time-invalid", "Appointment.end"),
        (resource(participant=...), "appointment-without-participant", "Appointment.participant"),
        (
            resource(participant=[None, {}, {"actor": None}]),
            "appointment-without-participant",
            "Appointment.participant",
        ),
        (
            resource(participant=[{"actor": {"reference": "Location/1"}}]),
            "appointment-without-participant",
            "Appointment.participant",
        ),
    ],
)
def test_what_cannot_be_a_visit_is_explained(given: Any, code: str, path: str, release: str) -> None:
    error = refused(given, release)
    assert error.code == code
    assert (code, path) in [(issue.code, issue.path) for issue in error.issues]


def test_all_problems_are_told_at_once_and_the_first_is_the_code() -> None:
    error = refused({"resourceType": "Appointment"})
    assert error.code == "appointment-without-id"
    assert [issue.path for issue in error.issues] == [
        "Appointment.id",
        "Appointment.status",
        "Appointment.start",
        "Appointment.participant",
    ]


@ALL
def test_each_participant_who_is_of_no_use_is_explained_in_its_place(release: str) -> None:
    entries = [
        None,
        {"status": "accepted"},
        {"actor": {"reference": "Location/1"}},
        {"actor": {"display": "Napa Office"}},
        {"actor": {"reference": "Patient/1"}, "status": "Declined"},
        {"actor": {"reference": "#gone"}},
        "Patient/1",
    ]
    found = refused(resource(participant=entries), release).issues
    assert [(issue.code, issue.path) for issue in found] == [
        ("appointment-without-participant", "Appointment.participant"),
        ("participant-not-object", "Appointment.participant[0]"),
        ("participant-without-actor", "Appointment.participant[1].actor"),
        ("participant-no-person", "Appointment.participant[2].actor"),
        ("participant-kind-unknown", "Appointment.participant[3].actor"),
        ("participant-declined", "Appointment.participant[4].status"),
        ("participant-kind-unknown", "Appointment.participant[5].actor"),
        ("participant-not-object", "Appointment.participant[6]"),
    ]


def test_no_more_issues_are_listed_than_anyone_reads() -> None:
    assert len(refused(resource(participant=[None] * 10_000)).issues) == 50
    strict = a_practice(fhir=FhirConventions(strict=True))
    crowd = resource(participant=[{"actor": {"reference": "Patient/1"}}] * 1_000)
    with pytest.raises(InvalidAppointment) as caught:
        FhirFormat().read(crowd, release="R4", practice=strict)
    assert len(caught.value.issues) == 50


@pytest.mark.parametrize("release", ["R6", "", "r4", "R5 "])
def test_another_release_is_not_guessed(release: str) -> None:
    error = refused(resource(), release)
    assert error.code == "release-unsupported"
    assert error.issues


def test_explanations_carry_no_values() -> None:
    error = refused(resource(status="m4rker", start="m4rker", participant=[{"actor": {"display": "m4rker"}}]))
    assert "m4rker" not in repr(error) + repr(error.issues) + error.detail


@pytest.mark.parametrize(
    ("actor", "role"),
    [
        ({"reference": "Patient/1"}, Role.PATIENT),
        ({"reference": "https://pms.example/fhir/Patient/1/_history/3"}, Role.PATIENT),
        ({"reference": "urn:uuid:0", "type": "Patient"}, Role.PATIENT),
        ({"reference": "Practitioner/1"}, Role.PRACTITIONER),
        ({"reference": "PractitionerRole/1"}, Role.PRACTITIONER),
        ({"reference": "RelatedPerson/1"}, Role.COMPANION),
        ({"identifier": {"type": {"coding": [{"code": "LANR"}]}, "value": "1"}}, Role.PRACTITIONER),
        ({"identifier": {"type": {"coding": [{"code": "KVZ10"}]}, "value": "1"}}, Role.PATIENT),
        ({"identifier": {"value": "1"}, "type": "Patient"}, Role.PATIENT),
        ({"reference": "https://pms.example/fhir/Patient/1?_format=json"}, Role.PATIENT),
        ({"reference": " Patient/1 "}, Role.PATIENT),
        ({"reference": "https://pms.example/fhir/Patient/1/"}, Role.PATIENT),
        ({"reference": "patient/1"}, Role.PATIENT),
        ({"reference": "urn:uuid:0", "type": "patient"}, Role.PATIENT),
        ({"type": "http://hl7.org/fhir/StructureDefinition/PractitionerRole"}, Role.PRACTITIONER),
        ({"reference": "location/1"}, None),
        ({"reference": "Location/1"}, None),
        ({"reference": "Device/1"}, None),
        ({"reference": "HealthcareService/1"}, None),
        ({"reference": "Patient"}, None),
        ({"display": "someone"}, None),
        ({"reference": 7, "type": ["Patient"]}, None),
    ],
)
def test_the_reference_tells_the_role(actor: dict[str, Any], role: Role | None) -> None:
    known = {"actor": {"reference": "Practitioner/known"}}
    people = read(resource(participant=[{"actor": actor}, known])).participants
    assert [p.role for p in people] == ([role] if role else []) + [Role.PRACTITIONER]


def test_who_treats_without_a_reference_is_a_practitioner() -> None:
    entry = {"type": [{"coding": [{"system": PARTICIPATION, "code": "ATND"}]}], "actor": {"display": "Dr. B"}}
    assert read(resource(participant=[entry])).participants[0].role is Role.PRACTITIONER


def test_an_interpreter_is_told_by_the_type() -> None:
    kind = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/participant-type", "code": "translator"}]
    }
    entries = [
        {"type": [kind], "actor": {"reference": "RelatedPerson/1"}},
        {"type": kind, "actor": {"reference": "Practitioner/1"}},
        {"type": [kind], "actor": {"reference": "Patient/1"}},
        {"type": [kind], "actor": {"reference": "Device/1"}},
    ]
    roles = [p.role for p in read(resource(participant=entries)).participants]
    assert roles == [Role.INTERPRETER, Role.INTERPRETER, Role.PATIENT]


def test_who_declined_is_left_out_and_who_comes_twice_counts_once() -> None:
    entries = [
        {"actor": {"reference": "Practitioner/1"}, "status": "declined"},
        {"actor": {"reference": "Practitioner/2"}},
        {"actor": {"reference": "Practitioner/2"}},
        {"actor": {"reference": "Patient/1"}},
    ]
    people = read(resource(participant=entries)).participants
    assert [(p.id, p.reference) for p in people] == [("p1", "Practitioner/2"), ("p2", "Patient/1")]


def test_the_subject_of_r5_is_the_patient_where_no_participant_is() -> None:
    practitioner = [{"actor": {"reference": "Practitioner/1"}}]
    subject = {"reference": "Patient/9", "display": "Erika Beispiel"}
    people = read(resource(participant=practitioner, subject=subject), "R5").participants
    assert [(p.role, p.reference) for p in people] == [
        (Role.PATIENT, "Patient/9"),
        (Role.PRACTITIONER, "Practitioner/1"),
    ]
    people = read(resource(subject=subject), "R5").participants
    assert [p.reference for p in people] == ["Patient/1", "Practitioner/2"]


@pytest.mark.parametrize("spelling", ["information-only", " Information-Only"])
def test_who_is_only_informed_takes_no_part_where_others_meet(spelling: str) -> None:
    entries = [
        {"actor": {"reference": "PractitionerRole/referrer"}, "required": spelling},
        {"actor": {"reference": "Patient/1"}, "required": "required"},
        {"actor": {"reference": "Practitioner/2"}, "required": "optional"},
        {"actor": {"reference": "RelatedPerson/3"}, "required": False},
    ]
    people = read(resource(participant=entries)).participants
    assert [p.reference for p in people] == ["Patient/1", "Practitioner/2", "RelatedPerson/3"]


def test_nobody_meets_alone_because_the_other_is_only_informed() -> None:
    patient = {"actor": {"reference": "Patient/1"}, "required": "information-only"}
    people = read(resource(participant=[patient, {"actor": {"reference": "Practitioner/2"}}])).participants
    assert [p.reference for p in people] == ["Patient/1", "Practitioner/2"]
    assert [p.reference for p in read(resource(participant=[patient])).participants] == ["Patient/1"]
    informed = {"actor": {"reference": "Practitioner/2"}, "required": "information-only"}
    several = [patient, informed, {"actor": {"reference": "RelatedPerson/3"}}]
    assert len(read(resource(participant=several)).participants) == 3


def test_the_subject_does_not_bring_back_a_patient_who_declined() -> None:
    entries = [
        {"actor": {"reference": "Patient/1"}, "status": "declined"},
        {"actor": {"reference": "Practitioner/2"}},
    ]
    people = read(resource(participant=entries, subject={"reference": "Patient/1"}), "R5").participants
    assert [p.reference for p in people] == ["Practitioner/2"]


def test_the_subject_is_not_invited_to_what_practitioners_say_about_it() -> None:
    entries = [{"actor": {"reference": "Practitioner/1"}}, {"actor": {"reference": "Practitioner/2"}}]
    people = read(resource(participant=entries, subject={"reference": "Patient/9"}), "R5").participants
    assert [p.reference for p in people] == ["Practitioner/1", "Practitioner/2"]
    entries[1] = {"actor": {"reference": "RelatedPerson/2"}}
    people = read(resource(participant=entries, subject={"reference": "Patient/9"}), "R5").participants
    assert [p.reference for p in people] == ["Patient/9", "Practitioner/1", "RelatedPerson/2"]


def test_contained_patients_tell_how_to_reach_them() -> None:
    given = with_patient(
        name=[
            {"use": "nickname", "text": "Eri"},
            {"use": "official", "given": ["Erika", "Maria"], "family": "Muster"},
        ],
        telecom=[
            {"system": "phone", "value": "030 23125 002", "use": "home"},
            {"system": "phone", "value": "+49 171 3920009", "use": "old"},
            {"system": "phone", "value": "0171 3920001", "use": "mobile"},
            {"system": "email", "value": "erika@example.org"},
        ],
        language="en",
        communication=[
            {"language": {"coding": [{"code": "tr"}]}},
            {"language": {"coding": [{"code": "fr-CH"}]}, "preferred": True},
        ],
    )
    (patient,) = read(given).participants
    assert patient.name == "Erika Maria Muster"
    assert (patient.phone, patient.email, patient.language) == ("+491713920001", "erika@example.org", "fr-CH")
    given["contained"][0]["telecom"].append({"system": "sms", "value": "+49 171 3920002"})
    assert read(given).participants[0].phone == "+491713920002"


@pytest.mark.parametrize("use", ["old", "maiden"])
def test_a_name_of_former_times_is_not_used(use: str) -> None:
    former = {"use": use, "family": "Vormals"}
    assert read(with_patient(name=[former, {"family": "Muster"}])).participants[0].name == "Muster"
    assert read(with_patient(name=[former])).participants[0].name == ""


def test_the_first_mobile_number_for_sms_is_the_one() -> None:
    points = [
        {"system": "sms", "value": "+49 171 3920003"},
        {"system": "sms", "value": "+49 171 3920001", "use": "mobile"},
        {"system": "sms", "value": "+49 171 3920002", "use": "mobile"},
    ]
    assert read(with_patient(telecom=points)).participants[0].phone == "+491713920001"


def test_the_language_of_the_resource_is_not_that_of_the_person() -> None:
    assert read(with_patient(language="en")).participants[0].language == ""


def test_a_number_that_is_no_longer_in_use_is_not_used() -> None:
    old = {"system": "phone", "value": "+49 171 3920009", "use": "old"}
    assert read(with_patient(telecom=[old])).participants[0].phone == ""


@pytest.mark.parametrize(
    ("end", "number"),
    [
        ("2026-11-22", ""),
        ("2026-11-22T18:00:00+01:00", ""),
        ("2026-10", ""),
        ("2014", ""),
        ("2026-11-23", "+491713920009"),
        ("2026-11", "+491713920009"),
        ("2026", "+491713920009"),
        ("2031-01-01", "+491713920009"),
        ("0001-01-01T00:00:00", "+491713920009"),
        ("unknown", "+491713920009"),
        (None, "+491713920009"),
    ],
)
def test_a_number_or_name_that_was_given_up_before_the_appointment_is_not_used(end: Any, number: str) -> None:
    point = {"system": "phone", "value": "+49 171 3920009", "period": {"end": end}}
    name = {"text": "Erika Muster", "period": {"end": end}}
    (patient,) = read(with_patient(telecom=[point], name=[name])).participants
    assert patient.phone == number
    assert patient.name == ("Erika Muster" if number else "")


def test_broken_contact_data_read_as_empty() -> None:
    given = with_patient(
        name=[None, {"family": 7, "use": ["old"]}],
        telecom=[
            {"system": "phone", "value": None, "use": {}},
            {"system": ["email"], "value": "a@b.example"},
        ],
        communication="de",
    )
    (patient,) = read(given).participants
    assert (patient.name, patient.phone, patient.email, patient.language) == ("", "", "", "")


def test_names_stay_in_one_line() -> None:
    entry = {"actor": {"reference": "Patient/1", "display": " Erika\r\n\x00 Beispiel\u2028"}}
    assert read(resource(participant=[entry])).participants[0].name == "Erika Beispiel"


@pytest.mark.parametrize("given", ["HealthcareService/var-1", "#room", "Patient/7", "a_b", 17])
def test_contained_resources_may_have_strange_ids(given: Any) -> None:
    patient = {"resourceType": "Patient", "id": given, "name": {"text": "Erika Beispiel"}}
    entry = {"actor": {"reference": f"#{str(given).lstrip('#')}"}}
    (person,) = read(
        resource(contained=[None, {"resourceType": "FooBar"}, patient], participant=entry)
    ).participants
    assert (person.role, person.name) == (Role.PATIENT, "Erika Beispiel")


@ALL
def test_what_vendors_add_is_no_hindrance(release: str) -> None:
    absent = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]}
    detail = {"extension": [{"url": "https://example.org/detail", "valueCode": "77"}]}
    given = resource(
        vaos={"isVideo": None},
        _status=detail,
        _start=[None, absent],
        _comment=absent,
        serviceCategory={"text": "General"},
        reason=[{"text": "never read"}],
        slot={"reference": "ISiKSlotExample"},
        contained=None,
        identifier=None,
        subject=None,
        extension=None,
        serviceType=None,
    )
    assert read(given, release) == read(resource(), release)


@pytest.mark.parametrize("given", [1795420800, "17", "pms/17/2", "HealthcareService/var_1"])
def test_an_id_is_read_as_it_is(given: Any) -> None:
    assert read(resource(id=given)).id == str(given)


@ALL
def test_business_identifiers_are_read_as_search_tokens(release: str) -> None:
    given = [
        {"system": "http://vdx.medcom.dk/meeting", "value": "894e"},
        {"value": "17"},
        {"system": "urn:oid:1.2.3", "value": 18},
        {"system": "urn:oid:1.2.3"},
        {"system": "http://vdx.medcom.dk/meeting", "value": " 894e "},
        {"system": None, "value": ""},
        None,
    ]
    assert read(resource(identifier=given), release).identifiers == (
        "http://vdx.medcom.dk/meeting|894e",
        "|17",
        "urn:oid:1.2.3|18",
    )
    assert read(resource(identifier={"value": "1"}), release).identifiers == ("|1",)
    assert read(resource(), release).identifiers == ()


def test_many_participants_and_contained_resources_take_no_more_than_linear_time() -> None:
    crowd = [{"actor": {"reference": "#nobody"}}] * 15_000 + [{"actor": {"reference": "Patient/1"}}]
    began = time.process_time()
    assert read(resource(participant=crowd, contained=[{}] * 150_000)).participants
    assert time.process_time() - began < 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ELEMENTS = [
    "id",
    "status",
    "start",
    "end",
    "minutesDuration",
    "participant",
    "contained",
    "subject",
    "extension",
]
ELEMENTS += ["virtualService", "serviceType", "appointmentType", "class", "identifier"]


def read_or_explained(value: Any, release: str) -> Any:
    try:
        return read(value, release)
    except InvalidAppointment as error:
        return error.issues


@ALL
@given(JSON)
def test_any_json_value_is_read_or_explained(release: str, value: Any) -> None:
    assert read_or_explained(value, release)


@ALL
@given(
    st.dictionaries(st.sampled_from(ELEMENTS), JSON, max_size=4),
    st.sampled_from(["actor", "type", "status"]),
    JSON,
)
def test_any_json_in_any_element_is_read_or_explained(
    release: str, changes: dict[str, Any], element: str, value: Any
) -> None:
    broken = copy.deepcopy(resource())
    broken["participant"][0][element] = value
    assert read_or_explained(broken | changes, release)


@given(st.sampled_from(["name", "telecom", "communication", "language", "resourceType", "id"]), JSON)
def test_any_json_in_a_contained_patient_is_read(element: str, value: Any) -> None:
    given = with_patient(**{element: value}) | {"subject": {"reference": "Patient/1"}}
    given["participant"].append({"actor": {"reference": "Practitioner/1"}})
    for person in read(given).participants:
        (person.name + person.phone + person.email + person.language).encode()


@pytest.mark.parametrize("status", ["cancelled", "Canceled", "noshow", "entered-in-error"])
def test_what_is_called_off_need_not_be_readable_to_be_known_as_such(status: str) -> None:
    """A cancelled appointment may lack its times (app-3), and its visit must not go on for that."""
    with pytest.raises(InvalidAppointment) as caught:
        FhirFormat().read(
            {"resourceType": "Appointment", "id": "a1", "status": status}, release="R4", practice=a_practice()
        )
    assert (caught.value.code, caught.value.called_off) == ("appointment-without-time", "a1")


def test_what_still_takes_place_is_not_called_off_by_being_unreadable() -> None:
    for resource in ({"id": "a1", "status": "booked"}, {"status": "cancelled"}, {"id": "a1"}):
        with pytest.raises(InvalidAppointment) as caught:
            FhirFormat().read({"resourceType": "Appointment"} | resource, release="R4", practice=a_practice())
        assert caught.value.called_off is None


@pytest.mark.parametrize("release", ["STU3", "R4", "R5"])
def test_a_strict_practice_refuses_what_its_release_does_not_allow(release: str) -> None:
    """And takes what is valid: strictness is a wish of the practice, and off by itself."""
    understood = resource(vendorField="x")
    strict = a_practice(fhir=FhirConventions(strict=True))
    assert FhirFormat().read(understood, release=release, practice=a_practice()).id
    with pytest.raises(InvalidAppointment) as caught:
        FhirFormat().read(understood, release=release, practice=strict)
    assert caught.value.code == "fhir-invalid"
    assert "Appointment.vendorField" in [issue.path for issue in caught.value.issues]
    assert FhirFormat().read(resource(), release=release, practice=strict).id
