"""What is sent to people, and what a channel says of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """A finished text on its way to one person. It never contains a reason for the visit.

    ``recipient`` is an E.164 phone number or a mail address, as the channel needs it.
    ``idempotency_key`` is the same at every attempt for the same message.
    """

    recipient: str = field(repr=False)
    text: str = field(repr=False)
    idempotency_key: str
    template: str
    language: str
    subject: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway took the message; ``provider_id`` is its own name for it."""

    provider_id: str = ""
