"""The page on which a signed-in user registers and removes public keys."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session

from refstack_client.bundle import ssh_public_key
from refstack_server.pages import forms
from refstack_server.pages.forms import FormState
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.store import public_keys
from refstack_server.web import signin
from refstack_server.web.dependencies import Config, Context, CurrentCaller, WriteSession
from refstack_server.web.signin import Form

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, prefix="/mine/keys"
)
_HERE = "/mine/keys"


@router.get("", response_model=None)
def show(request: Request, context: Context, visitor: CurrentVisitor) -> Response | str:
    """Show the caller's keys, and the challenge to sign to register another."""
    openid = context.caller.openid
    if not openid:
        return RedirectResponse("/signin", HTTPStatus.SEE_OTHER)
    challenge = public_keys.challenge(request.app.state.secret, context.settings.public_url, openid)
    return _page(context.session, visitor, challenge, forms.NEW)


def _page(session: Session, visitor: Visitor, challenge: str, state: FormState) -> str:
    return render(
        "keys.html",
        "/mine",
        visitor,
        state=state,
        keys=list(public_keys.of_user(session, visitor.openid)),
        challenge=challenge,
        minutes=public_keys.SECONDS // 60,
        namespace=public_keys.NAMESPACE,
    )


@router.post("")
def add(
    request: Request, form: Form, session: WriteSession, settings: Config, visitor: CurrentVisitor
) -> Response:
    """Register a key that signed the page's challenge."""
    secret, server = request.app.state.secret, settings.public_url
    try:
        proof = public_keys.Proof(
            *(signin.text(form, name, ssh_public_key.LONGEST) for name in public_keys.Proof._fields)
        )
        public_keys.register(session, secret, server, visitor.openid, proof)
    except forms.REFUSED as error:
        # The signature that was typed belongs to the challenge that was shown.
        shown = str(form.get("challenge", ""))
        state = forms.refused(error, form, "key", "signature")
        return forms.again(error, _page(session, visitor, shown, state))
    session.commit()
    return RedirectResponse(_HERE, HTTPStatus.SEE_OTHER)


@router.post("/{key_id}/remove")
def remove(key_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Remove a key; the caller keeps the results that were uploaded with it."""
    public_keys.remove(session, caller.openid, key_id)
    session.commit()
    return RedirectResponse(_HERE, HTTPStatus.SEE_OTHER)
