"""What a carrier is: a place in an Appointment where some system looks for video links."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vsdk.adapters.scheduling.fhir.values import as_objects, as_text
from vsdk.domain.appointment import VirtualService
from vsdk.domain.errors import InvalidAppointment, Issue
from vsdk.domain.participant import Role
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import Json

CHANNEL_SYSTEM = "urn:vsdk:virtual-service-type"
"""System of our own ``channelType``, by which we know our entry again. HL7's code system names only three
commercial services, and its binding is an example (hl7.org/fhir/R5/valueset-virtual-service-type.html)."""
CHANNEL = {"system": CHANNEL_SYSTEM, "code": "video-visit", "display": "Video visit"}

LONGEST = 255
"""characters of a link: what databases of some systems hold"""


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A video link in an Appointment. ``ours`` is told by our channel type or by how the address begins."""

    url: str = field(repr=False)
    carrier: str
    ours: bool


class Carrier(Protocol):
    """One strategy: a module with this name and two functions. Neither changes what it is given."""

    ELEMENT: str
    """the element of Appointment that holds the links, at whatever depth"""

    def find(self, resource: Json, conventions: FhirConventions) -> list[FoundLink]:
        """The links in this place, ours and those of others. Never raises, whatever the resource holds."""

    def write(
        self, resource: Json, services: Sequence[VirtualService], practice: Practice, release: str
    ) -> Json:
        """The resource with our links in this place, all else unchanged.

        Without services: without our links, which never raises. Else raises InvalidAppointment:
        ``foreign-link`` when someone else's link would have to give way, ``link-place-malformed`` when
        something stands there that FHIR does not allow, ``carrier-unsupported`` when the release has no such
        place.
        """


def is_ours(url: str, conventions: FhirConventions) -> bool:
    """Whether it is a join link of ours, or the page where practitioners sign in; today's or a former one."""
    return bool(url) and (
        url.startswith(link_addresses(conventions))
        or url == conventions.list_address
        or url in conventions.former_list_addresses
    )


def link_addresses(conventions: FhirConventions) -> tuple[str, ...]:
    """How links of ours begin, and began formerly."""
    return tuple(filter(None, (conventions.link_address, *conventions.former_link_addresses)))


def is_our_channel(channel_type: Any) -> bool:
    """Whether the Coding is of our own system."""
    return any(as_text(coding.get("system")) == CHANNEL_SYSTEM for coding in as_objects(channel_type))


def of_patient(services: Sequence[VirtualService]) -> VirtualService | None:
    """What may stand where a patient can read it."""
    return next((service for service in services if service.role is Role.PATIENT), None)


def require_short(urls: Sequence[str]) -> None:
    """Raises InvalidAppointment ``link-too-long``."""
    if any(len(url) > LONGEST for url in urls):
        raise refusal(
            "link-too-long", "Appointment", f"a link in an appointment may have {LONGEST} characters"
        )


def foreign_link(path: str) -> InvalidAppointment:
    return refusal("foreign-link", path, "the place for our link is taken by a link of someone else")


def malformed(path: str) -> InvalidAppointment:
    return refusal("link-place-malformed", path, "what stands in the place for our link is not valid FHIR")


def unsupported(carrier: str, release: str) -> InvalidAppointment:
    explanation = f"FHIR {release} has no place for the carrier {carrier}: choose another for this practice"
    return refusal("carrier-unsupported", "Appointment", explanation)


def refusal(code: str, path: str, explanation: str) -> InvalidAppointment:
    return InvalidAppointment(explanation, code=code, issues=[Issue(code, path, explanation)])
