"""Appointments know their source, and are found by patient, practitioner and identifier."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("appointment", sa.Column("identifiers", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("appointment", sa.Column("source", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("appointment", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "appointment_key",
        sa.Column("practice_id", sa.String(length=255), nullable=False),
        sa.Column("appointment_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=512), nullable=False),
        sa.PrimaryKeyConstraint(
            "practice_id", "appointment_id", "kind", "value", name=op.f("pk_appointment_key")
        ),
    )
    op.create_index(
        op.f("ix_appointment_key_practice_id_kind_value"),
        "appointment_key",
        ["practice_id", "kind", "value"],
        unique=False,
    )
