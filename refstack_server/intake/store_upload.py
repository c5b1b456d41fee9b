"""Storage of verified uploads: the same content once, as a result of its owner."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from refstack_server.intake.verify_upload import VerifiedUpload
from refstack_server.store import blobs, public_bundles, public_keys
from refstack_server.store import results as stored_results
from refstack_server.store.blobs import IncomingUpload
from refstack_server.store.callers import Caller
from refstack_server.store.errors import ConflictError, UnauthenticatedError
from refstack_server.store.schema import Result


def owner_of(session: Session, caller: Caller, fingerprint: str) -> str:
    """Return to whom an upload belongs: the user whose key signed it, otherwise the caller.

    :param fingerprint: that of the signing key, "" without a signature
    :raises UnauthenticatedError: it is not signed with a registered key and the caller is anonymous
    """
    key = public_keys.proven(session, fingerprint) if fingerprint else None
    owner = key.openid if key else caller.openid
    if not owner:
        raise UnauthenticatedError(
            "sign the bundle with a key that is registered here, or send a token"
        )
    return owner


def store(
    session: Session, data: Path, owner: str, verified: VerifiedUpload, upload: IncomingUpload
) -> tuple[Result, bool]:
    """Return the result of an upload, and whether it is new.

    :raises ConflictError: another user uploaded the same content before
    """
    result, is_new = _find(session, upload.sha256), False
    if result is None:
        session.rollback()  # Other writers need not wait for this write to the disk.
        blobs.keep(data, upload)
        result, is_new = _add(session, verified, owner, upload.sha256)
    if result.openid != owner:
        raise ConflictError("This was uploaded by another user already")
    return result, is_new


def store_copy(
    session: Session, caller: Caller, data: Path, result_id: str, upload: IncomingUpload
) -> Result:
    """Store the anonymised copy of the bundle of a caller's result, make it public, and commit.

    :raises ConflictError: as for :func:`.public_bundles.publish`; other errors as for
        :func:`.results.find_own`
    """
    result = stored_results.find_own(session, result_id, caller)
    public_bundles.require_publishable(result)
    blobs.keep(data, upload)
    public_bundles.publish(session, result, upload.sha256)
    session.commit()
    return result


def _find(session: Session, sha256: str) -> Result | None:
    return session.scalar(sa.select(Result).where(Result.sha256 == sha256))


def _add(
    session: Session, verified: VerifiedUpload, owner: str, sha256: str
) -> tuple[Result, bool]:
    statements = verified.statements
    result = Result(
        kind=verified.kind,
        sha256=sha256,
        cpid=verified.cpid,
        cpid_folded=verified.cpid.casefold(),
        duration_seconds=verified.seconds,
        openid=owner,
        outcomes=verified.outcomes,
        guideline=verified.guideline,
        programme=verified.programme,
        conformance=verified.conformance,
        signer=statements.signer if statements else None,
        attestation=statements.attestation if statements else None,
    )
    stored_results.add(session, result)
    stored_results.write_meta(session, result, stored_results.USER, owner)
    try:
        session.commit()
    except IntegrityError:  # The same content was stored in the meantime.
        session.rollback()
        stored = _find(session, sha256)
        if stored is None:
            raise
        return stored, False
    return result, True
