"""Appointments know their source, and are found by patient, practitioner and identifier.

What is there already is found by its people at once, and by its identifiers after its next change.
"""

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
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=512), nullable=False),
        sa.Column("appointment_id", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint(
            "practice_id", "kind", "value", "appointment_id", name=op.f("pk_appointment_key")
        ),
    )
    op.create_index(
        op.f("ix_appointment_key_practice_id_appointment_id"),
        "appointment_key",
        ["practice_id", "appointment_id"],
        unique=False,
    )
    _fill_in()


def _fill_in() -> None:
    known = sa.table(
        "appointment",
        sa.column("practice_id"),
        sa.column("appointment_id"),
        sa.column("participants", sa.JSON()),
    )
    keys = sa.table(
        "appointment_key", *(sa.column(c) for c in ("practice_id", "kind", "value", "appointment_id"))
    )
    connection = op.get_bind()
    for practice_id, appointment_id, participants in connection.execute(sa.select(known)).all():
        people = {(person["role"], person["reference"]) for person in participants}
        found = [
            {"practice_id": practice_id, "kind": role, "value": reference, "appointment_id": appointment_id}
            for role, reference in sorted(people)
            if role in ("patient", "practitioner") and reference and not reference.startswith("#")
        ]
        if found:
            connection.execute(sa.insert(keys), found)
