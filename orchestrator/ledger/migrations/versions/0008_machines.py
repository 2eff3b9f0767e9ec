"""Clicks say which link it was, and whether a machine followed it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was told before came from the in-app inbox: people saw it."""
    op.add_column("deed", sa.Column("link", sa.String(), nullable=False, server_default=""))
    op.add_column("deed", sa.Column("machine", sa.Integer(), nullable=False, server_default="0"))
