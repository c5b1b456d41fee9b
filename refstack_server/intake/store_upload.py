"""Storing what was received: once, by its content, and as its owner's."""

import sqlalchemy as sa
from fastapi import Response
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from refstack_server.intake.verify_upload import Received
from refstack_server.store import blobs, packed_outcomes, public_keys
from refstack_server.store import results as stored_results
from refstack_server.store.blobs import Coming
from refstack_server.store.schema import Kind, Result
from refstack_server.web.dependencies import Asked
from refstack_server.web.errors import conflict, forbidden, not_found, unauthorized


def store(session: Session, looking: Asked, sent: Received, coming: Coming) -> tuple[Result, bool]:
    """Return the result of what was sent, and whether it is a new one.

    :raises RefusedError: 401, nobody owns it; 409, somebody else uploaded it before
    """
    owner = _owner(looking, sent)
    known, is_new = _known(session, sent.sha256), False
    if known is None:
        session.rollback()  # nobody waits while the disk is written to
        blobs.keep(looking.settings.data, coming)
        known, is_new = _add(session, sent, owner)
    if known.openid != owner:
        raise conflict("This was uploaded by somebody else already")
    return known, is_new


def as_file(looking: Asked, result_id: str) -> Response:
    """Return a bundle as it was sent, for its owner and the foundation.

    :raises RefusedError: 403, or 404 where it was no bundle
    """
    result = looking.find(result_id)
    if not looking.knows_all(result):
        raise forbidden("the whole bundle is its owner's; what is public of it is the verdict")
    if result.kind != Kind.BUNDLE or not result.sha256:
        raise not_found("there is no bundle of this result")
    return Response(
        blobs.read(looking.settings.data, result.sha256),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{result.id}.zip"'},
    )


def _known(session: Session, sha256: str) -> Result | None:
    return session.scalar(sa.select(Result).where(Result.sha256 == sha256))


def _owner(looking: Asked, sent: Received) -> str:
    key = (
        public_keys.of_fingerprint(looking.session, sent.fingerprint) if sent.fingerprint else None
    )
    owner = key.openid if key else looking.caller.openid
    if not owner:
        raise unauthorized("sign the bundle with a key that is registered here, or send a token")
    return owner


def _add(session: Session, sent: Received, owner: str) -> tuple[Result, bool]:
    judged = sent.verdict.programme
    result = Result(
        kind=sent.kind,
        sha256=sent.sha256,
        cpid=sent.cpid,
        cpid_folded=sent.cpid.casefold(),
        duration_seconds=sent.seconds,
        openid=owner,
        outcomes=packed_outcomes.pack(packed_outcomes.of(sent.outcomes)),
        guideline=judged.guideline.id,
        programme=judged.key,
        conformance=str(sent.verdict.conformance),
    )
    stored_results.add(session, result)
    stored_results.write_meta(session, result, stored_results.USER, owner)
    try:
        session.commit()
    except IntegrityError:  # the same was stored meanwhile
        session.rollback()
        known = _known(session, sent.sha256)
        if known is None:
            raise
        return known, False
    return result, True
