"""Who looks at a page, by the request."""

from dataclasses import replace
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
    return replace(_anonymous(request), name=name, csrf=csrf)


def _anonymous(request: Request) -> Visitor:
    state = request.app.state
    return Visitor(can_sign_in=state.oauth is not None, registry=state.settings.name)


async def _visitor(request: Request, caller: CurrentCaller) -> Visitor:
    anonymous = _anonymous(request)
    if not caller.openid:
        return anonymous
    return replace(
        anonymous,
        openid=caller.openid,
        name=request.session.get(signin.NAME) or caller.openid,
        csrf=request.session.get(signin.CSRF, ""),
        is_foundation=caller.is_foundation,
    )


CurrentVisitor = Annotated[Visitor, Depends(_visitor)]
"""The reader of a page."""
