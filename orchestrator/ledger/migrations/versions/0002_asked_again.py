"""Shards know as of when the audience engine told about their people."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Shards that stand already were asked about for the moment their run was due."""
    op.add_column("shard", sa.Column("asked_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE shard SET asked_at = (SELECT due_at FROM run WHERE run.id = shard.run)")
