"""Whom a message is for, where a channel reaches people by their FHIR references."""

from vsdk.domain.message import Message
from vsdk.domain.participant import Role


def person_of(message: Message) -> str:
    """The person's reference; empty for who has none that others can follow.

    A practitioner of whom no number is known is reached where the practice is, and has a reference still.
    """
    reference = message.recipient if "/" in message.recipient else message.reference
    return "" if reference.startswith("#") else reference


def is_for_team(message: Message) -> bool:
    """Whether those who work in the practice may read it."""
    return message.role in (Role.STAFF, Role.PRACTITIONER)
