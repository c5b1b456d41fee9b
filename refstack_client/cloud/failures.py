"""How a request to a cloud fails, and how that is reported."""

import contextlib
import re
from collections.abc import Iterator

import keystoneauth1.exceptions
import openstack.exceptions

from refstack_client.cloud.access import by_proxy, proxies_of
from refstack_client.errors import CloudError

FAILURES = (
    openstack.exceptions.SDKException,
    keystoneauth1.exceptions.ClientException,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
)
"""Exceptions of a failed request; openstacksdk raises the last four on an unexpected response."""

_CHARACTERS = 200
_TLS_REASON = re.compile(r"\[SSL[^\]]*\] ?(.{1,200}?) ?\(_ssl\.c")


def summary(error: Exception) -> str:
    """Return the reason for a failed request in one line of at most 200 characters and a prefix."""
    message = " ".join(str(error).split())[:_CHARACTERS]
    if isinstance(error, FAILURES[:2]):
        return message
    return f"unexpected response ({type(error).__name__}: {message})"


@contextlib.contextmanager
def reported_as(failure: str, hint: str) -> Iterator[None]:
    """Raise a CloudError in place of the exception of a failed request.

    :param failure: what failed; the message starts with it
    :raises CloudError: a request failed
    """
    try:
        yield
    except FAILURES as error:
        raise CloudError(f"{failure}: {summary(error)}", hint=hint) from error


def connect_error(error: Exception, name: str, auth_url: str) -> CloudError:
    """Return the error that reports why a cloud cannot be connected to.

    :param error: one of :data:`FAILURES`
    :param name: of the cloud
    :param auth_url: "" if the credentials have none
    """
    where = auth_url or f"the cloud {name}"
    if isinstance(error, keystoneauth1.exceptions.SSLError):
        return _tls_error(error, where)
    for proxy in proxies_of(filter(None, [auth_url])):
        for sign, message, hint in _PROXY_FAULTS:
            if found := sign.search(str(error)):
                reason = found[1].strip()
                return CloudError(
                    message.format(where=where, proxy=proxy, reason=reason), hint=hint
                )
    for kinds, message, hint in (
        (
            keystoneauth1.exceptions.Unauthorized,
            f"{where} refused the credentials of {name}",
            "check user, password, project and domains, or id and secret of the application "
            "credential",
        ),
        (
            keystoneauth1.exceptions.ConnectFailure,
            f"cannot connect to {where}",
            "check auth_url and the network",
        ),
        (
            (keystoneauth1.exceptions.DiscoveryFailure, keystoneauth1.exceptions.NotFound),
            f"{where} is not the URL of an OpenStack identity service",
            "auth_url usually ends in /v3",
        ),
    ):
        if isinstance(error, kinds):
            return CloudError(message, hint=hint)
    return CloudError(
        f"cannot use {where}{by_proxy(auth_url)}: {summary(error)}",
        hint="openstack token issue shows whether the credentials work",
    )


_PROXY_FAULTS = (
    (
        re.compile(r"(?:Tunnel connection failed: |\(HTTP )(407)"),
        "the proxy {proxy} refuses the request to {where}: it requires a valid user and password",
        "set http_proxy and https_proxy to http://USER:PASSWORD@HOST:PORT, special characters "
        "encoded as in URLs",
    ),
    (
        re.compile(r"Tunnel connection failed: ([^'\"]{1,100})"),
        "the proxy {proxy} does not connect to {where}: {reason}",
        "check host and port in auth_url, and whether the proxy allows them; no_proxy names hosts "
        "that are reached directly",
    ),
    (
        re.compile(r"(Unable to connect to proxy)"),
        "cannot connect to the proxy {proxy}, by which {where} is reached",
        "check http_proxy, https_proxy and no_proxy, and that the proxy runs",
    ),
)
"""Signs in an error, whose first group is the reason, the message and the hint."""

_TLS_FAULTS = (
    (
        ("wrong version number", "record layer failure", "http request"),
        "{where} does not use TLS: it answers in plain HTTP",
        "use http:// in auth_url if that is intended, or the port that uses TLS",
    ),
    (
        ("hostname mismatch", "ip address mismatch", "doesn't match"),
        "the TLS certificate of {where} is for another host: {reason}",
        "use a host name of the certificate in auth_url, or have the certificate renewed",
    ),
    (
        ("expired",),
        "the TLS certificate of {where} has expired",
        "have it renewed, and check the clock of this machine",
    ),
    (
        ("",),
        "cannot verify the TLS certificate of {where}: {reason}",
        "set cacert in clouds.yaml or OS_CACERT to the file of the certificate authority",
    ),
)
"""Signs in the reason of OpenSSL, the message and the hint; the first that matches counts."""


def _tls_error(error: Exception, where: str) -> CloudError:
    found = _TLS_REASON.search(str(error))
    reason = found[1].removeprefix("certificate verify failed: ") if found else summary(error)
    for signs, message, hint in _TLS_FAULTS:
        if any(sign in reason.lower() for sign in signs):
            return CloudError(message.format(where=where, reason=reason.rstrip(".")), hint=hint)
    raise AssertionError("the last entry matches any reason")
