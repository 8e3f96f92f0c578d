"""Identifiers, distinct for the type checker and plain strings at run time."""

from typing import NewType

PracticeId = NewType("PracticeId", str)
"""The tenant key; FHIR Organization."""

AppointmentId = NewType("AppointmentId", str)
"""The id that the PMS gave its FHIR Appointment; unique within one practice."""

VisitId = NewType("VisitId", str)
"""Ours: 22 characters of base64url, 128 random bits."""

ParticipantId = NewType("ParticipantId", str)
"""Ours, unique within one visit and without meaning: ``p1``, ``p2`` …"""
