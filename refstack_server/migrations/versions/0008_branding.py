"""Logos and sites of vendors."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "vendor_branding",
        sa.Column(
            "vendor_id",
            sa.String(36),
            sa.ForeignKey("vendors.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("state", sa.String(8), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("url", sa.String(255), nullable=True),
        sa.Column("image", sa.LargeBinary(), nullable=True),
        sa.Column("denial", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
