"""What a contained Patient, Practitioner, PractitionerRole or RelatedPerson tells of itself.

Whatever is missing or makes no sense reads as empty.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from vsdk.adapters.scheduling.fhir import contact
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

_FORMER = ("old", "maiden")
"""NameUse and ContactPointUse of what is no longer in use (hl7.org/fhir/R4/valueset-name-use.html)"""


def name(resource: Json, at: datetime | None) -> str:
    """A HumanName in one line; of several in use then the official one, else the first."""
    for one in _in_use(resource.get("name"), at, "official"):
        if whole := as_text(one.get("text")) or " ".join(_parts(one)):
            return whole
    return as_text(as_object(resource.get("practitioner")).get("display"))


def reach(resource: Json, practice: Practice, at: datetime | None) -> tuple[str, str]:
    """Where an SMS can go, as E.164, and a mail address; of several in use then mobile ones first, then any.

    A number that is given up goes to somebody else.
    """
    sms = phone = email = ""
    for point in _in_use(resource.get("telecom"), at, "mobile"):
        system, value = point.get("system"), as_text(point.get("value"))
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
    spoken = as_objects(resource.get("communication"))
    for one in sorted(spoken, key=_is_not_preferred) if len(spoken) > 1 else spoken:
        for coding in as_objects(as_object(one.get("language")).get("coding")):
            if tag := contact.language(as_text(coding.get("code"))):
                return tag
    return ""


def _in_use(value: Any, at: datetime | None, preferred: str) -> list[Json]:
    """The names or contact points that are in use then, those of the preferred use first."""
    first: list[Json] = []
    others: list[Json] = []
    for one in as_objects(value):
        use = one.get("use")
        if use in _FORMER or ("period" in one and _is_over(one["period"], at)):
            continue
        (first if use == preferred else others).append(one)
    return first + others if first else others


def _is_not_preferred(spoken: Json) -> bool:
    return spoken.get("preferred") is not True


def _is_over(period: Any, at: datetime | None) -> bool:
    """Its end is a date, or only year and month. Years before 1900 are no end at all, as .NET writes it."""
    end = as_text(as_object(period).get("end"))[:10]
    return at is not None and "1900" < end < at.isoformat()[: len(end)]


def _parts(name: Json) -> Iterator[str]:
    """Given names, then family names; each a list or a single string, by release."""
    for element in ("given", "family"):
        value = name.get(element)
        for part in value if isinstance(value, list) else (value,):
            if text := as_text(part):
                yield text
