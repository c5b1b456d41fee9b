"""Bundles that are sent to the API or with a form."""

from refstack_server.intake import store_upload, verify_upload
from refstack_server.intake.verify_upload import VerifiedUpload
from refstack_server.store.blobs import IncomingUpload
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
