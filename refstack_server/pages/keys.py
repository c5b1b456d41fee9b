"""The page on which somebody who signed in registers public keys, and removes them."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from refstack_server.pages import results as result_pages
from refstack_server.store import public_keys
from refstack_server.web import signin
from refstack_server.web.dependencies import Config, Looking, Writer, Writing
from refstack_server.web.signin import Form

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, prefix="/mine/keys"
)
_HERE = "/mine/keys"


@router.get("", response_model=None)
def show(request: Request, looking: Looking) -> Response | str:
    """Show the caller's keys, and what is to be signed to register another."""
    openid = looking.caller.openid
    if not openid:
        return RedirectResponse("/signin", HTTPStatus.SEE_OTHER)
    server = looking.settings.public_url
    return result_pages.render(
        "keys.html",
        "/mine",
        keys=list(public_keys.of_user(looking.session, openid)),
        challenge=public_keys.challenge(request.app.state.secret, server, openid),
        minutes=public_keys.SECONDS // 60,
        namespace=public_keys.NAMESPACE,
        csrf=request.session.get(signin.CSRF, ""),
    )


@router.post("")
def add(
    request: Request, form: Form, session: Writing, settings: Config, caller: Writer
) -> Response:
    """Register a key with which the challenge of the page was signed."""
    proof = public_keys.Proof(
        *(signin.text(form, name, public_keys.LONGEST) for name in public_keys.Proof._fields)
    )
    public_keys.register(
        session, request.app.state.secret, settings.public_url, caller.openid, proof
    )
    session.commit()
    return RedirectResponse(_HERE, HTTPStatus.SEE_OTHER)


@router.post("/{key_id}/remove")
def remove(key_id: str, form: Form, session: Writing, caller: Writer) -> Response:
    """Remove a key; what was uploaded with it stays the caller's."""
    public_keys.remove(session, caller.openid, key_id)
    session.commit()
    return RedirectResponse(_HERE, HTTPStatus.SEE_OTHER)
