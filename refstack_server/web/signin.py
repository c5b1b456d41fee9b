"""Sign-in with a browser by OpenID Connect, at the identity provider that the operator names.

The cookie of a session is signed, scripts cannot read it (HttpOnly), and other sites' requests do
not carry it (SameSite). It is valid for pages only, never for the API, until the user signs out or
the session expires. Each form carries a token of its own.
"""

import hmac
import secrets
from http import HTTPStatus
from typing import Annotated

import sqlalchemy as sa
from authlib.integrations.base_client.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from httpx2 import HTTPError
from joserfc.errors import JoseError
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from refstack_server.settings import Provider
from refstack_server.store import sessions
from refstack_server.store import users as stored_users
from refstack_server.store.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
)
from refstack_server.store.text import has_hidden, stored
from refstack_server.store.users import NewUser
from refstack_server.web.dependencies import SESSION, CurrentCaller, WriteSession
from refstack_server.web.errors import IdentityProviderError

router = APIRouter(include_in_schema=False)
COOKIE = "refstack"
CSRF = "csrf"
NAME = "name"
"""Keys of the form's token and of the user's name in the cookie."""
_LONGEST_NAME = 40
"""A longer name may make the cookie larger than browsers accept."""
_PROVIDER = "provider"
_INVALID_TOKEN = (JoseError, KeyError, RuntimeError, TypeError, ValueError)
"""What the validation of a token raises besides errors of Authlib."""


def client(provider: Provider) -> OAuth:
    """Return an OpenID Connect client for an identity provider."""
    oauth = OAuth()
    oauth.register(
        name=_PROVIDER,
        server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_id=provider.client_id,
        client_secret=provider.secret,
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
    )
    return oauth


def _provider(request: Request) -> StarletteOAuth2App:
    oauth = request.app.state.oauth
    if oauth is None:
        raise NotFoundError("Sign-in is not available: the server runs without --oidc-issuer")
    return oauth.create_client(_PROVIDER)


@router.get("/signin")
async def sign_in(request: Request) -> Response:
    """Redirect the browser to the identity provider."""
    return_url = f"{request.app.state.settings.public_url}/signin/return"
    try:
        return await _provider(request).authorize_redirect(request, return_url)
    except (AuthlibBaseError, HTTPError) as error:
        raise _unavailable(error) from error


@router.get("/signin/return")
async def come_back(request: Request) -> Response:
    """Start a session for the user whom the identity provider names."""
    try:
        token = await _provider(request).authorize_access_token(request)
    except AuthlibBaseError as error:
        raise UnauthenticatedError(f"the sign-in failed: {error.error or error}") from error
    except HTTPError as error:
        raise _unavailable(error) from error
    except _INVALID_TOKEN as error:
        raise UnauthenticatedError(
            "the sign-in failed: the identity provider sent a token that is not valid"
        ) from error
    claims = token.get("userinfo") or {}
    issuer, subject = (stored(claims.get(name)) for name in ("iss", "sub"))
    openid = stored(f"{issuer.rstrip('/')}/{subject}")
    if not issuer or not subject or not openid:
        raise UnauthenticatedError("the identity provider did not name the user")
    user = NewUser(
        openid=openid, email=stored(claims.get("email")), fullname=stored(claims.get("name"))
    )
    # The write may wait for other writers.
    secret = await run_in_threadpool(_start, request.app.state.writer, user)
    request.session.clear()
    name = (user.fullname or user.openid)[:_LONGEST_NAME]
    request.session.update({SESSION: secret, CSRF: secrets.token_urlsafe(), NAME: name})
    return RedirectResponse("/mine", HTTPStatus.SEE_OTHER)


def _start(engine: sa.Engine, user: NewUser) -> str:
    stored_users.add(engine, user)
    with Session(engine) as session:
        secret = sessions.start(session, user.openid)
        session.commit()
    return secret


def _unavailable(error: Exception) -> IdentityProviderError:
    return IdentityProviderError("The identity provider does not answer", str(error))


async def _form(request: Request, caller: CurrentCaller) -> FormData:
    """Return a form that a signed-in user sent from a page of this server."""
    if not caller.openid:
        raise UnauthenticatedError("sign in first")
    form = await request.form(max_files=1, max_fields=8)
    token, expected = str(form.get(CSRF, "")), request.session.get(CSRF, "")
    if not expected or not hmac.compare_digest(token.encode(), expected.encode()):
        raise ForbiddenError(
            "this form does not belong to your session: go back and load the page again"
        )
    return form


Form = Annotated[FormData, Depends(_form)]
"""A form of a signed-in user whose CSRF token is valid."""


@router.post("/signout")
def sign_out(request: Request, form: Form, session: WriteSession) -> Response:
    """End the session, for every copy of its cookie."""
    sessions.end(session, request.session[SESSION])
    session.commit()
    request.session.clear()
    return RedirectResponse("/results", HTTPStatus.SEE_OTHER)


def text(form: FormData, name: str, longest: int) -> str:
    """Return a field of a form, without surrounding space.

    :raises InvalidError: the field is empty, longer than ``longest`` characters, or has hidden ones
    """
    value = str(form.get(name, "")).strip()
    if not value or len(value) > longest or has_hidden(value):
        message = f"{name}: enter 1 to {longest} characters, none of them hidden"
        raise InvalidError(message, f"/{name}")
    return value


def optional_text(form: FormData, name: str, longest: int) -> str:
    """Return a field of a form as :func:`text` does, "" if it is empty."""
    return text(form, name, longest) if str(form.get(name, "")).strip() else ""
