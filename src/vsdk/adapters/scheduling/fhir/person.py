"""What a contained Patient, Practitioner, PractitionerRole or RelatedPerson tells of itself.

Whatever is missing or makes no sense reads as empty.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from vsdk.adapters.scheduling.fhir import contact
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text, codings
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

_FORMER = ("old", "maiden")
"""NameUse and ContactPointUse of what is no longer in use (hl7.org/fhir/R4/valueset-name-use.html)"""


def name(resource: Json, at: datetime | None) -> str:
    """A HumanName in one line; of several in use then the official one, else the first."""
    for one in _preferred(resource.get("name"), "use", "official"):
        if _is_former(one, at):
            continue
        if whole := as_text(one.get("text")) or " ".join(_parts(one)):
            return whole
    return as_text(as_object(resource.get("practitioner")).get("display"))


def reach(resource: Json, practice: Practice, at: datetime | None) -> tuple[str, str]:
    """Where an SMS can go, as E.164, and a mail address; of several in use then mobile ones first, then any.

    A number that is given up goes to somebody else.
    """
    sms = phone = email = ""
    if "telecom" not in resource:
        return "", ""
    for point in _preferred(resource["telecom"], "use", "mobile"):
        if _is_former(point, at):
            continue
        system, value = as_text(point.get("system")).lower(), as_text(point.get("value"))
        if system == "email":
            email = email or contact.email(value)
        elif system == "phone":
            phone = phone or contact.phone(value, practice.phone)
        elif system == "sms":
            sms = sms or contact.phone(value, practice.phone)
    return sms or phone, email


def language(resource: Json) -> str:
    """BCP 47: the preferred one of ``communication``, else any of it.

    ``language`` of the resource is that of its texts, often the same for all patients of a system, and tells
    nothing of the person (hl7.org/fhir/R4/patient-definitions.html#Patient.communication).
    """
    for spoken in _preferred(resource.get("communication"), "preferred", True):
        for _, code in codings(spoken.get("language")):
            if tag := contact.language(code):
                return tag
    return ""


def _is_former(one: Json, at: datetime | None) -> bool:
    """By its use, or by the end of its period: a date, or only its year and month. Years before 1900 stand
    for no end at all, as .NET writes it."""
    if one.get("use") in _FORMER:
        return True
    end = as_text(as_object(one.get("period")).get("end"))[:10]
    return at is not None and "1900" < end < at.isoformat()[: len(end)]


def _preferred(value: Any, element: str, wanted: Any) -> list[Json]:
    """The objects, those first whose element has the wanted value."""
    objects = as_objects(value)
    if len(objects) < 2:
        return objects
    preferred: list[Json] = []
    others: list[Json] = []
    for one in objects:
        (preferred if one.get(element) == wanted else others).append(one)
    return preferred + others


def _parts(name: Json) -> Iterator[str]:
    """Given names, then family names; each a list or a single string, by release."""
    for element in ("given", "family"):
        value = name.get(element)
        for part in value if isinstance(value, list) else (value,):
            if text := as_text(part):
                yield text
