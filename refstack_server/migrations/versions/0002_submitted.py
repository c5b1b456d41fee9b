"""Results can be shared with the certifier before they are published."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column ``submitted``."""
    # Results that are published are visible to the certifier too.
    op.add_column(
        "results", sa.Column("submitted", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute("UPDATE results SET submitted = listed WHERE openid IS NOT NULL")
