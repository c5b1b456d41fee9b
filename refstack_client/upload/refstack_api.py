"""A RefStack server's REST API from the client's side: v1, and v2 for bundles."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from refstack_client.errors import InputError
from refstack_client.upload import http, rsa_key
from refstack_client.upload.http import Call, Notify, Server

_CREATED = 201


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
    response = http.request(server, Call("POST", "/v1/results", headers(body, key), body), notify)
    if response.status_code != _CREATED:
        raise InputError(
            f"{server.url} refused the results: {http.reason(response)}", hint=_hint(response)
        )
    return str(http.document(response, server).get("url", ""))


def upload_bundle(server: Server, content: bytes, notify: Notify) -> Mapping[str, Any]:
    """Send a bundle; return the server's record: ``id``, ``url``, ``verdict``, ``checks``.

    A bundle that is sent again stays one result. Errors as for :func:`upload`.
    """
    call = Call("POST", "/v2/bundles", {"Content-Type": "application/zip"}, content)
    response = http.request(server, call, notify)
    if response.status_code not in (_CREATED, requests.codes.ok):
        unknown = response.status_code == requests.codes.unauthorized
        raise InputError(
            f"{server.url} refused the bundle: {http.reason(response)}",
            hint="sign it with a key that is registered there: bundle sign … --key KEY"
            if unknown
            else "nothing was stored: bundle verify shows each check",
        )
    return http.document(response, server)


def request_challenge(server: Server, key: str, notify: Notify) -> bytes:
    """Return a challenge of the server for the owner of a key; errors as for :func:`upload`.

    :param key: public key in OpenSSH's one-line format
    """
    call = Call(
        "POST",
        "/v2/challenges",
        {"Content-Type": "application/json"},
        json.dumps({"key": key}).encode(),
    )
    response = http.request(server, call, notify)
    if response.status_code != _CREATED:
        raise InputError(
            f"{server.url} issues no challenge: {http.reason(response)}",
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
        wanted = Call("GET", "/v1/results", {}, params={**filters, "page": str(page)})
        response = http.request(server, wanted, notify)
        if response.status_code != requests.codes.ok:
            raise InputError(f"{server.url} refused to list results: {http.reason(response)}")
        document = http.document(response, server)
        yield from document.get("results", ())
        if page >= document.get("pagination", {}).get("total_pages", 0):
            return
        page += 1


def _hint(response: requests.Response) -> str:
    if response.status_code == requests.codes.unauthorized:
        return "register the key with the server: refstack-client sign KEY prints what to enter"
    return "nothing was stored: the reason is in the message"
