"""Who signed a bundle, and the attestation in it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; ``server upgrade`` fills them from the stored bundles."""
    op.add_column("results", sa.Column("signer", sa.String(64), nullable=True))
    op.add_column("results", sa.Column("attestation", sa.JSON(), nullable=True))
