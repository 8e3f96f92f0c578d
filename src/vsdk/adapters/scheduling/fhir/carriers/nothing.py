"""For systems whose appointments we must not touch, and those that get the link in another way (Epic)."""

from collections.abc import Sequence

from vsdk.adapters.scheduling.fhir.carriers.carrier import FoundLink
from vsdk.domain.appointment import VirtualService
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import Json

ELEMENT = ""


def find(resource: Json, conventions: FhirConventions) -> list[FoundLink]:
    return []


def write(resource: Json, services: Sequence[VirtualService], practice: Practice, release: str) -> Json:
    return resource
