"""Is it a video visit of ours? Rule by rule, and what overrides them all."""

from dataclasses import replace
from typing import Any

import pytest

from vsdk.adapters.scheduling.fhir import video
from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.adapters.scheduling.fhir.people import attendees
from vsdk.domain.practice import VIDEO_RULES, FhirConventions
from vsdk.testing.factories import a_practice

PRACTICE = a_practice()
CONVENTIONS = PRACTICE.fhir
FORMAT = FhirFormat()
OURS = f"{CONVENTIONS.link_address}h4ndle"
SNOMED = "http://snomed.info/sct"
TELEMEDICINE = {"coding": [{"system": SNOMED, "code": "448337001"}]}
DANISH = "http://ehealth.sundhed.dk/cs/appointment-servicetype"
XVER = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment."
GP_CONNECT = "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-GPConnect-DeliveryChannel-2"
UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeliveryChannel"
CARE_CONNECT = "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-DeliveryChannel-1"


def resource(**elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": "a1",
        "status": "booked",
        "start": "2026-11-23T09:00:00+01:00",
        "participant": [{"actor": {"reference": "Patient/1"}}, {"actor": {"reference": "Practitioner/2"}}],
        **elements,
    }


def why(given: dict[str, Any], conventions: FhirConventions) -> str | None:
    return video.why(given, attendees(given), conventions)


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def at(place: dict[str, Any], **elements: Any) -> dict[str, Any]:
    """With a further participant."""
    given = resource(**elements)
    given["participant"].append(place)
    return given


VIRTUAL_ROOM = {"resourceType": "Location", "id": "room", "physicalType": coded("", "vi")}
VIRTUAL_FORM = {"resourceType": "Location", "id": "room", "form": coded("", "vi")}
SLOT = {
    "resourceType": "Slot",
    "id": "s",
    "extension": [{"url": UK_CORE, "valueCodeableConcept": coded("", "video")}],
}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (resource(), None),
        (resource(virtualService=[{"channelType": {"code": "x"}}]), "virtual-service"),
        (resource(virtualService={"sessionKey": "1"}), "virtual-service"),
        (resource(virtualService=[]), None),
        (resource(virtualService=[None, "zoom"]), None),
        (resource(extension=[{"url": f"{XVER}virtualService"}]), "virtual-service"),
        (resource(extension=[{"url": "https://other.example"}]), None),
        (resource(appointmentType=TELEMEDICINE), "codes"),
        (resource(serviceType=[{"text": "x"}, TELEMEDICINE]), "codes"),
        (resource(serviceType=TELEMEDICINE), "codes"),
        (resource(serviceType=[{"concept": TELEMEDICINE}]), "codes"),
        (resource(serviceType=[{"coding": {"code": " 448337001 "}}]), "codes"),
        (resource(serviceType=coded(SNOMED, "719410009")), "codes"),
        (resource(serviceType=[coded(DANISH, "video")]), "codes"),
        (resource(serviceType=[coded(DANISH, "group-video")]), "codes"),
        (resource(serviceType=[coded(DANISH, "group")]), None),
        (resource(serviceType=[coded("", "video")]), None),
        (
            resource(
                appointmentType=coded("http://hl7.org.au/fhir/CodeSystem/AppointmentType", "teleconsultation")
            ),
            "codes",
        ),
        (resource(appointmentType=coded("urn:other", "448337001")), None),
        (resource(serviceCategory=[TELEMEDICINE], reasonCode=[TELEMEDICINE]), None),
        (resource(**{"class": [coded("", "VR")]}), "class"),
        (
            resource(**{"class": coded("http://terminology.hl7.org.au/CodeSystem/v3-ActCode", "VIDEO")}),
            "class",
        ),
        (resource(**{"class": [coded("", "AMB")]}), None),
        (resource(**{"class": [coded("urn:other", "VR")]}), None),
        (resource(extension=[{"url": f"{XVER}class", "valueCodeableConcept": coded("", "VR")}]), "class"),
        (resource(extension=[{"url": f"{XVER}class", "valueCodeableConcept": coded("", "AMB")}]), None),
        (at({"actor": {"reference": "Location/1", "display": "Virtual room"}}), "location"),
        (at({"actor": {"reference": "Location/1", "display": "Virtueller Raum 2"}}), "location"),
        (at({"actor": {"reference": "Location/1", "display": "Cabinet virtuel"}}), "location"),
        (at({"actor": {"reference": "Location/virtual-2"}}), "location"),
        (at({"actor": {"reference": "https://pms.example/Location/virtual-2/_history/1"}}), "location"),
        (at({"actor": {"reference": "https://virtual.example/virtual/Location/1"}}), None),
        (at({"actor": {"reference": "#room"}}, contained=[VIRTUAL_ROOM]), "location"),
        (at({"actor": {"reference": "#room"}}, contained=[VIRTUAL_FORM]), "location"),
        (at({"actor": {"reference": "#room"}, "status": "declined"}, contained=[VIRTUAL_ROOM]), None),
        (at({"actor": {"reference": "Location/1"}}, contained=[VIRTUAL_ROOM]), None),
        (at({"actor": {"reference": "Location/1", "display": "Room 1"}}), None),
        (at({"actor": {"reference": "Practitioner/virtual", "display": "Dr. Virtual"}}), None),
        (resource(extension=[{"url": GP_CONNECT, "valueCode": "Video"}]), "delivery-channel"),
        (resource(extension={"url": GP_CONNECT, "valueCode": "VIDEO "}), "delivery-channel"),
        (resource(extension=[{"url": GP_CONNECT, "valueCode": "In-person"}]), None),
        (resource(extension=[{"url": GP_CONNECT}]), None),
        (
            resource(extension=[{"url": UK_CORE, "valueCodeableConcept": coded("", "video")}]),
            "delivery-channel",
        ),
        (
            resource(extension=[{"url": CARE_CONNECT, "valueCodeableConcept": coded("", "Video")}]),
            "delivery-channel",
        ),
        (resource(contained=[SLOT]), "delivery-channel"),
        (resource(extension=[{"url": "https://other.example", "valueCode": "Video"}]), None),
    ],
)
def test_a_rule_decides_and_is_named(given: dict[str, Any], rule: str | None) -> None:
    assert why(given, CONVENTIONS) == rule
    assert FORMAT.read(given, release="R5", practice=PRACTICE).is_video is (rule is not None)
    for release in ("STU3", "R4", "R4B", "R5"):
        found = FhirFormat().read(given, release=release, practice=PRACTICE).is_video
        assert found is (rule is not None)


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        ("virtual-service", resource(virtualService=[{"sessionKey": "1"}])),
        ("codes", resource(appointmentType=TELEMEDICINE)),
        ("class", resource(**{"class": [coded("", "VR")]})),
        ("location", at({"actor": {"reference": "Location/virtual"}})),
        ("delivery-channel", resource(extension=[{"url": GP_CONNECT, "valueCode": "Video"}])),
    ],
)
def test_only_rules_that_the_practice_chose_count(rule: str, given: dict[str, Any]) -> None:
    assert why(given, replace(CONVENTIONS, video=(rule,))) == rule
    others = tuple(name for name in VIDEO_RULES if name != rule)
    assert why(given, replace(CONVENTIONS, video=others)) is None


def test_a_practice_may_have_codes_of_its_own() -> None:
    own = replace(CONVENTIONS, video_codes=("https://pms.example/types|VID", "|v2"))
    assert why(resource(serviceType=[coded("https://pms.example/types", "VID")]), own) == "codes"
    assert why(resource(appointmentType={"coding": [{"code": "v2"}]}), own) == "codes"
    assert why(resource(appointmentType=coded("https://other.example", "v2")), own) is None
    assert why(resource(appointmentType=coded("https://other.example", "VID")), own) is None


def test_everything_is_a_rule_too() -> None:
    assert why(resource(), replace(CONVENTIONS, video=("everything",))) == "everything"


@pytest.mark.parametrize(
    "theirs",
    [
        {"virtualService": [{"addressUrl": "https://zoom.example/1"}]},
        {
            "extension": [
                {
                    "url": f"{XVER}virtualService",
                    "extension": [{"url": "address", "valueUrl": "https://zoom.example/1"}],
                }
            ]
        },
    ],
)
def test_with_a_link_of_somebody_else_it_is_their_visit_whatever_the_rules_say(
    theirs: dict[str, Any],
) -> None:
    everything = replace(CONVENTIONS, video=(*VIDEO_RULES, "everything"))
    given = resource(appointmentType=TELEMEDICINE, **theirs)
    assert why(given, everything) is None
    assert video.is_elsewhere(given, everything)
    practice = replace(PRACTICE, fhir=everything)
    assert not FhirFormat().read(given, release="R5", practice=practice).is_video
    assert FhirFormat().read(given, release="R5", practice=practice, assume_video=True).is_video


def test_with_a_link_of_ours_beside_it_is_ours() -> None:
    given = resource(virtualService=[{"addressUrl": "https://zoom.example/1"}, {"addressUrl": OURS}])
    assert why(given, CONVENTIONS) == "virtual-service"
    assert not video.is_elsewhere(given, CONVENTIONS)


def test_every_rule_of_the_settings_exists() -> None:
    assert set(VIDEO_RULES) | {"everything"} == set(video.RULES)
    assert FhirConventions().video == VIDEO_RULES
