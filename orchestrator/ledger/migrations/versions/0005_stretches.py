"""A batch is a stretch of the inbox, remembered once: rows are no longer stamped, which cost as much as writing them."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What an older release had stamped and not finished is loaded anew: the engine knows events by their message ids."""
    with op.batch_alter_table("event_inbox") as table:
        table.drop_index("event_inbox_batch")
        table.drop_column("batch")
