"""What happened to messages after they were sent, and what of it all the audience engine does not know yet."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing has to be queued: an engine that was never told anything reads the whole ledger once."""
    user = sa.String().with_variant(sa.VARCHAR(collation="C"), "postgresql")
    op.create_table(
        "deed",
        sa.Column("user_id", user, nullable=False),
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("deed", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "run", "channel", "step", "slot", "deed", "at"),
        postgresql_with={"fillfactor": 70},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mirror_due",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("user_id", user, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
