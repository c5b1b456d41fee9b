"""Download of a stored bundle, by the API and by pages."""

from fastapi import Response

from refstack_server.store import blobs, public_bundles
from refstack_server.store.errors import ForbiddenError, NotFoundError
from refstack_server.store.schema import Kind
from refstack_server.web.dependencies import CallerContext


def bundle_response(context: CallerContext, result_id: str) -> Response:
    """Return a bundle as it was uploaded, for its owner and the Foundation.

    :raises ForbiddenError: the caller may see the verdict only
    :raises NotFoundError: the result was not uploaded as a bundle
    """
    result = context.find(result_id)
    if not context.sees_all(result):
        raise ForbiddenError(
            "only the owner of a result and the Foundation may download its bundle; "
            "the verdict is public"
        )
    if result.kind != Kind.BUNDLE or not result.sha256:
        raise NotFoundError("this result was not uploaded as a bundle")
    return _zip(context, f"{result.id}.zip", result.sha256)


def public_bundle_response(context: CallerContext, result_id: str) -> Response:
    """Return the anonymised copy of a bundle that its owner published.

    :raises NotFoundError: there is none
    """
    result = context.find(result_id)
    return _zip(context, "bundle.zip", public_bundles.require_public(result))


def _zip(context: CallerContext, name: str, sha256: str) -> Response:
    return Response(
        blobs.read(context.settings.data, sha256),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "ETag": f'"{sha256}"',
        },
    )
