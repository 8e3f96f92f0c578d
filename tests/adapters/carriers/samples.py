"""What the tests of carriers share: links, practices, and Appointments to write them into."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.participant import Role
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.testing.factories import NOON, a_practice

REPOSITORY = Path(__file__).parents[3]
REAL = REPOSITORY.parent / "shared/data/appointments"

FORMAT = FhirFormat()
BASE = "https://praxis.example/video/j#"
LIST = "https://praxis.example/video/practice/practice"
TIMES = (NOON - timedelta(minutes=15), NOON + timedelta(minutes=60))

PATIENT = VirtualService(BASE + "pat-1_A", Role.PATIENT, "Patient/1", *TIMES)
COMPANION = VirtualService(BASE + "comp", Role.COMPANION, "RelatedPerson/3", *TIMES)
INTERPRETER = VirtualService(BASE + "interp", Role.INTERPRETER, "Practitioner/4", *TIMES)
PRACTITIONER = VirtualService(BASE + "doctor", Role.PRACTITIONER, "Practitioner/2", *TIMES)
ALL = (PRACTITIONER, PATIENT, COMPANION, INTERPRETER)
OTHERS = tuple(VirtualService(s.url + "-new", s.role, s.reference, *TIMES) for s in ALL)

PLAIN: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "a1",
    "status": "booked",
    "start": "2026-03-02T13:00:00+01:00",
    "end": "2026-03-02T13:20:00+01:00",
    "participant": [
        {"actor": {"reference": s.reference}, "status": "accepted"}
        for s in (PATIENT, PRACTITIONER, COMPANION, INTERPRETER)
    ],
}

CARRIER_URL = "https://pvs.example/fhir/StructureDefinition/video-link"
BEFORE_R5 = ("STU3", "R4", "R4B")
RELEASES = (*BEFORE_R5, "R5")
SUITED: dict[str, tuple[str, ...]] = {
    "virtual-service": RELEASES,
    "virtual-service-contact": RELEASES,
    "participant-virtual-service": RELEASES,
    "contained-healthcare-service": BEFORE_R5,
    "contained-endpoint": ("R4", "R4B"),
    "extension": RELEASES,
    "patient-instruction": ("R4", "R4B", "R5"),
}
"""by carrier, the releases that have such a place; ``none`` has none"""
PAIRS = [(carrier, release) for carrier, releases in SUITED.items() for release in releases]


def practice(carrier: str, *, practitioner_links: bool = False, language: str = "de") -> Practice:
    conventions = FhirConventions(
        carrier=carrier,
        carrier_url=CARRIER_URL if carrier == "extension" else "",
        practitioner_links=practitioner_links,
        link_address=BASE,
        list_address=LIST,
    )
    return a_practice(fhir=conventions, language=language)


def write(
    original: Any,
    carrier: str,
    release: str,
    services: tuple[VirtualService, ...] | None = ALL,
    status: AppointmentStatus | None = None,
    **options: Any,
) -> dict[str, Any]:
    chosen = practice(carrier, **options)
    return FORMAT.write(original, release=release, practice=chosen, services=services, status=status)


def links(resource: dict[str, Any], carrier: str = "virtual-service") -> list[tuple[str, str, bool]]:
    return [
        (found.url, found.carrier, found.ours) for found in FORMAT.links(resource, practice=practice(carrier))
    ]


def text(resource: Any) -> str:
    """As JSON, with the keys in their order: for comparisons that are exact."""
    return json.dumps(resource)


def corpus() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """``(release, name, Appointment)``: our examples, and real ones where they are at hand."""
    for file in sorted((REPOSITORY / "examples/appointments").glob("r*/*.json")):
        yield file.parent.name.upper(), file.name, _read(file)
    for file in sorted(REAL.glob("*/*.json")):
        yield _release(file.parent.name), f"{file.parent.name}/{file.name}", _read(file)


def _release(folder: str) -> str:
    known = {"hl7-r4b": "R4B", "hl7-r5": "R5", "us-argonaut": "STU3"}
    return known.get(folder, "R4")


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))


def services_for(resource: dict[str, Any]) -> tuple[VirtualService, ...]:
    """A link for each actor; the first that looks like one is the patient, so that carriers have a link."""
    participants = resource.get("participant", [])
    references = [p["actor"]["reference"] for p in participants if "reference" in p.get("actor", {})]
    patient = next((r for r in references if "atient" in r), "")
    others = [
        VirtualService(f"{BASE}other-{i}", Role.COMPANION, r, *TIMES)
        for i, r in enumerate(references)
        if r != patient
    ]
    return (VirtualService(PATIENT.url, Role.PATIENT, patient, *TIMES), *others)
