"""Runs are found by their state: the daemon looks for due ones ten times a second, among all there ever were."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One more index."""
    op.create_index("run_state", "run", ["state"])
