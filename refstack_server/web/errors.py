"""Refusals as HTTP answers: in the API v2 problems (RFC 9457), elsewhere as RefStack v1's."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple, NotRequired

import pydantic
from fastapi.responses import JSONResponse
from typing_extensions import TypedDict

from refstack_server.store.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NoSpaceError,
    NotFoundError,
    RefusedError,
    UnauthenticatedError,
)
from refstack_server.web.urls import V2

Scope = MutableMapping[str, Any]
PROBLEM_JSON = "application/problem+json"


class IdentityProviderError(RefusedError):
    """The identity provider does not answer, or not as OpenID Connect requires."""


class TooLargeError(RefusedError):
    """The body of the request is larger than its limit."""


class BodyTimeoutError(RefusedError):
    """The body of the request did not arrive in time."""


class TooManyRequestsError(RefusedError):
    """A client sent more requests in a minute than it may."""


class BusyError(RefusedError):
    """The server has as much to do as it can."""


class UnavailableError(RefusedError):
    """The database does not answer."""


class Problem(NamedTuple):
    """A type of problem: the status of the answer, a name that never changes, and its meaning."""

    status: HTTPStatus
    name: str
    meaning: str

    @property
    def type(self) -> str:
        """The URI reference of the type (RFC 9457): its row on the page of the API."""
        return f"/docs#{self.name}"


PROBLEMS: dict[type[RefusedError], Problem] = {
    InvalidError: Problem(HTTPStatus.BAD_REQUEST, "invalid", "the request or its body is wrong"),
    UnauthenticatedError: Problem(HTTPStatus.UNAUTHORIZED, "unauthenticated", "sign in first"),
    ForbiddenError: Problem(HTTPStatus.FORBIDDEN, "forbidden", "the caller lacks the rights"),
    NotFoundError: Problem(HTTPStatus.NOT_FOUND, "not-found", "there is no such object"),
    BodyTimeoutError: Problem(
        HTTPStatus.REQUEST_TIMEOUT, "body-timeout", "the body arrived too slowly"
    ),
    ConflictError: Problem(
        HTTPStatus.CONFLICT, "conflict", "the object exists, or belongs to another user"
    ),
    TooLargeError: Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "the body is larger than its limit"
    ),
    TooManyRequestsError: Problem(
        HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "wait as long as Retry-After states"
    ),
    IdentityProviderError: Problem(
        HTTPStatus.BAD_GATEWAY, "identity-provider", "the identity provider does not answer"
    ),
    BusyError: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "busy", "wait as long as Retry-After states"
    ),
    UnavailableError: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "the database does not answer; try again"
    ),
    NoSpaceError: Problem(
        HTTPStatus.INSUFFICIENT_STORAGE, "no-space", "the server has no space for uploads"
    ),
}
"""Each error of the domain as a problem."""
_RETRY_AFTER: dict[type[RefusedError], int] = {BusyError: 30, TooManyRequestsError: 60}
"""The seconds after which a client may try again."""
_TITLED_BY_STATUS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
"""Their title is the status's own phrase, as in RefStack v1, and the message is the detail."""
_NO_TYPE = "about:blank"
"""The type of a problem that its status describes completely (RFC 9457)."""
REQUEST_ID = "request_id"
"""The key of the id of a request in its state; the log has it too."""


class ErrorDocument(TypedDict):
    """The JSON body of a refusal."""

    code: int
    title: str
    detail: NotRequired[str]


@pydantic.with_config(
    pydantic.ConfigDict(
        json_schema_extra={
            "example": {
                "type": "/docs#not-found",
                "title": "Test result x not found",
                "status": 404,
                "instance": "urn:uuid:6f1a7b1e-6a0e-4c3e-9a53-2f8f7c1b9d10",
                "code": 404,
            }
        }
    )
)
class ProblemDocument(ErrorDocument):
    """A refusal in the API v2 (RFC 9457), with the keys of RefStack v1 for present clients.

    ``type`` names the kind of problem, ``instance`` has the id of the request in the log of
    the server.
    """

    type: str
    status: int
    instance: NotRequired[str]


@dataclass(frozen=True)
class Refusal:
    """The answer to a refused request; ``detail`` is "" if the title is complete.

    ``retry_after`` is the number of seconds after which the client may try again, 0 for none.
    ``type`` is that of the problem.
    """

    status: HTTPStatus
    title: str
    detail: str = ""
    retry_after: int = 0
    type: str = _NO_TYPE

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        return {"Retry-After": str(self.retry_after)} if self.retry_after else {}

    def as_json(self) -> ErrorDocument:
        """Return the JSON body."""
        document: ErrorDocument = {"code": int(self.status), "title": self.title}
        return {**document, "detail": self.detail} if self.detail else document


def refusal(error: RefusedError) -> Refusal:
    """Return the HTTP answer for a refused request."""
    problem = PROBLEMS[type(error)]
    if problem.status in _TITLED_BY_STATUS:
        return Refusal(problem.status, problem.status.phrase, error.message, type=problem.type)
    retry_after = _RETRY_AFTER.get(type(error), 0)
    return Refusal(problem.status, error.message, error.detail, retry_after, problem.type)


def json_answer(refused: Refusal, scope: Scope) -> JSONResponse:
    """Return a refusal as JSON, for programs: in the API v2 as a problem (RFC 9457)."""
    if not scope["path"].startswith(V2):
        return JSONResponse(refused.as_json(), int(refused.status), refused.headers)
    document: ProblemDocument = {
        "type": refused.type,
        "status": int(refused.status),
        **refused.as_json(),
    }
    if request_id := scope.get("state", {}).get(REQUEST_ID):
        document["instance"] = f"urn:uuid:{request_id}"
    return JSONResponse(document, int(refused.status), refused.headers, media_type=PROBLEM_JSON)
