"""What is sent to people, what a channel says of it, and what became of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from vsdk.domain.ids import AppointmentId, PracticeId, VisitId


@dataclass(frozen=True, slots=True)
class MessageText:
    """The words of one message in one language, made just before it is sent.

    ``html`` and ``calendar`` are for mails only and may be empty. ``segments`` is the number of SMS that the
    text takes, 0 for anything but an SMS.
    """

    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    calendar: str = field(default="", repr=False)
    """an iCalendar object (RFC 5545) with its METHOD (RFC 5546)"""
    segments: int = 0
    language: str = ""
    """the one that the text is in, which need not be the one that was wished for"""


@dataclass(frozen=True, slots=True)
class Message:
    """A finished text on its way to one person. It never contains a reason for the visit.

    ``recipient`` is what the channel's kind needs: an E.164 phone number for ``sms``, a mail address for
    ``email``, a PushSubscription as JSON (W3C Push API) for ``push``, the FHIR reference of the person for
    any other. ``idempotency_key`` is the same at every attempt for the same message.
    """

    recipient: str = field(repr=False)
    text: str = field(repr=False)
    idempotency_key: str
    template: str
    language: str
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    calendar: str = field(default="", repr=False)
    expires: datetime | None = None
    """after this time it is of no use to anyone; a gateway that can should not deliver it then"""
    practice_id: PracticeId = field(default=PracticeId(""))
    visit_id: VisitId = field(default=VisitId(""))
    appointment_id: AppointmentId = field(default=AppointmentId(""))
    reference: str = field(default="", repr=False)
    """FHIR reference of the person, such as ``Patient/17``; empty for the practice itself"""
    role: str = ""
    """the person's role in the visit, ``staff`` for the practice itself"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway took the message; ``provider_id`` is its own name for it."""

    provider_id: str = ""


class MessageState(StrEnum):
    """How far a message is. What a gateway reports can only lead forwards."""

    QUEUED = "queued"
    """waits to be sent, for the first time or again"""
    SENT = "sent"
    """a gateway took it"""
    DELIVERED = "delivered"
    """a gateway reported that it arrived"""
    UNDELIVERED = "undelivered"
    """a gateway took it, and reported afterwards that it did not arrive"""
    FAILED = "failed"
    """given up: nobody would take it"""
    EXPIRED = "expired"
    """its time was over before it could be sent"""
    SUPPRESSED = "suppressed"
    """not sent on purpose: not wanted, too many, or no longer true"""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a gateway said later about a message that it had taken.

    It is known again by our own ``idempotency_key``, where the gateway gives that back, else by
    ``provider_id``. ``state`` is SENT, DELIVERED or UNDELIVERED; ``code`` a stable kebab-case reason.
    """

    state: MessageState
    idempotency_key: str = ""
    provider_id: str = ""
    code: str = ""
