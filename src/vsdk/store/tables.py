"""The tables. Personal data of patients is in `appointment` only, and `appointment_key` finds it.

`sign_in` and `account` name the people of the practice.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes, kept in UTC. A naive one is refused with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _sequence() -> Column[Any]:
    """The order in which rows were made."""
    return Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

appointment = Table(
    "appointment",
    metadata,
    Column("practice_id", String(255), primary_key=True),
    Column("appointment_id", String(255), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("updated", UtcDateTime, nullable=False),
    Column("release", String(8), nullable=False),
    Column("original", JSON, nullable=False),
    Column("status", String(32), nullable=False),
    Column("start", UtcDateTime, nullable=False),
    Column("end", UtcDateTime, nullable=False),
    Column("participants", JSON, nullable=False),
    Column("is_video", Boolean, nullable=False),
    Column("identifiers", JSON, nullable=False, server_default="[]"),
    Column("source", String(64), nullable=False, server_default=""),
    Column("deleted_at", UtcDateTime),
    Index(None, "practice_id", "start"),
)

appointment_key = Table(
    "appointment_key",
    metadata,
    Column("practice_id", String(255), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("value", String(512), primary_key=True),
    Column("appointment_id", String(255), primary_key=True),
    Index(None, "practice_id", "appointment_id"),
)

visit = Table(
    "visit",
    metadata,
    _sequence(),
    Column("id", String(64), nullable=False, unique=True),
    Column("practice_id", String(255), nullable=False),
    Column("appointment_id", String(255), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(32), nullable=False, index=True),
    Column("opens", UtcDateTime, nullable=False),
    Column("closes", UtcDateTime, nullable=False),
    Column("grace_seconds", Float, nullable=False),
    Column("arrivals", JSON, nullable=False),
    Column("took_place", Boolean, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("delay_minutes", Integer, nullable=False, server_default="0"),
    Column("cancellation_asked", Boolean, nullable=False, server_default=false()),
    Index(None, "practice_id", "appointment_id"),
)

join_link = Table(
    "join_link",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("handle_hash", String(64), nullable=False, unique=True),
    Column("visit_id", String(64), ForeignKey(visit.c.id), nullable=False, index=True),
    Column("participant_id", String(64), nullable=False),
    Column("revoked_at", UtcDateTime),
)

outbox = Table(
    "outbox",
    metadata,
    _sequence(),
    Column("id", String(32), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("effect", JSON, nullable=False),
    Column("stream", String(64), index=True),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("claimed_until", UtcDateTime),
    Index(None, "state", "kind", "due_at"),
)

message = Table(
    "message",
    metadata,
    _sequence(),
    Column("id", String(32), nullable=False, unique=True),
    Column("practice_id", String(255), nullable=False),
    Column("visit_id", String(64), ForeignKey(visit.c.id), nullable=False, index=True),
    Column("participant_id", String(64), nullable=False),
    Column("template", String(255), nullable=False),
    Column("details", JSON, nullable=False),
    Column("without", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("plugin", String(64), nullable=False),
    Column("recipient", String(255), nullable=False),
    Column("provider_id", String(255), nullable=False),
    Column("segments", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("updated", UtcDateTime, nullable=False),
    Index(None, "plugin", "provider_id"),
)

push_subscription = Table(
    "push_subscription",
    metadata,
    _sequence(),
    Column("endpoint_hash", String(64), nullable=False, unique=True),
    Column("visit_id", String(64), ForeignKey(visit.c.id), nullable=False, index=True),
    Column("participant_id", String(64), nullable=False),
    Column("subscription", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)

opt_out = Table(
    "opt_out",
    metadata,
    Column("practice_id", String(255), primary_key=True),
    Column("address_hash", String(64), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
)

deadline = Table(
    "deadline",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("visit_id", String(64), ForeignKey(visit.c.id), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("notice", JSON(none_as_null=True)),
)

audit = Table(
    "audit",
    metadata,
    _sequence(),
    Column("at", UtcDateTime, nullable=False),
    Column("practice_id", String(255), nullable=False, index=True),
    Column("visit_id", String(64), nullable=False, index=True),
    Column("what", String(255), nullable=False),
    Column("participant_id", String(64)),
    Column("details", JSON, nullable=False),
)

sign_in = Table(
    "sign_in",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("practice_id", String(255), nullable=False, index=True),
    Column("subject", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("device", String(64), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("used", UtcDateTime, nullable=False),
    Column("ends", UtcDateTime, nullable=False, index=True),
)

account = Table(
    "account",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("practice_id", String(255), nullable=False),
    Column("login", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    UniqueConstraint("practice_id", "login"),
)

passkey = Table(
    "passkey",
    metadata,
    Column("id", String(1400), primary_key=True),
    Column("account_id", String(32), ForeignKey(account.c.id), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
