"""Receive responses of bounded size in bounded time: a server may send without end."""

import time
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

MOST_BYTES = 64 * 1024 * 1024
"""Of the body of a response, unpacked: more than a list of a hundred thousand projects has."""
_CHUNK_BYTES = 64 * 1024


class BoundedAdapter(HTTPAdapter):
    """Reads the body of a response, unless it is to be streamed, within a size and a time.

    :param seconds: for the whole body
    """

    def __init__(self, seconds: float, **options: Any) -> None:
        """Have the ``options`` of requests' adapter besides."""
        super().__init__(**options)
        self._seconds = seconds

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        *arguments: Any,
        **options: Any,
    ) -> requests.Response:
        """Send a request; the parameters are those of requests' adapter.

        :raises requests.RequestException: the body is too large or too slow, besides others
        """
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
