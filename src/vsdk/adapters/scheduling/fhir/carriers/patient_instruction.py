"""A sentence in ``Appointment.patientInstruction``, for systems that have no other place (German ISiK).

R4 has one text there, R5 a list (CodeableReference). What the practice wrote stays. A sentence that the
practice reworded keeps its words; the link in it is ours all the same.
"""

from collections.abc import Sequence
from typing import Any

from vsdk.adapters.scheduling.fhir.carriers.carrier import (
    FoundLink,
    link_addresses,
    malformed,
    of_patient,
    unsupported,
)
from vsdk.adapters.scheduling.fhir.carriers.elements import listed, numbered, put, with_element, with_entry
from vsdk.adapters.scheduling.fhir.carriers.sentence import Sentence
from vsdk.adapters.scheduling.fhir.values import as_object
from vsdk.domain.appointment import VirtualService
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import Json

ELEMENT = "patientInstruction"
PATH = f"Appointment.{ELEMENT}"


def find(resource: Json, conventions: FhirConventions) -> list[FoundLink]:
    """Only ours: any other address in such a text can be a map or a leaflet as well."""
    sentence = Sentence(link_addresses(conventions))
    texts = (resource.get(ELEMENT), *(_text(entry) for _, entry in numbered(resource, ELEMENT)))
    return [
        FoundLink(url, "patient-instruction", True)
        for text in texts
        if isinstance(text, str)
        for url in sentence.links(text)
    ]


def write(resource: Json, services: Sequence[VirtualService], practice: Practice, release: str) -> Json:
    service, chosen = of_patient(services), practice.fhir.carrier == "patient-instruction"
    sentence = Sentence(link_addresses(practice.fhir), reworded=chosen)
    value = resource.get(ELEMENT)
    if service is None:
        return _without(resource, value, sentence)
    if release == "STU3":
        raise unsupported("patient-instruction", release)
    if release == "R5":
        return _with_entry(resource, service.url, sentence, practice.language)
    if value and not isinstance(value, str):
        raise malformed(PATH)
    text = sentence.put(value or "", service.url, practice.language)
    return resource if text == value else with_element(resource, ELEMENT, text)


def _with_entry(resource: Json, url: str, sentence: Sentence, language: str) -> Json:
    """R5: our sentence where it stands already, else as an entry of its own."""
    for index, entry in numbered(resource, ELEMENT):
        text = _text(entry)
        if isinstance(text, str) and sentence.is_in(text):
            changed = sentence.put(text, url, language)
            if changed == text:
                return resource
            return with_entry(resource, ELEMENT, index, _saying(entry, changed))
    new = {"concept": {"text": sentence.put("", url, language)}}
    return put(resource, ELEMENT, [new], instead_of=lambda entry: False, path=PATH)


def _without(resource: Json, value: Any, sentence: Sentence) -> Json:
    if isinstance(value, str):
        text = sentence.removed(value)
        return resource if text == value else with_element(resource, ELEMENT, text)
    kept = [_entry_without(entry, sentence) for entry in listed(value)]
    if all(a is b for a, b in zip(kept, listed(value), strict=True)):
        return resource
    return with_element(resource, ELEMENT, [entry for entry in kept if entry is not _GONE])


_GONE = object()


def _entry_without(entry: Any, sentence: Sentence) -> Any:
    text = _text(as_object(entry))
    if not isinstance(text, str) or (rest := sentence.removed(text)) == text:
        return entry
    return _saying(entry, rest) if rest else _GONE


def _text(entry: Json) -> Any:
    return as_object(entry.get("concept")).get("text")


def _saying(entry: Json, text: str) -> Json:
    return entry | {"concept": entry["concept"] | {"text": text}}
