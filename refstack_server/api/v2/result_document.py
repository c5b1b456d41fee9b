"""A result as JSON, without its outcomes."""

from collections.abc import Iterable
from datetime import datetime

import pydantic
from pydantic.config import JsonDict
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from refstack_server.publish import marks
from refstack_server.publish.marks import Mark
from refstack_server.settings import Settings
from refstack_server.store import audit_log, vendors
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.result_list import seen_version
from refstack_server.store.schema import ProductVersion, Result
from refstack_server.store.sharing import Sharing, sharing
from refstack_server.store.standing import Standing, standing
from refstack_server.web.urls import result_url

_EXAMPLE: JsonDict = {
    "id": "0c5f2c1e-5b0f-4f5e-9d2b-0a1c5e7d9f31",
    "url": "https://refstack.example.org/results/0c5f2c1e-5b0f-4f5e-9d2b-0a1c5e7d9f31",
    "kind": "bundle",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "public_bundle": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "guideline": "2020.06",
    "programme": "storage",
    "conformance": "conformant",
    "uploaded_at": "2026-11-21T14:03:07Z",
    "duration_seconds": 1380,
    "standing": "verified",
    "shared_with": "everybody",
    "verified": True,
    "verified_at": "2026-11-22T09:30:00",
    "verified_until": "2027-11-21T00:00:00",
    "revoked_at": None,
    "why": "",
    "verified_as": {"vendor": "Clear Sky", "product": "Sky", "version": "1"},
    "marks": {"compatible": "yes", "powered": "yes"},
    "attestation": {
        "date": "2026-11-20",
        "sections": {"keystone": "yes", "swift": "yes"},
        "signer": "SHA256:0vAJXmuiZVcdkNxN8F4aiCaZ6KYyvVmPXcAdEDhYpVw",
        "by": "Alice",
        "product": "Sky 1",
    },
    "signer": "SHA256:0vAJXmuiZVcdkNxN8F4aiCaZ6KYyvVmPXcAdEDhYpVw",
    "vendor": {"id": "5c1d2d1f-7f63-4a6c-8a5e-1b2c3d4e5f60", "name": "Clear Sky"},
    "product": {"id": "a3b1c2d4-1111-4222-8333-944455556666", "name": "Sky"},
    "version": "1",
}


class Named(TypedDict):
    """A vendor or a product, with its present name."""

    id: str
    name: str


class MarksDocument(TypedDict):
    """The marks that a result supports; null for a result without a verdict, or without marks.

    The tests alone decide ``compatible`` (OpenStack Compatible). ``powered`` (OpenStack Powered)
    also requires that the vendor attests all designated sections.
    """

    compatible: Mark
    powered: Mark


class AttestationDocument(TypedDict):
    """The vendor's attestation of designated sections: a statement, which no test checks.

    ``signer`` is the fingerprint of the key that signed it, null if only the bundle is signed.
    ``by`` and ``product`` are null for readers other than the owner and the Foundation.
    """

    date: str
    sections: dict[str, str]
    signer: str | None
    by: str | None
    product: str | None


@pydantic.with_config(pydantic.ConfigDict(json_schema_extra={"example": _EXAMPLE}))
class ResultDocument(TypedDict):
    """A result without its outcomes; values that RefStack v1's format lacks are null.

    All times are in UTC. ``why`` is the reason of the Foundation for the last verification or
    revocation, "" without one. ``verified_as`` are the names under which the Foundation verified
    the result. ``vendor``, ``product`` and ``version`` are the present ones, null if the product is
    not public and the caller does not act for its vendor. ``signer`` is the fingerprint of the key
    that signed the bundle. ``public_bundle`` is the SHA-256 of the anonymised copy of the bundle
    that its owner published.
    """

    id: str
    url: str
    kind: str
    sha256: str | None
    public_bundle: str | None
    guideline: str | None
    programme: str | None
    conformance: str | None
    uploaded_at: str
    duration_seconds: int
    standing: Standing
    shared_with: Sharing
    verified: bool
    verified_at: str | None
    verified_until: str | None
    revoked_at: str | None
    why: str
    verified_as: dict[str, str] | None
    marks: MarksDocument | None
    attestation: AttestationDocument | None
    signer: str | None
    vendor: Named | None
    product: Named | None
    version: str | None


def documents(
    session: Session, settings: Settings, caller: Caller, results: Iterable[Result]
) -> list[ResultDocument]:
    """Return results as JSON, as far as the caller may see them."""
    rows = [(result, seen_version(result, caller)) for result in results]
    vendor_ids = {version.product.organization_id for _, version in rows if version}
    names = vendors.names(session, vendor_ids) if vendor_ids else {}
    decided = [result.id for result, _ in rows if result.verified_at or result.revoked_at]
    reasons = audit_log.reasons(session, decided) if decided else {}
    return [
        _document(settings, caller, result, version, names, reasons.get(result.id, ""))
        for result, version in rows
    ]


def _document(
    settings: Settings,
    caller: Caller,
    result: Result,
    version: ProductVersion | None,
    names: dict[str, str],
    why: str,
) -> ResultDocument:
    product = version.product if version else None
    vendor_id = product.organization_id if product else ""
    return {
        "id": result.id,
        "url": result_url(settings, result),
        "kind": result.kind,
        "sha256": result.sha256,
        "public_bundle": result.public_sha256,
        "guideline": result.guideline,
        "programme": result.programme,
        "conformance": result.conformance,
        "uploaded_at": f"{result.created_at.isoformat()}Z",
        "duration_seconds": result.duration_seconds,
        "standing": standing(result),
        "shared_with": sharing(result),
        "verified": result.is_verified,
        "verified_at": _text(result.verified_at),
        "verified_until": _text(result.verified_until),
        "revoked_at": _text(result.revoked_at),
        "why": why,
        # The public log has these names too. Those of a revoked verification stay stored.
        "verified_as": result.verified_as if result.verification_status else None,
        "marks": _marks(result),
        "attestation": _attestation(result, caller),
        "signer": result.signer or None,
        # The vendor may have been removed since the result was read.
        "vendor": {"id": vendor_id, "name": names[vendor_id]} if vendor_id in names else None,
        "product": {"id": product.id, "name": product.name} if product else None,
        "version": version.version if version else None,
    }


def _marks(result: Result) -> MarksDocument | None:
    found = marks.marks(result)
    return {"compatible": found.compatible, "powered": found.powered} if found else None


def _attestation(result: Result, caller: Caller) -> AttestationDocument | None:
    sees_all = stored_results.role(result, caller) != stored_results.READER
    found = marks.attested(result, sees_all=sees_all)
    if found is None:
        return None
    return {
        "date": found.date,
        "sections": dict(found.sections),
        "signer": found.signer,
        "by": found.by,
        "product": found.product,
    }


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
