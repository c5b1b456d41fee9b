"""Bundles that are sent to the API or with a form."""

from sqlalchemy.orm import Session

from refstack_server.intake import public_bundle, store_upload, verify_upload
from refstack_server.intake.verify_upload import VerifiedUpload
from refstack_server.store import blobs, public_bundles, public_keys
from refstack_server.store import results as stored_results
from refstack_server.store.blobs import IncomingUpload
from refstack_server.store.callers import Caller
from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import Result
from refstack_server.web.dependencies import CallerContext


async def verified_bundle(
    context: CallerContext, upload: IncomingUpload
) -> tuple[str, VerifiedUpload]:
    """Return the owner of a bundle and the bundle, verified; the owner is checked first.

    :raises UnauthenticatedError: it has no owner, as for :func:`.store_upload.owner_of`
    :raises InvalidError: it is not valid
    """
    path = upload.complete()
    fingerprint = await context.run(verify_upload.signer_of, path)
    owner = await context.query(store_upload.owner_of, context.session, context.caller, fingerprint)
    return owner, await context.run(verify_upload.read_bundle, path, context.settings)


async def check_copy(context: CallerContext, result_id: str, upload: IncomingUpload) -> None:
    """Check that a result of the caller may have an upload as its public bundle.

    :raises ConflictError: as for :func:`.public_bundles.require_publishable`
    :raises InvalidError: it is not the anonymised copy of the result's bundle, or is not signed
        with a key of the caller
    """
    uploaded = await context.query(_publishable, context.session, result_id, context.caller)
    data = context.settings.data
    arguments = upload.complete(), blobs.path_of(data, uploaded), context.settings
    fingerprint = await context.run(public_bundle.check, *arguments)
    await context.query(_require_own_key, context.session, context.caller, fingerprint)


def _publishable(session: Session, result_id: str, caller: Caller) -> str:
    result: Result = stored_results.find_own(session, result_id, caller)
    public_bundles.require_publishable(result)
    return str(result.sha256)


def _require_own_key(session: Session, caller: Caller, fingerprint: str) -> None:
    key = public_keys.proven(session, fingerprint)
    if key is None or key.openid != caller.openid:
        raise InvalidError(
            f"The key that signed the bundle is not yours: {fingerprint}",
            "sign it with a key that you registered here",
        )
