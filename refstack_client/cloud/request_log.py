"""The requests that named a text, with what the services answered: evidence of a challenge."""

from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests

REQUEST_IDS = ("x-openstack-request-id", "x-compute-request-id", "x-trans-id")
"""Headers with the id of a request, in the order of preference."""


@dataclass
class RequestLog:
    """Records requests whose URL or body has a text, while there is one.

    :param text: "" records nothing
    """

    text: str = ""
    entries: list[dict[str, object]] = field(default_factory=list)

    def note(self, response: requests.Response, *_: object, **__: object) -> None:
        """Record a request and its response: a hook of requests."""
        request = response.request
        body = request.body or b""
        content = body if isinstance(body, bytes) else str(body).encode()
        if not self.text or self.text.encode() not in (request.url or "").encode() + content:
            return
        headers = response.headers
        ids = (headers[name] for name in REQUEST_IDS if name in headers)
        self.entries.append(
            {
                "method": request.method,
                "url": urlsplit(request.url or "")._replace(query="", fragment="").geturl(),
                "status": response.status_code,
                "request_id": next(ids, ""),
                "date": _time(headers.get("Date", "")),
            }
        )


def _time(date: str) -> str:
    """Return the date of a response in ISO 8601, "" if it has none that is valid."""
    try:
        return parsedate_to_datetime(date).isoformat()
    except (ValueError, TypeError, OverflowError):
        return ""
