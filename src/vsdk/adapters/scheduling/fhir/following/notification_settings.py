"""How a FHIR server tells us of changes: ``[plugin.fhir_schedule.PRACTICE.notifications]``."""

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

SHORTEST_SECRET = 16
_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


class NotificationSettings(BaseModel):
    """What a notification must carry, and the Subscription that we keep at the server.

    Without a secret every notification is refused, and changes are found by asking alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    secret: SecretStr | None = Field(None, description="what the server sends with each notification")
    header: str = Field("authorization", description="in which header; in this one after `Bearer`")
    subscribe: Literal["none", "rest-hook", "topic"] = Field(
        "none",
        description="the Subscription that we keep at the server: `rest-hook` is that of STU3 and R4, "
        "`topic` that of R5 and of its backport to R4; `none`: someone made it by hand, or there is none",
    )
    topic: str = Field("", description="canonical address of the SubscriptionTopic, for `topic`")
    criteria: str = Field(
        "", description="which Appointments, as a search: Appointment?actor=Practitioner/17"
    )
    content: Literal["empty", "id-only", "full-resource"] = Field(
        "id-only",
        description="what notifications hold; it is read again in any case. Before topics there is no "
        "`id-only`: the resource is sent then",
    )
    heartbeat_seconds: int = Field(0, ge=0, le=86400, description="for `topic`; 0 for no heartbeat")

    @field_validator("secret")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        secret = value.get_secret_value() if value else ""
        if value and (len(secret) < SHORTEST_SECRET or not secret.isascii() or not secret.isprintable()):
            raise ValueError(f"a secret has {SHORTEST_SECRET} or more printable ASCII characters")
        if secret != secret.strip():
            raise ValueError("a secret neither begins nor ends with a blank")
        return value

    @field_validator("header")
    @classmethod
    def _is_a_header(cls, value: str) -> str:
        if not _HEADER.fullmatch(value.lower()):
            raise ValueError("this is not the name of a header (RFC 9110, 5.1)")
        return value.lower()

    @field_validator("criteria")
    @classmethod
    def _is_a_search(cls, value: str) -> str:
        if value and not value.startswith("Appointment?"):
            raise ValueError("criteria begin with Appointment?")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.subscribe != "none" and self.secret is None:
            raise ValueError("a Subscription needs a secret, by which its notifications are known")
        if (self.subscribe == "topic") != bool(self.topic):
            raise ValueError("topic belongs to subscribe = 'topic', which needs it")
        return self

    @property
    def header_value(self) -> str:
        """What the server is asked to send. Empty without a secret."""
        if self.secret is None:
            return ""
        secret = self.secret.get_secret_value()
        return f"Bearer {secret}" if self.header == "authorization" else secret
