"""Where each carrier puts the link, as the systems that look for it expect it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from tests.adapters.carriers.samples import (
    ALL,
    BASE,
    CARRIER_URL,
    COMPANION,
    FORMAT,
    INTERPRETER,
    LIST,
    PATIENT,
    PLAIN,
    PRACTITIONER,
    RELEASES,
    SUITED,
    links,
    practice,
    text,
    write,
)

from vsdk.adapters.scheduling.fhir.carriers.choice import CARRIERS
from vsdk.adapters.scheduling.fhir.carriers.contained_endpoint import ID as CANVAS
from vsdk.adapters.scheduling.fhir.carriers.cross_version import VIRTUAL_SERVICE
from vsdk.domain.errors import InvalidAppointment
from vsdk.domain.practice import FhirConventions
from vsdk.settings import FhirSettings
from vsdk.testing.factories import NOON, a_practice

OWN_TYPE = {"system": "urn:vsdk:virtual-service-type", "code": "video-visit", "display": "Video visit"}
ZOOM = "https://zoom.example/1"
DATATYPE = "http://hl7.org/fhir/StructureDefinition/_datatype"
POINT = {"system": "url", "value": PATIENT.url}


def typed(name: str) -> dict[str, str]:
    return {"url": DATATYPE, "valueString": name}


def refused(original: dict[str, Any], carrier: str, release: str = "R4") -> InvalidAppointment:
    with pytest.raises(InvalidAppointment) as caught:
        write(original, carrier, release)
    return caught.value


def parts(entry: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["url"]: part for part in entry["extension"]}


@pytest.mark.parametrize("carrier", ["virtual-service", "virtual-service-contact"])
def test_r5_has_its_own_element(carrier: str) -> None:
    written = write(PLAIN, carrier, "R5")
    assert written["virtualService"] == [{"channelType": OWN_TYPE, "addressUrl": PATIENT.url}]
    assert "extension" not in written


@pytest.mark.parametrize(
    ("release", "value"), [("R4", "valueUrl"), ("R4B", "valueUrl"), ("STU3", "valueUri")]
)
def test_before_r5_the_cross_version_extension_has_the_link(release: str, value: str) -> None:
    (entry,) = write(PLAIN, "virtual-service", release)["extension"]
    assert entry["url"] == "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.virtualService"
    assert parts(entry)[DATATYPE]["valueString"] == "VirtualServiceDetail"
    assert parts(entry)["channelType"]["valueCoding"] == OWN_TYPE
    assert parts(entry)["address"] == {"url": "address", value: PATIENT.url}


def test_the_published_shape_has_the_link_in_a_contact_detail() -> None:
    (entry,) = write(PLAIN, "virtual-service-contact", "R4")["extension"]
    address = parts(parts(entry)["address"])
    assert address[DATATYPE]["valueString"] == "ExtendedContactDetail"
    assert address["telecom"]["valueContactPoint"] == {"system": "url", "value": PATIENT.url}
    assert parts(entry)[DATATYPE]["valueString"] == "VirtualServiceDetail"


def test_the_published_shape_is_what_its_definition_fixes() -> None:
    """ext-R5-Appointment.virtualService 0.1.0: addresses and types of the parts, one by one."""
    (entry,) = write(PLAIN, "virtual-service-contact", "R4")["extension"]
    contact = {"extension": [typed("ExtendedContactDetail"), {"url": "telecom", "valueContactPoint": POINT}]}
    assert entry == {
        "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.virtualService",
        "extension": [
            typed("VirtualServiceDetail"),
            {"url": "channelType", "valueCoding": OWN_TYPE},
            {"url": "address", **contact},
        ],
    }


def test_an_entry_with_the_short_name_of_the_type_is_ours_and_written_anew() -> None:
    (entry,) = write(PLAIN, "virtual-service-contact", "R4")["extension"]
    short = json.loads(json.dumps(entry).replace(DATATYPE, "_datatype"))
    given = PLAIN | {"extension": [short]}
    assert links(given) == [(PATIENT.url, "virtual-service", True)]
    assert write(given, "virtual-service-contact", "R4")["extension"] == [entry]


def test_one_shape_takes_the_place_of_the_other() -> None:
    plain = write(PLAIN, "virtual-service", "R4")
    contact = write(plain, "virtual-service-contact", "R4")
    assert text(contact) == text(write(PLAIN, "virtual-service-contact", "R4"))
    assert text(write(contact, "virtual-service", "R4")) == text(plain)


@pytest.mark.parametrize(
    "address",
    [
        {"addressUrl": ZOOM},
        {"addressString": ZOOM},
        {"addressContactPoint": {"system": "url", "value": ZOOM}},
        {"addressExtendedContactDetail": {"telecom": [{"system": "url", "value": ZOOM}]}},
    ],
)
def test_r5_links_are_read_in_every_type(address: dict[str, Any]) -> None:
    assert links(PLAIN | {"virtualService": [address]}) == [(ZOOM, "virtual-service", False)]


@pytest.mark.parametrize(
    "address",
    [
        {"url": "address", "valueUrl": ZOOM},
        {"url": "address", "valueUri": ZOOM},
        {"url": "address", "valueString": ZOOM},
        {"url": "address", "valueContactPoint": {"system": "url", "value": ZOOM}},
        {"url": "address", "extension": [{"url": "telecom", "valueContactPoint": {"value": ZOOM}}]},
        {"url": "address", "extension": [{"url": "addressUrl", "valueUrl": ZOOM}]},
    ],
)
def test_cross_version_links_are_read_in_every_shape(address: dict[str, Any]) -> None:
    entry = {"url": VIRTUAL_SERVICE, "extension": [{"url": "sessionKey", "valueString": "k"}, address]}
    assert links(PLAIN | {"extension": [entry]}) == [(ZOOM, "virtual-service", False)]


@pytest.mark.parametrize("name", [DATATYPE, "_datatype"])
def test_the_type_of_an_address_is_no_link(name: str) -> None:
    nested = [{"url": name, "valueString": "ExtendedContactDetail"}]
    entry = {"url": VIRTUAL_SERVICE, "extension": [{"url": "address", "extension": nested}]}
    assert links(PLAIN | {"extension": [entry]}) == []


def test_ours_is_known_by_its_address_where_a_server_drops_the_channel_type() -> None:
    for release, element in (("R5", "virtualService"), ("R4", "extension")):
        written = write(PLAIN, "virtual-service", release)
        (entry,) = written[element]
        if release == "R5":
            del entry["channelType"]
        else:
            entry["extension"] = [part for part in entry["extension"] if part["url"] != "channelType"]
        assert links(written) == [(PATIENT.url, "virtual-service", True)]
        assert text(write(written, "virtual-service", release, ())) == text(PLAIN)


def test_what_a_server_adds_to_our_entry_stays() -> None:
    written = write(PLAIN, "virtual-service", "R5")
    written["virtualService"][0]["id"] = "1"
    assert text(write(written, "virtual-service", "R5")) == text(written)


@pytest.mark.parametrize("release", RELEASES)
def test_each_participant_who_waits_has_an_own_link(release: str) -> None:
    written = write(PLAIN, "participant-virtual-service", release)
    own = {p["actor"]["reference"]: text(p.get("extension")) for p in written["participant"]}
    for service in (PATIENT, COMPANION, INTERPRETER):
        assert service.url in own[service.reference]
        assert own[service.reference].count(BASE) == 1
    assert own[PRACTITIONER.reference] == "null"
    assert {found for found, _, _ in links(written)} == {s.url for s in (PATIENT, COMPANION, INTERPRETER)}


def test_a_participants_link_has_the_austrian_shape() -> None:
    (entry,) = write(PLAIN, "participant-virtual-service", "R5")["participant"][0]["extension"]
    assert entry["url"].startswith("http://hl7.at/fhir/")
    assert parts(entry)["channelType"]["valueCoding"] == OWN_TYPE
    assert parts(entry)["address"]["extension"] == [{"url": "addressUrl", "valueUrl": PATIENT.url}]


def test_the_practitioners_link_stands_at_the_practitioner() -> None:
    written = write(PLAIN, "participant-virtual-service", "R4", practitioner_links=True)
    own = {p["actor"]["reference"]: text(p.get("extension")) for p in written["participant"]}
    assert PRACTITIONER.url in own["Practitioner/2"]
    assert PRACTITIONER.url not in own["Patient/1"]


def test_who_has_no_reference_gets_no_link_and_who_has_two_entries_gets_one() -> None:
    actors = [{"display": "Erika"}, {"reference": "Patient/1"}, {"reference": "Patient/1"}]
    original = PLAIN | {"participant": [{"actor": actor} for actor in actors]}
    written = write(original, "participant-virtual-service", "R4")
    assert ["extension" in p for p in written["participant"]] == [False, True, False]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Patient/1", "https://pms.example/fhir/Patient/1"),
        ("https://pms.example/fhir/Patient/1", "Patient/1"),
        ("Patient/1", "Patient/1/_history/3"),
        ("https://old.example/Patient/1/_history/2", "https://pms.example/fhir/Patient/1"),
    ],
)
def test_a_participant_is_known_in_each_form_of_the_reference(given: str, shown: str) -> None:
    people = [{"actor": {"reference": r}} for r in ("Patient/11", "Practitioner/1", shown)]
    original = PLAIN | {"participant": people}
    service = replace(PATIENT, reference=given)
    written = write(original, "participant-virtual-service", "R4", (service,))
    assert ["extension" in p for p in written["participant"]] == [False, False, True]
    assert text(write(written, "participant-virtual-service", "R4", (service,))) == text(written)


def test_the_very_reference_counts_before_a_similar_one() -> None:
    people = [{"actor": {"reference": r}} for r in ("https://other.example/Patient/1", "Patient/1")]
    written = write(PLAIN | {"participant": people}, "participant-virtual-service", "R4", (PATIENT,))
    assert ["extension" in p for p in written["participant"]] == [False, True]


def test_a_single_participant_that_is_no_list_stays_so() -> None:
    original = PLAIN | {"participant": {"actor": {"reference": "Patient/1"}}}
    written = write(original, "participant-virtual-service", "R4")
    assert PATIENT.url in text(written["participant"]["extension"])
    assert text(write(written, "participant-virtual-service", "R4", ())) == text(original)


@pytest.mark.parametrize("carrier", sorted({*SUITED} - {"participant-virtual-service"}))
def test_of_several_patients_the_first_ones_link_is_the_appointments(carrier: str) -> None:
    second = replace(PATIENT, url=BASE + "second", reference="Patient/2")
    written = text(write(PLAIN, carrier, "R4", (COMPANION, PATIENT, second)))
    assert PATIENT.url in written
    assert written.count(BASE) == 1
    assert text(write(PLAIN, carrier, "R4", (COMPANION,))) == text(PLAIN)


def test_of_two_links_of_one_actor_the_first_is_written() -> None:
    second = replace(COMPANION, reference=PATIENT.reference)
    for services, expected in (((PATIENT, second), PATIENT), ((second, PATIENT), second)):
        written = text(write(PLAIN, "participant-virtual-service", "R4", services))
        assert expected.url in written
        assert written.count(BASE) == 1


def test_what_others_make_of_our_link_is_theirs() -> None:
    copy = {"url": "urn:pvs:copy", "extension": [{"url": "address", "valueUrl": PATIENT.url}]}
    person = {"actor": {"reference": "Patient/1"}, "extension": [copy]}
    original = PLAIN | {"extension": [copy], "participant": [person]}
    for carrier in ("virtual-service", "participant-virtual-service"):
        written = write(original, carrier, "R4")
        assert written["extension"][0] == copy
        assert written["participant"][0]["extension"][0] == copy
        assert text(write(written, carrier, "R4", ())) == text(original)


def room(name: str, url: str, **more: Any) -> dict[str, Any]:
    point = {"system": "url", "value": url} if url else {}
    return {"resourceType": "HealthcareService", "type": [{"text": name}], "telecom": [point]} | more


PERIOD = {"start": "2026-03-02T11:45:00Z", "end": "2026-03-02T13:00:00Z"}


def test_oracle_has_two_rooms_that_participants_refer_to() -> None:
    written = write(PLAIN, "contained-healthcare-service", "R4")
    patient, provider = written["contained"]
    assert patient["type"] == [{"text": "Patient Virtual Meeting Room"}]
    assert patient["telecom"] == [{"system": "url", "value": PATIENT.url, "period": PERIOD}]
    assert provider["type"] == [{"text": "Provider Virtual Meeting Room"}]
    assert provider["telecom"] == [{"system": "url", "value": LIST, "period": PERIOD}]
    references = [p["actor"]["reference"] for p in written["participant"][4:]]
    assert references == [f"#{patient['id']}", f"#{provider['id']}"]
    assert BASE not in text(provider)


def test_oracles_provider_room_has_the_practitioners_link_on_request() -> None:
    written = write(PLAIN, "contained-healthcare-service", "R4", practitioner_links=True)
    assert [c["telecom"][0]["value"] for c in written["contained"]] == [PATIENT.url, PRACTITIONER.url]
    alone = write(PLAIN, "contained-healthcare-service", "R4", (PATIENT,), practitioner_links=True)
    assert [c["telecom"][0]["value"] for c in alone["contained"]] == [PATIENT.url, LIST]


def as_oracle_gives_it_back(order: int) -> dict[str, Any]:
    """Ids of their own, times in their way, and the rooms in either order."""
    written = write(PLAIN, "contained-healthcare-service", "R4")
    for number, contained in enumerate(written["contained"]):
        contained["id"] = str(600 + number)
        contained["telecom"][0]["period"] = {
            "start": "2026-03-02T11:45:00.000Z",
            "end": "2026-03-02T14:00:00.000+01:00",
        }
        written["participant"][4 + number]["actor"]["reference"] = f"#{600 + number}"
    return written | {"contained": written["contained"][::order]}


@pytest.mark.parametrize("order", [1, -1])
def test_oracles_rooms_are_known_by_their_text_in_any_order(order: int) -> None:
    given = as_oracle_gives_it_back(order)
    assert text(write(given, "contained-healthcare-service", "R4")) == text(given)
    changed = write(given, "contained-healthcare-service", "R4", (COMPANION, PRACTITIONER, ALL[1]))
    assert text(changed) == text(given)
    new = PATIENT.url + "-new"
    moved = write(given, "contained-healthcare-service", "R4", (replace(PATIENT, url=new),))
    rooms = {c["type"][0]["text"]: c["telecom"] for c in moved["contained"]}
    assert [p["value"] for p in rooms["Patient Virtual Meeting Room"]] == [new]
    assert [p["value"] for p in rooms["Provider Virtual Meeting Room"]] == [LIST]
    assert [c["id"] for c in moved["contained"]] == [c["id"] for c in given["contained"]]
    assert moved["participant"] == given["participant"]
    emptied = write(given, "contained-healthcare-service", "R4", ())
    assert BASE not in text(emptied)
    assert [c["id"] for c in emptied["contained"]] == [c["id"] for c in given["contained"]]


def test_our_own_room_is_taken_before_that_of_someone_else() -> None:
    theirs = room("Patient Virtual Meeting Room", ZOOM, id="1")
    ours = room("Patient Virtual Meeting Room", BASE + "old", id="2")
    original = PLAIN | {"contained": [theirs, ours]}
    written = write(original, "contained-healthcare-service", "R4")
    assert written["contained"][0] == theirs
    assert written["contained"][1]["telecom"][0]["value"] == PATIENT.url


def test_fractions_of_seconds_make_no_difference_to_a_room() -> None:
    exact = replace(PATIENT, opens=NOON + timedelta(microseconds=5), closes=None)
    written = write(PLAIN, "contained-healthcare-service", "R4", (exact,))
    assert written["contained"][0]["telecom"][0]["period"] == {"start": "2026-03-02T12:00:00Z"}
    written["contained"][0]["telecom"][0]["period"]["start"] = "2026-03-02T12:00:00.000Z"
    assert text(write(written, "contained-healthcare-service", "R4", (exact,))) == text(written)


def test_without_times_and_sign_in_page_there_is_one_room_without_period() -> None:
    bare = a_practice(fhir=FhirConventions(carrier="contained-healthcare-service", link_address=BASE))
    service = replace(PATIENT, opens=None, closes=None)
    written = FORMAT.write(PLAIN, release="R4", practice=bare, services=(service,))
    assert [c["telecom"] for c in written["contained"]] == [[{"system": "url", "value": PATIENT.url}]]


def test_the_address_of_the_sign_in_page_may_be_too_long_as_well() -> None:
    conventions = replace(practice("contained-healthcare-service").fhir, list_address=LIST.ljust(256, "x"))
    with pytest.raises(InvalidAppointment) as caught:
        FORMAT.write(PLAIN, release="R4", practice=a_practice(fhir=conventions), services=ALL)
    assert caught.value.code == "link-too-long"


def test_a_room_of_someone_else_is_not_taken() -> None:
    for name, mine in (("Patient Virtual Meeting Room", 0), ("Provider Virtual Meeting Room", 1)):
        other = [{"resourceType": "Patient", "id": "p"}] * mine
        error = refused(PLAIN | {"contained": [*other, room(name, ZOOM)]}, "contained-healthcare-service")
        assert error.code == "foreign-link"
        assert [i.path for i in error.issues] == [f"Appointment.contained[{mine}].telecom[0].value"]
        assert ZOOM not in repr((error, error.issues))


def test_rooms_are_read_by_their_text() -> None:
    contained = [
        room("Provider Virtual Meeting Room", "https://vmr.example/host"),
        room("Cardiology", "https://heart.example"),
        room("Patient Virtual Meeting Room", "https://vmr.example/guest"),
    ]
    found = links(PLAIN | {"contained": contained})
    assert [url for url, _, _ in found] == ["https://vmr.example/host", "https://vmr.example/guest"]


def test_an_empty_room_is_filled_and_emptied_again() -> None:
    empty = {k: v for k, v in room("Patient Virtual Meeting Room", "", id="28").items() if k != "telecom"}
    original = PLAIN | {"contained": [empty]}
    written = write(original, "contained-healthcare-service", "R4")
    assert written["contained"][0]["telecom"][0]["value"] == PATIENT.url
    assert text(write(written, "contained-healthcare-service", "R4", ())) == text(original)


def test_canvas_has_an_endpoint_with_a_fixed_id() -> None:
    written = write(PLAIN, "contained-endpoint", "R4")
    assert written["contained"] == [
        {
            "resourceType": "Endpoint",
            "id": "appointment-meeting-endpoint-0",
            "status": "active",
            "connectionType": {"code": "https"},
            "payloadType": [{"coding": [{"code": "video-call"}]}],
            "address": PATIENT.url,
        }
    ]
    reference = {"reference": "#appointment-meeting-endpoint-0", "type": "Endpoint"}
    assert written["supportingInformation"] == [reference]


@pytest.mark.parametrize("id_", ["appointment-meeting-endpoint-0", "appointment-meeting-endpoint"])
def test_canvas_links_are_read_in_both_shapes_and_not_taken(id_: str) -> None:
    endpoint = {"resourceType": "Endpoint", "id": id_, "address": ZOOM}
    original = PLAIN | {"contained": [endpoint], "supportingInformation": [{"reference": f"#{id_}"}]}
    assert links(original) == [(ZOOM, "contained-endpoint", False)]
    error = refused(original, "contained-endpoint")
    assert error.code == "foreign-link"
    assert [i.path for i in error.issues] == ["Appointment.contained[0].address"]
    assert text(write(original, "contained-endpoint", "R4", ())) == text(original)


def test_an_endpoint_without_an_address_is_filled() -> None:
    shell = {"resourceType": "Endpoint", "id": "appointment-meeting-endpoint-0", "status": "active"}
    original = PLAIN | {"contained": [shell]}
    (endpoint,) = write(original, "contained-endpoint", "R4")["contained"]
    assert endpoint["address"] == PATIENT.url
    assert text(write(original, "contained-endpoint", "R4", ())) == text(original)


def test_our_endpoint_is_known_by_its_address_where_a_server_gives_it_another_id() -> None:
    written = json.loads(text(write(PLAIN, "contained-endpoint", "R4")).replace(CANVAS, "21"))
    assert write(written, "contained-endpoint", "R4") == write(PLAIN, "contained-endpoint", "R4")
    assert text(write(written, "contained-endpoint", "R4", ())) == text(PLAIN)
    assert text(write(written, "extension", "R4")) == text(write(PLAIN, "extension", "R4"))


def test_an_endpoint_of_ours_that_lost_its_id_takes_no_reference_of_others_with_it() -> None:
    others = [{"identifier": {"value": "letter"}}, {"reference": "DocumentReference/1"}]
    endpoint = write(PLAIN, "contained-endpoint", "R4")["contained"][0]
    nameless = PLAIN | {"contained": [endpoint | {"id": None}], "supportingInformation": others}
    assert write(nameless, "contained-endpoint", "R4", ()) == PLAIN | {"supportingInformation": others}


def test_an_endpoint_for_something_else_is_no_video_link() -> None:
    endpoint = {"resourceType": "Endpoint", "id": "images", "address": "https://pacs.example"}
    assert links(PLAIN | {"contained": [endpoint]}) == []


def test_the_chosen_extension_has_the_link_as_its_value() -> None:
    assert write(PLAIN, "extension", "R4")["extension"] == [{"url": CARRIER_URL, "valueUrl": PATIENT.url}]
    assert write(PLAIN, "extension", "STU3")["extension"] == [{"url": CARRIER_URL, "valueUri": PATIENT.url}]


@pytest.mark.parametrize("value", ["valueUrl", "valueUri", "valueString"])
def test_the_chosen_extension_is_read_with_any_value_and_not_taken(value: str) -> None:
    original = PLAIN | {"extension": [{"url": "urn:x"}, {"url": CARRIER_URL, value: ZOOM}]}
    assert links(original, "extension") == [(ZOOM, "extension", False)]
    assert links(original, "virtual-service") == []
    error = refused(original, "extension")
    assert error.code == "foreign-link"
    assert [i.path for i in error.issues] == ["Appointment.extension[1].value"]


ZOOM_BOT = [
    {"url": "meetingId", "valueString": "123"},
    {"url": "password", "valueString": "secret"},
    {"url": "startUrl", "valueString": "https://zoom.example/s/1"},
    {"url": "joinUrl", "valueString": "https://zoom.example/j/1"},
]
OYSTEHR = [
    {"url": "channelType", "valueCoding": {"code": "x"}},
    {"url": "addressString", "valueString": ZOOM},
]


@pytest.mark.parametrize(
    ("extension", "found"),
    [
        (
            {
                "url": "http://hl7.org.au/fhir/StructureDefinition/telehealth-videolink",
                "valueUrl": "https://au.example",
            },
            ["https://au.example"],
        ),
        (
            {
                "url": "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-meeting-url",
                "valueUri": "https://dk.example",
            },
            ["https://dk.example"],
        ),
        (
            {"url": "https://medplum.com/zoom-meeting", "extension": ZOOM_BOT},
            ["https://zoom.example/s/1", "https://zoom.example/j/1"],
        ),
        (
            {
                "url": "https://extensions.fhir.zapehr.com/appointment-virtual-service-pre-release",
                "extension": OYSTEHR,
            },
            [ZOOM],
        ),
    ],
    ids=["australia", "denmark", "medplum", "oystehr"],
)
def test_extensions_of_others_are_read(extension: dict[str, Any], found: list[str]) -> None:
    for carrier in ("virtual-service", "extension", "none"):
        read = links(PLAIN | {"extension": [extension]}, carrier)
        assert read == [(url, "extension", False) for url in found]


DE = "Für Ihre Videosprechstunde öffnen Sie bitte kurz vor Beginn diesen Link: "
FR = "Pour votre téléconsultation, ouvrez ce lien peu avant l'heure prévue : "
EN = "For your video visit, please open this link shortly before it starts: "


@pytest.mark.parametrize(
    ("language", "sentence"), [("de", DE), ("de-AT", DE), ("FR_ca", FR), ("en", EN), ("tr", EN), ("", EN)]
)
def test_patients_read_a_sentence_in_the_language_of_the_practice(language: str, sentence: str) -> None:
    written = write(PLAIN, "patient-instruction", "R4", language=language)
    assert written["patientInstruction"] == sentence + PATIENT.url
    written = write(PLAIN, "patient-instruction", "R5", language=language)
    assert written["patientInstruction"] == [{"concept": {"text": sentence + PATIENT.url}}]


def test_the_sentence_stands_below_what_the_practice_wrote() -> None:
    original = PLAIN | {"patientInstruction": "Nüchtern kommen."}
    written = write(original, "patient-instruction", "R4")
    assert written["patientInstruction"] == f"Nüchtern kommen.\n{DE}{PATIENT.url}"
    for language in ("de", "fr"):
        assert text(write(written, "patient-instruction", "R4", (), language=language)) == text(original)


@pytest.mark.parametrize("release", ["R4", "R5"])
def test_a_reworded_sentence_keeps_its_words_and_gets_the_new_link(release: str) -> None:
    def with_text(words: str) -> dict[str, Any]:
        return PLAIN | {"patientInstruction": [{"concept": {"text": words}}] if release == "R5" else words}

    original = with_text(f"Nüchtern! Video hier: {BASE}old, bitte pünktlich.")
    written = write(original, "patient-instruction", release)
    assert text(written) == text(with_text(f"Nüchtern! Video hier: {PATIENT.url}, bitte pünktlich."))
    removed = write(written, "patient-instruction", release, ())
    assert text(removed) == text(with_text("Nüchtern! Video hier: , bitte pünktlich."))


def test_a_text_that_lost_its_line_breaks_loses_nothing_else() -> None:
    flat = PLAIN | {"patientInstruction": f"Nüchtern kommen. {DE}{PATIENT.url} Danke!"}
    removed = write(flat, "patient-instruction", "R4", ())
    assert removed["patientInstruction"] == "Nüchtern kommen.  Danke!"


def test_with_another_carrier_only_our_own_sentence_is_taken_out() -> None:
    staff = PLAIN | {"patientInstruction": f"Bitte hier klicken: {PATIENT.url}"}
    assert write(staff, "virtual-service", "R4")["patientInstruction"] == staff["patientInstruction"]
    ours = write(PLAIN, "patient-instruction", "R4")
    assert "patientInstruction" not in write(ours, "virtual-service", "R4")


def test_other_addresses_in_the_instruction_are_no_video_links() -> None:
    assert links(PLAIN | {"patientInstruction": "Anfahrt: https://praxis.example/anfahrt"}) == []


def test_without_an_address_of_our_own_nothing_is_taken_for_ours() -> None:
    bare = a_practice(fhir=FhirConventions())
    written = write(PLAIN, "patient-instruction", "R4") | {"extension": [{"url": "x", "valueUrl": ZOOM}]}
    assert FORMAT.links(written, practice=bare) == []
    assert text(FORMAT.write(written, release="R4", practice=bare, services=())) == text(written)


def test_the_settings_offer_what_there_is() -> None:
    assert set(CARRIERS) == set(get_args(FhirSettings.model_fields["carrier"].annotation))
    assert practice("none").fhir.carrier == "none"
