"""Logos that are sent to the API or with a form."""

from refstack_server.intake import logos
from refstack_server.store import branding, vendors
from refstack_server.web.dependencies import CallerContext


async def decoded_logo(context: CallerContext, vendor_id: str, content: bytes) -> bytes:
    """Return a logo of a vendor as PNG; the caller's rights are checked first.

    :raises NotFoundError: there is no such vendor
    :raises ForbiddenError: the caller may not propose a logo of it
    :raises InvalidError: the content is not a valid logo
    """
    await context.query(_check, context, vendor_id)
    logos.require_size(content)
    return await context.run(logos.read, content)


def _check(context: CallerContext, vendor_id: str) -> None:
    branding.require_proposer(context.caller, vendors.get_vendor(context.session, vendor_id))
