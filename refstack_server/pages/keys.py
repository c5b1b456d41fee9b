"""The page on which a signed-in user registers and removes public keys."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from refstack_client.bundle import ssh_public_key
from refstack_server.pages.template import render
from refstack_server.store import public_keys
from refstack_server.web import signin
from refstack_server.web.dependencies import Config, Context, CurrentCaller, WriteSession
from refstack_server.web.signin import Form

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, prefix="/mine/keys"
)
_HERE = "/mine/keys"


@router.get("", response_model=None)
def show(request: Request, context: Context) -> Response | str:
    """Show the caller's keys, and the challenge to sign to register another."""
    openid = context.caller.openid
    if not openid:
        return RedirectResponse("/signin", HTTPStatus.SEE_OTHER)
    server = context.settings.public_url
    return render(
        "keys.html",
        "/mine",
        keys=list(public_keys.of_user(context.session, openid)),
        challenge=public_keys.challenge(request.app.state.secret, server, openid),
        minutes=public_keys.SECONDS // 60,
        namespace=public_keys.NAMESPACE,
        csrf=request.session.get(signin.CSRF, ""),
    )


@router.post("")
def add(
    request: Request, form: Form, session: WriteSession, settings: Config, caller: CurrentCaller
) -> Response:
    """Register a key that signed the page's challenge."""
    proof = public_keys.Proof(
        *(signin.text(form, name, ssh_public_key.LONGEST) for name in public_keys.Proof._fields)
    )
    public_keys.register(
        session, request.app.state.secret, settings.public_url, caller.openid, proof
    )
    session.commit()
    return RedirectResponse(_HERE, HTTPStatus.SEE_OTHER)


@router.post("/{key_id}/remove")
def remove(key_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Remove a key; the caller keeps the results that were uploaded with it."""
    public_keys.remove(session, caller.openid, key_id)
    session.commit()
    return RedirectResponse(_HERE, HTTPStatus.SEE_OTHER)
