"""The compliance monitor of Sovereign Cloud Stack (SCS), which receives signed reports."""

import base64
import ipaddress
from urllib.parse import urlsplit

import requests

from refstack_client.errors import CloudError, InputError, UsageError
from refstack_client.upload import http
from refstack_client.upload.http import Call, Notify, Server

_YAML = {"Content-Type": "application/x-signed-yaml"}
_SEPARATOR = b"&"
"""Between the signature and the document."""
_WHY = {
    requests.codes.unauthorized: (
        "the monitor does not accept account, signature or subject",
        "check that the account may report for the subject, that its password is right, and that "
        "the public key of --key is registered for the account",
    ),
    requests.codes.conflict: (
        "the monitor has this report already",
        "nothing was added: a run is reported once; leave out what was reported before",
    ),
    requests.codes.unsupported_media_type: (
        "the monitor does not read signed YAML",
        "check that the URL is that of a compliance monitor of a current release",
    ),
    requests.codes.not_found: (
        "there is no compliance monitor",
        "give the URL of the monitor without /reports, such as https://monitor.example.org",
    ),
}
"""What a refusal means and what to do, by status."""


class RefusedError(InputError):
    """The monitor refuses a report."""


def server(url: str, *, insecure: bool) -> Server:
    """Return the monitor at a URL, without an account.

    :param insecure: use HTTP, which shows the password to others, and any certificate
    :raises UsageError: the URL is not one, or has HTTP or a password
    """
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or parts.query or parts.fragment:
        raise UsageError("URL is not that of a monitor", hint="give one that begins with https://")
    if parts.username is not None:
        raise UsageError(
            "the URL of the monitor has an account", hint="name it with --account or --auth FILE"
        )
    if parts.scheme == "http" and not insecure and not _is_loopback(str(parts.hostname)):
        raise UsageError(
            f"{url} is not encrypted: others on the network can read the password",
            hint="give its https URL (or, at your own risk, --insecure)",
        )
    return Server(url.rstrip("/"), insecure)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def basic(account: str, password: str) -> str:
    """Return the header ``Authorization`` of an account (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{account}:{password}".encode()).decode()


def submit(server: Server, signature: bytes, document: bytes, notify: Notify) -> None:
    """Send a document with its armoured signature.

    :param notify: is called with a sentence for each attempt that failed
    :raises RefusedError: the monitor refuses it
    :raises CloudError: the monitor cannot be reached, or answers as no monitor does
    """
    body = signature + _SEPARATOR + document
    # Sent twice it would be refused as a report that the monitor has already.
    call = Call("POST", "/reports", _YAML, body, is_repeatable=False)
    response = http.request(server, call, notify)
    if response.status_code == requests.codes.ok:
        return
    why, hint = _WHY.get(response.status_code, ("", "check the URL of the monitor"))
    reason = http.reason(response)
    if response.is_redirect:
        raise CloudError(
            f"{server.url} redirects to another URL ({reason}), to which nothing was sent",
            hint="give the URL to which it redirects",
        )
    raise RefusedError(f"{why or 'the monitor refuses the report'} ({reason})", hint=hint)
