"""Is it a video visit of ours? Decided by the rules that the practice chose, in any release."""

import re
from collections.abc import Callable, Iterable, Iterator

from vsdk.adapters.scheduling.fhir.carriers import choice
from vsdk.adapters.scheduling.fhir.carriers.cross_version import VIRTUAL_SERVICE
from vsdk.adapters.scheduling.fhir.people import Attendee
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text, codings, extensions
from vsdk.domain.practice import FhirConventions
from vsdk.hooks.ports import Json

Rule = Callable[[Json, Iterable[Attendee], FhirConventions], bool]

SNOMED = "http://snomed.info/sct"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
DANISH = "http://ehealth.sundhed.dk/cs/appointment-servicetype"

CODES = frozenset(
    {
        # "Telemedicine consultation with patient". Canvas Medical requires it, US Core shows it:
        # see https://build.fhir.org/ig/HL7/US-Core/branches/master/Appointment-telehealth.html
        (SNOMED, "448337001"),
        # "Consultation via video conference". Telehealth services of New Zealand:
        # see https://github.com/tewhatuora/cinc-fhir-ig
        (SNOMED, "719410009"),
        # Australian virtual waiting rooms, as appointmentType
        ("http://hl7.org.au/fhir/CodeSystem/AppointmentType", "teleconsultation"),
        # Danish national infrastructure, as serviceType; the value set is at build.fhir.org, below
        # ig/fut-infrastructure/implementation-guide/ValueSet-ehealth-appointment-servicetype.html
        (DANISH, "video"),
        (DANISH, "group-video"),
        # HL7's examples: see https://hl7.org/fhir/R5/valueset-service-mode.html
        ("http://hl7.org/fhir/service-mode", "videoconference"),
        # see https://build.fhir.org/ig/HL7/UTG/CodeSystem-virtual-healthcare-delivery-method.html
        ("http://terminology.hl7.org/CodeSystem/virtual-healthcare-delivery-method", "video"),
    }
)
"""``(system, code)`` of appointmentType or serviceType that mean video wherever they come from."""

CLASSES = frozenset(
    {
        # see https://terminology.hl7.org/ValueSet-v3-ActVirtualEncounterCode.html
        (ACT_CODE, "VR"),
        # Australia's addition: see https://build.fhir.org/ig/hl7au/au-fhir-base/CodeSystem-au-v3-ActCode.html
        ("http://terminology.hl7.org.au/CodeSystem/v3-ActCode", "VIDEO"),
    }
)
CLASS = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.class"
"""R5's ``class`` before R5: hl7.org/fhir/uv/xver-r5.r4, StructureDefinition-ext-R5-Appointment.class.html"""

DELIVERY_CHANNEL = re.compile(
    r"https://fhir\.(nhs|hl7\.org)\.uk/(STU3/)?StructureDefinition/"
    r"Extension-(GPConnect|CareConnect|UKCore)-DeliveryChannel(-\d)?"
)
"""``Extension-GPConnect-DeliveryChannel-2`` (valueCode), ``Extension-CareConnect-DeliveryChannel-1`` and
``Extension-UKCore-DeliveryChannel`` (valueCodeableConcept), on Appointment or Slot: simplifier.net, guides
"GP Connect (Patient Facing) Appointment Management" and "UK Core"."""
_VIDEO_CHANNELS = frozenset({"video", "video-conference", "videoconference"})

_VIRTUAL = re.compile(r"\bvirtu[ae]l", re.IGNORECASE)
"""virtual, virtuell, virtuel"""
_PLACE_FORM = "vi"
"""terminology.hl7.org/CodeSystem/location-physical-type"""


def why(resource: Json, attending: Iterable[Attendee], conventions: FhirConventions) -> str | None:
    """The name of the first of the practice's rules that holds, or None where it is no video visit of ours.

    A link of somebody else, and none of ours, means that they hold the visit, whatever the rules say. Never
    raises.
    """
    for rule in conventions.video:
        if RULES[rule](resource, attending, conventions):
            return None if is_elsewhere(resource, conventions) else rule
    return None


def is_elsewhere(resource: Json, conventions: FhirConventions) -> bool:
    """Whether the appointment has links to join by, and none of them is ours."""
    links = choice.found(resource, conventions)
    return bool(links) and not any(link.ours for link in links)


def _virtual_service(resource: Json, _: Iterable[Attendee], __: FhirConventions) -> bool:
    """R5's element, or its cross-version extension; with or without an address."""
    if "virtualService" in resource and as_objects(resource["virtualService"]):
        return True
    return bool(extensions(resource, VIRTUAL_SERVICE))


def _codes(resource: Json, _: Iterable[Attendee], conventions: FhirConventions) -> bool:
    """A code of `CODES` or of the practice's own. SNOMED CT's may lack their system."""
    for name in ("appointmentType", "serviceType"):
        for system, code in codings(resource[name]) if name in resource else ():
            if (system or SNOMED, code) in CODES:
                return True
            if conventions.video_codes and f"{system}|{code}" in conventions.video_codes:
                return True
    return False


def _class(resource: Json, _: Iterable[Attendee], __: FhirConventions) -> bool:
    """R5's element, or its cross-version extension. A code without a system is HL7's."""
    if "class" not in resource and "extension" not in resource:
        return False
    given = codings(resource["class"]) if "class" in resource else []
    for extension in extensions(resource, CLASS):
        given += codings(as_object(extension.get("valueCodeableConcept")))
    return any((system or ACT_CODE, code) in CLASSES for system, code in given)


def _location(_: Json, attending: Iterable[Attendee], __: FhirConventions) -> bool:
    """A participant is a Location called "virtual", or of that physical type or form."""
    return any(
        _is_virtual(place.resource) or _VIRTUAL.search(place.display) or _VIRTUAL.search(_id(place.reference))
        for _, place in attending
        if place.kind == "Location"
    )


def _id(reference: str) -> str:
    """Without the server, which may be called virtual for other reasons."""
    return reference.partition("/_history")[0].rpartition("/")[2]


def _is_virtual(location: Json) -> bool:
    if not location:
        return False
    if _VIRTUAL.search(as_text(location.get("name"))):
        return True
    forms = codings([location.get("physicalType"), location.get("form")])
    return any(code == _PLACE_FORM for _, code in forms)


def _delivery_channel(resource: Json, _: Iterable[Attendee], __: FhirConventions) -> bool:
    """The British extension on the Appointment, or on a Slot that it contains."""
    if "extension" not in resource and "contained" not in resource:
        return False
    slots = [one for one in as_objects(resource.get("contained")) if one.get("resourceType") == "Slot"]
    for element in (resource, *slots):
        for extension in as_objects(element.get("extension")):
            if DELIVERY_CHANNEL.fullmatch(as_text(extension.get("url"))):
                return any(text.lower() in _VIDEO_CHANNELS for text in _channels(extension))
    return False


def _channels(extension: Json) -> Iterator[str]:
    yield as_text(extension.get("valueCode"))
    yield as_text(extension.get("valueString"))
    yield as_text(as_object(extension.get("valueCoding")).get("code"))
    yield from (code for _, code in codings(extension.get("valueCodeableConcept")))


def _everything(_: Json, __: Iterable[Attendee], ___: FhirConventions) -> bool:
    """This practice gives its appointments to us because they are by video."""
    return True


RULES: dict[str, Rule] = {
    "virtual-service": _virtual_service,
    "codes": _codes,
    "class": _class,
    "location": _location,
    "delivery-channel": _delivery_channel,
    "everything": _everything,
}
"""by the names that the settings use"""
