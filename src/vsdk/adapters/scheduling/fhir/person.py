"""What a contained Patient, Practitioner, PractitionerRole or RelatedPerson tells of itself.

Whatever is missing or makes no sense reads as empty.
"""

from collections.abc import Iterator
from typing import Any

from vsdk.adapters.scheduling.fhir import contact
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text, codings
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json


def name(resource: Json) -> str:
    """A HumanName in one line; of several the official one, else the first."""
    for one in _preferred(resource.get("name"), "use", "official"):
        if whole := as_text(one.get("text")) or " ".join(_parts(one)):
            return whole
    return as_text(as_object(resource.get("practitioner")).get("display"))


def reach(resource: Json, practice: Practice) -> tuple[str, str]:
    """Where an SMS can go, as E.164, and a mail address; mobile numbers first, then any.

    ContactPoints of use ``old`` are no longer in use.
    """
    sms = phone = email = ""
    if "telecom" not in resource:
        return "", ""
    for point in _preferred(resource["telecom"], "use", "mobile"):
        if point.get("use") == "old":
            continue
        system, value = point.get("system"), as_text(point.get("value"))
        if system == "email":
            email = email or contact.email(value)
        elif system == "phone":
            phone = phone or contact.phone(value, practice.phone)
        elif system == "sms":
            sms = contact.phone(value, practice.phone) or sms
    return sms or phone, email


def language(resource: Json) -> str:
    """BCP 47: the preferred one of ``communication``, else any of it, else that of the resource."""
    if "communication" in resource:
        for spoken in _preferred(resource["communication"], "preferred", True):
            for _, code in codings(spoken.get("language")):
                if tag := contact.language(code):
                    return tag
    return contact.language(as_text(resource["language"])) if "language" in resource else ""


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
