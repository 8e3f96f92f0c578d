"""Whether someone asked to cancel."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column(
        "visit", sa.Column("cancellation_asked", sa.Boolean(), nullable=False, server_default=sa.false())
    )
