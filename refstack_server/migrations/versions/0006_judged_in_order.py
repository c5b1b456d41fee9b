"""An index of the public results of each programme and guideline, in order."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the index."""
    op.create_index("judged_in_order", "results", ["listed", "programme", "guideline", "number"])
