"""Numbers of batches are moments, so they are never used twice, not even by another ledger: they need 64 bits."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing has been stamped by older releases, so nothing has to be carried along."""
    with op.batch_alter_table("event_inbox") as table:
        table.alter_column("batch", type_=sa.BigInteger(), existing_type=sa.Integer(), existing_nullable=True)
