"""Pools of coupon codes, and whose each code is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A new table; no older release knew of codes."""
    by_code_point = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
    op.create_table(
        "coupon",
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("code", by_code_point, nullable=False),
        sa.Column("user_id", by_code_point, nullable=True),
        sa.Column("first_run", sa.Integer(), nullable=True),
        sa.Column("last_run", sa.Integer(), nullable=True),
        sa.Column("given_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("pool", "code"),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("coupon_user", "coupon", ["pool", "user_id", "code"])
