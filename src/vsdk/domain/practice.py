"""The practice: the organisation on whose behalf everything happens (FHIR Organization)."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from vsdk.domain.ids import PracticeId
from vsdk.domain.messaging import Messaging

VIDEO_RULES = ("virtual-service", "codes", "class", "location", "delivery-channel")
"""What marks a video visit where the practice says nothing else; one more exists, ``everything``."""


@dataclass(frozen=True, slots=True)
class FhirConventions:
    """How the practice's system writes appointments: what marks a video visit, and where links belong."""

    video: tuple[str, ...] = VIDEO_RULES
    """names of rules, of which one must hold"""
    video_codes: tuple[str, ...] = ()
    """``system|code`` of appointmentType or serviceType, beside those that are known anyway"""
    carrier: str = "virtual-service"
    """name of the strategy that writes links"""
    carrier_url: str = ""
    """address of the extension, for the carrier ``extension``"""
    practitioner_links: bool = False
    """whether the practitioner's own link may be written too: only where no patient reads the resource"""
    strict: bool = False
    """whether to refuse what is not valid in its FHIR release, though it could be understood"""
    link_address: str = ""
    """what all links of ours begin with; by it they are known again"""
    list_address: str = ""
    """the page where practitioners sign in to the practice's list; no secret"""
    former_link_addresses: tuple[str, ...] = ()
    """how links of ours began before the server moved"""
    former_list_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Practice:
    """What patients may know of a practice. ``time_zone`` also reads times that carry no zone."""

    id: PracticeId
    name: str
    phone: str
    language: str
    time_zone: ZoneInfo
    fhir: FhirConventions = field(default=FhirConventions())
    reports_noshow: bool = False
    """whether the PMS is told when nobody came"""
    messaging: Messaging = field(default=Messaging())
