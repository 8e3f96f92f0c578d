"""Resources for the servers of others, valid in R4."""

from typing import Any

NOTE = {"url": "https://pms.example/note", "valueString": "someone else's"}


def an_r4_appointment(**changes: Any) -> dict[str, Any]:
    """Booked, by video, with a patient and a practitioner; what others put there is there too."""
    return {
        "resourceType": "Appointment",
        "extension": [NOTE],
        "identifier": [{"system": "https://pms.example/appointments", "value": "4711"}],
        "status": "booked",
        "appointmentType": {"coding": [{"system": "http://snomed.info/sct", "code": "448337001"}]},
        "start": "2026-11-23T09:00:00Z",
        "end": "2026-11-23T09:20:00Z",
        "comment": "internal",
        "participant": [
            {"actor": {"reference": "Patient/p17", "display": "Erika Muster"}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/d4", "display": "Dr. Arzt"}, "status": "accepted"},
        ],
    } | changes
