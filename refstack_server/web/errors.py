"""Refusals as HTTP answers, in the shape of RefStack v1's errors."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import NotRequired

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


_STATUSES = {
    InvalidError: HTTPStatus.BAD_REQUEST,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    IdentityProviderError: HTTPStatus.BAD_GATEWAY,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BodyTimeoutError: HTTPStatus.REQUEST_TIMEOUT,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    NoSpaceError: HTTPStatus.INSUFFICIENT_STORAGE,
}
_RETRY_AFTER: dict[type[RefusedError], int] = {BusyError: 30, TooManyRequestsError: 60}
"""The seconds after which a client may try again."""
_TITLED_BY_STATUS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
"""Their title is the status's own phrase, as in RefStack v1, and the message is the detail."""


class ErrorDocument(TypedDict):
    """The JSON body of a refusal."""

    code: int
    title: str
    detail: NotRequired[str]


@dataclass(frozen=True)
class Refusal:
    """The answer to a refused request; ``detail`` is "" if the title is complete.

    ``retry_after`` is the number of seconds after which the client may try again, 0 for none.
    """

    status: HTTPStatus
    title: str
    detail: str = ""
    retry_after: int = 0

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
    status = _STATUSES[type(error)]
    if status in _TITLED_BY_STATUS:
        return Refusal(status, status.phrase, error.message)
    return Refusal(status, error.message, error.detail, _RETRY_AFTER.get(type(error), 0))


def json_answer(refused: Refusal) -> JSONResponse:
    """Return a refusal as JSON, for programs."""
    return JSONResponse(refused.as_json(), int(refused.status), refused.headers)
