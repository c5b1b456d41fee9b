"""Send requests: a server may ask to wait, and its responses are bounded in size and time."""

import requests
import urllib3
from keystoneauth1.session import TCPKeepAliveAdapter

from refstack_client.bounded_http import BoundedAdapter

STATUS_TO_RETRY = urllib3.Retry.RETRY_AFTER_STATUS_CODES
"""413, 429 and 503: with ``Retry-After``, the request is sent again."""
RETRIES = 8
"""How often it is sent again."""
MOST_SECONDS_TO_RETRY = 30
"""A longer ``Retry-After`` is cut."""
SECONDS_IF_INVALID = 1.0
"""After a ``Retry-After`` that is not valid."""
TIMEOUTS_OF_BODY = 6
"""A whole body may take that many times as long as the wait for one piece of it."""
_CONNECTIONS = 16
"""Connections to one host that are kept open."""


def create(timeout: float) -> requests.Session:
    """Return a session that waits where a server asks for it, and reads bounded responses.

    :param timeout: seconds that a server may be silent
    """
    retry = Retry(
        total=RETRIES,
        connect=0,
        read=False,
        redirect=0,
        other=0,
        allowed_methods=None,
        raise_on_status=False,
        retry_after_max=MOST_SECONDS_TO_RETRY,
    )
    adapter = _Adapter(timeout * TIMEOUTS_OF_BODY, max_retries=retry, pool_maxsize=_CONNECTIONS)
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session


class Retry(urllib3.Retry):
    """A policy for retries that also bears a ``Retry-After`` that is not valid."""

    def parse_retry_after(self, retry_after: str) -> float:
        """Return for how many seconds a server asks to wait."""
        try:
            return super().parse_retry_after(retry_after)
        except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
            return SECONDS_IF_INVALID


class _Adapter(BoundedAdapter, TCPKeepAliveAdapter):
    """Also keeps connections alive."""
