"""The practice: the organisation on whose behalf everything happens (FHIR Organization)."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vsdk.domain.ids import PracticeId


@dataclass(frozen=True, slots=True)
class Practice:
    """What patients may know of a practice. ``time_zone`` also reads times that carry no zone."""

    id: PracticeId
    name: str
    phone: str
    language: str
    time_zone: ZoneInfo
