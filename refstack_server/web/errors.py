"""Why a request was refused, in the shape RefStack v1 gives such answers."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


@dataclass
class RefusedError(Exception):
    """A request that cannot be done: what is wrong, and where it stands in what was sent."""

    status: HTTPStatus
    title: str
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        document = {"code": int(self.status), "title": self.title}
        return {**document, "detail": self.detail} if self.detail else document


def bad_request(title: str, detail: str = "") -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, title, detail)


def unauthorized(detail: str) -> RefusedError:
    return RefusedError(HTTPStatus.UNAUTHORIZED, HTTPStatus.UNAUTHORIZED.phrase, detail)


def forbidden(detail: str) -> RefusedError:
    return RefusedError(HTTPStatus.FORBIDDEN, HTTPStatus.FORBIDDEN.phrase, detail)


def not_found(title: str) -> RefusedError:
    return RefusedError(HTTPStatus.NOT_FOUND, title)


def conflict(title: str) -> RefusedError:
    return RefusedError(HTTPStatus.CONFLICT, title)
