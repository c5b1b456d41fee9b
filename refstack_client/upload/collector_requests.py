"""Requests to a collector by a user: how they are sent, and what a refusal means."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from refstack_client.errors import InputError
from refstack_client.upload import http
from refstack_client.upload.http import Call, Notify, Server
from refstack_client.upload.login import LOG_IN

Record = Mapping[str, Any]
"""An object as the server describes it; the reference of the HTTP API lists the fields."""

_NOT_REPEATABLE = ("POST",)
_JSON = {"Content-Type": "application/json"}
_TO_DO = {
    400: "correct what the message names",
    401: f"the server does not accept the login: {LOG_IN}",
    403: "log in as a user who may do this",
    404: "check the id, and that the user of the login may see what it names",
    409: "list what there is: vendor list, vendor branding list, product list, key list",
}
"""What to do about a refusal, by status."""


class RefusedError(InputError):
    """The server refuses a request.

    :param status: of its response
    """

    def __init__(self, message: str, status: int, hint: str):
        super().__init__(message, hint=hint)
        self.status = status


@dataclass(frozen=True)
class CollectorRequests:
    """A collector, and the user who sends requests to it.

    :raises RefusedError: the server refuses a request
    :raises CloudError: the server cannot be reached, or its response is not that of a collector
    """

    server: Server
    notify: Notify

    def _record(
        self,
        method: str,
        path: str,
        document: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Record:
        return http.document(self._send(method, path, document, params), self.server)

    def _value(self, method: str, path: str) -> Any:
        return http.json_value(self._send(method, path), self.server)

    def _send(
        self,
        method: str,
        path: str,
        document: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> requests.Response:
        headers = {} if document is None else _JSON
        if document is not None:
            body = json.dumps(document).encode()
        call = Call(
            method,
            path,
            headers,
            body,
            params,
            is_repeatable=method not in _NOT_REPEATABLE,
        )
        response = http.request(self.server, call, self.notify)
        if response.ok and not response.is_redirect:
            return response
        raise self._refusal(method, path, response)

    def _refusal(self, method: str, path: str, response: requests.Response) -> InputError:
        reason = http.reason(response)
        # A token that is not valid has status 400, as in RefStack v1.
        is_token = response.status_code == requests.codes.bad_request and " Token " in reason
        status = requests.codes.unauthorized if is_token else response.status_code
        return RefusedError(
            f"{self.server.url} refused {method} {path}: {reason}",
            response.status_code,
            _TO_DO.get(status, "check that the URL of the login is that of a collector"),
        )


def path_of(*parts: str) -> str:
    """Return a path with its parts quoted."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def records_of(value: object) -> Sequence[Record]:
    """Return the objects of a list of the server; null is an empty list."""
    found = value if isinstance(value, list) else []
    return [record for record in found if isinstance(record, dict)]
