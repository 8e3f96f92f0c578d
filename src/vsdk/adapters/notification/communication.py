"""A message as FHIR writes it down: as CommunicationRequest or Communication; a pure function.

Elements by release: ``communicationrequest.html`` and ``communication.html`` below hl7.org/fhir/STU3, R4 and
R5. R4B has those of R4.
"""

import base64
from datetime import UTC, datetime
from typing import Any, Literal

from vsdk.domain.message import Message
from vsdk.domain.participant import Role
from vsdk.hooks.ports import Json

Kind = Literal["CommunicationRequest", "Communication"]

IDENTIFIER = "urn:vsdk:message"
"""system of the identifier, whose value is the message's idempotency key"""
TEMPLATE = "urn:vsdk:template"
"""system of the code that says what the message is about"""
_CATEGORIES = "http://terminology.hl7.org/CodeSystem/communication-category"
_CATEGORIES_STU3 = "http://hl7.org/fhir/communication-category"


def communication(message: Message, kind: Kind, release: str, recipient: str, now: datetime) -> Json:
    """``recipient`` is the reference of whom it is for, as the server knows them.

    The subject of a message fits in R5 only, as title of the attachment that the text is there: elsewhere the
    text says it all.
    """
    made: Json = {
        "resourceType": kind,
        "identifier": [{"system": IDENTIFIER, "value": message.idempotency_key}],
        "category": _categories(message.template, release),
        "payload": [_payload(message, release)],
        "recipient": [{"reference": recipient}],
    }
    if message.language:
        made["language"] = message.language
    if message.role == Role.PATIENT:
        made["subject"] = {"reference": recipient}
    if message.appointment_id:
        about = "topic" if release == "STU3" else "about"
        made[about] = [{"reference": f"Appointment/{message.appointment_id}"}]
    if kind == "Communication":
        return made | {"status": "completed", "sent": _instant(now)}
    if release == "R5":
        made["intent"] = "order"
    return made | {"status": "active", "authoredOn": _instant(now)} | _occurrence(message, now)


def _categories(template: str, release: str) -> list[Json]:
    system = _CATEGORIES_STU3 if release == "STU3" else _CATEGORIES
    return [
        {"coding": [{"system": system, "code": "notification", "display": "Notification"}]},
        {"coding": [{"system": TEMPLATE, "code": template}]},
    ]


def _payload(message: Message, release: str) -> Json:
    """Since R5 ``content[x]`` is no string any more."""
    if release != "R5":
        return {"contentString": message.text}
    attachment: dict[str, Any] = {
        "contentType": "text/plain; charset=utf-8",
        "data": base64.b64encode(message.text.encode()).decode(),
    }
    if message.language:
        attachment["language"] = message.language
    if message.subject:
        attachment["title"] = message.subject
    return {"contentAttachment": attachment}


def _occurrence(message: Message, now: datetime) -> Json:
    """From now on, and until it is of no use any more."""
    if message.expires is None:
        return {"occurrenceDateTime": _instant(now)}
    return {"occurrencePeriod": {"start": _instant(now), "end": _instant(message.expires)}}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
