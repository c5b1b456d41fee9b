"""Send requests: a server may ask to wait, and its responses are bounded in size and time."""

import time
from typing import Any

import requests
import urllib3
from keystoneauth1.session import TCPKeepAliveAdapter

STATUS_TO_RETRY = urllib3.Retry.RETRY_AFTER_STATUS_CODES
"""413, 429 and 503: with ``Retry-After``, the request is sent again."""
RETRIES = 8
"""How often it is sent again."""
MOST_SECONDS_TO_RETRY = 30
"""A longer ``Retry-After`` is cut."""
SECONDS_IF_INVALID = 1.0
"""After a ``Retry-After`` that is not valid."""
MOST_BYTES = 64 * 1024 * 1024
"""Of the body of a response, unpacked: more than a list of a hundred thousand projects has."""
TIMEOUTS_OF_BODY = 6
"""A whole body may take that many times as long as the wait for one piece of it."""
_CONNECTIONS = 16
"""Connections to one host that are kept open."""
_CHUNK_BYTES = 64 * 1024


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
    adapter = _BoundedAdapter(timeout * TIMEOUTS_OF_BODY, retry)
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


class _BoundedAdapter(TCPKeepAliveAdapter):
    """Reads the body of a response, unless it is to be streamed, within a size and a time."""

    def __init__(self, seconds: float, retry: urllib3.Retry) -> None:
        super().__init__(max_retries=retry, pool_maxsize=_CONNECTIONS)
        self._seconds = seconds

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        *arguments: Any,
        **options: Any,
    ) -> requests.Response:
        response = super().send(request, stream, *arguments, **options)
        if not stream:
            # As requests itself does when it reads a body.
            response._content = self._body(response)
            response._content_consumed = True  # type: ignore[attr-defined]
        return response

    def _body(self, response: requests.Response) -> bytes:
        """Return the body, unpacked.

        :raises requests.RequestException: it cannot be read, or is too large or too slow
        """
        end = time.monotonic() + self._seconds
        body = bytearray()
        try:
            while piece := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                body += piece
                if len(body) > MOST_BYTES:
                    raise requests.RequestException(f"the body has more than {MOST_BYTES} bytes")
                if time.monotonic() > end:
                    raise requests.RequestException(
                        f"the body takes more than {self._seconds:.3g} s"
                    )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            response.raw.close()
            if isinstance(error, requests.RequestException):
                raise
            raise requests.ConnectionError(error) from error
        return bytes(body)
