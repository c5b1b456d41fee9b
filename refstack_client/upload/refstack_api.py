"""A RefStack server's REST API from the client's side: v1, and v2 for bundles."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import tenacity
import urllib3
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from refstack_client.bounded_http import BoundedAdapter
from refstack_client.errors import CloudError, InputError
from refstack_client.upload import rsa_key

ATTEMPTS = 4
SECONDS_TO_ANSWER = 60
_SERVER_ERROR = 500
_CREATED = 201


class _UnavailableError(Exception):
    """The server did not answer, or with status 5xx: another attempt may help."""


WAIT = tenacity.wait_exponential(multiplier=1, max=30)
Notify = Callable[[str], None]


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None
    params: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Server:
    """Where a server is, and how its TLS certificate is checked."""

    url: str
    insecure: bool = False
    cacert: Path | None = None

    @property
    def verify(self) -> bool | str:
        """Return the file of authorities to trust, or whether to verify at all."""
        if self.insecure:
            return False
        return str(self.cacert) if self.cacert else True


def headers(body: bytes, key: RSAPrivateKey | None) -> dict[str, str]:
    """Return the headers of an upload; with a key they sign the exact bytes of ``body``."""
    common = {"Content-Type": "application/json"}
    if key is None:
        return common
    public = rsa_key.public_line(key)
    return {**common, "X-Signature": rsa_key.sign(key, body), "X-Public-Key": public}


def upload(server: Server, body: bytes, key: RSAPrivateKey | None, notify: Notify) -> str:
    """Send results; return the URL of their page.

    After a network error or status 5xx the request is repeated with growing delays, after status
    4xx never.

    :param notify: is called with a sentence for each attempt that failed
    :raises InputError: the server refuses the results
    :raises CloudError: the server cannot be reached, or every attempt failed
    """
    response = _request(server, _Call("POST", "/v1/results", headers(body, key), body), notify)
    if response.status_code != _CREATED:
        raise InputError(
            f"{server.url} refused the results: {_reason(response)}", hint=_hint(response)
        )
    return str(_json(response, server).get("url", ""))


def upload_bundle(server: Server, content: bytes, notify: Notify) -> Mapping[str, Any]:
    """Send a bundle; return the server's record: ``id``, ``url``, ``verdict``, ``checks``.

    A bundle that is sent again stays one result. Errors as for :func:`upload`.
    """
    call = _Call("POST", "/v2/bundles", {"Content-Type": "application/zip"}, content)
    response = _request(server, call, notify)
    if response.status_code not in (_CREATED, requests.codes.ok):
        unknown = response.status_code == requests.codes.unauthorized
        raise InputError(
            f"{server.url} refused the bundle: {_reason(response)}",
            hint="sign it with a key that is registered there: bundle sign … --key KEY"
            if unknown
            else "nothing was stored: bundle verify shows each check",
        )
    return _json(response, server)


def request_challenge(server: Server, key: str, notify: Notify) -> bytes:
    """Return a challenge of the server for the owner of a key; errors as for :func:`upload`.

    :param key: public key in OpenSSH's one-line format
    """
    call = _Call(
        "POST",
        "/v2/challenges",
        {"Content-Type": "application/json"},
        json.dumps({"key": key}).encode(),
    )
    response = _request(server, call, notify)
    if response.status_code != _CREATED:
        raise InputError(
            f"{server.url} issues no challenge: {_reason(response)}",
            hint="check --url: the server must be a collector of this project",
        )
    return response.content


def results(
    server: Server, filters: Mapping[str, str], notify: Notify
) -> Iterator[Mapping[str, Any]]:
    """Yield the results a server lists, newest first, page by page; errors as for :func:`upload`.

    :param filters: as the API names them: ``start_date``, ``end_date``, ``cpid``
    """
    page = 1
    while True:
        wanted = _Call("GET", "/v1/results", {}, params={**filters, "page": str(page)})
        response = _request(server, wanted, notify)
        if response.status_code != requests.codes.ok:
            raise InputError(f"{server.url} refused to list results: {_reason(response)}")
        document = _json(response, server)
        yield from document.get("results", ())
        if page >= document.get("pagination", {}).get("total_pages", 0):
            return
        page += 1


def _request(server: Server, call: _Call, notify: Notify) -> requests.Response:
    def report(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0
        notify(
            f"{error}; trying again in {wait:.0f} s ({state.attempt_number} of {ATTEMPTS} failed)"
        )

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_UnavailableError),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=WAIT,
        before_sleep=report,
        reraise=True,
    )
    try:
        return retrying(_once, server, call)
    except _UnavailableError as error:
        raise CloudError(
            f"{error}, {ATTEMPTS} times", hint="try again when the server answers"
        ) from error


def _once(server: Server, call: _Call) -> requests.Response:
    url = f"{server.url.rstrip('/')}{call.path}"
    if server.insecure:  # The command has printed one warning.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    try:
        response = _session().request(
            call.method,
            url,
            data=call.body,
            headers=call.headers,
            params=call.params,
            verify=server.verify,
            # Without this a ~/.netrc would add credentials, which such servers refuse.
            auth=lambda request: request,
            # A redirected POST would arrive as a GET.
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
            raise _UnavailableError(f"{url} could not be reached") from error
        raise InputError(
            str(error), hint="check that --cacert is a file of certificates"
        ) from error
    if response.status_code >= _SERVER_ERROR:
        raise _UnavailableError(f"{url} answered {response.status_code}")
    return response


def _session() -> requests.Session:
    """Return a session that reads a body of bounded size in bounded time."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter(SECONDS_TO_ANSWER))
    return session


def _json(response: requests.Response, server: Server) -> Mapping[str, Any]:
    try:
        document = response.json()
    except ValueError as error:
        raise CloudError(
            f"unexpected response from {server.url}: it is not that of a RefStack server",
            hint="check --url: the API of RefStack is usually below …/api",
        ) from error
    return document if isinstance(document, dict) else {}


def _reason(response: requests.Response) -> str:
    try:
        document = response.json()
        detail = ": ".join(filter(None, (document.get("title"), document.get("detail"))))
    except (ValueError, AttributeError, TypeError, RecursionError):
        detail = response.content[:200].decode(errors="replace")
    return " ".join(f"{response.status_code} {detail}".split())


def _hint(response: requests.Response) -> str:
    if response.status_code == requests.codes.unauthorized:
        return "register the key with the server: refstack-client sign KEY prints what to enter"
    return "nothing was stored: the reason is in the message"
