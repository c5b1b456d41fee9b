"""The web application: what answers where."""

import logging
from http import HTTPStatus
from importlib import metadata

import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware

from refstack_server.api.v1 import guidelines, products, profile, results, vendors
from refstack_server.api.v2 import keys
from refstack_server.api.v2 import results as whole_results
from refstack_server.pages import account as account_pages
from refstack_server.pages import keys as key_pages
from refstack_server.pages import results as result_pages
from refstack_server.pages import vendors as vendor_pages
from refstack_server.settings import Settings
from refstack_server.store import blobs, database
from refstack_server.web import observability, session_secret, signin
from refstack_server.web.errors import RefusedError, bad_request
from refstack_server.web.middleware import Bounded, Limited, OldWays, Safe, answer

LOG = logging.getLogger(__name__)


def create(settings: Settings, engine: sa.Engine) -> FastAPI:
    """Return the application over a database whose schema is this release's."""
    app = FastAPI(
        title="RefStack",
        version=metadata.version("refstack-client"),
        description="Receives certifications of OpenStack clouds, verifies and publishes them.",
        redirect_slashes=False,
        # Its pages fetch scripts from elsewhere; ours (:mod:`.pages`) have none.
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings, app.state.engine = settings, engine
    app.state.writer = database.writer(engine)
    app.state.secret = session_secret.of(settings.data)
    blobs.forget_halves(settings.data)
    app.state.oauth = signin.client(settings.provider) if settings.provider else None
    for each in (results, profile, vendors, products, guidelines):
        app.include_router(each.router, prefix="/v1")
    for each in (keys, whole_results):
        app.include_router(each.router, prefix="/v2")
    for each in (observability, result_pages, vendor_pages, signin, account_pages, key_pages):
        app.include_router(each.router)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for away in (sa.exc.OperationalError, sa.exc.TimeoutError):
        app.add_exception_handler(away, _away)
    app.add_exception_handler(Exception, _unforeseen)
    # The last is the first a request comes to.
    app.add_middleware(
        SessionMiddleware,
        secret_key=app.state.secret,
        session_cookie=signin.COOKIE,
        max_age=signin.SECONDS,
        same_site="lax",
        https_only=settings.public_url.startswith("https:"),
    )
    app.add_middleware(OldWays)
    app.add_middleware(Bounded, settings=settings)
    app.add_middleware(Limited, settings=settings)
    app.add_middleware(Safe)
    app.add_middleware(observability.Watched)
    return app


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, RefusedError):
        raise error
    return result_pages.error(error) if result_pages.wants_page(request) else answer(error)


def _invalid(request: Request, error: Exception) -> Response:
    """Answer a parameter that is none."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = "/".join(str(each) for each in first["loc"])
    return _refused(request, bad_request(f"Invalid {where}: {first['msg']}"))


def _http(request: Request, error: Exception) -> Response:
    """Answer what no handler was found for."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    if result_pages.wants_page(request):
        return result_pages.error(RefusedError(status, status.phrase))
    document = {"code": int(status), "title": status.phrase, "detail": ""}
    return JSONResponse(document, int(status), headers=error.headers)


def _away(request: Request, error: Exception) -> Response:
    """Answer where the database cannot be reached, or others write to it for too long."""
    # Without the query, in which names may stand.
    LOG.error("the database cannot be used: %s", getattr(error, "orig", error))
    return _refused(
        request,
        RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer; try again"),
    )


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error"))
