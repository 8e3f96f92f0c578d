"""What a contained Patient, Practitioner, PractitionerRole or RelatedPerson tells of itself.

Whatever is missing or makes no sense reads as empty.
"""

from typing import Any

from vsdk.adapters.scheduling.fhir import contact
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text, codings
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json


def name(resource: Json) -> str:
    """A HumanName in one line; of several the official one, else the first."""
    for one in _preferred(resource.get("name"), "use", "official"):
        whole = as_text(one.get("text")) or " ".join([*_texts(one.get("given")), *_texts(one.get("family"))])
        if whole:
            return whole
    return as_text(as_object(resource.get("practitioner")).get("display"))


def reach(resource: Json, practice: Practice) -> tuple[str, str]:
    """Where an SMS can go, as E.164, and a mail address; mobile numbers first, then any.

    ContactPoints of use ``old`` are no longer in use.
    """
    sms = phone = email = ""
    for point in _preferred(resource.get("telecom"), "use", "mobile"):
        system, value = point.get("system"), as_text(point.get("value"))
        if point.get("use") == "old":
            continue
        if system == "email":
            email = email or contact.email(value)
        elif system == "phone":
            phone = phone or contact.phone(value, practice.phone)
        elif system == "sms":
            sms = contact.phone(value, practice.phone) or sms
    return sms or phone, email


def language(resource: Json) -> str:
    """BCP 47: the preferred one of ``communication``, else any of it, else that of the resource."""
    for spoken in _preferred(resource.get("communication"), "preferred", True):
        for _, code in codings(spoken.get("language")):
            if tag := contact.language(code):
                return tag
    return contact.language(as_text(resource.get("language")))


def _preferred(value: Any, element: str, wanted: Any) -> list[Json]:
    """The objects, those first whose element has the wanted value."""
    preferred: list[Json] = []
    others: list[Json] = []
    for one in as_objects(value):
        (preferred if one.get(element) == wanted else others).append(one)
    return preferred + others


def _texts(value: Any) -> list[str]:
    """A list or, as older releases have it, a single string."""
    return [text for text in map(as_text, value if isinstance(value, list) else [value]) if text]
