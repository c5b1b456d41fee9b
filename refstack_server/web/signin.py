"""Signing in with a browser, by OpenID Connect: any provider the operator names.

The session is a signed cookie that no script can read (HttpOnly) and no other site sends along
(SameSite). It serves pages alone, never the API, and each form carries its token.
"""

import hmac
import secrets
from http import HTTPStatus
from typing import Annotated, Any

from authlib.integrations.base_client.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from httpx2 import HTTPError
from starlette.datastructures import FormData

from refstack_server.settings import Provider
from refstack_server.store import users as stored_users
from refstack_server.store.users import NewUser
from refstack_server.web.dependencies import OPENID
from refstack_server.web.errors import RefusedError, bad_request, forbidden, not_found, unauthorized

router = APIRouter(include_in_schema=False)
COOKIE, SECONDS = "refstack", 8 * 3600
CSRF = "csrf"
_NAME = "provider"


def client(provider: Provider) -> OAuth:
    """Return what speaks with a provider."""
    made = OAuth()
    made.register(
        name=_NAME,
        server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_id=provider.client_id,
        client_secret=provider.secret,
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
    )
    return made


def _provider(request: Request) -> Any:
    oauth = request.app.state.oauth
    if oauth is None:
        raise not_found("Nobody can sign in here: the server runs without --oidc-issuer")
    return oauth.create_client(_NAME)


@router.get("/signin")
async def sign_in(request: Request) -> Response:
    """Send the browser to the provider."""
    back = f"{request.app.state.settings.public_url}/signin/return"
    try:
        return await _provider(request).authorize_redirect(request, back)
    except (AuthlibBaseError, HTTPError) as error:
        raise _unavailable(error) from error


@router.get("/signin/return")
async def come_back(request: Request) -> Response:
    """Take what the provider says of who signed in."""
    try:
        token = await _provider(request).authorize_access_token(request)
    except AuthlibBaseError as error:
        raise unauthorized(f"the sign-in failed: {error.error or error}") from error
    except HTTPError as error:
        raise _unavailable(error) from error
    known = token.get("userinfo") or {}
    if not known.get("sub"):
        raise unauthorized("the provider does not say who signed in")
    new = NewUser(
        openid=f"{known['iss'].rstrip('/')}/{known['sub']}",
        email=str(known.get("email") or ""),
        fullname=str(known.get("name") or ""),
    )
    # It may have to wait for others who write.
    await run_in_threadpool(stored_users.add, request.app.state.writer, new)
    request.session.clear()
    request.session.update({OPENID: new.openid, CSRF: secrets.token_urlsafe()})
    return RedirectResponse("/mine", HTTPStatus.SEE_OTHER)


def _unavailable(error: Exception) -> RefusedError:
    return RefusedError(
        HTTPStatus.BAD_GATEWAY, "The provider of identities does not answer", str(error)
    )


async def _form(request: Request) -> FormData:
    """Return a form that was sent from a page of ours, by somebody who is signed in."""
    if not request.session.get(OPENID):
        raise unauthorized("sign in first")
    form = await request.form(max_files=1, max_fields=8)
    given, due = str(form.get(CSRF, "")), request.session.get(CSRF, "")
    if not due or not hmac.compare_digest(given.encode(), due.encode()):
        raise forbidden("this form is not of a page of yours: go back, load the page again")
    return form


Form = Annotated[FormData, Depends(_form)]


@router.post("/signout")
def sign_out(request: Request, form: Form) -> Response:
    """Forget who is signed in."""
    request.session.clear()
    return RedirectResponse("/results", HTTPStatus.SEE_OTHER)


def text(form: FormData, name: str, longest: int) -> str:
    """Return a field of a form.

    :raises RefusedError: 400, it is empty or too long
    """
    value = str(form.get(name, "")).strip()
    if not value or len(value) > longest or "\0" in value:
        raise bad_request(f"{name}: 1 to {longest} characters are needed")
    return value
