"""How a cloud is reached: one decision, used by every request of this program and by Tempest.

Interface, region, certificates, proxy, timeouts and retries come from clouds.yaml, ``OS_*``
variables and options (:mod:`.clouds_yaml`).
"""

import os
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

import requests
import requests.utils
from keystoneauth1 import session as keystone_session
from keystoneauth1.plugin import BaseAuthPlugin
from openstack.config.cloud_region import CloudRegion

from refstack_client.cloud import http_session
from refstack_client.cloud.request_log import RequestLog
from refstack_client.errors import CloudError

SECONDS_TO_CONNECT = 10
"""For one request, if clouds.yaml has no ``api_timeout``."""
MOST_CHARACTERS = 2000
"""Of a URL: Tempest repeats it in its log with each request."""
_USER = re.compile(r"^([a-z][a-z0-9+.-]*://)?.*@", re.IGNORECASE | re.DOTALL)
"""The start of a URL with user and password."""


@dataclass
class Throttling:
    """Whether a cloud has limited the rate of requests since this program started."""

    seen: bool = False

    def note(self, response: requests.Response, *_: object, **__: object) -> None:
        """Take note of a response: a hook of requests."""
        retries = getattr(response.raw, "retries", None)
        history = retries.history if retries else ()
        if response.status_code == requests.codes.too_many or any(
            attempt.status == requests.codes.too_many for attempt in history
        ):
            self.seen = True


@dataclass(frozen=True)
class Tls:
    """How certificates are verified.

    :param verify: False accepts any certificate
    :param cacert: absolute path of the file with the certificate authorities; None for those of the
        system
    """

    verify: bool = True
    cacert: str | None = None

    @property
    def verification(self) -> bool | str:
        """Return the value of ``verify`` as requests and keystoneauth take it."""
        return (self.cacert or True) if self.verify else False

    def context(self) -> ssl.SSLContext:
        """Return the TLS context of a client."""
        context = ssl.create_default_context(cafile=self.cacert)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(frozen=True)
class Access:
    """How a cloud is reached.

    :param region: name of the region; None for the only one
    :param interface: of the endpoints: ``public``, ``internal`` or ``admin``
    :param timeout: seconds for one request, if clouds.yaml sets it; else None
    """

    region: str | None = None
    interface: str = "public"
    tls: Tls = field(default_factory=Tls)
    timeout: float | None = None
    throttling: Throttling = field(default_factory=Throttling, compare=False)
    request_log: RequestLog = field(default_factory=RequestLog, compare=False)

    def session(self, auth: BaseAuthPlugin) -> keystone_session.Session:
        """Return a session for a user of the cloud."""
        return self.session_constructor(
            auth=auth,
            verify=self.tls.verification,
            timeout=self.timeout or SECONDS_TO_CONNECT,
        )

    @property
    def session_constructor(self) -> partial[keystone_session.Session]:
        """Return what constructs a session, as openstacksdk takes it."""
        http = http_session.create(self.timeout or SECONDS_TO_CONNECT)
        http.hooks["response"] += [self.throttling.note, self.request_log.note]
        return partial(keystone_session.Session, session=http)


def of_region(config: CloudRegion) -> Access:
    """Return the access that a configuration describes.

    :raises CloudError: Tempest could not use it, or a file that it names is missing
    """
    verify, certificate = config.get_requests_verify_args()
    if certificate:
        raise CloudError(
            f"the cloud {config.name} wants a client certificate, which Tempest cannot present",
            hint="remove cert and key from clouds.yaml, and use credentials without a certificate",
        )
    interface = config.get_interface() or "public"
    if not isinstance(interface, str):
        raise CloudError(
            f"interface of the cloud {config.name} must be one name",
            hint="use --os-interface with public, internal or admin: all services are tested "
            "through one",
        )
    timeout = config.config.get("api_timeout")
    return Access(
        region=config.get_region_name() or None,
        interface=interface.removesuffix("URL"),
        tls=_tls(verify),
        timeout=float(timeout) if timeout else None,
    )


def proxy_of(url: str) -> str:
    """Return the URL of the proxy by which ``url`` is reached, "" for none.

    The variables ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` name it, as
    requests reads them. The URL may have a user and a password.

    :raises CloudError: it is not an HTTP proxy
    """
    try:
        found = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    except ValueError:  # it is not a URL, which a request reports
        return ""
    if not found:
        return ""
    try:
        proxy = requests.utils.prepend_scheme_if_needed(found, "http")
        parts = urlsplit(proxy)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise CloudError(
            f"{without_user(found)}, by which {url} is reached, is not the URL of an HTTP proxy",
            hint="set http_proxy and https_proxy to http://HOST:PORT, or the host in no_proxy",
        )
    return proxy


def proxies_of(urls: Iterable[str]) -> tuple[str, ...]:
    """Return the proxies by which ``urls`` are reached, without user and password.

    :raises CloudError: one is not an HTTP proxy
    """
    return tuple(dict.fromkeys(without_user(proxy) for url in urls if (proxy := proxy_of(url))))


def by_proxy(url: str) -> str:
    """Return the proxy by which ``url`` is reached as the end of a sentence, "" for none.

    :raises CloudError: it is not an HTTP proxy
    """
    return "".join(f", by the proxy {proxy}" for proxy in proxies_of([url]))


def has_host(url: str) -> bool:
    """Return whether a URL has a host, and a valid port if it has one."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def without_user(url: str) -> str:
    """Return a URL without user and password, for messages."""
    return _USER.sub(r"\1", url)


def _tls(verify: bool | str | None) -> Tls:
    """Return how certificates are verified, by what openstacksdk passes to requests.

    :raises CloudError: the file with the certificate authorities cannot be read
    """
    if not isinstance(verify, str):
        return Tls(bool(verify))
    path = os.path.abspath(verify)
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise CloudError(
            f"cannot read the certificate authorities {path}: {error.strerror}",
            hint="correct cacert in clouds.yaml or OS_CACERT",
        ) from error
    return Tls(cacert=path)
