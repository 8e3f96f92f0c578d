"""Objects with sensible values, of which a test names only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from vsdk.domain.appointment import Appointment, AppointmentStatus
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.participant import Participant, Role
from vsdk.domain.plan import Window
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.domain.visit import Visit
from vsdk.hooks.ports import SourcedAppointment

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""The start of appointments and visits from these factories."""

PATIENT = Participant(
    ParticipantId("p1"),
    Role.PATIENT,
    "Patient/1",
    "Erika Beispiel",
    "+4915100000001",
    "erika@example.org",
    "de",
)
PRACTITIONER = Participant(ParticipantId("p2"), Role.PRACTITIONER, "Practitioner/1", "Dr. Jonas Muster")


def a_practice(**changes: Any) -> Practice:
    values: dict[str, Any] = {
        "id": PracticeId("practice"),
        "name": "Praxis am Park",
        "phone": "+49301234567",
        "language": "de",
        "time_zone": ZoneInfo("Europe/Berlin"),
        "fhir": FhirConventions(
            link_address="https://praxis.example/video/j#",
            list_address="https://praxis.example/video/practice/practice",
        ),
    }
    return Practice(**(values | changes))


def an_appointment(**changes: Any) -> Appointment:
    """Booked, at `NOON`, twenty minutes, with `PATIENT` and `PRACTITIONER`, by video."""
    values: dict[str, Any] = {
        "id": AppointmentId("a1"),
        "practice_id": PracticeId("practice"),
        "status": AppointmentStatus.BOOKED,
        "start": NOON,
        "end": NOON + timedelta(minutes=20),
        "participants": (PATIENT, PRACTITIONER),
        "is_video": True,
    }
    return Appointment(**(values | changes))


def a_sourced_appointment(**changes: Any) -> SourcedAppointment:
    """`an_appointment` with the R4 resource that it was read from."""
    appointment = an_appointment(**changes)
    original = {
        "resourceType": "Appointment",
        "id": appointment.id,
        "status": appointment.status.value,
        "start": appointment.start.isoformat(),
        "end": appointment.end.isoformat(),
        "participant": [
            {"actor": {"reference": p.reference, "display": p.name}, "status": "accepted"}
            for p in appointment.participants
        ],
    }
    return SourcedAppointment(appointment, "R4", original)


def a_visit(**changes: Any) -> Visit:
    """Planned for `an_appointment`, open from 15 minutes before to 60 minutes after its start."""
    values: dict[str, Any] = {
        "id": VisitId("v1"),
        "practice_id": PracticeId("practice"),
        "appointment_id": AppointmentId("a1"),
        "window": Window(NOON - timedelta(minutes=15), NOON + timedelta(minutes=60)),
        "grace": timedelta(minutes=30),
    }
    return Visit(**(values | changes))
