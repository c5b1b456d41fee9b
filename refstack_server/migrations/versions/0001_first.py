"""The first schema: users, vendors, products, results."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "counts",
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("what"),
    )
    op.create_table(
        "users",
        sa.Column("openid", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("fullname", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("openid"),
    )
    op.create_table(
        "public_keys",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("openid", sa.String(length=255), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["openid"], ["users.openid"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("fingerprint"),
    )
    op.create_table(
        "vendors",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("properties", sa.JSON(), nullable=True),
        sa.Column("created_by_user", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_user"],
            ["users.openid"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "memberships",
        sa.Column("vendor_id", sa.String(length=36), nullable=False),
        sa.Column("openid", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["openid"], ["users.openid"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("vendor_id", "openid"),
    )
    op.create_table(
        "products",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("product_type", sa.Integer(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=True),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("created_by_user", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_user"],
            ["users.openid"],
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["vendors.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_products_organization_id", "products", ["organization_id"], unique=False)
    op.create_table(
        "product_versions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.String(length=255), nullable=True),
        sa.Column("cpid", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("product_id", "version"),
    )
    op.create_index("ix_product_versions_cpid", "product_versions", ["cpid"], unique=False)
    op.create_table(
        "results",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("cpid", sa.String(length=128), nullable=False),
        sa.Column("cpid_folded", sa.String(length=400), nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column("openid", sa.String(length=255), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("verification_status", sa.Integer(), nullable=False),
        sa.Column("verified_until", sa.DateTime(), nullable=True),
        sa.Column("product_version_id", sa.String(length=36), nullable=True),
        sa.Column("outcomes", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("guideline", sa.String(length=128), nullable=True),
        sa.Column("programme", sa.String(length=64), nullable=True),
        sa.Column("conformance", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["openid"],
            ["users.openid"],
        ),
        sa.ForeignKeyConstraint(
            ["product_version_id"],
            ["product_versions.id"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_index("ix_results_cpid_folded", "results", ["cpid_folded"], unique=False)
    op.create_index("ix_results_created_at", "results", ["created_at"], unique=False)
    op.create_index(
        "ix_results_product_version_id", "results", ["product_version_id"], unique=False
    )
    op.create_index("listed_in_order", "results", ["listed", "number"], unique=False)
    op.create_index("owned_in_order", "results", ["openid", "number"], unique=False)
    op.create_table(
        "result_meta",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["results.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number", "key"),
    )
    op.create_table(
        "log",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    _keep_the_log()
    for what in ("listed results", "lines of the log"):
        op.execute(f"INSERT INTO counts (what, number) VALUES ('{what}', 0)")  # noqa: S608


def _keep_the_log() -> None:
    """Have the database refuse to change or remove a line."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER log_{what.lower()} BEFORE {what} ON log "
                "BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION keep_the_log() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the log is only added to'; END $$"
    )
    op.execute(
        "CREATE TRIGGER log_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON log "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_the_log()"
    )
