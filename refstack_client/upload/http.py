"""Requests to a server of results: TLS, proxies, retries, and the reasons of refusals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import tenacity
import urllib3

from refstack_client.bounded_http import BoundedAdapter
from refstack_client.errors import CloudError, InputError

ATTEMPTS = 4
SECONDS_TO_ANSWER = 60
LONGEST_WAIT = 120
"""Seconds to wait at most before another attempt, whatever the server asks for."""
WAIT = tenacity.wait_exponential(multiplier=1, max=30)
_SERVER_ERROR = 500
_NOT_BEGUN = (requests.codes.too_many_requests, requests.codes.service_unavailable)
"""The server has done nothing for the request, which can be sent again."""
Notify = Callable[[str], None]


class _UnavailableError(Exception):
    """The server did not answer, or cannot now: another attempt may help.

    :param seconds: to wait, as the server asks
    """

    def __init__(self, message: str, seconds: int = 0):
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True)
class Call:
    """A request.

    ``is_repeatable`` is false if it does more the second time, so that it is not sent again when
    it is unknown whether the server has done it.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    params: Mapping[str, str] | None = None
    is_repeatable: bool = True


@dataclass(frozen=True)
class Server:
    """Where a server is, how its TLS certificate is checked, and who sends requests to it.

    ``authorize`` returns the headers that prove it, made for each attempt; none for an anonymous
    caller.
    """

    url: str
    insecure: bool = False
    cacert: Path | None = None
    authorize: Callable[[], Mapping[str, str]] = field(default=dict, repr=False)

    @property
    def verify(self) -> bool | str:
        """Return the file of authorities to trust, or whether to verify at all."""
        if self.insecure:
            return False
        return str(self.cacert) if self.cacert else True


def request(server: Server, call: Call, notify: Notify) -> requests.Response:
    """Return the response to a request, which may be a refusal.

    After a network error or status 5xx the request is repeated with growing delays, and after
    status 429 when the server allows it.

    :param notify: is called with a sentence for each attempt that failed
    :raises InputError: the URL or the file of authorities cannot be used
    :raises CloudError: the server cannot be reached, or every attempt failed
    """

    def report(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0
        notify(
            f"{error}; trying again in {wait:.0f} s ({state.attempt_number} of {ATTEMPTS} failed)"
        )

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_UnavailableError),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=_wait,
        before_sleep=report,
        reraise=True,
    )
    try:
        return retrying(_once, server, call)
    except _UnavailableError as error:
        raise CloudError(
            f"{error}, {ATTEMPTS} times", hint="try again when the server answers"
        ) from error


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.seconds if isinstance(error, _UnavailableError) else 0
    return max(WAIT(state), min(asked, LONGEST_WAIT))


def _once(server: Server, call: Call) -> requests.Response:
    url = f"{server.url.rstrip('/')}{call.path}"
    if server.insecure:  # The command has printed one warning.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    headers = {**call.headers, **server.authorize()}
    try:
        response = _session().request(
            call.method,
            url,
            data=call.body,
            headers=headers,
            params=call.params,
            verify=server.verify,
            # Without this a ~/.netrc would add credentials, which such servers refuse.
            auth=lambda request: request,
            # A redirected POST would arrive as a GET, and a token at another server.
            allow_redirects=False,
            timeout=SECONDS_TO_ANSWER,
        )
    except requests.exceptions.SSLError as error:
        raise CloudError(
            f"the TLS certificate of {url} cannot be verified",
            hint="give its authority with --cacert FILE (or, at your own risk, --insecure)",
        ) from error
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
        raise InputError(
            f"{url} is not a valid URL of a server", hint="give one: --url https://…"
        ) from error
    except OSError as error:
        if isinstance(error, requests.exceptions.RequestException):
            raise _failed(call, f"{url} could not be reached") from error
        raise InputError(
            str(error), hint="check that --cacert is a file of certificates"
        ) from error
    if response.status_code in _NOT_BEGUN:
        raise _UnavailableError(f"{url} answered {reason(response)}", _seconds(response))
    if response.status_code >= _SERVER_ERROR:
        raise _failed(call, f"{url} answered {response.status_code}")
    return response


def _failed(call: Call, message: str) -> Exception:
    """Return the error for a request of which it is unknown whether the server has done it."""
    if call.is_repeatable:
        return _UnavailableError(message)
    return CloudError(
        message, hint="it may have been done: list what there is before you try again"
    )


def _seconds(response: requests.Response) -> int:
    """Return how long the server asks to wait; a date is not understood."""
    text = response.headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _session() -> requests.Session:
    """Return a session that reads a body of bounded size in bounded time."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter(SECONDS_TO_ANSWER))
    return session


def json_value(response: requests.Response, server: Server) -> Any:
    """Return what a response contains.

    :raises CloudError: it is not JSON
    """
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise CloudError(
            f"unexpected response from {server.url}: it is not that of a RefStack server",
            hint="check --url: the API of RefStack is usually below …/api",
        ) from error


def document(response: requests.Response, server: Server) -> Mapping[str, Any]:
    """As :func:`json_value`, for an object; anything else is an empty one."""
    found = json_value(response, server)
    return found if isinstance(found, dict) else {}


def reason(response: requests.Response) -> str:
    """Return the status of a refusal, with title and detail if it has them, in one line."""
    try:
        found = response.json()
        detail = ": ".join(filter(None, (found.get("title"), found.get("detail"))))
    except (ValueError, AttributeError, TypeError, RecursionError):
        detail = response.content[:200].decode(errors="replace")
    return " ".join(f"{response.status_code} {detail}".split())
