"""What channels for SMS share: who sends, where to, how long it is of use, and our words for refusals."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError
from vsdk.domain.ids import PracticeId
from vsdk.domain.practice import Practice

_SENDER = re.compile(r"\+?[0-9]{3,16}|(?=.*[A-Za-z])[A-Za-z0-9 ._&-]{1,11}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _sender(value: str) -> str:
    """A number, or a name of at most 11 characters (3GPP TS 23.040, 9.1.2.5)."""
    if value and not _SENDER.fullmatch(value):
        raise ValueError(
            "a sender is a number, or 1 to 11 letters, digits and blanks, of which one is a letter"
        )
    return value


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("the address of a gateway begins with https://")
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError("the address of a gateway names a host, and neither a user nor a fragment")
    return value.rstrip("/")


Sender = Annotated[str, AfterValidator(_sender)]
Address = Annotated[str, AfterValidator(_address)]


class SmsConfig(BaseModel):
    """What every section of an SMS gateway has."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    sender: Sender = Field("", description="whom the message comes from: a number, or at most 11 characters")
    senders: dict[str, Sender] = Field({}, description="other senders, by the id of the practice")

    def sender_of(self, practice_id: PracticeId) -> str:
        return self.senders.get(practice_id, self.sender)


def check_practices(plugin: str, settings: SmsConfig, practices: Sequence[Practice]) -> None:
    """Raises ConfigurationError where a sender is that of a practice that does not exist."""
    if unknown := settings.senders.keys() - {practice.id for practice in practices}:
        raise ConfigurationError(f"{plugin}: senders: no such practice: {', '.join(sorted(unknown))}")


def seconds_left(expires: datetime | None, now: datetime) -> int | None:
    """How long a message is of use, at least a second; None where it does not expire."""
    return None if expires is None else max(1, int((expires - now).total_seconds()))


def minutes_left(expires: datetime | None, now: datetime) -> int | None:
    """The same in whole minutes, at least one."""
    seconds = seconds_left(expires, now)
    return None if seconds is None else max(1, seconds // 60)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a gateway does not deliver, in our words. docs/errors.md describes each ``code``."""

    code: str
    detail: str
    of_message: bool = True
    """whether another message could still go through the same gateway"""
    passing: bool = False

    def error(self, status: int | None = None) -> PartnerError:
        if self.of_message:
            return DeliveryFailed(self.detail, code=self.code)
        return PartnerError(self.detail, retryable=self.passing, status=status, code=self.code)


NUMBER_INVALID = Failure(code="number-invalid", detail="the gateway says that no SMS can go to this number")
NUMBER_UNREACHABLE = Failure(code="number-unreachable", detail="the phone could not be reached")
OPTED_OUT = Failure(code="recipient-opted-out", detail="the gateway was told to send nothing to this number")
BLOCKED = Failure(code="message-blocked", detail="the gateway or an operator does not let this message pass")
EXPIRED = Failure(code="message-expired", detail="the message could not be delivered in time")
NOT_DELIVERED = Failure(code="not-delivered", detail="the gateway could not deliver, and does not say why")
CREDIT = Failure(code="gateway-credit", detail="the gateway's account has no credit left", of_message=False)
ACCESS = Failure(
    code="gateway-access", detail="the gateway does not accept our credentials", of_message=False
)
REQUEST = Failure(
    code="gateway-request",
    detail="the gateway does not accept the request; is the sender permitted, and the address right?",
    of_message=False,
)
TROUBLE = Failure(
    code="gateway-trouble", detail="the gateway cannot send at the moment", of_message=False, passing=True
)

FAILURES: Mapping[str, Failure] = {
    failure.code: failure
    for failure in (
        NUMBER_INVALID,
        NUMBER_UNREACHABLE,
        OPTED_OUT,
        BLOCKED,
        EXPIRED,
        NOT_DELIVERED,
        CREDIT,
        ACCESS,
        REQUEST,
        TROUBLE,
    )
}

BY_STATUS: Mapping[int, Failure] = {
    400: REQUEST,
    401: ACCESS,
    402: CREDIT,
    403: ACCESS,
    404: REQUEST,
    405: REQUEST,
    422: REQUEST,
}
"""what a status says by itself (RFC 9110, 15.5)"""


def explained(error: PartnerError, failures: Mapping[int, Failure] = BY_STATUS) -> PartnerError:
    """The same failure in our words where its status says enough; any other stays as it is."""
    failure = failures.get(error.status or 0)
    return failure.error(error.status) if failure else error
