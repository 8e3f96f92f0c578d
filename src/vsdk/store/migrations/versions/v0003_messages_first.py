"""Messages are found in the outbox without a look at the write-backs that wait there."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_index(op.f("ix_outbox_state_due_at"), table_name="outbox")
    op.create_index(op.f("ix_outbox_state_kind_due_at"), "outbox", ["state", "kind", "due_at"], unique=False)
