"""An appointment of nobody, to see how long messages about a usual one are."""

from datetime import UTC, datetime, timedelta
from typing import Any

from vsdk.domain.appointment import Appointment, AppointmentStatus
from vsdk.domain.ids import AppointmentId, ParticipantId
from vsdk.domain.participant import Participant, Role
from vsdk.domain.practice import Practice

START = datetime(2026, 12, 30, 13, 30, tzinfo=UTC)
"""a day that is long to write"""
LINK_ADDRESS = "https://praxis-am-park.example/video/j#"
LIST_ADDRESS = "https://praxis-am-park.example/video/practice/praxis-am-park"
HANDLE = "A1b2-C3d4_E5f6G7h8J9k0"
PRACTITIONER = Participant(
    ParticipantId("sample"), Role.PRACTITIONER, "Practitioner/0", "Dr. med. Annegret Lindenthal"
)


def sample(practice: Practice) -> dict[str, Any]:
    """Arguments of `vsdk.widgets.messages.Messages.render`, with the practice's own addresses."""
    return {
        "practice": practice,
        "appointment": Appointment(
            AppointmentId("sample"),
            practice.id,
            AppointmentStatus.BOOKED,
            START,
            START + timedelta(minutes=15),
            (PRACTITIONER,),
            is_video=True,
        ),
        "participant": None,
        "url": (practice.fhir.link_address or LINK_ADDRESS) + HANDLE,
        "list_url": practice.fhir.list_address or LIST_ADDRESS,
        "now": START - timedelta(minutes=10),
        "values": {"minutes": "10", "what": "invitation", "code": "no-address"},
        "sequence": 0,
    }
