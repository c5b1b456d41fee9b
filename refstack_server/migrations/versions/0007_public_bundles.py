"""The anonymised copies of bundles that owners publish."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column with the SHA-256 of the copy."""
    op.add_column("results", sa.Column("public_sha256", sa.String(64), nullable=True))
