"""Invitations, sessions, proofs of keys, names of verified results, signed uploads sent again."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables and columns."""
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column(
            "openid",
            sa.String(255),
            sa.ForeignKey("users.openid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(), nullable=False, index=True),
    )
    op.create_table(
        "rate_windows",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "cosignatures",
        sa.Column("size", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "invitations",
        sa.Column(
            "vendor_id",
            sa.String(36),
            sa.ForeignKey("vendors.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            "openid",
            sa.String(255),
            sa.ForeignKey("users.openid", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
    # How an RSA key was proven is not recorded: its owner can prove it again.
    op.add_column(
        "public_keys",
        sa.Column("is_proven", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.execute(sa.text("UPDATE public_keys SET is_proven = false WHERE format = 'ssh-rsa'"))
    op.add_column("users", sa.Column("pseudonym", sa.String(36), nullable=False, server_default=""))
    users = sa.table("users", sa.column("openid"), sa.column("pseudonym"))
    for openid in op.get_bind().scalars(sa.select(users.c.openid)).all():
        op.execute(
            users.update().where(users.c.openid == openid).values(pseudonym=str(uuid.uuid4()))
        )
    op.add_column("results", sa.Column("verified_as", sa.JSON(), nullable=True))
    _keep_names_of_verified_results(op.get_bind())
    op.add_column("results", sa.Column("upload_digest", sa.String(64), nullable=True))
    op.create_index("results_upload_digest", "results", ["upload_digest"], unique=True)
    if op.get_bind().dialect.name == "postgresql":  # SQLite's integers have 64 bits already.
        op.alter_column("counts", "number", type_=sa.BigInteger())
    op.execute(
        "INSERT INTO counts (what, number) SELECT 'bytes without an owner', "
        "COALESCE(SUM(LENGTH(outcomes)), 0) FROM results WHERE openid IS NULL"
    )


def _keep_names_of_verified_results(connection: sa.Connection) -> None:
    results = sa.table("results", sa.column("number"), sa.column("verified_as", sa.JSON()))
    rows = connection.execute(
        sa.text(
            "SELECT results.number, vendors.name, products.name, product_versions.version "
            "FROM results "
            "JOIN product_versions ON product_versions.id = results.product_version_id "
            "JOIN products ON products.id = product_versions.product_id "
            "JOIN vendors ON vendors.id = products.organization_id "
            "WHERE results.verification_status = 1 AND products.public"
        )
    ).all()
    for number, vendor, product, version in rows:
        names = {"vendor": vendor, "product": product, "version": version or ""}
        connection.execute(
            results.update().where(results.c.number == number).values(verified_as=names)
        )
