"""Who looks at a page, by the request."""

from typing import Annotated

from fastapi import Depends, Request

from refstack_server.pages.reader import Visitor
from refstack_server.web import signin
from refstack_server.web.dependencies import SESSION, CurrentCaller


def of_cookie(request: Request) -> Visitor:
    """Return the reader of an error page, who has the name in the browser's signed cookie.

    The session may have ended since: the page shows nothing that needs it.
    """
    cookie = request.scope.get("session") or {}
    name = cookie.get(signin.NAME, "") if SESSION in cookie else ""
    csrf = cookie.get(signin.CSRF, "") if name else ""
    return Visitor(name=name, csrf=csrf, can_sign_in=request.app.state.oauth is not None)


async def _visitor(request: Request, caller: CurrentCaller) -> Visitor:
    can_sign_in = request.app.state.oauth is not None
    if not caller.openid:
        return Visitor(can_sign_in=can_sign_in)
    return Visitor(
        openid=caller.openid,
        name=request.session.get(signin.NAME) or caller.openid,
        csrf=request.session.get(signin.CSRF, ""),
        is_foundation=caller.is_foundation,
        can_sign_in=can_sign_in,
    )


CurrentVisitor = Annotated[Visitor, Depends(_visitor)]
"""The reader of a page."""
