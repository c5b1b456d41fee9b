"""The database schema. Times are UTC without a zone; ids are random UUIDs by default."""

import uuid
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class VendorType(IntEnum):
    """Types of vendors with RefStack v1's numbers."""

    FOUNDATION = 0
    PRIVATE = 1
    PENDING = 2
    OFFICIAL = 3


LONGEST_CPID = 128
LONGEST_DESCRIPTION = 4096
LONGEST_NAME = 80
"""The most characters of a vendor's or a product's name."""
PUBLIC_VENDORS: tuple[int, ...] = (VendorType.FOUNDATION, VendorType.OFFICIAL)


class Kind(StrEnum):
    """The format of an upload: names of passed tests (RefStack v1), a stream, a bundle."""

    PASSES = "passes"
    STREAM = "stream"
    BUNDLE = "bundle"


class ProductKind(IntEnum):
    """Kinds of products, RefStack v1's ``product_type``."""

    DISTRO = 0
    PUBLIC_CLOUD = 1
    HOSTED_PRIVATE_CLOUD = 2


def new_id() -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())


def now() -> datetime:
    """Return the current time to the second, the precision of RefStack v1's protocol."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


class Base(DeclarativeBase):
    """The base class of all tables."""


def _id() -> Mapped[str]:
    return mapped_column(sa.String(36), primary_key=True, default=new_id)


def _created() -> Mapped[datetime]:
    return mapped_column(default=now)


class User(Base):
    """A user; ``openid`` is the identity provider's name for the user, usually a URL.

    ``pseudonym`` stands for the user in the public audit log.
    """

    __tablename__ = "users"
    openid: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(255), default="")
    fullname: Mapped[str] = mapped_column(sa.String(255), default="")
    pseudonym: Mapped[str] = mapped_column(sa.String(36), default=new_id)
    created_at: Mapped[datetime] = _created()


class BrowserSession(Base):
    """A signed-in browser; ``digest`` is the SHA-256 of the secret that its cookie contains."""

    __tablename__ = "sessions"
    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    openid: Mapped[str] = mapped_column(sa.ForeignKey("users.openid", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PublicKey(Base):
    """A user's key; ``text`` is its base64 part, ``fingerprint`` has the form of OpenSSH.

    ``is_proven`` is false if the user signed only RefStack v1's constant text, and a copy of that
    signature proves nothing: such a key is valid for requests of RefStack v1 alone.
    """

    __tablename__ = "public_keys"
    id: Mapped[str] = _id()
    openid: Mapped[str] = mapped_column(sa.ForeignKey("users.openid", ondelete="CASCADE"))
    format: Mapped[str] = mapped_column(sa.String(32))
    text: Mapped[str] = mapped_column(sa.Text)
    fingerprint: Mapped[str] = mapped_column(sa.String(64), unique=True)
    comment: Mapped[str] = mapped_column(sa.Text, default="")
    is_proven: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = _created()


class Membership(Base):
    """The right of a user to act for a vendor."""

    __tablename__ = "memberships"
    vendor_id: Mapped[str] = mapped_column(
        sa.ForeignKey("vendors.id", ondelete="CASCADE"), primary_key=True
    )
    openid: Mapped[str] = mapped_column(
        sa.ForeignKey("users.openid", ondelete="CASCADE"), primary_key=True
    )


class Invitation(Base):
    """An invitation of a user to act for a vendor, which the user has not accepted yet."""

    __tablename__ = "invitations"
    vendor_id: Mapped[str] = mapped_column(
        sa.ForeignKey("vendors.id", ondelete="CASCADE"), primary_key=True
    )
    openid: Mapped[str] = mapped_column(
        sa.ForeignKey("users.openid", ondelete="CASCADE"), primary_key=True
    )
    created_at: Mapped[datetime] = _created()
    vendor: Mapped["Vendor"] = relationship(lazy="joined", innerjoin=True)


class Vendor(Base):
    """An organization that users act for."""

    __tablename__ = "vendors"
    id: Mapped[str] = _id()
    type: Mapped[int] = mapped_column(default=VendorType.PRIVATE)
    name: Mapped[str] = mapped_column(sa.String(80))
    description: Mapped[str | None] = mapped_column(sa.Text)
    properties: Mapped[dict[str, object] | None] = mapped_column(sa.JSON)
    created_by_user: Mapped[str] = mapped_column(sa.ForeignKey("users.openid"))
    created_at: Mapped[datetime] = _created()
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=now)


class Product(Base):
    """A product of a vendor."""

    __tablename__ = "products"
    id: Mapped[str] = _id()
    name: Mapped[str] = mapped_column(sa.String(80))
    description: Mapped[str | None] = mapped_column(sa.Text)
    product_type: Mapped[int]
    public: Mapped[bool] = mapped_column(default=False)
    properties: Mapped[dict[str, object] | None] = mapped_column(sa.JSON)
    organization_id: Mapped[str] = mapped_column(
        sa.ForeignKey("vendors.id", ondelete="CASCADE"), index=True
    )
    created_by_user: Mapped[str] = mapped_column(sa.ForeignKey("users.openid"))
    created_at: Mapped[datetime] = _created()
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=now)

    @property
    def type(self) -> int:
        """RefStack v1's type of the product: 1 for software, 0 for a cloud."""
        return int(self.product_type == ProductKind.DISTRO)


class ProductVersion(Base):
    """A version of a product; the version without a name represents the product itself."""

    __tablename__ = "product_versions"
    __table_args__ = (sa.UniqueConstraint("product_id", "version"),)
    id: Mapped[str] = _id()
    product_id: Mapped[str] = mapped_column(sa.ForeignKey("products.id", ondelete="CASCADE"))
    version: Mapped[str | None] = mapped_column(sa.String(255))
    cpid: Mapped[str | None] = mapped_column(sa.String(LONGEST_CPID), index=True)
    product: Mapped[Product] = relationship(lazy="joined")


class Result(Base):
    """The result of one upload.

    ``number`` orders results that were stored within the same second. ``outcomes`` are packed
    (:mod:`refstack_server.store.packed_outcomes`), since no query selects single tests. ``listed``
    is true if the public may see the result: it has no owner, or is shared; ``submitted`` is true
    if the certifier may see it. ``sha256`` is that of the uploaded bundle or stream,
    ``public_sha256`` that of its anonymised copy if the owner published it,
    ``upload_digest`` covers a signed upload in RefStack v1's format and its key; ``guideline``,
    ``programme`` and ``conformance`` are those of its verdict. ``verified_as`` are the names under
    which the Foundation verified the result; they stay when its vendor or product is renamed.
    ``verified_at`` is the time of the last verification. It stays when the verification is revoked,
    at ``revoked_at``, which a new verification clears. ``signer`` is the fingerprint of the key
    that signed a bundle, "" for an unsigned one. ``attestation`` is that of a bundle: ``by``,
    ``product``, ``date``, ``sections`` with the answer for each, and ``signer``, the fingerprint of
    the key that signed it, "" for none.
    """

    __tablename__ = "results"
    __table_args__ = (
        sa.Index("listed_in_order", "listed", "number"),
        sa.Index("owned_in_order", "openid", "number"),
        sa.Index("judged_in_order", "listed", "programme", "guideline", "number"),
        # The registry reads these columns of each result, and never the outcomes beside them.
        sa.Index(
            "standing_of_versions",
            *("product_version_id", "verified_at", "listed", "guideline", "programme"),
            *("verification_status", "verified_until", "revoked_at"),
        ),
    )
    number: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    id: Mapped[str] = mapped_column(sa.String(36), unique=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    cpid: Mapped[str] = mapped_column(sa.String(LONGEST_CPID))
    cpid_folded: Mapped[str] = mapped_column(sa.String(400), index=True)
    duration_seconds: Mapped[int]
    openid: Mapped[str | None] = mapped_column(sa.ForeignKey("users.openid"))
    listed: Mapped[bool]
    submitted: Mapped[bool] = mapped_column(default=False)
    verification_status: Mapped[int] = mapped_column(default=0)
    verified_until: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    verified_as: Mapped[dict[str, str] | None] = mapped_column(sa.JSON)
    signer: Mapped[str | None] = mapped_column(sa.String(64))
    attestation: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    product_version_id: Mapped[str | None] = mapped_column(
        sa.ForeignKey("product_versions.id"), index=True
    )
    outcomes: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    kind: Mapped[str] = mapped_column(sa.String(8), default=Kind.PASSES)
    sha256: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    public_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    upload_digest: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    guideline: Mapped[str | None] = mapped_column(sa.String(128))
    programme: Mapped[str | None] = mapped_column(sa.String(64))
    conformance: Mapped[str | None] = mapped_column(sa.String(16))
    product_version: Mapped[ProductVersion | None] = relationship(lazy="joined")
    meta: Mapped[list["Meta"]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def is_verified(self) -> bool:
        """Whether the result is verified by the Foundation and the verification has not expired."""
        until = self.verified_until
        return bool(self.verification_status) and (until is None or now() < until)

    def meta_value(self, key: str) -> str | None:
        """Return a value of the metadata, None if there is no such key."""
        return next((entry.value for entry in self.meta if entry.key == key), None)


class Meta(Base):
    """A value of a result's metadata: shared, guideline, target, user."""

    __tablename__ = "result_meta"
    number: Mapped[int] = mapped_column(
        sa.ForeignKey("results.number", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    value: Mapped[str] = mapped_column(sa.Text)


class AuditLogEntry(Base):
    """An entry of the public audit log (:mod:`refstack_server.store.audit_log`)."""

    __tablename__ = "log"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(sa.Text)
    digest: Mapped[str] = mapped_column(sa.String(64))


class Cosignature(Base):
    """The signature of a witness on the checkpoint of the audit log with a size."""

    __tablename__ = "cosignatures"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)


class Decision(Base):
    """An entry of the log in which the Foundation verified a result or revoked a verification."""

    __tablename__ = "decisions"
    number: Mapped[int] = mapped_column(
        sa.ForeignKey("log.number"), primary_key=True, autoincrement=False
    )
    result_id: Mapped[str] = mapped_column(sa.String(36), index=True)
    entry: Mapped[AuditLogEntry] = relationship(lazy="joined", innerjoin=True)


class Count(Base):
    """The number of rows of a kind: counting them takes longer the more there are."""

    __tablename__ = "counts"
    what: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    number: Mapped[int] = mapped_column(sa.BigInteger, default=0)


class RateWindow(Base):
    """The number of requests of a client until a time, in seconds of the epoch."""

    __tablename__ = "rate_windows"
    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    number: Mapped[int]
    expires_at: Mapped[float]
