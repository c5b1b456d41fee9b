"""The web application: routes, error handlers, middleware."""

import logging
from http import HTTPStatus
from importlib.metadata import version

import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import ClientDisconnect

from refstack_server.api.v1 import (
    guidelines,
    metadata,
    products,
    profile,
    results,
    uploads,
    vendors,
)
from refstack_server.api.v2 import (
    challenges,
    guideline_changes,
    invitations,
    keys,
    log,
    result_list,
)
from refstack_server.api.v2 import results as whole_results
from refstack_server.pages import account as account_pages
from refstack_server.pages import assets as asset_pages
from refstack_server.pages import comparison as comparison_pages
from refstack_server.pages import errors as error_pages
from refstack_server.pages import guidelines as guideline_pages
from refstack_server.pages import keys as key_pages
from refstack_server.pages import log as log_pages
from refstack_server.pages import own_results as own_result_pages
from refstack_server.pages import products as product_pages
from refstack_server.pages import public_bundle as public_bundle_pages
from refstack_server.pages import queue as queue_pages
from refstack_server.pages import registry as registry_pages
from refstack_server.pages import results as result_pages
from refstack_server.pages import vendor_forms as vendor_form_pages
from refstack_server.pages import vendors as vendor_pages
from refstack_server.settings import Settings
from refstack_server.store import blobs, database, disk_space, sessions
from refstack_server.store.errors import InvalidError, NoSpaceError, RefusedError
from refstack_server.store.log_tree import LogTree
from refstack_server.web import observability, openapi, session_secret, signin
from refstack_server.web.body_limit import BodyLimit
from refstack_server.web.body_places import BodyPlaces
from refstack_server.web.errors import REQUEST_ID, Refusal, UnavailableError, json_answer, refusal
from refstack_server.web.middleware import RateLimit, RefstackV1Compat, SecurityHeaders
from refstack_server.web.rate_limits import RateLimits
from refstack_server.web.reads import Compression, ConditionalReads, PublicReads
from refstack_server.web.urls import V2
from refstack_server.web.workers import Workers

LOG = logging.getLogger(__name__)
_V1 = (uploads, results, metadata, profile, vendors, products, guidelines)
_V2 = (challenges, guideline_changes, invitations, keys, log)
_PAGES = (
    *(asset_pages, log_pages, comparison_pages, guideline_pages),
    *(vendor_form_pages, vendor_pages, product_pages),
    *(signin, account_pages, own_result_pages, public_bundle_pages),
    *(key_pages, queue_pages),
)


def create(settings: Settings, engine: sa.Engine) -> FastAPI:
    """Return the application over a database with the schema of this release."""
    app = openapi.Application(
        title="RefStack",
        version=version("refstack-client"),
        description="Receives certifications of OpenStack clouds, verifies and publishes them.",
        redirect_slashes=False,
        # FastAPI's pages load scripts from other sites; :mod:`.pages` has one without scripts.
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings, app.state.engine = settings, engine
    app.state.writer = database.writer(engine)
    app.state.workers = Workers(settings)
    app.state.log_tree = LogTree(settings)
    app.state.limits = RateLimits(settings, engine)
    app.state.bodies = BodyPlaces(settings.most_bodies_of_a_user, settings.most_anonymous_bodies)
    app.state.uploads = BodyPlaces(settings.most_bodies_of_a_user, settings.most_anonymous_uploads)
    app.state.secret = session_secret.read_or_create(settings.data)
    blobs.remove_partial(settings.data)
    app.state.oauth = signin.client(settings.provider) if settings.provider else None
    # A request is compared with the routes in this order: what is requested most comes first.
    for prefix, modules, errors in (
        ("", (registry_pages, result_pages), None),
        ("/v2", (result_list, whole_results), openapi.PROBLEMS),
        ("/v1", _V1, openapi.ERRORS),
        ("/v2", _V2, openapi.PROBLEMS),
        ("", (observability, *_PAGES), None),
    ):
        for module in modules:
            app.include_router(module.router, prefix=prefix, responses=errors)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for unavailable in (sa.exc.OperationalError, sa.exc.TimeoutError):
        app.add_exception_handler(unavailable, _unavailable)
    app.add_exception_handler(sa.exc.DataError, _uncomparable)
    app.add_exception_handler(OSError, _failed_write)
    app.add_exception_handler(ClientDisconnect, _disconnected)
    app.add_exception_handler(Exception, _unexpected)
    # A request passes the middleware in reverse order: the last one added is the first.
    app.add_middleware(
        SessionMiddleware,
        secret_key=app.state.secret,
        session_cookie=signin.COOKIE,
        max_age=sessions.SECONDS,
        same_site="lax",
        https_only=settings.public_url.startswith("https:"),
    )
    app.add_middleware(RefstackV1Compat)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(Compression)
    app.add_middleware(ConditionalReads)
    app.add_middleware(RateLimit, limits=app.state.limits)
    app.add_middleware(PublicReads)
    app.add_middleware(SecurityHeaders, settings=settings)
    app.add_middleware(observability.RequestLog)
    return app


def _answer(request: Request, refused: Refusal) -> Response:
    if error_pages.wants_page(request):
        return error_pages.error(request, refused)
    return json_answer(refused, request.scope)


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, RefusedError):
        raise error
    return _answer(request, refusal(error))


def _invalid(request: Request, error: Exception) -> Response:
    """Answer a request with a parameter that is not valid."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = "/".join(str(part) for part in first["loc"])
    return _answer(request, refusal(InvalidError(f"Invalid {where}: {first['msg']}")))


def _http(request: Request, error: Exception) -> Response:
    """Answer a request without a handler."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    if error_pages.wants_page(request):
        return error_pages.error(request, Refusal(status, status.phrase))
    if request.url.path.startswith(V2):
        answer = json_answer(Refusal(status, status.phrase), request.scope)
        answer.headers.update(error.headers or {})
        return answer
    document = {"code": int(status), "title": status.phrase, "detail": ""}
    return JSONResponse(document, int(status), headers=error.headers)


def _unavailable(request: Request, error: Exception) -> Response:
    """Answer while the database cannot be reached, or is locked by other writers for too long."""
    # The query is left out, since it may contain names.
    LOG.error("the database is not available: %s", getattr(error, "orig", error))
    if isinstance(error, sa.exc.SQLAlchemyError) and database.is_full(error):
        return _answer(request, refusal(NoSpaceError()))
    return _answer(request, refusal(UnavailableError("the database does not answer; try again")))


def _uncomparable(request: Request, _error: Exception) -> Response:
    """Answer a request with a text that no database has, such as one with U+0000."""
    refused = InvalidError("A value of the request has characters that no stored text has")
    return _answer(request, refusal(refused))


def _failed_write(request: Request, error: Exception) -> Response:
    """Answer while the disk is full."""
    if not isinstance(error, OSError) or not disk_space.is_full(error):
        raise error
    LOG.error("cannot write: %s", error)
    return _answer(request, refusal(NoSpaceError()))


def _disconnected(_request: Request, _error: Exception) -> Response:
    """Answer a client that closed the connection before its body was complete: only to the log."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    fields = {"id": request.scope.get("state", {}).get(REQUEST_ID)}
    what = (request.method, request.url.path)
    LOG.error("%s %s failed", *what, exc_info=error, extra={"fields": fields})
    refused = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
    return json_answer(refused, request.scope)
